"""The language task: how unlikely both models find each document, over its tokens.

Where the policy asks how good the texts are that the models write, each row has two ratings
besides, of which every row weighs the same.
"""

# ruff: noqa: D102  # the base classes say what each member means
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import narwhals as nw

from prunegate.counting.column_reading import ColumnCheck, outside, value_expression
from prunegate.counting.tallies import Sums
from prunegate.counting.tasks.number import NumberTask
from prunegate.counting.values import QUALITY, Feature, Values, bits_of_range, quantities_of
from prunegate.data.predictions.table import Table
from prunegate.metrics.task_traits import TRAITS
from prunegate.policy.schema import Policy
from prunegate.policy.task import Role

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
        return (*checks, self._tokens(columns.tokens), *self._of_quality())

    def _of_quality(self) -> Sequence[ColumnCheck]:
        if not _rated(self.policy):
            return ()
        columns, (low, high) = self.policy.columns, self.rating_bounds
        words = f"no quality between {low:,g} and {high:,g}"
        pair = (columns.baseline_quality, columns.candidate_quality)
        return [self.inside(column, (low, high), words) for column in pair]

    @property
    def rating_bounds(self) -> tuple[float, float]:
        """Smallest and largest rating; a policy with a rule on ratings says them."""
        assert self.policy.quality is not None  # noqa: S101  # as its consistency demands
        return self.policy.quality.bounds

    def span(self, row: Mapping[str, Any]) -> Fraction | None:
        """Of ratings; log-likelihoods have no bound."""
        del row
        if not _rated(self.policy):
            return None
        low, high = self.rating_bounds
        return Fraction(str(high)) - Fraction(str(low))

    def _tokens(self, column: str) -> ColumnCheck:
        value = self.number(column)
        inside = self.within(column, (1, _MOST_TOKENS)) & (value == value.round())
        words = "no whole number of tokens from 1 up"
        return ColumnCheck(column=column, words=words, broken=outside(self, column, inside))

    def features(self, quantity: str) -> tuple[Feature, ...]:
        columns = self.policy.columns
        if quantity == QUALITY:
            bits = bits_of_range(*self.rating_bounds)
            before, after = (
                self.readable(column, self.rating_bounds)
                for column in (columns.baseline_quality, columns.candidate_quality)
            )
            return ((after - before, bits), (before, bits), (nw.lit(1.0), (0, 0)))
        pair = (columns.baseline, columns.candidate)
        baseline, candidate = (self.readable(column, self.bounds) for column in pair)
        tokens = self.readable(columns.tokens, (1, _MOST_TOKENS))
        return ((candidate - baseline, _BITS), (baseline, _BITS), (tokens, (0, 0)))


def _rated(policy: Policy) -> bool:
    """Whether a rule speaks of how good the texts are that the models write."""
    return QUALITY in quantities_of(policy)


class LanguageTask(NumberTask):
    """Documents; the change of loss is the candidate's negative log-likelihood less the other."""

    traits: ClassVar = TRAITS["language"]
    reads: ClassVar = DocumentLosses
    none: ClassVar = Sums()
    more_is_better: ClassVar = False

    def label_columns(self, policy: Policy) -> tuple[str, ...]:
        """How long the document is, there being no label."""
        return (policy.columns.tokens,)

    def model_columns(self, policy: Policy, role: Role) -> tuple[str, ...]:
        """Its log-likelihoods, and the ratings of what it writes where these are judged."""
        own = super().model_columns(policy, role)
        return (*own, getattr(policy.columns, f"{role}_quality")) if _rated(policy) else own

    def answer_values(self, policy: Policy, table: Table, role: Role) -> list[nw.Expr]:
        return [value_expression(table, name) for name in self.model_columns(policy, role)]
