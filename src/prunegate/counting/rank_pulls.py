"""Rank pulls: what each row does to the rank correlation of both models, summed in the engine.

A row's place in a column is how many rows lie below it less how many lie above, equal ones
counting for neither. Spearman's correlation is the sum of the products of a score's places and the
label's, over the root of the product of their sums of squares. One more row changes such a sum by
its own product and by what it does to the places of all others, in either column.

As for placements, only the different values of a column are put in order. Places and their sums are
whole numbers; a row's feature is rounded to a fixed number of bits before it is added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import N, Reading, number
from prunegate.counting.grouping import Frame, SlicingPart
from prunegate.counting.pull_sums import PullSums
from prunegate.counting.values import features_of, moments_of, sums_of, whole_features

RANK_CORRELATION = "rank_correlation"
_BITS = (40, 28)
COLUMNS = ("label", "baseline", "candidate")
MODELS = COLUMNS[1:]
_ONE, _FALL = "prunegate__one", "prunegate__fall"
_MOST_MOVED = 7.5
"""The most that one row in n, put elsewhere, takes from a correlation, times n: 12 (1/2 + 1/8)."""


def rank_pulls(reading: Reading, part: SlicingPart) -> dict[str, PullSums]:
    """Per slice of a slicing, the sums of its rows' (or groups') pulls."""
    group, exact = reading.policy.group, reading.table.frame.implementation.is_duckdb()
    keys = [*part.keys, *(() if group is None else (group,))]
    rows = part.frame.select(
        *keys, *(number(getattr(reading.policy.columns, c)).alias(column_value(c)) for c in COLUMNS)
    )
    pulled = _pulled(_placed(part.held(with_places(rows, part.keys)), part.keys, exact=exact))
    before, after, weight = (nw.col(name) for name in (*MODELS, _ONE))
    bits = ((after - before, _BITS), (before, _BITS), (weight, (0, 0)))
    derived = whole_features(RANK_CORRELATION, bits, exact=exact)
    units = pulled.select(
        *keys,
        _FALL,
        nw.lit(1).cast(nw.Int64).alias(N),
        *(e.alias(name) for name, e in derived.items()),
    )
    names = features_of((RANK_CORRELATION,))
    if group is not None:
        totals = (*(nw.col(name).sum() for name in (*names, N)), nw.col(_FALL).max())
        units = units.group_by(*keys).agg(*totals)
    sums = {
        "prunegate__units": nw.len(),
        "prunegate__rows": nw.col(N).sum(),
        "prunegate__squares": (nw.col(N) * nw.col(N)).sum(),
        _FALL: nw.col(_FALL).max(),
        **sums_of((RANK_CORRELATION,)),
    }
    total = units.group_by(*part.keys).agg(*(e.alias(name) for name, e in sums.items()))
    with reading.table.reading():
        lines = total.collect().rows(named=True)
    return {part.name(line): _sums(line) for line in lines}


def column_value(column: str) -> str:
    """The derived column of a column's number."""
    return f"prunegate__value_{column}"


def column_place(column: str) -> str:
    """Rows below less rows above."""
    return f"prunegate__place_{column}"


def _shift(of: str, by: str) -> str:
    """What one more row in a column does to the places in it, weighed by the places in another."""
    return f"prunegate__shift_{of}_{by}"


def with_places(rows: Frame, keys: tuple[str, ...]) -> Frame:
    """Rows that have a ``column_value`` of every column, with their places in these."""
    placed = rows
    for column in COLUMNS:
        own = column_value(column)
        counts = rows.group_by(*keys, own).agg(nw.len().cast(nw.Int64).alias(N))
        n, upto = nw.col(N), nw.col(N).cum_sum().over(*keys, order_by=own)
        lower_less_higher = 2 * upto - n - n.sum().over(*keys)
        counts = counts.select(
            *keys, own, lower_less_higher.cast(nw.Int64).alias(column_place(column))
        )
        placed = placed.join(counts, on=[*keys, own], how="inner")
    return placed


def _placed(placed: Frame, keys: tuple[str, ...], *, exact: bool) -> Frame:
    """The rows with their places and with what they do to those of others."""
    whole, answer = (nw.Int128 if exact else nw.Float64), placed
    for column in COLUMNS:
        own = column_value(column)
        others = COLUMNS if column == "label" else ("label", column)
        sums = placed.group_by(*keys, own).agg(
            *(nw.col(column_place(o)).cast(whole).sum().alias(_shift(column, o)) for o in others)
        )
        above_less_below = (
            (
                nw.col(_shift(column, o))
                - 2 * nw.col(_shift(column, o)).cum_sum().over(*keys, order_by=own)
            )
            .cast(nw.Float64)
            .alias(_shift(column, o))
            for o in others
        )
        answer = answer.join(
            sums.select(*keys, own, *above_less_below), on=[*keys, own], how="inner"
        )
    products = {
        _product(a, b): nw.col(column_place(a)).cast(whole) * nw.col(column_place(b)).cast(whole)
        for a, b in _PAIRS
    }
    return answer.with_columns(
        nw.len().over(*keys).cast(nw.Float64).alias(N),
        *(e.sum().over(*keys).cast(nw.Float64).alias(name) for name, e in products.items()),
    )


_PAIRS = (*((c, c) for c in COLUMNS), *(("label", m) for m in MODELS))


def _product(one: str, other: str) -> str:
    """The sum of the products of two columns' places."""
    return f"prunegate__product_{one}_{other}"


def _pulled(placed: Frame) -> Frame:
    """The rows with both models' features; a weight of 0 where a column is the same everywhere."""
    one, two, three = (nw.col(_product(column, column)) > 0 for column in COLUMNS)
    varies = one & two & three
    features = {m: nw.when(varies).then(_feature(m)).otherwise(0.0) for m in MODELS}
    scale = [
        nw.col(N) ** 3 / 3.0 / (nw.col(_product("label", "label")) * nw.col(_product(m, m))) ** 0.5
        for m in MODELS
    ]
    worst = nw.when(scale[0] > scale[1]).then(scale[0]).otherwise(scale[1])
    return placed.with_columns(
        nw.when(varies).then(1.0).otherwise(0.0).alias(_ONE),
        nw.when(varies).then(_MOST_MOVED * worst).otherwise(0.0).alias(_FALL),
        *(e.alias(m) for m, e in features.items()),
    )


def _feature(model: str) -> nw.Expr:
    """The correlation, and n times the row's pull on it."""
    label, own = (nw.col(_product(c, c)) for c in ("label", model))
    root = (label * own) ** 0.5
    correlation = nw.col(_product("label", model)) / root
    both = (
        nw.col(column_place("label")).cast(nw.Float64)
        * nw.col(column_place(model)).cast(nw.Float64)
        + nw.col(_shift("label", model))
        + nw.col(_shift(model, "label"))
    )
    each = [
        (nw.col(column_place(c)).cast(nw.Float64) ** 2 + 2.0 * nw.col(_shift(c, c))) / total
        for c, total in (("label", label), (model, own))
    ]
    return correlation + nw.col(N) * (both / root - correlation / 2.0 * (each[0] + each[1]))


def _sums(line: Mapping[str, Any]) -> PullSums:
    return PullSums(
        moments=moments_of(
            line, RANK_CORRELATION, int(line["prunegate__units"]), (_BITS, _BITS, (0, 0))
        ),
        squares=(int(line["prunegate__squares"]),),
        rows=(int(line["prunegate__rows"]),),
        falls=(Fraction(float(line[_FALL])),),
    )
