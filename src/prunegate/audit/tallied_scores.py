"""Tallied scores: what a slice's scores sum up to beside its decisions, as a record keeps it.

Only where a rule asks for it: the sums of row losses, those of the rows' places in both models'
rankings, and the rows whose true class each model has among its k highest scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prunegate.audit.tallied_sums import (
    TalliedQuantity,
    exact_sum,
    moments_in,
    quantity_of,
    sum_text,
)
from prunegate.counting.calibration import BINS_OF_SURENESS, Calibration, Calibrations
from prunegate.counting.fixed_rate import BINS, FixedRateCounts, FlagCounts
from prunegate.counting.fixed_recall import FixedRecallCounts, missed_at
from prunegate.counting.order_sums import OrderSums, of_columns, of_models
from prunegate.counting.placement_sums import PAIRS, PLACEMENTS, PlacementSums
from prunegate.counting.pull_sums import PullSums
from prunegate.counting.tallies import JointCounts, ScoredRows
from prunegate.verdict.finding import ABSENT


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
class TalliedPulls:
    """Sums over units of what they add to a statistic of ranks; every sum is a text."""

    sums: TalliedQuantity
    """Of change, baseline and weight, as those of a quantity."""
    rows: tuple[int, ...]
    """Of each kind of row (positives and negatives, or all)."""
    squares: tuple[str, ...]
    """Of each kind, the sum of the squares of how many a unit has."""
    falls: tuple[str, ...]
    """Of each kind, the most that one more row can take away, times the weights' sum."""
    own: tuple[str, str]
    """What baseline and candidate owe to rows counting for themselves, times the weights' sum."""


@dataclass(frozen=True, kw_only=True)
class TalliedFixedRate:
    """Positives by who flags them: neither, only the candidate, only the baseline, both."""

    rate: float
    """The false positive rate of the thresholds."""
    negatives: int
    """Rows that the thresholds follow from."""
    here: tuple[int, ...]
    """At the thresholds of these negatives."""
    candidate_low: tuple[tuple[int, ...], ...]
    """At the thresholds that are possible, bin by bin: the candidate flags as little as it must."""
    candidate_high: tuple[tuple[int, ...], ...]
    """The same: the baseline flags as little as it must."""


@dataclass(frozen=True, kw_only=True)
class TalliedFixedRecall:
    """What is flagged at thresholds with one recall."""

    alone: TalliedFixedRate
    """Negatives by who leaves them alone; ``negatives`` are the positives, which the thresholds
    follow from, and ``rate`` is the share of these that may be missed."""
    recall: float
    """Of the thresholds."""
    hits: tuple[int, int]
    """Positives that baseline and candidate flag."""
    tied: tuple[int, int]
    """By baseline and candidate: the most positives of one score where its threshold may be."""


@dataclass(frozen=True, kw_only=True)
class TalliedOrder:
    """Sums over rows of their places by label, baseline and candidate; every sum is a text."""

    rows: int
    squares: tuple[str, ...]
    cubes: tuple[str, ...]
    products: tuple[str, ...]
    """Of the label's place and the baseline's, and the candidate's."""
    groups: str
    """The sum of the squares of how many rows a group has; without groups, the rows."""


@dataclass(frozen=True, kw_only=True)
class TalliedCalibration:
    """One model's rows by how sure it is, a number for every bin of equal width."""

    rows: tuple[int, ...]
    right: tuple[int, ...]
    """Rows that it is right about."""
    sure: tuple[str, ...]
    """How sure it is, added up, in steps of 2^-30; a text."""


@dataclass(frozen=True, kw_only=True)
class TalliedScores:
    """One slice's scores, summed up."""

    losses: tuple[TalliedQuantity, ...] = ()
    placements: TalliedPlacements | None = None
    pulls: tuple[TalliedPulls, ...] | None = field(default=None, metadata=ABSENT)
    """Of average precision and rank correlation; None: no rule asks."""
    at_rates: tuple[TalliedFixedRate, ...] | None = field(default=None, metadata=ABSENT)
    """Positives at fixed false positive rates; None: no rule asks."""
    at_recalls: tuple[TalliedFixedRecall, ...] | None = field(default=None, metadata=ABSENT)
    """Rows at fixed recalls; None: no rule asks."""
    calibration: tuple[TalliedCalibration, ...] | None = field(default=None, metadata=ABSENT)
    """The baseline's and the candidate's; None: no rule takes scores for probabilities."""
    order: TalliedOrder | None = field(default=None, metadata=ABSENT)
    """How scores order the rows as labels do; None: the reference is not asked, or decides."""
    within: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """By k: rows that neither, only the candidate, only the baseline, both have among the k."""


def scores_of(rows: ScoredRows) -> TalliedScores:
    """What a record keeps of a slice's scores."""
    sums = rows.placements
    return TalliedScores(
        losses=tuple(quantity_of(name, of) for name, of in sorted(rows.losses.items())),
        placements=None if sums is None else _placements(sums),
        pulls=tuple(_pulls(name, of) for name, of in sorted(rows.pulls.items())) or None,
        at_rates=tuple(_rate(rate, of) for rate, of in sorted(rows.at_rates.items())) or None,
        at_recalls=tuple(_recall(at, of) for at, of in sorted(rows.at_recalls.items())) or None,
        calibration=tuple(map(_calibration, rows.calibration)) if rows.calibration else None,
        order=None if rows.order is None else _order(rows.order),
        within={str(k): tally.cells[4:] for k, tally in sorted(rows.within.items())},
    )


def _placements(sums: PlacementSums) -> TalliedPlacements:
    return TalliedPlacements(
        units=sums.units,
        first=tuple(map(str, sums.first)),
        second=tuple(map(str, sums.second)),
        holding=sums.holding,
    )


def _pulls(name: str, sums: PullSums) -> TalliedPulls:
    return TalliedPulls(
        sums=quantity_of(name, sums.moments),
        rows=sums.rows,
        squares=tuple(map(str, sums.squares)),
        falls=tuple(map(sum_text, sums.falls)),
        own=(sum_text(sums.own[0]), sum_text(sums.own[1])),
    )


def _pulls_in(stored: TalliedPulls) -> PullSums:
    kinds = {len(stored.rows), len(stored.squares), len(stored.falls)}
    if not stored.rows or len(kinds) != 1 or len(stored.own) != 2:
        raise ValueError(f"pulls of {stored.sums.name} have {len(stored.rows)} kinds of rows")
    return PullSums(
        moments=moments_in(stored.sums),
        rows=tuple(stored.rows),
        squares=tuple(map(int, stored.squares)),
        falls=tuple(map(exact_sum, stored.falls)),
        own=(exact_sum(stored.own[0]), exact_sum(stored.own[1])),
    )


def _rate(rate: float, counts: FixedRateCounts) -> TalliedFixedRate:
    return TalliedFixedRate(
        rate=rate,
        negatives=counts.negatives,
        here=counts.here,
        candidate_low=counts.candidate_low,
        candidate_high=counts.candidate_high,
    )


def _rate_in(stored: TalliedFixedRate) -> FixedRateCounts:
    low, high = (tuple(map(_four, t)) for t in (stored.candidate_low, stored.candidate_high))
    found = FixedRateCounts(
        negatives=stored.negatives,
        here=_four(stored.here),
        candidate_low=low,
        candidate_high=high,
    )
    totals = {sum(table) for table in (found.here, *low, *high)}
    if {len(low), len(high)} != {BINS} or len(totals) > 1:
        raise ValueError(f"positives at {stored.rate:g} do not add up")
    return found


def _calibration(found: Calibration) -> TalliedCalibration:
    return TalliedCalibration(rows=found.rows, right=found.right, sure=tuple(map(str, found.sure)))


def _calibrations(stored: Sequence[TalliedCalibration]) -> Calibrations:
    found = [
        Calibration(rows=tuple(one.rows), right=tuple(one.right), sure=tuple(map(int, one.sure)))
        for one in stored
    ]
    sizes = {len(part) for one in found for part in (one.rows, one.right, one.sure)}
    if len(found) != 2 or sizes != {BINS_OF_SURENESS}:
        raise ValueError(f"the calibration of {len(found)} models has bins {sorted(sizes)}")
    return found[0], found[1]


def _order(sums: OrderSums) -> TalliedOrder:
    squares, cubes, products = (
        tuple(map(str, of)) for of in (sums.squares, sums.cubes, sums.products)
    )
    return TalliedOrder(
        rows=sums.rows,
        squares=squares,
        cubes=cubes,
        products=products,
        groups=str(sums.groups),
    )


def _order_in(stored: TalliedOrder) -> OrderSums:
    sizes = (len(stored.squares), len(stored.cubes), len(stored.products))
    if sizes != (3, 3, 2):
        raise ValueError(f"orders have {sizes} sums")
    return OrderSums(
        rows=stored.rows,
        squares=of_columns(map(int, stored.squares)),
        cubes=of_columns(map(int, stored.cubes)),
        products=of_models(map(int, stored.products)),
        groups=int(stored.groups),
    )


def _recall(recall: float, counts: FixedRecallCounts) -> TalliedFixedRecall:
    return TalliedFixedRecall(
        alone=_rate(missed_at(recall), counts.alone),
        recall=recall,
        hits=counts.hits,
        tied=counts.tied,
    )


def _recall_in(stored: TalliedFixedRecall) -> FixedRecallCounts:
    found = FixedRecallCounts(
        alone=_rate_in(stored.alone), hits=_pair(stored.hits), tied=_pair(stored.tied)
    )
    if max(*found.hits, *found.tied) > found.alone.negatives:
        raise ValueError(f"more is flagged at {stored.recall:g} than there is")
    return found


def _pair(counts: Sequence[int]) -> tuple[int, int]:
    baseline, candidate = counts
    if min(counts) < 0:
        raise ValueError(f"{counts} are not two counts")
    return baseline, candidate


def _four(counts: Sequence[int]) -> FlagCounts:
    neither, candidate, baseline, both = counts
    if min(counts) < 0:
        raise ValueError(f"{counts} are not four counts")
    return neither, candidate, baseline, both


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
        pulls={one.sums.name: _pulls_in(one) for one in stored.pulls or ()},
        at_rates={one.rate: _rate_in(one) for one in stored.at_rates or ()},
        at_recalls={one.recall: _recall_in(one) for one in stored.at_recalls or ()},
        calibration=None if stored.calibration is None else _calibrations(stored.calibration),
        order=None if stored.order is None else _order_in(stored.order),
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
