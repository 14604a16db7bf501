"""Tallied scores: what a slice's scores sum up to beside its decisions, as a record keeps it.

Only where a rule asks for it: the sums of row losses, those of the rows' places in both models'
rankings, and the rows whose true class each model has among its k highest scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prunegate.audit.tallied_sums import TalliedQuantity, moments_in, quantity_of
from prunegate.counting.placement_sums import PAIRS, PLACEMENTS, PlacementSums
from prunegate.counting.tallies import JointCounts, ScoredRows


@dataclass(frozen=True, kw_only=True)
class TalliedPlacements:
    """Sums over units of doubled placements; every sum is a text, a whole number."""

    units: int
    first: tuple[str, ...]
    """Of positives: negatives below them by baseline and by candidate, and their number; the same
    of negatives: positives above them."""
    second: tuple[str, ...]
    """Of products of two of these six, in the order 00 01 ... 05 11 12 ... 55."""
    holding: tuple[int, int]
    """Units with a positive, and with a negative."""


@dataclass(frozen=True, kw_only=True)
class TalliedScores:
    """One slice's scores, summed up."""

    losses: tuple[TalliedQuantity, ...] = ()
    placements: TalliedPlacements | None = None
    within: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """By k: rows that neither, only the candidate, only the baseline, both have among the k."""


def scores_of(rows: ScoredRows) -> TalliedScores:
    """What a record keeps of a slice's scores."""
    sums = rows.placements
    return TalliedScores(
        losses=tuple(quantity_of(name, of) for name, of in sorted(rows.losses.items())),
        placements=None if sums is None else _placements(sums),
        within={str(k): tally.cells[4:] for k, tally in sorted(rows.within.items())},
    )


def _placements(sums: PlacementSums) -> TalliedPlacements:
    return TalliedPlacements(
        units=sums.units,
        first=tuple(map(str, sums.first)),
        second=tuple(map(str, sums.second)),
        holding=sums.holding,
    )


def scores_in(stored: TalliedScores, within: Mapping[int, JointCounts]) -> ScoredRows:
    """What a record holds of a slice's scores.

    Args:
        stored: the sums.
        within: by k, the rows with what their groups say.

    Raises:
        ValueError: they are no such sums.
    """
    sums = stored.placements
    return ScoredRows(
        losses={one.name: moments_in(one) for one in stored.losses},
        placements=None if sums is None else _read(sums),
        within=within,
    )


def counts_within(stored: TalliedScores) -> dict[int, JointCounts]:
    """By k, the rows that each model has among its k highest.

    Raises:
        ValueError: they are no counts.
    """
    found = {}
    for k, cells in stored.within.items():
        if len(cells) != 4 or min(cells) < 0:
            raise ValueError(f"{cells} are not four counts")
        found[int(k)] = JointCounts(cells=(0, 0, 0, 0, *cells))
    return found


def _read(stored: TalliedPlacements) -> PlacementSums:
    sizes = (len(stored.first), len(stored.second), len(stored.holding))
    if sizes != (len(PLACEMENTS), len(PAIRS), 2):
        raise ValueError(f"placements have {sizes} sums")
    return PlacementSums(
        units=stored.units,
        first=tuple(map(int, stored.first)),
        second=tuple(map(int, stored.second)),
        holding=(stored.holding[0], stored.holding[1]),
    )
