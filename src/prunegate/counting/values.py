"""Values: tasks whose models give numbers, summed in fixed point.

``score``: both columns hold the quality score of a row. ``language``: both hold the summed negative
log-likelihood of a document, and ``tokens`` how many tokens it has. What is kept of a unit (a row,
or all rows of a group) are three features, candidate minus baseline, baseline, and weight (1 or
tokens), with the sums of their products up to the third, so that any linear contrast can be tested
afterwards. Numbers become whole multiples of a power of two before they are summed: floating-point
sums depend on the order of the rows, and a verdict must not.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
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
from prunegate.counting.tallies import SECOND, THIRD, FeatureSums, Sums

VALUE, ERROR = "value", "error"
_FEATURES = ("change", "baseline", "weight")
_SCORE_BITS = (40, 28)
"""Of the range, for sums and for products: 1e-12 and 4e-9 of it."""
_ANY_SCORE_BITS = (36, 20)
"""After the point of scores whose range nobody gave: 1e-11 and 1e-6."""
_NLL_BITS = (36, 16)
"""Of a nat: 1e-11 and 2e-5 nats per document."""
_MOST_NATS, _MOST_TOKENS = 1e6, 1e6
"""Of one document; what is above (infinity, say) is a mistake."""
_LARGEST_SCORE = 1e4
"""Of scores whose range nobody gave."""
LOWEST, HIGHEST = "prunegate__lowest", "prunegate__highest"
"""Smallest and largest score of either model, per line of the engine's answer."""


@dataclass(frozen=True, kw_only=True)
class Values(Reading):
    """Numbers."""

    @property
    def quantities(self) -> tuple[str, ...]:
        """What the rules speak of: the value itself, the absolute error against the label."""
        return quantities_of(self.policy)

    def _span(self, row: Mapping[str, Any]) -> Fraction | None:
        """The most that a row's value can change, in a line of the answer; None: no bound."""
        if self.policy.task.kind != "score":
            return None
        if self.policy.task.range is not None:
            low, high = self.policy.task.range
            return Fraction(str(high)) - Fraction(str(low))
        inside = row[LOWEST] is not None and row[LOWEST] >= 0 and row[HIGHEST] <= 1
        return Fraction(1) if inside else None

    @property
    def _as_found(self) -> bool:
        """Whether only the scores themselves tell their scale."""
        return self.policy.task.kind == "score" and self.policy.task.range is None

    @property
    def _bounds(self) -> tuple[float, float]:
        """Smallest and largest number that a model's column can hold."""
        if self.policy.task.kind == "language":
            return 0.0, _MOST_NATS
        return self.policy.task.range or (-_LARGEST_SCORE, _LARGEST_SCORE)

    def derived(self) -> Mapping[str, nw.Expr]:
        columns = self.policy.data.columns
        found = {
            DIFFERS: flag_expression(
                self._number(columns.baseline) != self._number(columns.candidate),
                nw.lit(value=True),
            ),
            **(self._ends(columns.baseline, columns.candidate) if self._as_found else {}),
        }
        for quantity in self.quantities:
            features = self._features(quantity)
            for name, (feature, bits) in zip(_FEATURES, features, strict=True):
                for place, exponent in zip(("fine", "coarse"), bits, strict=True):
                    found[f"prunegate__{quantity}_{name}_{place}"] = self._whole(feature, exponent)
        return found

    def _ends(self, one: str, other: str) -> dict[str, nw.Expr]:
        """The smaller and the larger score of each row."""
        first, second = self._number(one), self._number(other)
        return {
            LOWEST: nw.when(first < second).then(first).otherwise(second),
            HIGHEST: nw.when(first < second).then(second).otherwise(first),
        }

    def of_values(self) -> Sequence[ColumnCheck]:
        columns = self.policy.data.columns
        pair = (columns.baseline, columns.candidate)
        if self.policy.task.kind == "language":
            return (
                *(self._inside(c, self._bounds, "no negative log-likelihood") for c in pair),
                self._tokens(columns.tokens),
            )
        low, high = self._bounds
        words = f"no score between {low:,g} and {high:,g}"
        labels = (columns.label,) if ERROR in self.quantities else ()
        return tuple(self._inside(column, (low, high), words) for column in (*labels, *pair))

    def second_look(self, lines: Sequence[Mapping[str, Any]], failed: Set[str]) -> list[str]:
        del lines
        return texts_for_numbers(self, [check.column for check in self.of_values()], failed)

    def aggregates(self) -> Mapping[str, nw.Expr]:
        ends: dict[str, nw.Expr] = {}
        if self._as_found:
            ends = {LOWEST: nw.col(LOWEST).min(), HIGHEST: nw.col(HIGHEST).max()}
        return ends if self.policy.group is not None else {**ends, **sums_of(self.quantities)}

    def tally(self, row: Mapping[str, Any]) -> Sums:
        moments = {} if self.policy.group is not None else self.moments(row, int(row[N]))
        return Sums(count=int(row[N]), quantities=moments, span=self._span(row))

    def moments(self, row: Mapping[str, Any], units: int) -> dict[str, FeatureSums]:
        """The moments in one line of ``sums_of``."""
        return {name: self._moments(row, name, units) for name in self.quantities}

    def _moments(self, row: Mapping[str, Any], name: str, units: int) -> FeatureSums:
        steps = [[Fraction(1, 2) ** b for b in bits] for _, bits in self._features(name)]
        return FeatureSums(
            units=units,
            first=tuple(_exact(row[f"prunegate__{name}_{i}"]) * steps[i][0] for i in range(3)),
            rough=tuple(_exact(row[f"prunegate__{name}_rough{i}"]) * steps[i][1] for i in range(3)),
            second=tuple(
                _exact(row[f"prunegate__{name}_{i}{j}"]) * steps[i][1] * steps[j][1]
                for i, j in SECOND
            ),
            third=tuple(
                _exact(row[f"prunegate__{name}_{i}{j}{k}"])
                * steps[i][1]
                * steps[j][1]
                * steps[k][1]
                for i, j, k in THIRD
            ),
        )

    def _features(self, quantity: str) -> tuple[tuple[nw.Expr, tuple[int, int]], ...]:
        """Change, baseline and weight, each with the bits after the point."""
        columns = self.policy.data.columns
        pair, bounds = (columns.baseline, columns.candidate), self._bounds
        baseline, candidate = (self._readable(column, bounds) for column in pair)
        if self.policy.task.kind == "language":
            tokens = self._readable(columns.tokens, (1, _MOST_TOKENS))
            return ((candidate - baseline, _NLL_BITS), (baseline, _NLL_BITS), (tokens, (0, 0)))
        if quantity == ERROR:
            label = self._readable(columns.label, bounds)
            baseline, candidate = (baseline - label).abs(), (candidate - label).abs()
        bits = _ANY_SCORE_BITS
        if self.policy.task.range is not None:
            whole = math.ceil(math.log2(bounds[1] - bounds[0]))
            bits = (_SCORE_BITS[0] - whole, _SCORE_BITS[1] - whole)
        return ((candidate - baseline, bits), (baseline, bits), (nw.lit(1.0), (0, 0)))

    def _number(self, column: str) -> nw.Expr:
        if self.table.kinds[column] == "text":
            return nw.lit(None).cast(nw.Float64)
        return number(column)

    def _whole(self, feature: nw.Expr, bits: int) -> nw.Expr:
        scaled = (feature * 2.0**bits).round()
        exact = self.table.frame.implementation.is_duckdb()
        # other engines have no 128-bit whole numbers: there the last digits may depend on the order
        return scaled.cast(nw.Int128) if exact else scaled

    def _inside(self, column: str, bounds: tuple[float, float], words: str) -> ColumnCheck:
        inside = self._within(column, bounds)
        return ColumnCheck(column=column, words=words, broken=outside(self, column, inside))

    def _within(self, column: str, bounds: tuple[float, float]) -> nw.Expr:
        value = self._number(column)
        return (value >= bounds[0]) & (value <= bounds[1])

    def _tokens(self, column: str) -> ColumnCheck:
        value = self._number(column)
        inside = self._within(column, (1, _MOST_TOKENS)) & (value == value.round())
        words = "no whole number of tokens from 1 up"
        return ColumnCheck(column=column, words=words, broken=outside(self, column, inside))

    def _readable(self, column: str, bounds: tuple[float, float]) -> nw.Expr:
        """The number, null where it is none that can be summed up."""
        return nw.when(self._within(column, bounds)).then(self._number(column))


def quantities_of(policy: Any) -> tuple[str, ...]:
    """The quantities that a policy's rules speak of; at least the value itself."""
    errors = policy.task.kind == "score" and any(rule.metric == "mae" for rule in policy.rules)
    return (VALUE, ERROR) if errors else (VALUE,)


def features_of(quantities: Sequence[str]) -> tuple[str, ...]:
    """Names of the derived columns that add up within a unit."""
    return tuple(
        f"prunegate__{quantity}_{name}_{place}"
        for quantity in quantities
        for name in _FEATURES
        for place in ("fine", "coarse")
    )


def sums_of(quantities: Sequence[str]) -> dict[str, nw.Expr]:
    """Sums over units: of the features, and of products of two and three."""
    found: dict[str, nw.Expr] = {}
    for quantity in quantities:
        fine = [nw.col(f"prunegate__{quantity}_{name}_fine") for name in _FEATURES]
        x = [nw.col(f"prunegate__{quantity}_{name}_coarse") for name in _FEATURES]
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
