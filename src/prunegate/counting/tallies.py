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
from itertools import combinations_with_replacement
from typing import ClassVar, Self

from prunegate.counting.cluster_sums import Clusters

Cells = tuple[int, ...]
Triple = tuple[str, str, str]
"""Label, the baseline's label, the candidate's label."""


class Tally(ABC):
    """The rows of a slice, summed up; tallies of disjoint rows add up."""

    tasks: ClassVar[tuple[str, ...]]
    """The task kinds whose rows are summed up so."""
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
    def one_class(self) -> bool:
        """Whether the rows are all of one class, where there are classes."""
        return False

    @property
    def lost_gained(self) -> tuple[int, int] | None:
        """Rows that only the baseline, and only the candidate, gets right; None: no such thing."""
        return None

    @abstractmethod
    def __add__(self, other: Self) -> Self: ...


@dataclass(frozen=True, kw_only=True)
class JointCounts(Tally):
    """Yes/no decisions: eight counts, indexed ``4 * label + 2 * baseline + candidate``."""

    tasks: ClassVar = ("binary",)
    what: ClassVar = "binary decisions"

    cells: Cells = (0,) * 8
    clusters: Clusters | None = field(default=None, compare=False)
    """Where rows come in groups: how the cells occur together."""

    @property
    def rows(self) -> int:
        return sum(self.cells)

    @property
    def positives(self) -> int:
        return sum(self.cells[4:])

    @property
    def one_class(self) -> bool:
        return self.positives in (0, self.rows)

    @property
    def lost_gained(self) -> tuple[int, int]:
        return self.cells[0b001] + self.cells[0b110], self.cells[0b010] + self.cells[0b101]

    def __add__(self, other: JointCounts) -> JointCounts:
        return JointCounts(cells=tuple(map(sum, zip(self.cells, other.cells, strict=True))))


@dataclass(frozen=True, kw_only=True)
class LabelCounts(Tally):
    """Labels of several classes: counts over (label, baseline, candidate)."""

    tasks: ClassVar = ("multiclass",)
    what: ClassVar = "labels of several classes"

    cells: Mapping[Triple, int] = field(default_factory=dict)
    clusters: Clusters | None = field(default=None, compare=False)
    """Where rows come in groups: how the cells occur together."""

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
    def one_class(self) -> bool:
        return len(self.support) < 2

    @property
    def lost_gained(self) -> tuple[int, int]:
        lost = sum(n for (y, b, c), n in self.cells.items() if b == y != c)
        return lost, sum(n for (y, b, c), n in self.cells.items() if c == y != b)

    def __add__(self, other: LabelCounts) -> LabelCounts:
        return LabelCounts(cells=Counter(self.cells) + Counter(other.cells))


FEATURES = ("change", "baseline", "weight")
"""Of a unit (a row, or a group of rows): candidate minus baseline, baseline, rows or tokens."""
SECOND = tuple(combinations_with_replacement(range(3), 2))
THIRD = tuple(combinations_with_replacement(range(3), 3))


@dataclass(frozen=True, kw_only=True)
class FeatureSums:
    """Sums over units of one quantity's three features and of their products, exactly."""

    units: int = 0
    """Rows, or groups of rows."""
    first: tuple[Fraction, ...] = (Fraction(0),) * 3
    """Sums of the features, as finely as they are known: what the values are."""
    rough: tuple[Fraction, ...] = (Fraction(0),) * 3
    """The same sums in the steps of the products below: what is tested."""
    second: tuple[Fraction, ...] = (Fraction(0),) * len(SECOND)
    """Sums of products of two, in the order of ``SECOND``."""
    third: tuple[Fraction, ...] = (Fraction(0),) * len(THIRD)
    """Sums of products of three, in the order of ``THIRD``."""

    def __add__(self, other: FeatureSums) -> FeatureSums:
        return FeatureSums(
            units=self.units + other.units,
            first=_added(self.first, other.first),
            rough=_added(self.rough, other.rough),
            second=_added(self.second, other.second),
            third=_added(self.third, other.third),
        )

    def combined(self, weights: tuple[Fraction, ...]) -> tuple[Fraction, Fraction, Fraction]:
        """Sums of z, z^2 and z^3 for z = weights . features."""
        return (
            sum((w * s for w, s in zip(weights, self.rough, strict=True)), Fraction(0)),
            _form(weights, SECOND, self.second),
            _form(weights, THIRD, self.third),
        )


def _added(one: tuple[Fraction, ...], other: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _form(
    weights: tuple[Fraction, ...], places: tuple[tuple[int, ...], ...], sums: tuple[Fraction, ...]
) -> Fraction:
    """A symmetric form: each product counted as often as its factors can be ordered."""
    total = Fraction(0)
    for place, value in zip(places, sums, strict=True):
        orders = {1: 1, 2: 2 if len(place) == 2 else 3, 3: 6}[len(set(place))]
        term = Fraction(orders)
        for index in place:
            term *= weights[index]
        total += term * value
    return total


@dataclass(frozen=True, kw_only=True)
class Sums(Tally):
    """Numbers: moments of each quantity that the rules speak of."""

    tasks: ClassVar = ("score", "language")
    what: ClassVar = "numbers"

    count: int = 0
    """All rows."""
    quantities: Mapping[str, FeatureSums] = field(default_factory=dict, compare=False)
    """By name: ``value`` (score, or negative log-likelihood), ``error`` (absolute error)."""
    span: Fraction | None = field(default=None, compare=False)
    """The most that one row's value can change; None where there is no bound."""

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


def cells_of(tally: Tally) -> Cells:
    """The eight counts of yes/no decisions; empty for other kinds."""
    return tally.cells if isinstance(tally, JointCounts) else ()


def agree(tally: Tally) -> bool:
    """Whether the two models decide every row alike."""
    if isinstance(tally, JointCounts):
        return not any(tally.cells[cell] for cell in (0b001, 0b010, 0b101, 0b110))
    assert isinstance(tally, LabelCounts)  # noqa: S101  # sums have no decisions
    return all(baseline == candidate for _, baseline, candidate in tally.cells)


NO_ROWS: dict[str, Tally] = {
    task: kind() for kind in (JointCounts, LabelCounts, Sums) for task in kind.tasks
}
"""The tally of no rows, by task kind."""
