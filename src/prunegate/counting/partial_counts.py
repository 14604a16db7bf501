"""Partial counts: a slice's decisions, all of them, and the labels of some of its rows.

How the two models decide is known of every row; what is right is known of the rows that somebody
looked at. Besides, some of these are random samples (of all rows, of those that both models flag,
of those that neither flags): from them follows how many more rows of a class there are at least.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import ClassVar, Literal

from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.tallies import Cells, EightCells
from prunegate.metrics.task_traits import Answers
from prunegate.stats import finite_sample

GAMMA = 0.002
"""Chance that a sample promises more rows of a class than there are; p-values bear it."""
GAMMA_OF_HARM = GAMMA / 4
"""The same of a sample that promises fewer; harm is held against alpha by the number of limits."""
Sample = Literal["neither", "both", "random"]
"""Of rows that neither model flags, of those that both flag, of all rows."""
AGREED: tuple[Sample, Sample] = ("neither", "both")
"""The sample of rows that both models decide as a label, by the label."""


@dataclass(frozen=True, kw_only=True)
class PartialCounts(EightCells, PartialTally):
    """Yes/no decisions of all rows; labels of some."""

    answers: ClassVar[Answers] = "decisions"
    what: ClassVar = "binary decisions with labels for some rows"

    decided: Cells = (0,) * 4
    """All rows, by ``2 * baseline + candidate``."""
    cells: Cells = (0,) * 8
    """Labelled rows, indexed ``4 * label + 2 * baseline + candidate``."""
    unsure: Cells = (0,) * 4
    """Rows that somebody looked at and could not label, indexed as ``decided``."""
    samples: Mapping[Sample, Cells] = field(default_factory=dict, compare=False)
    """Labelled rows of each random sample, indexed as ``cells``."""
    unsure_samples: Mapping[Sample, Cells] = field(default_factory=dict, compare=False)
    """Rows of each random sample that could not be labelled, indexed as ``decided``."""

    @property
    def rows(self) -> int:
        return sum(self.decided)

    @property
    def labelled(self) -> int:
        return sum(self.cells)

    @property
    def doubted(self) -> int:
        return sum(self.unsure)

    @property
    def complete(self) -> bool:
        return self.whole(0, 1, 2, 3)

    @property
    def differ(self) -> int:
        return self.decided[0b01] + self.decided[0b10]

    @property
    def differ_labelled(self) -> bool:
        return self.whole(0b01, 0b10)

    @property
    def both_wrong(self) -> int:
        return self.cells[0b100] + self.cells[0b011]

    @property
    def drawn_at_random(self) -> int:
        return sum(self.samples.get("random", ()))

    @property
    def single_label(self) -> bool:
        return self.rows in (sum(self.cells[:4]), sum(self.cells[4:]))

    @property
    def positives(self) -> int:
        """At least so many."""
        return self.fewest(1)

    @property
    def agree(self) -> bool:
        return not self.differ

    def whole(self, *decisions: int) -> bool:
        """Whether every row that is decided so (2 x baseline + candidate) has a label."""
        return all(self.cells[d] + self.cells[4 + d] == self.decided[d] for d in decisions)

    def as_if(self, labels: Sequence[int]) -> PartialCounts:
        """The counts if every row that could not be labelled had the label given for its decision.

        >>> tally = PartialCounts(decided=(3, 1, 0, 2), unsure=(0, 1, 0, 0))
        >>> tally.as_if((0, 1, 0, 1)).cells
        (0, 0, 0, 0, 0, 1, 0, 0)
        """
        if not any(self.unsure):
            return self
        found = {
            name: _settled(cells, self.unsure_samples.get(name, _NONE), labels)
            for name, cells in self.samples.items()
        }
        cells = _settled(self.cells, self.unsure, labels)
        return replace(self, cells=cells, unsure=_NONE, samples=found, unsure_samples={})

    @property
    def possible(self) -> Iterator[PartialCounts]:
        """Rows of one decision that nobody could label have the same label."""
        open_ones = [(0, 1) if n else (0,) for n in self.unsure]
        return (self.as_if(labels) for labels in product(*open_ones))

    def fewest(self, label: int) -> int:
        """At least so many rows have the label, but for a chance of ``GAMMA``."""
        known = self.cells[4 * label : 4 * label + 4]
        return sum(known) + max(0, self._sure(label) - known[3 * label])

    def most(self, label: int) -> int:
        """At most so many rows have the label, for certain."""
        other = 4 * (1 - label)
        return self.rows - sum(self.cells[other : other + 4])

    def likely_most(self, label: int) -> tuple[int, float]:
        """At most so many rows have the label, and the chance of more, by the samples."""
        other, most, chance = 1 - label, self.rows, 0.0
        for decision in range(4):
            known = self.cells[4 * other + decision]
            sampled = self.samples.get(AGREED[decision & 1]) if decision in (0b00, 0b11) else None
            if sampled is not None and not self.whole(decision):
                found = sampled[4 * other + decision]
                size = found + sampled[4 * label + decision]
                rows = self.decided[decision]
                known = max(known, finite_sample.count_at_least(found, size, rows, GAMMA_OF_HARM))
                chance += GAMMA_OF_HARM
            most -= known
        return most, chance

    def about(self, label: int) -> tuple[int, int]:
        """Rows that both models decide as their label, estimated: a numerator and denominator."""
        agreed = 3 * label
        known = self.cells[4 * label + agreed]
        found, sample = self._sample(label)
        if self.whole(agreed) or known * sample >= found * self.decided[agreed]:
            return known, 1
        return found * self.decided[agreed], sample

    def agreed_as_seen(self, label: int) -> PartialCounts:
        """The counts if every row that both models decide as a label had one, as those seen have.

        >>> seen = (0, 0, 0, 1, 0, 0, 0, 3)
        >>> tally = PartialCounts(decided=(0, 1, 0, 40), cells=seen, samples={"both": seen})
        >>> tally.agreed_as_seen(1).cells
        (0, 0, 0, 10, 0, 0, 0, 30)
        """
        agreed = 3 * label
        found, of = self.about(label)
        right = round(found / of)
        cells = list(self.cells)
        cells[4 * label + agreed] = right
        cells[4 * (1 - label) + agreed] = self.decided[agreed] - self.unsure[agreed] - right
        whole = tuple(n if place in (agreed, 4 + agreed) else 0 for place, n in enumerate(cells))
        samples = {**self.samples, AGREED[label]: whole}
        return replace(self, cells=tuple(cells), samples=samples)

    def _sure(self, label: int) -> int:
        """Rows, at least, that have the label and that both models decide so."""
        found, sample = self._sample(label)
        if not sample:
            return 0
        return finite_sample.count_at_least(found, sample, self.decided[3 * label], GAMMA)

    def _sample(self, label: int) -> tuple[int, int]:
        """Of the sample of rows decided as a label by both: how many have it, and its size."""
        cells = self.samples.get(AGREED[label], (0,) * 8)
        agreed = 3 * label
        return cells[4 * label + agreed], cells[agreed] + cells[4 + agreed]

    def __add__(self, other: PartialCounts) -> PartialCounts:
        return PartialCounts(
            decided=tuple(map(sum, zip(self.decided, other.decided, strict=True))),
            cells=tuple(map(sum, zip(self.cells, other.cells, strict=True))),
            unsure=tuple(map(sum, zip(self.unsure, other.unsure, strict=True))),
        )


_NONE: Cells = (0,) * 4


def _settled(cells: Cells, unsure: Cells, labels: Sequence[int]) -> Cells:
    """Cells with the rows of each decision that had no label, given one."""
    found = list(cells)
    for decision, (rows, label) in enumerate(zip(unsure, labels, strict=True)):
        found[4 * label + decision] += rows
    return tuple(found)
