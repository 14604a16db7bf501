"""Weights that are zero, which save nothing where they are stored: what is told of them."""

from __future__ import annotations

from typing import Protocol

from prunegate.text.said import said

MANY_ZEROS = 0.01
"""Share of zero weights from which on a reader is told; trained weights have next to none."""
MANY_ROUNDED = 0.1
"""The same of eight-bit weights, of which rounding makes a few in a hundred zero."""


class CountedModel(Protocol):
    """A model whose weights were counted; None: nobody did."""

    @property
    def zeros(self) -> int | None:
        """Weights that are zero."""

    @property
    def parameters(self) -> int | None:
        """All weights."""

    @property
    def quantized(self) -> bool | None:
        """Whether they are whole numbers, of which rounding makes some zero."""


def zero_warnings(candidate: CountedModel) -> tuple[str, ...]:
    """That weights of a candidate are zero, which saves nothing where they are stored."""
    many = MANY_ROUNDED if candidate.quantized else MANY_ZEROS
    zeros, parameters = candidate.zeros, candidate.parameters
    if zeros is None or not parameters or zeros < many * parameters:
        return ()
    return (said("warning.zeros", zeros=zeros, whole=parameters, part=zeros / parameters),)
