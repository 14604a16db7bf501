"""Precision and F1 of two models from their eight joint cells.

A row is a label, the baseline's decision and the candidate's (1 = positive), and ``cells[4*label
+ 2*baseline + candidate]`` counts the rows of one kind. Both metrics are a ratio of two sums over
rows, u / v: precision has u = 1 for a true positive and v = 1 for a positive call; F1 has u = 2
for a true positive and v = label + call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from prunegate.stats import arguments

Kind = Literal["precision", "f1"]
LOST = (1, 6)
"""Cells in which only the candidate errs: a new false positive, a new miss."""
GAINED = (2, 5)
"""Cells in which only the baseline errs."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Numerator and denominator of one model's ratio, per cell."""

    u: tuple[float, ...]
    """Contribution of a row of each cell to the numerator."""
    v: tuple[float, ...]
    """Contribution of a row of each cell to the denominator."""

    def totals(self, cells: Sequence[float]) -> tuple[float, float]:
        """Numerator and denominator of ``cells`` (counts or probabilities)."""
        above, below = self._held
        return (
            sum([weight * cells[place] for place, weight in above]),
            sum([weight * cells[place] for place, weight in below]),
        )

    @cached_property
    def _held(self) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        """The cells that count, and how much: half of them do not."""
        above, below = (
            [(place, weight) for place, weight in enumerate(every) if weight]
            for every in (self.u, self.v)
        )
        return above, below


def weights(kind: Kind, model: Literal["baseline", "candidate"]) -> Weights:
    """The weights of one metric of one model."""
    return _WEIGHTS[kind, model]


def require_joint_counts(cells: Sequence[float], kind: Kind) -> None:
    """Raise `ValueError` unless ``cells`` are eight counts and both ratios are defined."""
    if len(cells) != 8:
        raise ValueError(f"{len(cells)} cells: pass the 8 counts of label, baseline, candidate.")
    arguments.counts(**{f"cell {index}": cell for index, cell in enumerate(cells)})
    for name in MODELS:
        if weights(kind, name).totals(cells)[1] == 0:
            raise ValueError(f"{kind} of the {name} is undefined: no row in its denominator.")


def _weights(kind: Kind, shift: int) -> Weights:
    rows = [(cell >> 2, cell >> shift & 1) for cell in range(8)]
    if kind == "precision":
        return Weights(
            u=tuple(float(y & call) for y, call in rows), v=tuple(float(call) for _, call in rows)
        )
    return Weights(
        u=tuple(2.0 * (y & call) for y, call in rows), v=tuple(float(y + call) for y, call in rows)
    )


MODELS: tuple[Literal["baseline"], Literal["candidate"]] = ("baseline", "candidate")
_KINDS: tuple[Literal["precision"], Literal["f1"]] = ("precision", "f1")
_WEIGHTS = {
    (kind, model): _weights(kind, shift)
    for kind in _KINDS
    for model, shift in zip(MODELS, (1, 0), strict=True)
}
