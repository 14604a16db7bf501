"""Values: tasks whose models give numbers, summed in fixed point.

What the numbers are, which are possible and how finely they are known say the tasks
(``tasks/score.py``, ``tasks/language.py``). What is kept of a unit (a row,
or all rows of a group) are three features, candidate minus baseline, baseline, and weight (1 or
tokens), with the sums of their products up to the third, so that any linear contrast can be tested
afterwards. Numbers become whole multiples of a power of two before they are summed: floating-point
sums depend on the order of the rows, and a verdict must not.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import (
    DIFFERS,
    ColumnCheck,
    N,
    Reading,
    flag_expression,
    number,
    outside,
    texts_for_numbers,
)
from prunegate.counting.feature_sums import FEATURES, SECOND, THIRD, FeatureSums
from prunegate.counting.tallies import Sums
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.forms import Mean
from prunegate.policy.schema import Policy

VALUE, ERROR, SQUARE, QUALITY = "value", "error", "square", "quality"
Feature = tuple[nw.Expr, tuple[int, int]]
"""A row's number, and the bits after the point that it is summed with: finely, and for products."""


@dataclass(frozen=True, kw_only=True)
class Values(Reading):
    """Numbers, one of each model a row."""

    @property
    def quantities(self) -> tuple[str, ...]:
        """What the rules speak of: the value itself, and errors against the label."""
        return quantities_of(self.policy)

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest number that a model's column can hold."""

    @abstractmethod
    def features(self, quantity: str) -> tuple[Feature, ...]:
        """Change, baseline and weight of a row."""

    def span(self, row: Mapping[str, Any]) -> Fraction | None:
        """The most that a row's value can change, in a line of the answer; None: no bound."""
        del row
        return None

    def ends(self) -> Mapping[str, nw.Expr]:
        """Derived columns that ``span`` looks at."""
        return {}

    def ends_of_lines(self) -> Mapping[str, nw.Expr]:
        """The same, summed up per line of the answer."""
        return {}

    def derived(self) -> Mapping[str, nw.Expr]:
        columns = self.policy.columns
        exact = self.table.frame.implementation.is_duckdb()
        found = {
            DIFFERS: flag_expression(
                self.number(columns.baseline) != self.number(columns.candidate),
                nw.lit(value=True),
            ),
            **self.ends(),
        }
        for quantity in self.quantities:
            found |= whole_features(quantity, self.features(quantity), exact=exact)
        return found

    def second_look(self, lines: Sequence[Mapping[str, Any]], failed: Set[str]) -> list[str]:
        del lines
        return texts_for_numbers(self, [check.column for check in self.of_values()], failed)

    def aggregates(self) -> Mapping[str, nw.Expr]:
        ends = self.ends_of_lines()
        return ends if self.policy.group is not None else {**ends, **sums_of(self.quantities)}

    def tally(self, row: Mapping[str, Any]) -> Sums:
        moments = {} if self.policy.group is not None else self.moments(row, int(row[N]))
        return Sums(count=int(row[N]), quantities=moments, span=self.span(row))

    def moments(self, row: Mapping[str, Any], units: int) -> dict[str, FeatureSums]:
        """The moments in one line of ``sums_of``."""
        return {
            name: moments_of(row, name, units, [bits for _, bits in self.features(name)])
            for name in self.quantities
        }

    def number(self, column: str) -> nw.Expr:
        """A column's number; null where the column holds texts."""
        if self.table.kinds[column] == "text":
            return nw.lit(None).cast(nw.Float64)
        return number(column)

    def inside(self, column: str, bounds: tuple[float, float], words: str) -> ColumnCheck:
        """The check that a column's numbers lie within bounds."""
        inside = self.within(column, bounds)
        return ColumnCheck(column=column, words=words, broken=outside(self, column, inside))

    def within(self, column: str, bounds: tuple[float, float]) -> nw.Expr:
        """True where the number lies within bounds."""
        value = self.number(column)
        return (value >= bounds[0]) & (value <= bounds[1])

    def readable(self, column: str, bounds: tuple[float, float]) -> nw.Expr:
        """The number, null where it is none that can be summed up."""
        return nw.when(self.within(column, bounds)).then(self.number(column))


def quantities_of(policy: Policy) -> tuple[str, ...]:
    """The quantities that a policy's rules speak of; at least the value itself."""
    metrics = (METRICS[rule.metric] for rule in policy.rules if rule.metric in METRICS)
    forms = (metric.forms.get(policy.task.kind) for metric in metrics)
    named = {form.quantity for form in forms if isinstance(form, Mean)}
    return (VALUE, *(quantity for quantity in (ERROR, SQUARE, QUALITY) if quantity in named))


def bits_of_range(low: float, high: float, powers: int = 1) -> tuple[int, int]:
    """Bits after the point for scores of a range, for sums and for products.

    They are as fine as 1e-12 and 4e-9 of the range.

    Args:
        low: smallest score.
        high: largest score.
        powers: of the range that the number can reach: 2 of squares.
    """
    whole = math.ceil(powers * math.log2(high - low))
    return _BITS[0] - whole, _BITS[1] - whole


_BITS = (40, 28)


def whole_features(
    quantity: str, features: Sequence[Feature], *, exact: bool
) -> dict[str, nw.Expr]:
    """The derived columns of a quantity: its features in whole steps, finely and for products.

    Args:
        quantity: its name.
        features: change, baseline and weight of a row.
        exact: whether the engine has whole numbers of 128 bits; in others the last digits may
            depend on the order of rows.
    """
    found = {}
    for name, (feature, bits) in zip(FEATURES, features, strict=True):
        for place, exponent in zip(("fine", "coarse"), bits, strict=True):
            scaled = (feature * 2.0**exponent).round()
            whole = scaled.cast(nw.Int128) if exact else scaled
            found[f"prunegate__{quantity}_{name}_{place}"] = whole
    return found


def moments_of(
    row: Mapping[str, Any], name: str, units: int, bits: Sequence[tuple[int, int]]
) -> FeatureSums:
    """The sums of one quantity in a line of ``sums_of``, whose features had these bits."""
    steps = [[Fraction(1, 2) ** b for b in pair] for pair in bits]
    return FeatureSums(
        units=units,
        first=tuple(_exact(row[f"prunegate__{name}_{i}"]) * steps[i][0] for i in range(3)),
        rough=tuple(_exact(row[f"prunegate__{name}_rough{i}"]) * steps[i][1] for i in range(3)),
        second=tuple(
            _exact(row[f"prunegate__{name}_{i}{j}"]) * steps[i][1] * steps[j][1] for i, j in SECOND
        ),
        third=tuple(
            _exact(row[f"prunegate__{name}_{i}{j}{k}"]) * steps[i][1] * steps[j][1] * steps[k][1]
            for i, j, k in THIRD
        ),
    )


def features_of(quantities: Sequence[str]) -> tuple[str, ...]:
    """Names of the derived columns that add up within a unit."""
    return tuple(
        f"prunegate__{quantity}_{name}_{place}"
        for quantity in quantities
        for name in FEATURES
        for place in ("fine", "coarse")
    )


def sums_of(quantities: Sequence[str]) -> dict[str, nw.Expr]:
    """Sums over units: of the features, and of products of two and three."""
    found: dict[str, nw.Expr] = {}
    for quantity in quantities:
        fine = [nw.col(f"prunegate__{quantity}_{name}_fine") for name in FEATURES]
        x = [nw.col(f"prunegate__{quantity}_{name}_coarse") for name in FEATURES]
        found |= {f"prunegate__{quantity}_{i}": feature.sum() for i, feature in enumerate(fine)}
        found |= {f"prunegate__{quantity}_rough{i}": x[i].sum() for i in range(3)}
        found |= {f"prunegate__{quantity}_{i}{j}": (x[i] * x[j]).sum() for i, j in SECOND}
        found |= {
            f"prunegate__{quantity}_{i}{j}{k}": (x[i] * x[j] * x[k]).sum() for i, j, k in THIRD
        }
    return found


def _exact(total: Any) -> Fraction:
    """A sum of whole numbers; null where every row was unreadable, which is refused elsewhere."""
    return Fraction(0) if total is None else Fraction(total)
