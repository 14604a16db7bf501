"""The score task: both models give each row a number, such as its quality; larger is better."""

# ruff: noqa: D102  # the base classes say what each member means
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

import narwhals as nw

from prunegate.counting.column_reading import ColumnCheck
from prunegate.counting.tallies import Sums, Tally
from prunegate.counting.tasks.number import NumberTask
from prunegate.counting.tasks.task_counting import RowAnswers
from prunegate.counting.values import ERROR, SQUARE, Feature, Values, bits_of_range
from prunegate.metrics.task_traits import TRAITS
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import takes_labels

_BITS_OF_ANY = (36, 20)
"""After the point of scores whose range nobody gave: 1e-11 and 1e-6."""
_AGAINST_LABELS = frozenset({ERROR, SQUARE})
LOWEST, HIGHEST = "prunegate__lowest", "prunegate__highest"
"""Smallest and largest score of either model, per line of the engine's answer."""


@dataclass(frozen=True, kw_only=True)
class Scores(Values):
    """Quality scores, and their absolute errors where a rule speaks of these."""

    @property
    def bounds(self) -> tuple[float, float]:
        return self.policy.task.score_bounds

    def span(self, row: Mapping[str, Any]) -> Fraction | None:
        """By the range, else 1 where all scores lie between 0 and 1."""
        if self.policy.task.range is not None:
            low, high = self.policy.task.range
            return Fraction(str(high)) - Fraction(str(low))
        inside = row[LOWEST] is not None and row[LOWEST] >= 0 and row[HIGHEST] <= 1
        return Fraction(1) if inside else None

    def ends(self) -> Mapping[str, nw.Expr]:
        """The smaller and the larger score of each row, where only scores tell their scale."""
        if self.policy.task.range is not None:
            return {}
        columns = self.policy.columns
        first, second = self.number(columns.baseline), self.number(columns.candidate)
        return {
            LOWEST: nw.when(first < second).then(first).otherwise(second),
            HIGHEST: nw.when(first < second).then(second).otherwise(first),
        }

    def ends_of_lines(self) -> Mapping[str, nw.Expr]:
        if self.policy.task.range is not None:
            return {}
        return {LOWEST: nw.col(LOWEST).min(), HIGHEST: nw.col(HIGHEST).max()}

    def of_values(self) -> Sequence[ColumnCheck]:
        columns = self.policy.columns
        low, high = self.bounds
        words = f"no score between {low:,g} and {high:,g}"
        labels = (columns.label,) if takes_labels(self.policy) else ()
        pair = (columns.baseline, columns.candidate)
        return tuple(self.inside(column, (low, high), words) for column in (*labels, *pair))

    def features(self, quantity: str) -> tuple[Feature, ...]:
        columns, bounds = self.policy.columns, self.bounds
        pair = (columns.baseline, columns.candidate)
        baseline, candidate = (self.readable(column, bounds) for column in pair)
        if quantity in _AGAINST_LABELS:
            label = self.readable(columns.label, bounds)
            baseline, candidate = (baseline - label).abs(), (candidate - label).abs()
        if quantity == SQUARE:
            baseline, candidate = baseline * baseline, candidate * candidate
        bits = _BITS_OF_ANY
        if self.policy.task.range is not None:
            bits = bits_of_range(*bounds, powers=2 if quantity == SQUARE else 1)
        return ((candidate - baseline, bits), (baseline, bits), (nw.lit(1.0), (0, 0)))


class ScoreTask(NumberTask):
    """Scores; the change of loss is the baseline's minus the candidate's, errors or not."""

    traits: ClassVar = TRAITS["score"]
    reads: ClassVar = Scores
    none: ClassVar = Sums()
    more_is_better: ClassVar = True

    def label_columns(self, policy: Policy) -> tuple[str, ...]:
        """A label is needed only where errors are judged, or how scores order the rows."""
        return (policy.columns.label,) if takes_labels(policy) else ()

    def warnings(self, policy: Policy, overall: Tally) -> tuple[str, ...]:
        del policy
        if not isinstance(overall, Sums) or overall.span is not None:
            return ()
        warning = (
            "Scores lie outside 0 to 1 and the policy gives no 'task: range', so losses too rare "
            "to be among the rows cannot be reckoned with."
        )
        return (warning,)

    def answers(self, policy: Policy, row: Mapping[str, Any]) -> RowAnswers:
        label = row.get(policy.columns.label) if takes_labels(policy) else None
        told = "" if label is None else value_text(float(label))
        return replace(super().answers(policy, row), label=told)
