"""Gates: switch attention heads and neurons off without touching a weight.

A forward pre-hook multiplies each unit's slice of a projection's input by a number. With 0 and 1
it is the reference that physical surgery has to equal; with ones that require a gradient it
measures importance (Michel, Levy and Neubig, "Are Sixteen Heads Really Better than One?",
NeurIPS 2019), which transformers 5 no longer offers since ``head_mask`` was removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from prunegate.models.family import GateSite


@contextmanager
def gated(sites: Sequence[GateSite], gates: Sequence[Tensor]) -> Iterator[None]:
    """Multiply the units at ``sites`` while the context lasts.

    Args:
        sites: From ``Family.sites``.
        gates: One per site, of shape [units], or [batch, units] for a gate per sample.
    """
    handles = []
    try:
        for site, gate in zip(sites, gates, strict=True):
            handles.append(site.module.register_forward_pre_hook(_hook(site, gate)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(site: GateSite, gate: Tensor) -> Callable[[nn.Module, tuple[Any, ...]], tuple[Tensor]]:
    # Shapes: the input is [batch, tokens, units * width].
    factor = gate[:, None, :, None] if gate.dim() == 2 else gate[:, None]

    shape = (site.units, site.width)

    def multiply(_module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Tensor]:
        hidden: Tensor = inputs[0]
        return ((hidden.reshape(*hidden.shape[:-1], *shape) * factor).flatten(-2),)

    return multiply
