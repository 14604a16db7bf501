"""Tallies: what the rows of a slice are summed up to, so that every metric follows from it.

Three kinds, by what the two models give: yes/no decisions, labels of several classes, or numbers
(quality scores, log-likelihoods). A tally is exact: whole numbers, or sums in fixed point, so that
neither the order of the rows nor the way they are split into files can change a last digit.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, Self

from prunegate.counting.calibration import Calibrations
from prunegate.counting.cluster_sums import Clusters, Pair
from prunegate.counting.feature_sums import FeatureSums
from prunegate.counting.fixed_rate import FixedRateCounts
from prunegate.counting.fixed_recall import FixedRecallCounts
from prunegate.counting.order_sums import OrderSums
from prunegate.counting.placement_sums import PlacementSums
from prunegate.counting.pull_sums import PullSums
from prunegate.counting.weight_sums import WeightSums, added
from prunegate.errors import InternalError
from prunegate.metrics.forms import SharedRows
from prunegate.metrics.task_traits import Answers

Cells = tuple[int, ...]
Triple = tuple[str, str, str]
"""Label, the baseline's label, the candidate's label."""
Parts = tuple[frozenset[Any], ...]
"""Cells by role: both models right, only the baseline, only the candidate, neither."""


@dataclass(frozen=True, kw_only=True)
class Tally(ABC):
    """The rows of a slice, summed up; tallies of disjoint rows add up."""

    answers: ClassVar[Answers]
    """What the two models say of a row."""
    what: ClassVar[str]
    """What is summed up, for people."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """All rows."""

    @property
    @abstractmethod
    def positives(self) -> int:
        """Rows of the positive class; of the rarest class where there are several."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that occur as a label, in the order of the names; empty: there are none."""
        return ()

    @property
    def eight(self) -> Cells:
        """The eight counts of yes/no decisions; empty for other kinds."""
        return ()

    @property
    def one_class(self) -> bool:
        """Whether the rows are all of one class, where there are classes."""
        return False

    @property
    def lost_gained(self) -> tuple[int, int] | None:
        """Rows that only the baseline, and only the candidate, gets right; None: no such thing."""
        return None

    @property
    def agree(self) -> bool:
        """Whether the counts show that the two models decide every row alike."""
        return False

    def of_class(self, name: str) -> JointCounts:
        """The eight counts of one class; all others are the negative one.

        Raises:
            InternalError: rows have no class, which the policy's checks have to find out.
        """
        raise InternalError(f"{self.what} have no class {name!r}")

    @abstractmethod
    def __add__(self, other: Self) -> Self: ...


@dataclass(frozen=True, kw_only=True)
class ScoredRows:
    """What the models' scores say of a slice's rows beside their decisions; what rules ask for."""

    losses: Mapping[str, FeatureSums] = field(default_factory=dict)
    """By name: ``log_loss``, ``brier``."""
    placements: PlacementSums | None = None
    """How both models rank positives and negatives."""
    pulls: Mapping[str, PullSums] = field(default_factory=dict)
    """By name: ``average_precision``, ``rank_correlation``."""
    at_rates: Mapping[float, FixedRateCounts] = field(default_factory=dict)
    """By false positive rate: the positives that both models flag."""
    at_recalls: Mapping[float, FixedRecallCounts] = field(default_factory=dict)
    """By recall: the rows that both models flag."""
    calibration: Calibrations | None = None
    """How sure both models are and how often right, where a rule takes scores for probabilities."""
    order: OrderSums | None = None
    """How scores order the rows as labels do, where the reference is asked; None: it is not."""
    within: Mapping[int, JointCounts] = field(default_factory=dict)
    """By k: rows, all taken as positive, "flagged" by a model that has the true class among the k
    with the highest scores."""


@dataclass(frozen=True, kw_only=True)
class Worth:
    """As many rows of equal weight as rows with design weights are worth (Kish)."""

    rows: Fraction
    positives: Fraction
    """Of the positive class, or of the class that is worth least."""


@dataclass(frozen=True, kw_only=True)
class DecidedRows(Tally):
    """Rows that each model gets right or wrong, counted by cell."""

    clusters: Clusters | None = field(default=None, compare=False)
    """Where rows come in groups: how the cells occur together."""
    scores: ScoredRows | None = field(default=None, compare=False)
    """What the scores sum up to; None: no rule asks, or there are only decisions."""
    weights: WeightSums | None = None
    """Where rows have design weights: what these come to. None: every row counts alike."""

    @property
    @abstractmethod
    def counted(self) -> Mapping[Any, int]:
        """Rows by cell."""

    @abstractmethod
    def roles(self, form: SharedRows) -> Parts:
        """The cells of the rows that a metric of shared rows is about, by role."""

    @property
    @abstractmethod
    def changed(self) -> Parts:
        """Cells that are lost, gained, and wrong in two different ways."""

    @property
    @abstractmethod
    def named(self) -> LabelCounts:
        """The same rows as labels of classes with names."""

    @property
    @abstractmethod
    def counted_classes(self) -> tuple[frozenset[Any], ...]:
        """The cells of each class whose rows may be what ``positives`` counts."""

    @property
    def worth(self) -> Worth | None:
        """How many rows of equal weight these are worth; None: they have no weights."""
        weights = self.weights
        if weights is None:
            return None
        classes = (weights.effective(cells) for cells in self.counted_classes)
        return Worth(
            rows=weights.effective(tuple(self.counted)), positives=min(classes, default=Fraction(0))
        )


class EightCells(Tally):
    """Yes/no decisions by label, of all rows or of those with a label."""

    cells: Cells
    """Eight counts, indexed ``4 * label + 2 * baseline + candidate``."""

    @property
    def eight(self) -> Cells:
        return self.cells

    @property
    def one_class(self) -> bool:
        return self.positives in (0, self.rows)

    @property
    def lost_gained(self) -> tuple[int, int]:
        return self.cells[0b001] + self.cells[0b110], self.cells[0b010] + self.cells[0b101]


@dataclass(frozen=True, kw_only=True)
class JointCounts(EightCells, DecidedRows):
    """Yes/no decisions: eight counts, indexed ``4 * label + 2 * baseline + candidate``."""

    answers: ClassVar[Answers] = "decisions"
    what: ClassVar = "binary decisions"

    cells: Cells = (0,) * 8

    @property
    def rows(self) -> int:
        return sum(self.cells)

    @property
    def positives(self) -> int:
        return sum(self.cells[4:])

    @property
    def agree(self) -> bool:
        return not any(self.cells[cell] for cell in (0b001, 0b010, 0b101, 0b110))

    @property
    def counted(self) -> dict[int, int]:
        return dict(enumerate(self.cells))

    def roles(self, form: SharedRows) -> Parts:
        return tuple(frozenset(cells) for cells in form.roles)

    @property
    def changed(self) -> Parts:
        return frozenset({0b110, 0b001}), frozenset({0b101, 0b010}), frozenset()

    @property
    def counted_classes(self) -> tuple[frozenset[Any], ...]:
        return (frozenset({4, 5, 6, 7}),)

    @property
    def named(self) -> LabelCounts:
        cells = {_triple(cell): n for cell, n in enumerate(self.cells) if n}
        weights = None if self.weights is None else self.weights.merged(_triple)
        groups = self.clusters
        if groups is None:
            return LabelCounts(cells=cells, weights=weights)
        clusters = Clusters(
            groups=groups.groups, products=_by_name(groups.products), shared=_by_name(groups.shared)
        )
        return LabelCounts(cells=cells, clusters=clusters, weights=weights)

    def __add__(self, other: JointCounts) -> JointCounts:
        return JointCounts(
            cells=tuple(map(sum, zip(self.cells, other.cells, strict=True))),
            weights=added(self.weights, other.weights),
        )


def _by_name(sums: Mapping[Pair, int]) -> dict[Pair, int]:
    return {(_triple(one), _triple(other)): n for (one, other), n in sums.items()}


def _triple(cell: Any) -> Triple:
    return str(cell >> 2 & 1), str(cell >> 1 & 1), str(cell & 1)


@dataclass(frozen=True, kw_only=True)
class LabelCounts(DecidedRows):
    """Labels of several classes: counts over (label, baseline, candidate)."""

    answers: ClassVar[Answers] = "labels"
    what: ClassVar = "labels of several classes"

    cells: Mapping[Triple, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(self.cells.values())

    @property
    def support(self) -> dict[str, int]:
        """Rows of every class that occurs as a label, in the order of the names."""
        found: Counter[str] = Counter()
        for (label, _, _), n in self.cells.items():
            found[label] += n
        return dict(sorted(found.items()))

    @property
    def positives(self) -> int:
        return min(self.support.values(), default=0)

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.support)

    @property
    def one_class(self) -> bool:
        return len(self.support) < 2

    @property
    def lost_gained(self) -> tuple[int, int]:
        lost = sum(n for (y, b, c), n in self.cells.items() if b == y != c)
        return lost, sum(n for (y, b, c), n in self.cells.items() if c == y != b)

    @property
    def agree(self) -> bool:
        return all(baseline == candidate for _, baseline, candidate in self.cells)

    def of_class(self, name: str) -> JointCounts:
        cells = [0] * 8
        for triple, n in self.cells.items():
            cells[_against_the_rest(triple, name)] += n
        groups = self.clusters
        merged = None if groups is None else groups.merged(lambda c: _against_the_rest(c, name))
        weights = self.weights
        if weights is not None:
            weights = weights.merged(lambda c: _against_the_rest(c, name))
        return JointCounts(cells=tuple(cells), clusters=merged, weights=weights)

    @property
    def counted(self) -> Mapping[Triple, int]:
        return self.cells

    def roles(self, form: SharedRows) -> Parts:
        del form  # no class is the positive one, so every row is shared
        lost, gained, _ = self.changed
        right = frozenset(cell for cell in self.cells if cell[0] == cell[1] == cell[2])
        return right, lost, gained, frozenset(self.cells) - right - lost - gained

    @property
    def changed(self) -> Parts:
        cells = self.cells
        return (
            frozenset((y, b, c) for y, b, c in cells if b == y != c),
            frozenset((y, b, c) for y, b, c in cells if c == y != b),
            frozenset((y, b, c) for y, b, c in cells if y != b != c != y),
        )

    @property
    def counted_classes(self) -> tuple[frozenset[Any], ...]:
        return tuple(frozenset(c for c in self.cells if c[0] == name) for name in self.classes)

    @property
    def named(self) -> LabelCounts:
        return self

    def __add__(self, other: LabelCounts) -> LabelCounts:
        return LabelCounts(
            cells=Counter(self.cells) + Counter(other.cells),
            weights=added(self.weights, other.weights),
        )


def _against_the_rest(triple: Any, name: str) -> int:
    return sum((part == name) << shift for part, shift in zip(triple, (2, 1, 0), strict=True))


@dataclass(frozen=True, kw_only=True)
class Sums(Tally):
    """Numbers: moments of each quantity that the rules speak of."""

    answers: ClassVar[Answers] = "numbers"
    what: ClassVar = "numbers"

    count: int = 0
    """All rows."""
    quantities: Mapping[str, FeatureSums] = field(default_factory=dict, compare=False)
    """By name: ``value`` (score, or negative log-likelihood), ``error`` (absolute error), ...."""
    span: Fraction | None = field(default=None, compare=False)
    """The most that one row's score can change; None where there is no bound."""
    scores: ScoredRows | None = field(default=None, compare=False)
    """What the order of the scores says of the rows; None: no rule asks."""

    @property
    def rows(self) -> int:
        return self.count

    @property
    def positives(self) -> int:
        return self.count

    def __add__(self, other: Sums) -> Sums:
        names = dict.fromkeys((*self.quantities, *other.quantities))
        none = FeatureSums()
        return Sums(
            count=self.count + other.count,
            quantities={
                name: self.quantities.get(name, none) + other.quantities.get(name, none)
                for name in names
            },
            span=_wider(self, other),
        )


def _wider(one: Sums, other: Sums) -> Fraction | None:
    """The bound of rows taken together: none where some have none."""
    spans = [part.span for part in (one, other) if part.count]
    known = [span for span in spans if span is not None]
    return max(known) if known and len(known) == len(spans) else None
