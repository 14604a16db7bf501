"""The unit table: what each unit is worth by the policy's criterion, and whether it would stay.

Every step is ranked on the baseline as it is, before anything was removed or trained; in a recipe
of several steps the later ones are ranked anew on what the earlier ones left.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.scores import Scores, shares_of_rows
from prunegate.compress.select import Survivors
from prunegate.compress.structured import choose, cut_kind
from prunegate.models.kept_units import KeptUnits
from prunegate.policy.steps import Prune


@dataclass(frozen=True, kw_only=True)
class UnitRow:
    """One unit."""

    step: int
    """The prune step that ranks it, from 1."""
    kind: str
    """heads, neurons, filters or layers."""
    criterion: str
    layer: int
    """The row it is in, from 1; for layers always 1."""
    unit: int
    """Its number there in the unpruned model, from 1."""
    share: float
    """Of its row's importance; a row sums to 1."""
    rank: int
    """1 is worth most, among all units that compete: the model's, or its layer's (per_layer)."""
    kept: bool
    """Whether the step would keep it."""


def unit_rows(
    ranked: RankingInput, kept: KeptUnits, wanted: Prune, step: int
) -> tuple[UnitRow, ...]:
    """Rank the units of a step and say which would stay.

    Args:
        ranked: The model and the rows to rank with; it is not changed.
        kept: What the model has, numbered as in the unpruned model.
        wanted: The step, which removes units.
        step: Its number.

    Raises:
        ModelError: the amount cannot be reached, or scores are not finite.
        UnsupportedError: no such units in this architecture, or no such criterion.
    """
    kind = cut_kind(wanted)
    scores, staying = choose(ranked, kept, wanted)
    shares, ranks = shares_of_rows(scores), _ranks(scores, wanted)
    return tuple(
        UnitRow(
            step=step,
            kind=kind,
            criterion=wanted.criterion,
            layer=layer + 1,
            unit=unit + 1,
            share=float(shares[row][position]),
            rank=int(ranks[row][position]),
            kept=position in stays,
        )
        for row, (layer, stays) in enumerate(_places(kept, wanted, staying))
        for position, unit in enumerate(kept.of(kind)[layer])
    )


def to_csv(rows: Sequence[UnitRow]) -> str:
    """The table as CSV, lines ending in a newline; shares in Python's shortest exact form."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(UnitRow)]
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(getattr(row, name)) for name in names])
    return text.getvalue()


def _places(kept: KeptUnits, wanted: Prune, staying: Survivors) -> list[tuple[int, frozenset[int]]]:
    present = kept.present(cut_kind(wanted))
    return [(layer, frozenset(stays)) for layer, stays in zip(present, staying, strict=True)]


def _ranks(scores: Scores, wanted: Prune) -> list[np.ndarray]:
    """Rank 1 for the largest score; equal ones in the order in which they would be kept."""
    groups = [np.concatenate(scores)] if wanted.scope == "global" else list(scores)
    ranks = []
    for group in groups:
        places = np.empty(group.size, dtype=np.int64)
        places[np.argsort(group, kind="stable")] = np.arange(group.size, 0, -1)
        ranks.append(places)
    if wanted.scope == "global":
        return np.split(ranks[0], np.cumsum([row.size for row in scores])[:-1])
    return ranks


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value) if isinstance(value, float) else str(value)
