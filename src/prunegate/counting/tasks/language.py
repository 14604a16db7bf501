"""The language task: how unlikely both models find each document, over its tokens."""

# ruff: noqa: D102  # the base classes say what each member means
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from prunegate.counting.column_reading import DIFFERS, ColumnCheck, outside
from prunegate.counting.loss_change import with_difference
from prunegate.counting.tallies import Sums
from prunegate.counting.tasks.kind import RowAnswers, TaskCounting
from prunegate.counting.values import Feature, Values
from prunegate.data.predictions.table import Table
from prunegate.metrics.task_traits import TRAITS
from prunegate.policy.schema import Policy

_BITS = (36, 16)
"""Of a nat: 1e-11 and 2e-5 nats per document."""
_MOST_NATS, _MOST_TOKENS = 1e6, 1e6
"""Of one document; what is above (infinity, say) is a mistake."""


@dataclass(frozen=True, kw_only=True)
class DocumentLosses(Values):
    """Summed negative log-likelihoods of documents, in nats, weighed by their tokens."""

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, _MOST_NATS

    def of_values(self) -> Sequence[ColumnCheck]:
        columns = self.policy.columns
        pair = (columns.baseline, columns.candidate)
        words = "no negative log-likelihood"
        checks = (self.inside(column, self.bounds, words) for column in pair)
        return (*checks, self._tokens(columns.tokens))

    def _tokens(self, column: str) -> ColumnCheck:
        value = self.number(column)
        inside = self.within(column, (1, _MOST_TOKENS)) & (value == value.round())
        words = "no whole number of tokens from 1 up"
        return ColumnCheck(column=column, words=words, broken=outside(self, column, inside))

    def features(self, quantity: str) -> tuple[Feature, ...]:
        del quantity  # a document has no label to be measured against
        columns = self.policy.columns
        pair = (columns.baseline, columns.candidate)
        baseline, candidate = (self.readable(column, self.bounds) for column in pair)
        tokens = self.readable(columns.tokens, (1, _MOST_TOKENS))
        return ((candidate - baseline, _BITS), (baseline, _BITS), (tokens, (0, 0)))


class LanguageTask(TaskCounting):
    """Documents; the change of loss is the candidate's negative log-likelihood less the other."""

    traits: ClassVar = TRAITS["language"]
    reads: ClassVar = DocumentLosses
    none: ClassVar = Sums()

    def label_columns(self, policy: Policy) -> tuple[str, ...]:
        """How long the document is, there being no label."""
        return (policy.columns.tokens,)

    def with_change(self, policy: Policy, table: Table) -> nw.LazyFrame[Any]:
        columns = policy.columns
        return with_difference(table, columns.candidate, columns.baseline)

    @property
    def parted(self) -> nw.Expr:
        return nw.col(DIFFERS) == 1

    def answers(self, policy: Policy, row: Mapping[str, Any]) -> RowAnswers:
        columns = policy.columns
        before, after = float(row[columns.baseline]), float(row[columns.candidate])
        return RowAnswers(label="", baseline=before, candidate=after, lost=after > before)
