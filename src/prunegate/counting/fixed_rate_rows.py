"""Fixed rate rows: positives counted at the thresholds that ``fixed_rate.py`` speaks of.

How many negatives have a higher score, or one as high, is found as for placements: rows are counted
by score, and only the different scores are put in order. Then the negatives say how apart the two
models are in each bin, and hence where the thresholds may lie, and the positives are counted there.
At a fixed recall it is the other way round: of reversed scores, positives give the thresholds, and
the negatives that are left alone there are counted (``fixed_recall.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import LABEL, N, Reading, number
from prunegate.counting.fixed_rate import BINS, LOG, FixedRateCounts, FlagCounts
from prunegate.counting.fixed_recall import FixedRecallCounts, missed_at
from prunegate.counting.grouping import Frame, SlicingPart
from prunegate.counting.order_sums import of_models

_MODELS = ("baseline", "candidate")
_WHO = (*_MODELS, "both")
_UP, _DOWN, _TOTAL = "prunegate__up", "prunegate__down", "prunegate__negatives"


@dataclass(frozen=True, kw_only=True)
class _At:
    """What is held fixed: a share of negatives that are flagged, or of positives."""

    share: float
    recall: bool = False
    """Positives; then all that is said of flags is said of the rows that are left alone."""

    @property
    def rate(self) -> float:
        """The share of the rows that give the thresholds that lie at or above these."""
        return missed_at(self.share) if self.recall else self.share

    def reached(self, model: str) -> nw.Expr:
        """Whether a row lies at or above the slice's own threshold, where scikit-learn has it."""
        total, reached = (nw.col(c).cast(nw.Float64) for c in (_TOTAL, _reached(model)))
        if self.recall:  # the share as it was written, and not what 1 is more than it
            return (total - reached) / total >= self.share
        return reached / total <= self.share


def fixed_rate_counts(
    reading: Reading, part: SlicingPart, rate: float
) -> dict[str, FixedRateCounts]:
    """Per slice of a slicing that has both classes, its positives at the thresholds of a rate."""
    lines = _lines(reading, part, _At(share=rate))
    return {part.name(line): _counts(line) for line in lines}


def fixed_recall_counts(
    reading: Reading, part: SlicingPart, recall: float
) -> dict[str, FixedRecallCounts]:
    """Per slice of a slicing that has both classes, what is flagged at thresholds of a recall."""
    lines = _lines(reading, part, _At(share=recall, recall=True))
    return {
        part.name(line): FixedRecallCounts(
            alone=_counts(line),
            hits=of_models(int(line[_hits(model)]) for model in _MODELS),
            tied=of_models(int(line[_tied(model)]) for model in _MODELS),
        )
        for line in lines
    }


def _lines(reading: Reading, part: SlicingPart, at: _At) -> list[dict[str, Any]]:
    placed = _placed(reading, part, reverse=at.recall)
    negatives, positives = (placed.filter(nw.col(label) == 1) for label in (_DOWN, _UP))
    edges = _edges(negatives, part.keys, at.rate)
    flagged = negatives.join(edges, on=list(part.keys), how="inner")
    more = _of_recall(at) if at.recall else {}
    bins = _strict(flagged, part.keys, more)
    flags, kept = _flags(at), (_TOTAL, *more)
    rows = positives.join(bins, on=list(part.keys), how="inner").select(
        *part.keys, *kept, *(one.alias(name) for name, one in flags.items())
    )
    total = rows.group_by(*part.keys, *kept).agg(
        nw.len().alias(N), *(nw.col(name).sum() for name in flags)
    )
    with reading.table.reading():
        return list(total.collect().rows(named=True))


def _hits(model: str) -> str:
    """Positives that a model flags."""
    return f"prunegate__hits_{model}"


def _tied(model: str) -> str:
    """The most positives of one score where the threshold may be."""
    return f"prunegate__tied_{model}"


def _of_recall(at: _At) -> dict[str, nw.Expr]:
    """Of the positives, which give the thresholds: how many are flagged, and how many are equal."""
    found = {}
    for model in _MODELS:
        above, reached = nw.col(_above(model)), nw.col(_reached(model))
        possible = (above <= nw.col(_edge(BINS))) & (reached >= nw.col(_edge(0)))
        equal = nw.when(possible).then(reached - above).otherwise(0)
        found[_hits(model)] = (~at.reached(model)).cast(nw.Int64).sum()
        found[_tied(model)] = equal.cast(nw.Int64).max()
    return found


def _score(model: str) -> str:
    return f"prunegate__score_{model}"


def _above(model: str) -> str:
    """Negatives with a higher score."""
    return f"prunegate__above_{model}"


def _reached(model: str) -> str:
    """Negatives with a score as high, or higher."""
    return f"prunegate__reached_{model}"


def _edge(place: int) -> str:
    """Where a bin ends, in negatives flagged."""
    return f"prunegate__edge_{place}"


def _low(place: int) -> str:
    """What the other model flags at least, in a bin."""
    return f"prunegate__low_{place}"


def _placed(reading: Reading, part: SlicingPart, *, reverse: bool) -> Frame:
    columns = reading.policy.columns
    labels = (_DOWN, _UP) if reverse else (_UP, _DOWN)
    scores = {model: number(getattr(columns, model)) for model in _MODELS}
    rows = part.frame.select(
        *part.keys,
        nw.col(LABEL).cast(nw.Int64).alias(labels[0]),
        (1 - nw.col(LABEL)).cast(nw.Int64).alias(labels[1]),
        *((0.0 - s if reverse else s).alias(_score(model)) for model, s in scores.items()),
    )
    placed = rows
    for model in _MODELS:
        score, down = _score(model), nw.col(_DOWN)
        counts = rows.group_by(*part.keys, score).agg(down.sum().cast(nw.Int64))
        above = down.sum().over(*part.keys) - down.cum_sum().over(*part.keys, order_by=score)
        counts = counts.select(
            *part.keys,
            score,
            above.cast(nw.Int64).alias(_above(model)),
            (above + down).cast(nw.Int64).alias(_reached(model)),
        )
        placed = placed.join(counts, on=[*part.keys, score], how="inner")
    return placed


def _edges(negatives: Frame, keys: tuple[str, ...], rate: float) -> Frame:
    """Per slice, its negatives and the ends of the bins."""
    totals = negatives.group_by(*keys).agg(nw.len().cast(nw.Int64).alias(_TOTAL))
    expected = nw.col(_TOTAL).cast(nw.Float64) * rate
    low = (expected - (2.0 * expected * LOG) ** 0.5).floor()
    high = (expected + LOG / 3.0 + (LOG * LOG / 9.0 + 2.0 * expected * LOG) ** 0.5).ceil()
    low = nw.when(low > 0).then(low).otherwise(0.0)
    ends = (low + ((high - low) * (j / BINS)).floor() for j in range(BINS + 1))
    return totals.with_columns(*(end.cast(nw.Int64).alias(_edge(j)) for j, end in enumerate(ends)))


def _strict(flagged: Frame, keys: tuple[str, ...], more: Mapping[str, nw.Expr]) -> Frame:
    """Per slice, the ends of the bins, what the other model flags at least in each, and more."""
    ends = [_TOTAL, *map(_edge, range(BINS + 1))]
    alike = []
    for j in range(BINS):
        first, second = (nw.col(_reached(m)) <= nw.col(_edge(j)) for m in _MODELS)
        alike.append((first & second).cast(nw.Int64).sum().alias(_low(j)))
    lows = []
    for j in range(BINS):
        divided = 2.0 * (nw.col(_edge(j + 1)) - nw.col(_low(j))).cast(nw.Float64)
        apart = (LOG + (LOG * LOG + 2.0 * LOG * divided) ** 0.5).ceil().cast(nw.Int64)
        least, floor = nw.col(_edge(j)) - apart, nw.col(_edge(0))
        lows.append(nw.when(least > floor).then(least).otherwise(floor).alias(_low(j)))
    sums = flagged.group_by(*keys, *ends).agg(*alike, *(e.alias(n) for n, e in more.items()))
    return sums.select(*keys, *ends, *more, *lows)


def _flags(at: _At) -> dict[str, nw.Expr]:
    """Of a positive, at each pair of thresholds: 1 where baseline, candidate, both flag it."""
    found = _three("here", {model: at.reached(model) for model in _MODELS})
    for strict in _MODELS:
        for j in range(BINS):
            flagged = {m: nw.col(_reached(m)) <= nw.col(_edge(j + 1)) for m in _MODELS}
            flagged[strict] = nw.col(_reached(strict)) < nw.col(_low(j))
            found |= _three(f"{strict}_{j}", flagged)
    return found


def _three(what: str, flagged: Mapping[str, nw.Expr]) -> dict[str, nw.Expr]:
    first, second = flagged.values()
    flags = zip(_WHO, (first, second, first & second), strict=True)
    return {f"prunegate__{what}_{who}": one.cast(nw.Int64) for who, one in flags}


def _counts(line: Mapping[str, Any]) -> FixedRateCounts:
    def four(what: str) -> FlagCounts:
        first, second, both = (int(line[f"prunegate__{what}_{who}"]) for who in _WHO)
        return int(line[N]) - first - second + both, second - both, first - both, both

    return FixedRateCounts(
        negatives=int(line[_TOTAL]),
        here=four("here"),
        candidate_low=tuple(four(f"candidate_{j}") for j in range(BINS)),
        candidate_high=tuple(four(f"baseline_{j}") for j in range(BINS)),
    )
