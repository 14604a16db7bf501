"""Partial labels: a slice of a task of several classes, some of whose rows have a label.

As ``partial_counts``, with names in place of yes and no. Random samples are of one class against
the rest: of the rows to which both models give it, of those to which neither does; so that each
class by itself (``of_class``) is a slice of a yes/no task with samples of its own.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal

from prunegate.counting.partial_counts import PartialCounts, Sample
from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.tallies import LabelCounts, Triple
from prunegate.metrics.task_traits import Answers
from prunegate.stats import finite_sample

Pair = tuple[str, str]
"""The baseline's label, the candidate's label."""
SampleOf = tuple[Sample, str]
"""What rows a random sample is of, and of which class; of all rows it is of none (empty)."""
RANDOM: SampleOf = ("random", "")
NOBODY = ""
"""Stands for a label that neither model gave, where nobody could tell which; no label is empty."""
Settled = Literal["baseline", "candidate", "neither"]


@dataclass(frozen=True, kw_only=True)
class PartialLabels(PartialTally):
    """Labels that two models give all rows; true labels of some."""

    answers: ClassVar[Answers] = "labels"
    what: ClassVar = "labels of several classes, known of some rows"

    decided: Mapping[Pair, int] = field(default_factory=dict)
    """All rows."""
    cells: Mapping[Triple, int] = field(default_factory=dict)
    """Labelled rows."""
    unsure: Mapping[Pair, int] = field(default_factory=dict)
    """Rows that somebody looked at and could not label."""
    samples: Mapping[SampleOf, Mapping[Triple, int]] = field(default_factory=dict, compare=False)
    """Labelled rows of each random sample."""
    unsure_samples: Mapping[SampleOf, Mapping[Pair, int]] = field(
        default_factory=dict, compare=False
    )
    """Rows of each random sample that could not be labelled."""
    settled: bool = field(default=False, compare=False)
    """Whether rows that nobody could label have been given one here (``possible``)."""

    @property
    def rows(self) -> int:
        return sum(self.decided.values())

    @property
    def labelled(self) -> int:
        return sum(self.cells.values())

    @property
    def doubted(self) -> int:
        return sum(self.unsure.values())

    @property
    def complete(self) -> bool:
        return self.labelled == self.rows

    @property
    def named(self) -> LabelCounts:
        """The rows whose label is known."""
        return LabelCounts(cells={cell: n for cell, n in self.cells.items() if cell[0] != NOBODY})

    @property
    def commonest(self) -> str:
        """The class that samples for the reference are about: the baseline's commonest."""
        return commonest_decision(self.decided)

    @property
    def positives(self) -> int:
        """Every class that there is has at least so many rows, but for a chance of ``GAMMA``."""
        if self.complete:
            return self.named.positives
        return min((max(1, self.fewest(name)) for name in self.classes), default=0)

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels that were seen; before all were, also those that both models give a row."""
        seen = set(self.named.support)
        alike = set() if self.complete else {one for one, other in self.decided if one == other}
        return tuple(sorted(seen | alike))

    @property
    def one_class(self) -> bool:
        return self.named.one_class

    @property
    def drawn_at_random(self) -> int:
        return sum(self.samples.get(RANDOM, {}).values())

    @property
    def single_label(self) -> bool:
        return self.complete and self.one_class

    @property
    def lost_gained(self) -> tuple[int, int]:
        return self.named.lost_gained

    @property
    def agree(self) -> bool:
        return not self.differ

    @property
    def differ(self) -> int:
        return sum(n for (one, other), n in self.decided.items() if one != other)

    @property
    def differ_labelled(self) -> bool:
        return sum(n for (_, one, other), n in self.cells.items() if one != other) == self.differ

    @property
    def both_wrong(self) -> int:
        return sum(n for (y, one, other), n in self.cells.items() if y not in (one, other))

    def fewest(self, name: str) -> int:
        """At least so many rows are of a class, but for a chance of ``GAMMA``."""
        return self.of_class(name).as_if((0,) * 4).fewest(1)

    def right_alike(self, sample: SampleOf, level: float) -> tuple[int, float]:
        """Rows that both models decide rightly among those that a sample is of.

        Returns:
            At least so many, and the chance that there are fewer.
        """
        inside = {pair: n for pair, n in self.decided.items() if belongs(pair, sample)}
        rows = sum(inside.values())
        known = _right_alike({c: n for c, n in self.cells.items() if c[1:] in inside})
        labelled = sum(n for cell, n in self.cells.items() if cell[1:] in inside)
        found = self.samples.get(sample, {})
        size = sum(found.values()) + sum(self.unsure_samples.get(sample, {}).values())
        if labelled == rows or not size:
            return known, 0.0
        return max(known, at_least(_right_alike(found), size, rows, level)), level

    def of_class(self, name: str) -> PartialCounts:  # type: ignore[override]  # labels of some rows
        """One class against the rest, with the samples that are about it."""
        own: dict[Sample, SampleOf] = {
            "both": ("both", name),
            "neither": ("neither", name),
            "random": RANDOM,
        }
        held = {short: key for short, key in own.items() if key in self.samples}
        doubts = {short: key for short, key in own.items() if key in self.unsure_samples}
        return PartialCounts(
            decided=_pairs_of(self.decided, name),
            cells=_triples_of(self.cells, name),
            unsure=_pairs_of(self.unsure, name),
            samples={short: _triples_of(self.samples[key], name) for short, key in held.items()},
            unsure_samples={
                short: _pairs_of(self.unsure_samples[key], name) for short, key in doubts.items()
            },
        )

    @property
    def possible(self) -> Iterator[PartialLabels]:
        """Rows that differ: the baseline is right, the candidate, or neither; others: right or not.

        What is no number of right and wrong rows (a macro average) is known in none of these.
        """
        apart: tuple[Settled, ...] = ("baseline", "candidate", "neither")
        alike: tuple[Settled, ...] = ("baseline", "neither")
        for where_apart in apart:
            for where_alike in alike:
                yield self._as_if(where_apart, where_alike)

    def _as_if(self, apart: Settled, alike: Settled) -> PartialLabels:
        def given(cells: Mapping[Triple, int], unsure: Mapping[Pair, int]) -> Counter[Triple]:
            found = Counter(cells)
            for pair, n in unsure.items():
                which = alike if pair[0] == pair[1] else apart
                label = {"baseline": pair[0], "candidate": pair[1], "neither": NOBODY}[which]
                found[label, *pair] += n
            return found

        none: Mapping[Pair, int] = {}
        samples = {
            key: given(cells, self.unsure_samples.get(key, none))
            for key, cells in self.samples.items()
        }
        return replace(
            self,
            cells=given(self.cells, self.unsure),
            unsure={},
            samples=samples,
            unsure_samples={},
            settled=True,
        )

    def __add__(self, other: PartialLabels) -> PartialLabels:
        return PartialLabels(
            decided=Counter(self.decided) + Counter(other.decided),
            cells=Counter(self.cells) + Counter(other.cells),
            unsure=Counter(self.unsure) + Counter(other.unsure),
        )


def with_label_samples(
    tally: PartialLabels, ids: Mapping[SampleOf, Sequence[str]], rows: Mapping[str, Any]
) -> PartialLabels:
    """A slice with its random samples.

    Args:
        tally: its rows.
        ids: of each sample.
        rows: by id, the label (None: nobody could tell it) and what both models say.
    """
    samples: dict[SampleOf, Counter[Triple]] = {}
    unsure: dict[SampleOf, Counter[Pair]] = {}
    for sample, listed in ids.items():
        samples[sample] = Counter(rows[one] for one in listed if rows[one][0] is not None)
        doubts = Counter(rows[one][1:] for one in listed if rows[one][0] is None)
        if doubts:
            unsure[sample] = doubts
    return replace(
        tally,
        samples=samples,
        unsure_samples=unsure,
    )


def commonest_decision(decided: Mapping[Pair, int]) -> str:
    """The class that the baseline names most often, of equals the first."""
    found: Counter[str] = Counter()
    for (baseline, _), n in decided.items():
        found[baseline] += n
    return min(found, key=lambda name: (-found[name], name), default=NOBODY)


def belongs(pair: Pair, sample: SampleOf) -> bool:
    """Whether rows so decided are among those that a sample is of."""
    name, label = sample
    given = sum(one == label for one in pair)
    return name == "random" or given == (2 if name == "both" else 0)


@lru_cache(maxsize=4096)
def at_least(found: int, size: int, rows: int, level: float) -> int:
    """``finite_sample.count_at_least``, asked for again and again."""
    return finite_sample.count_at_least(found, size, rows, level)


def _right_alike(cells: Mapping[Triple, int]) -> int:
    return sum(n for (label, one, other), n in cells.items() if label == one == other)


def _pairs_of(counts: Mapping[Pair, int], name: str) -> tuple[int, ...]:
    found = [0] * 4
    for (one, other), n in counts.items():
        found[2 * (one == name) + (other == name)] += n
    return tuple(found)


def _triples_of(counts: Mapping[Triple, int], name: str) -> tuple[int, ...]:
    found = [0] * 8
    for (label, one, other), n in counts.items():
        found[4 * (label == name) + 2 * (one == name) + (other == name)] += n
    return tuple(found)
