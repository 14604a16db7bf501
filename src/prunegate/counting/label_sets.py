"""Label sets: rows with any number of several labels, each of them a yes or no of its own.

Rows are independent of each other, the decisions of one row are not: a picture that is hard for
one label is hard for another. So a slice keeps three things apart: the eight counts of each label,
among which rows are independent; the decisions of all labels together, with each row as the group
that they come in; and whether rows are right as a whole.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from prunegate.counting.cluster_sums import Clusters, Pair
from prunegate.counting.tallies import Cells, JointCounts, LabelCounts, Tally, Triple
from prunegate.errors import InternalError
from prunegate.metrics.task_traits import Answers

RIGHT, WRONG, OTHERWISE = "right", "wrong", "wrong otherwise"
WHOLE: tuple[Triple, ...] = (
    (RIGHT, RIGHT, RIGHT),
    (RIGHT, RIGHT, WRONG),
    (RIGHT, WRONG, RIGHT),
    (RIGHT, WRONG, WRONG),
    (RIGHT, WRONG, OTHERWISE),
)
"""Rows as a whole: both models right, only the baseline, only the candidate, neither with the same
labels, neither with different ones."""


@dataclass(frozen=True, kw_only=True)
class PooledDecisions(JointCounts):
    """The decisions of all labels together; each row is the group that its decisions come in."""

    what: ClassVar = "decisions on several labels"

    items: int = 0
    """Rows of the table, each with a decision for every label."""

    @property
    def rows(self) -> int:
        return self.items

    @property
    def one_class(self) -> bool:
        return self.positives in (0, sum(self.cells))


@dataclass(frozen=True, kw_only=True)
class LabelSets(Tally):
    """Rows that have any number of labels."""

    answers: ClassVar[Answers] = "label sets"
    what: ClassVar = "sets of labels"

    labels: Mapping[str, JointCounts] = field(default_factory=dict)
    """The rows once for each label of the policy, in its order."""
    whole: LabelCounts = field(default_factory=LabelCounts)
    """The rows by how each model decides all of their labels; cells as in ``WHOLE``."""
    clusters: Clusters | None = field(default=None, compare=False)
    """How the eight cells of decisions occur together within rows."""

    @property
    def rows(self) -> int:
        return self.whole.rows

    @property
    def positives(self) -> int:
        """Rows of the rarest label that occurs."""
        return min((self.labels[name].positives for name in self.classes), default=0)

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that some row has."""
        return tuple(name for name, counts in self.labels.items() if counts.positives)

    @property
    def one_class(self) -> bool:
        """Whether every label is the same on all rows."""
        return all(counts.one_class for counts in self.labels.values())

    @property
    def lost_gained(self) -> tuple[int, int]:
        return self.whole.lost_gained

    @property
    def agree(self) -> bool:
        return all(counts.agree for counts in self.labels.values())

    def of_class(self, name: str) -> JointCounts:
        if not self.rows:
            return JointCounts()
        if name not in self.labels:
            raise InternalError(f"{self.what} have no label {name!r}")
        return self.labels[name]

    @property
    def pooled(self) -> PooledDecisions:
        """The decisions of all labels together."""
        cells: Cells = (0,) * 8
        for counts in self.labels.values():
            cells = tuple(map(sum, zip(cells, counts.cells, strict=True)))
        return PooledDecisions(cells=cells, clusters=self.clusters, items=self.rows)

    def __add__(self, other: LabelSets) -> LabelSets:
        names = dict.fromkeys((*self.labels, *other.labels))
        none = JointCounts()
        return LabelSets(
            labels={n: self.labels.get(n, none) + other.labels.get(n, none) for n in names},
            whole=self.whole + other.whole,
            clusters=_of_both(self.clusters, other.clusters),
        )


def _of_both(one: Clusters | None, other: Clusters | None) -> Clusters | None:
    """Groups of different rows; no group is in both."""
    if one is None or other is None:
        return one or other
    return Clusters(
        groups=one.groups + other.groups,
        products=_added(one.products, other.products),
        shared=_added(one.shared, other.shared),
    )


def _added(one: Mapping[Pair, int], other: Mapping[Pair, int]) -> dict[Pair, int]:
    return dict(Counter(one) + Counter(other))
