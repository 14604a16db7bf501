"""Order rows: the sums that ``order_sums.py`` speaks of, made in the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import N, Reading, number
from prunegate.counting.grouping import Frame, SlicingPart
from prunegate.counting.order_sums import OrderSums, of_columns, of_models
from prunegate.counting.rank_pulls import COLUMNS, MODELS, column_place, column_value, with_places

_SQUARES, _ROWS = "prunegate__squares_of_groups", "prunegate__rows"


def order_sums(reading: Reading, part: SlicingPart) -> dict[str, OrderSums]:
    """Per slice of a slicing, the sums of its rows' places."""
    group, exact = reading.policy.group, reading.table.frame.implementation.is_duckdb()
    rows = part.frame.select(
        *part.keys,
        *(() if group is None else (group,)),
        *(number(getattr(reading.policy.columns, c)).alias(column_value(c)) for c in COLUMNS),
    )
    whole = nw.Int128 if exact else nw.Float64  # others have no whole numbers of 128 bits
    label, *models = (nw.col(column_place(c)).cast(whole) for c in COLUMNS)
    sums = {
        _ROWS: nw.len().cast(nw.Int64),
        **{_square(c): (p * p).sum() for c, p in zip(COLUMNS, (label, *models), strict=True)},
        **{_cube(c): (p * p * p).sum() for c, p in zip(COLUMNS, (label, *models), strict=True)},
        **{_product(m): (label * p).sum() for m, p in zip(MODELS, models, strict=True)},
    }
    placed = with_places(rows, part.keys)
    total = placed.group_by(*part.keys).agg(*(e.alias(name) for name, e in sums.items()))
    if group is not None:
        total = total.join(_of_groups(rows, part.keys, group), on=list(part.keys), how="inner")
    with reading.table.reading():
        lines = total.collect().rows(named=True)
    return {part.name(line): _sums(line) for line in lines}


def _of_groups(rows: Frame, keys: tuple[str, ...], group: str) -> Frame:
    sizes = rows.group_by(*keys, group).agg(nw.len().cast(nw.Int64).alias(N))
    return sizes.group_by(*keys).agg((nw.col(N) * nw.col(N)).sum().alias(_SQUARES))


def _square(column: str) -> str:
    return f"prunegate__square_{column}"


def _cube(column: str) -> str:
    return f"prunegate__cube_{column}"


def _product(model: str) -> str:
    return f"prunegate__product_{model}"


def _sums(line: Mapping[str, Any]) -> OrderSums:
    rows = int(line[_ROWS])
    return OrderSums(
        rows=rows,
        squares=of_columns(int(line[_square(column)]) for column in COLUMNS),
        cubes=of_columns(int(line[_cube(column)]) for column in COLUMNS),
        products=of_models(int(line[_product(model)]) for model in MODELS),
        groups=int(line.get(_SQUARES, rows)),
    )
