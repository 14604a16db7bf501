"""Weighing: how a table's design weights are read and summed up.

Weights become whole multiples of one step before they are summed, for the same reason as scores do:
a verdict must not hang on the order of the rows, and rows that weigh alike must be seen to do so.
The step follows from the largest weight, which is asked for first, so that weights may be in any
unit. A row without a usable weight makes the whole table bad input, and so does a weight of zero:
it counts for nothing, and whoever means that leaves the row out of the table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import narwhals as nw

from prunegate.counting.weight_sums import WeightSums
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.table import Table
from prunegate.errors import UnsupportedError
from prunegate.text.said import said

WEIGHT = "prunegate__weight"
"""Derived column: the weight as a whole number of steps; null where it cannot be read."""
_SUM, _SQUARES, _HEAVIEST = (f"prunegate__weight_{name}" for name in ("sum", "squares", "heaviest"))
_BITS = 40
"""Of the largest weight; fewer where there are many rows, so that no sum of squares overflows."""
_ROOM = 62
_LIGHTEST = 1e-8
"""Of the largest weight: what is lighter counts for nothing, and is a mistake."""
_LARGEST_FLOAT = 1.7976931348623157e308


@dataclass(frozen=True, kw_only=True)
class Unweighable:
    """One way in which a weight can be unusable."""

    words: str
    """What such rows have, for people."""
    broken: nw.Expr


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """The weights of one table."""

    value: nw.Expr
    """The weight as a 64-bit float; null where there is none."""
    largest: float
    """0: none is usable."""
    exponent: int
    """The step is two to the power of so much less than nothing."""

    @property
    def step(self) -> Fraction:
        """What a weight is a multiple of."""
        return Fraction(1, 2) ** self.exponent

    @property
    def derived(self) -> nw.Expr:
        """The weight in steps."""
        value = self.value
        usable = (value >= self.largest * _LIGHTEST) & (value > 0) & (value <= _LARGEST_FLOAT)
        half = self.exponent // 2  # in two parts: the factor itself may be no double
        scaled = value * 2.0**half * 2.0 ** (self.exponent - half)
        return nw.when(usable).then(scaled.round().cast(nw.Int128))

    @property
    def unusable(self) -> tuple[Unweighable, ...]:
        """Everything that can be wrong with a weight that is a number."""
        value = self.value
        light = (value > 0) & (value < self.largest * _LIGHTEST)
        tiny = f"a weight below 1 in 100,000,000 of the largest, {self.largest:g}"
        return (
            Unweighable(words="no weight", broken=value.is_null()),
            Unweighable(
                words="a weight of 0, which counts for nothing: leave such rows out",
                broken=(value == 0).fill_null(value=False),
            ),
            Unweighable(words="a weight below 0", broken=(value < 0).fill_null(value=False)),
            Unweighable(
                words="an infinite weight", broken=(value > _LARGEST_FLOAT).fill_null(value=False)
            ),
            Unweighable(words=tiny, broken=light.fill_null(value=False)),
        )


def weighing_of(table: Table, column: str, value: nw.Expr | None = None) -> Weighing:
    """How a column of numbers is summed up as weights.

    Args:
        table: has the column.
        column: of weights.
        value: its numbers, where it holds texts that spell such.

    Raises:
        UnsupportedError: the engine has no whole numbers that are large enough (Spark).
    """
    if not table.frame.implementation.is_duckdb():
        raise UnsupportedError(
            f"{table.name}: 'weight: {column}' cannot be judged on Spark, which has no sums that "
            "are exact enough; write the table as Parquet and judge it without --engine spark"
        )
    value = _number(column) if value is None else value
    usable = nw.when((value > 0) & (value <= _LARGEST_FLOAT)).then(value)
    with table.reading():
        largest = float(table.frame.select(usable.max().alias("w")).collect().rows()[0][0] or 0)
    bits = min(_BITS, _ROOM - table.rows_hint.bit_length())
    exponent = bits - (math.frexp(largest)[1] if largest else 0)
    return Weighing(value=value, largest=largest, exponent=exponent)


def _number(column: str) -> nw.Expr:
    value = nw.col(column).cast(nw.Float64)
    return nw.when(~value.is_nan()).then(value)


def weight_aggregates() -> dict[str, nw.Expr]:
    """What is summed up of the weights per cell."""
    weight = nw.col(WEIGHT)
    return {
        _SUM: weight.sum(),
        _SQUARES: (weight * weight).sum(),
        _HEAVIEST: weight.max(),
    }


def weights_in(line: Mapping[str, Any], cell: Any, step: Fraction) -> WeightSums:
    """The weights of one line of the engine's answer, which is about one cell."""
    return WeightSums(
        step=step,
        totals={cell: int(line[_SUM])},
        squares={cell: int(line[_SQUARES])},
        heaviest={cell: int(line[_HEAVIEST])},
    )


LIKELY = ("weight", "weights", "w", "wt", "design_weight", "survey_weight", "inverse_probability")
"""Names that a column of design weights goes by, besides all that end in _weight or _weights."""


def looks_like_weights(columns: Sequence[str]) -> str | None:
    """The column that is called as weights are, the one that says so most; None: there is none."""
    return max(filter(_called_so, columns), key=len, default=None)


def _called_so(column: str) -> bool:
    name = column.strip().lower().replace("-", "_").replace(" ", "_")
    return name in LIKELY or name.endswith(("_weight", "_weights")) or name == "sampleweight"


def unweighed(column: str) -> str:
    """The warning that a table seems to have weights which the policy does not name."""
    return said("warning.unweighed", shown=shown(column), column=column)
