"""Average over labels: recall, precision or F1 of rows with several labels, each label alike.

Each label is a yes-or-no question to the same rows, so its decisions are correlated with those of
every other label, in a way that the counts of single labels do not show. Whatever it is, the
variance of the average is at most the sum of the labels' own variances (each over the square of
their number) times that number (Cauchy and Schwarz), as though all labels erred on the same rows.
So the decisions are tested as those of one row each, with counts divided by the number of labels;
the test is the one of a macro average (``stats/macro.py``), and less powerful the less the labels
really err together. Simulated in ``tests/benchmarks/multilabel_sizes.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from prunegate.counting.label_sets import LabelSets
from prunegate.evidence.macro_rate import OfConfusion, class_share
from prunegate.metrics.forms import OverLabels
from prunegate.stats import macro

Decided = tuple[int, int, int]
"""Label, the baseline's decision, the candidate's: a class, or the number of classes for none."""


@dataclass(frozen=True, kw_only=True)
class LabelAverage(OfConfusion):
    """The average of one rate over all labels."""

    classes: int
    """Labels that are averaged, twice as many where both of their sides are."""
    labels: int
    """Labels of a row, which may err together."""
    cells: dict[Decided, int]

    @classmethod
    def of(cls, form: OverLabels, tally: LabelSets) -> LabelAverage:
        """What the rows of a slice say about one form of average."""
        eights = [counts.cells for counts in tally.labels.values()]
        classes = len(eights) * len(form.sides) if form.kind == "recall" else len(eights)
        counts: dict[Decided, int] = {}
        for cell, n in _decided(form, eights, classes):
            if n:
                counts[cell] = counts.get(cell, 0) + n
        return cls(kind=form.kind, classes=classes, labels=len(eights), cells=counts)

    def _average(self, model: int) -> Fraction | None:
        shares = [self._share(place, model) for place in range(self.classes)]
        defined = [share for share in shares if share is not None]
        return sum(defined, Fraction(0)) / self.classes if len(defined) == self.classes else None

    def _share(self, place: int, model: int) -> Fraction | None:
        if not any(n for cell, n in self.cells.items() if cell[0] == place):
            return None  # nothing is known of a label that no row has
        return class_share(self.cells, place, model, self.kind)

    def _table(
        self, slope: float, *, swapped: bool = False
    ) -> tuple[macro.ConfusionCounts, int | None]:
        del slope
        return self._effective.swapped if swapped else self._effective, None

    @cached_property
    def _effective(self) -> macro.ConfusionCounts:
        """As many decisions as count if all labels of a row erred together."""
        cells = sorted(self.cells)
        label, baseline, candidate = np.array(cells, dtype=np.intp).T
        return macro.ConfusionCounts(
            kind=self.kind,
            classes=self.classes,
            label=label,
            baseline=baseline,
            candidate=candidate,
            count=np.array([self.cells[cell] for cell in cells], dtype=float) / self.labels,
            others=int(self.kind != "recall"),
        )


def _decided(
    form: OverLabels, eights: Sequence[Sequence[int]], none: int
) -> Iterator[tuple[Decided, int]]:
    """Each label's decisions as those of a class of its own; ``none`` is any other.

    Recall of rows without a label (specificity) is recall of a class that these rows make up.
    """
    place = 0
    for cells in eights:
        for side in form.sides:
            for cell, n in enumerate(cells):
                parts = tuple((cell >> shift & 1) == side for shift in (2, 1, 0))
                if form.kind == "recall" and not parts[0]:
                    continue
                label, baseline, candidate = (place if part else none for part in parts)
                yield (label, baseline, candidate), n
            place += 1
