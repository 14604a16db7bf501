"""Placements: how two models rank the positives and negatives of each slice, summed in the engine.

Rows are first counted by score, which takes no order; only the different scores are then put in
order and added up, and every row looks its own score up. Ties count half, so that doubled counts
are whole numbers and nothing depends on the order of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import LABEL, N, Reading, number
from prunegate.counting.grouping import Frame, SlicingPart
from prunegate.counting.placement_sums import PAIRS, PLACEMENTS, PlacementSums

_SCORES = ("prunegate__score_baseline", "prunegate__score_candidate")
_BELOW = ("prunegate__below_baseline", "prunegate__below_candidate")
_ABOVE = ("prunegate__above_baseline", "prunegate__above_candidate")
_UP, _DOWN = "prunegate__up", "prunegate__down"
_HOLDING = ("prunegate__holding_up", "prunegate__holding_down")


def placements(reading: Reading, part: SlicingPart) -> dict[str, PlacementSums]:
    """Per slice of a slicing, the sums of its rows' (or groups') placements."""
    exact = reading.table.frame.implementation.is_duckdb()
    features = _units(reading, _placed(reading, part), part)
    whole = nw.Int128 if exact else nw.Float64  # others have no whole numbers of 128 bits
    x = [nw.col(name).cast(whole) for name in PLACEMENTS]
    sums = {
        N: nw.len(),
        **{f"prunegate__{i}": one.sum() for i, one in enumerate(x)},
        **{f"prunegate__{i}_{j}": (x[i] * x[j]).sum() for i, j in PAIRS},
        **{
            name: (nw.col(of) > 0).cast(nw.Int64).sum()
            for name, of in zip(_HOLDING, ("up", "down"), strict=True)
        },
    }
    total = features.group_by(*part.keys).agg(*(e.alias(name) for name, e in sums.items()))
    with reading.table.reading():
        lines = total.collect().rows(named=True)
    return {part.name(line): _sums(line) for line in lines}


def _placed(reading: Reading, part: SlicingPart) -> Frame:
    """The rows with how many of the other class each model puts below and above them, doubled."""
    columns, group = reading.policy.columns, reading.policy.group
    kept = [*part.keys, *(() if group is None else (group,))]
    pair = zip((columns.baseline, columns.candidate), _SCORES, strict=True)
    rows = part.frame.select(
        *kept,
        nw.col(LABEL).cast(nw.Int64).alias(_UP),
        (1 - nw.col(LABEL)).cast(nw.Int64).alias(_DOWN),
        *(number(column).alias(name) for column, name in pair),
    )
    placed = rows
    for score, below, above in zip(_SCORES, _BELOW, _ABOVE, strict=True):
        ranks = _ranks(rows, part.keys, score).select(*part.keys, score, below, above)
        placed = placed.join(ranks, on=[*part.keys, score], how="inner")
    return placed


def _ranks(rows: Frame, keys: tuple[str, ...], score: str) -> Frame:
    """For each different score, the negatives below it and the positives above it, doubled."""
    place = _SCORES.index(score)
    counts = rows.group_by(*keys, score).agg(
        nw.col(_UP).sum().cast(nw.Int64), nw.col(_DOWN).sum().cast(nw.Int64)
    )
    up, down = nw.col(_UP), nw.col(_DOWN)
    lower = 2 * down.cum_sum().over(*keys, order_by=score) - down
    higher = 2 * up.sum().over(*keys) - (2 * up.cum_sum().over(*keys, order_by=score) - up)
    return counts.with_columns(
        lower.cast(nw.Int64).alias(_BELOW[place]), higher.cast(nw.Int64).alias(_ABOVE[place])
    )


def _units(reading: Reading, placed: Frame, part: SlicingPart) -> Frame:
    """The six features of every row, added up within groups where there are such."""
    up, down = nw.col(_UP), nw.col(_DOWN)
    values = (*(nw.col(n) * up for n in _BELOW), up, *(nw.col(n) * down for n in _ABOVE), down)
    group = reading.policy.group
    kept = [*part.keys, *(() if group is None else (group,))]
    features = placed.select(
        *kept, *(value.alias(name) for name, value in zip(PLACEMENTS, values, strict=True))
    )
    if group is None:
        return features
    return features.group_by(*kept).agg(*(nw.col(name).sum() for name in PLACEMENTS))


def _sums(line: Mapping[str, Any]) -> PlacementSums:
    return PlacementSums(
        units=int(line[N]),
        first=tuple(int(line[f"prunegate__{i}"]) for i in range(len(PLACEMENTS))),
        second=tuple(int(line[f"prunegate__{i}_{j}"]) for i, j in PAIRS),
        holding=(int(line[_HOLDING[0]]), int(line[_HOLDING[1]])),
    )
