"""Precision pulls: what each row does to both models' average precision, summed in the engine.

The average precision is the mean, over the positives, of the precision at the threshold that just
flags them, so many T positives and F negatives together. One more positive there, or above, adds
F / (T + F)^2 to that precision, one more negative takes T / (T + F)^2 away. A row's feature is its
own precision, if it is positive, and what it does to those of all positives below it.

As for placements, rows are counted by score, only the different scores are put in order, and what
is added up are whole numbers, so that nothing depends on the order of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import LABEL, N, Reading, number
from prunegate.counting.feature_sums import FEATURES
from prunegate.counting.grouping import Frame, SlicingPart
from prunegate.counting.pull_sums import PullSums
from prunegate.counting.values import features_of, moments_of, sums_of

AVERAGE_PRECISION = "average_precision"
_FINE, _COARSE = 40, 28
BITS = ((_FINE, _COARSE), (_FINE, _COARSE), (0, 0))
"""Bits after the point of change, baseline and weight."""
_MODELS = ("baseline", "candidate")
_UP, _DOWN = "prunegate__up", "prunegate__down"
_KINDS = (_UP, _DOWN)


def precision_pulls(reading: Reading, part: SlicingPart) -> dict[str, PullSums]:
    """Per slice of a slicing, the sums of its rows' (or groups') pulls."""
    group = reading.policy.group
    keys = [*part.keys, *(() if group is None else (group,))]
    features = [*features_of((AVERAGE_PRECISION,)), *_KINDS]
    placed = _featured(reading, part, keys)
    units = placed.select(*keys, *features)
    if group is not None:
        units = units.group_by(*keys).agg(*(nw.col(name).sum() for name in features))
    sums = {
        N: nw.len(),
        **sums_of((AVERAGE_PRECISION,)),
        **{f"{kind}_rows": nw.col(kind).sum() for kind in _KINDS},
        **{f"{kind}_squares": (nw.col(kind) * nw.col(kind)).sum() for kind in _KINDS},
    }
    total = units.group_by(*part.keys).agg(*(e.alias(name) for name, e in sums.items()))
    most = {name: nw.col(name).max() for m in _MODELS for name in (_gain(m), _loss(m))}
    ends = placed.group_by(*part.keys).agg(*(e.alias(name) for name, e in most.items()))
    with reading.table.reading():
        lines = total.collect().rows(named=True)
        tops = {part.name(line): line for line in ends.collect().rows(named=True)}
    return {part.name(line): _sums(line, tops[part.name(line)]) for line in lines}


def _gain(model: str) -> str:
    """What one more positive, flagged as soon as a row, adds to the precision of others."""
    return f"prunegate__gain_{model}"


def _loss(model: str) -> str:
    """What one more negative takes away."""
    return f"prunegate__loss_{model}"


def _precision(model: str) -> str:
    return f"prunegate__precision_{model}"


def _score(model: str) -> str:
    return f"prunegate__score_{model}"


def _featured(reading: Reading, part: SlicingPart, keys: list[str]) -> Frame:
    """The rows with their features, in whole steps."""
    columns, exact = reading.policy.columns, reading.table.frame.implementation.is_duckdb()
    placed = part.frame.select(
        *keys,
        nw.col(LABEL).cast(nw.Int64).alias(_UP),
        (1 - nw.col(LABEL)).cast(nw.Int64).alias(_DOWN),
        *(number(getattr(columns, model)).alias(_score(model)) for model in _MODELS),
    )
    rows = placed
    for model in _MODELS:
        placed = placed.join(_by_score(rows, part.keys, model), on=[*part.keys, _score(model)])
    up, down = nw.col(_UP), nw.col(_DOWN)
    before, after = (
        up * (nw.col(_precision(m)) + nw.col(_gain(m))) - down * nw.col(_loss(m)) for m in _MODELS
    )
    fine = {"change": after - before, "baseline": before, "weight": up}
    whole = nw.Int128 if exact else nw.Float64
    found = {}
    for name, feature in fine.items():
        coarse = feature if name == "weight" else (feature * 2.0 ** (_COARSE - _FINE)).round()
        found[f"prunegate__{AVERAGE_PRECISION}_{name}_fine"] = feature.cast(whole)
        found[f"prunegate__{AVERAGE_PRECISION}_{name}_coarse"] = coarse.cast(whole)
    assert set(fine) == set(FEATURES)  # noqa: S101  # these are what sums are made of
    return placed.with_columns(*(e.alias(name) for name, e in found.items()))


def _by_score(rows: Frame, keys: tuple[str, ...], model: str) -> Frame:
    """For each different score its precision, and what one more row there does to the others'."""
    score, step = _score(model), 2.0**_FINE
    counts = rows.group_by(*keys, score).agg(*(nw.col(kind).sum() for kind in _KINDS))
    flagged = {
        f"{kind}_flagged": nw.col(kind).sum().over(*keys)
        - nw.col(kind).cum_sum().over(*keys, order_by=score)
        + nw.col(kind)
        for kind in _KINDS
    }
    counts = counts.with_columns(*(e.alias(name) for name, e in flagged.items()))
    up, hits, alarms = (
        nw.col(name).cast(nw.Float64) for name in (_UP, f"{_UP}_flagged", f"{_DOWN}_flagged")
    )
    every = hits + alarms
    own = {
        _precision(model): hits / every,
        _gain(model): up * alarms / (every * every),
        _loss(model): up * hits / (every * every),
    }
    counts = counts.with_columns(
        *((e * step).round().cast(nw.Int64).alias(name) for name, e in own.items())
    )
    return counts.select(
        *keys,
        score,
        _precision(model),
        *(
            nw.col(name).cum_sum().over(*keys, order_by=score).cast(nw.Int64).alias(name)
            for name in (_gain(model), _loss(model))
        ),
    )


def _sums(line: Mapping[str, Any], tops: Mapping[str, Any]) -> PullSums:
    gains, losses = (
        tuple(Fraction(int(tops[name(m)]), 1 << _FINE) for m in _MODELS) for name in (_gain, _loss)
    )
    return PullSums(
        moments=moments_of(line, AVERAGE_PRECISION, int(line[N]), BITS),
        squares=tuple(int(line[f"{kind}_squares"]) for kind in _KINDS),
        rows=tuple(int(line[f"{kind}_rows"]) for kind in _KINDS),
        falls=(1 + max(gains), max(losses)),
        own=(gains[0], gains[1]),
    )
