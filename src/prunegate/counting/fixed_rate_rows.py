"""Fixed rate rows: positives counted at the thresholds that ``fixed_rate.py`` speaks of.

How many negatives have a higher score, or one as high, is found as for placements: rows are counted
by score, and only the different scores are put in order. Then the negatives say how apart the two
models are in each bin, and hence where the thresholds may lie, and the positives are counted there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import LABEL, N, Reading, number
from prunegate.counting.fixed_rate import BINS, LOG, FixedRateCounts, FlagCounts
from prunegate.counting.grouping import Frame, SlicingPart

_MODELS = ("baseline", "candidate")
_WHO = (*_MODELS, "both")
_UP, _DOWN, _TOTAL = "prunegate__up", "prunegate__down", "prunegate__negatives"


def fixed_rate_counts(
    reading: Reading, part: SlicingPart, rate: float
) -> dict[str, FixedRateCounts]:
    """Per slice of a slicing that has both classes, its positives at the thresholds of a rate."""
    placed = _placed(reading, part)
    negatives, positives = (placed.filter(nw.col(label) == 1) for label in (_DOWN, _UP))
    flagged = negatives.join(_edges(negatives, part.keys, rate), on=list(part.keys), how="inner")
    bins = _strict(flagged, part.keys)
    flags = _flags(rate)
    rows = positives.join(bins, on=list(part.keys), how="inner").select(
        *part.keys, _TOTAL, *(one.alias(name) for name, one in flags.items())
    )
    total = rows.group_by(*part.keys, _TOTAL).agg(
        nw.len().alias(N), *(nw.col(name).sum() for name in flags)
    )
    with reading.table.reading():
        lines = total.collect().rows(named=True)
    return {part.name(line): _counts(line) for line in lines}


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


def _placed(reading: Reading, part: SlicingPart) -> Frame:
    columns = reading.policy.columns
    rows = part.frame.select(
        *part.keys,
        nw.col(LABEL).cast(nw.Int64).alias(_UP),
        (1 - nw.col(LABEL)).cast(nw.Int64).alias(_DOWN),
        *(number(getattr(columns, model)).alias(_score(model)) for model in _MODELS),
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


def _strict(flagged: Frame, keys: tuple[str, ...]) -> Frame:
    """Per slice, the ends of the bins and what the other model flags at least in each."""
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
    return flagged.group_by(*keys, *ends).agg(*alike).select(*keys, *ends, *lows)


def _flags(rate: float) -> dict[str, nw.Expr]:
    """Of a positive, at each pair of thresholds: 1 where the baseline, the candidate, both flag it.

    A slice's threshold is where scikit-learn's ``roc_curve`` has it.
    """
    total = nw.col(_TOTAL).cast(nw.Float64)
    here = {m: nw.col(_reached(m)).cast(nw.Float64) / total <= rate for m in _MODELS}
    found = _three("here", here)
    for strict in _MODELS:
        for j in range(BINS):
            flagged = {m: nw.col(_above(m)) <= nw.col(_edge(j + 1)) for m in _MODELS}
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
