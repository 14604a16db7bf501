"""Partial rates: what a slice says about a metric where only some of its rows have labels.

For most limits this is the same table and the same test as with every label, because rows on which
the models agree drop out of it. For recall (and specificity) with an absolute margin the number of
positives is known only from below, and the largest p over all numbers that are possible is taken.
Everything else rests on a random sample alone, as if the slice were no larger than that.

Where a label that is needed is missing there is no value, and so never a pass.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from prunegate.counting.partial_counts import GAMMA, PartialCounts
from prunegate.counting.partial_labels import RANDOM, PartialLabels
from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.tallies import JointCounts, LabelCounts
from prunegate.evidence.rates import PairedRate, SingleRate, TestedEvidence, rate
from prunegate.metrics.forms import SharedRows
from prunegate.metrics.hypothesis import Contrast, Difference, Level
from prunegate.stats import paired_exact, tango, unknown_rows
from prunegate.stats.result import Interval, TestResult
from prunegate.stats.unknown_rows import PossibleRows

_DIFFERS = (0b01, 0b10)


def flagged_rows(tally: PartialCounts) -> JointCounts | None:
    """The rows that either model flags, with all other rows as true negatives; None: unlabelled.

    What is computed from flagged rows alone does not depend on what the others are taken for.
    """
    if not tally.whole(0b01, 0b10, 0b11):
        return None
    return JointCounts(cells=(tally.decided[0], *tally.cells[1:4], 0, *tally.cells[5:]))


def sampled_rows(tally: PartialCounts) -> JointCounts:
    """The random sample of all rows as if there were no others."""
    if tally.whole(0, 1, 2, 3):
        return JointCounts(cells=tally.cells)
    return JointCounts(cells=tally.samples.get("random", (0,) * 8))


def sampled_labels(tally: PartialLabels, *, counts_rows: bool) -> LabelCounts:
    """The random sample of all rows of several classes as if there were no others.

    Args:
        tally: a slice.
        counts_rows: whether only the numbers of right and wrong rows matter; else nothing is known
            once a row could not be labelled.
    """
    cells = tally.cells if tally.complete else tally.samples.get(RANDOM, {})
    return LabelCounts(cells={} if tally.settled and not counts_rows else cells)


def flip_rate(tally: PartialTally, *, negative_only: bool) -> SingleRate:
    """Negative flips from the rows that differ; churn from decisions alone."""
    lost, gained = _lost_gained(tally)
    wrong = lost if negative_only else tally.differ
    if negative_only and not tally.differ_labelled:
        return SingleRate(good=0, n=0, lost=0, gained=0)
    return SingleRate(good=tally.rows - wrong, n=tally.rows, lost=lost, gained=gained)


@dataclass(frozen=True, kw_only=True)
class DifferingRows(TestedEvidence):
    """Accuracy: losses and gains are all among the rows that differ; the rest is only counted."""

    bounds: ClassVar[bool] = True

    table: PairedRate
    """With rows on which the models agree as right, unless they are known to be wrong."""

    @property
    def n(self) -> int:
        return self.table.n

    @property
    def baseline(self) -> Fraction | None:
        return self.table.baseline

    @property
    def candidate(self) -> Fraction | None:
        return self.table.candidate

    @property
    def lost(self) -> int:
        return self.table.lost

    @property
    def gained(self) -> int:
        return self.table.gained

    def _level(self, level: Level) -> TestResult:
        del level
        raise ValueError("a level needs a random sample")

    def _contrast(self, contrast: Contrast) -> TestResult:
        return self.table.test(contrast)

    def level_interval(self) -> Interval:
        raise ValueError("a level needs a random sample")

    def change_interval(self) -> Interval:
        return self.table.change_interval()


def _lost_gained(tally: PartialTally) -> tuple[int, int]:
    return tally.lost_gained or (0, 0)


def differing_rows(tally: PartialTally) -> DifferingRows:
    """What a slice says of accuracy; without a value where a row that differs has no label."""
    if not tally.differ_labelled:
        return DifferingRows(table=PairedRate(both=0, lost=0, gained=0, neither=0))
    lost, gained = _lost_gained(tally)
    neither = tally.both_wrong
    both = tally.rows - lost - gained - neither
    table = PairedRate(both=both, lost=lost, gained=gained, neither=neither)
    return DifferingRows(table=table)


@dataclass(frozen=True, kw_only=True)
class SampledAgreement(TestedEvidence):
    """Recall or specificity with an absolute margin: of the class's rows a lower bound is known."""

    bounds: ClassVar[bool] = True

    lost: int
    gained: int
    both: Fraction
    """Rows of the class that both models get right, estimated."""
    neither: int
    """Rows of the class that neither gets right, as far as they are known."""
    rows: PossibleRows
    """How many rows of the class there may be."""

    @property
    def n(self) -> int:
        return self.rows.likely

    @property
    def _total(self) -> Fraction:
        return self.both + self.lost + self.gained + self.neither

    @property
    def baseline(self) -> Fraction | None:
        return (self.both + self.lost) / self._total if self.n and self._total else None

    @property
    def candidate(self) -> Fraction | None:
        return (self.both + self.gained) / self._total if self.n and self._total else None

    def _level(self, level: Level) -> TestResult:
        del level
        raise ValueError("a level needs a random sample")

    def _contrast(self, contrast: Contrast) -> TestResult:
        assert isinstance(contrast, Difference)  # noqa: S101  # the others need other labels
        lost, gained = self.lost, self.gained
        if contrast.swapped:
            lost, gained = gained, lost
        margin = float(contrast.margin)
        if self.rows.fewest == self.rows.most:
            return paired_exact.test(lost, gained, self.n, margin)
        return unknown_rows.test_unknown(lost, gained, self.rows, margin)

    def level_interval(self) -> Interval:
        raise ValueError("a level needs a random sample")

    def change_interval(self) -> Interval:
        """From the lowest to the highest end at the fewest and the most rows."""
        sizes, confidence = (self.n, self.rows.most), 0.95 + self.rows.level
        found = [tango.interval(self.lost, self.gained, n, confidence) for n in sizes]
        return Interval(
            low=min(one.low for one in found),
            high=max(one.high for one in found),
            method=found[0].method,
        )


def sampled_agreement(form: SharedRows, tally: PartialCounts) -> SampledAgreement:
    """What a slice says of one class; without a value where a row that differs has no label."""
    (label,) = form.labels
    agreed = 3 * label
    if not tally.whole(*_DIFFERS):
        nothing = PossibleRows(fewest=0, most=0, likely=0)
        return SampledAgreement(lost=0, gained=0, both=Fraction(0), neither=0, rows=nothing)
    of_class = tally.cells[4 * label : 4 * label + 4]
    lost, gained = (of_class[d] for d in ((0b10, 0b01) if label else (0b01, 0b10)))
    whole = tally.whole(agreed)
    likely_most, chance = tally.likely_most(label)
    return SampledAgreement(
        lost=lost,
        gained=gained,
        both=rate(*tally.about(label)) or Fraction(0),
        neither=of_class[3 - agreed],
        rows=PossibleRows(
            fewest=sum(of_class),
            most=tally.most(label),
            likely=tally.fewest(label),
            level=0.0 if whole else GAMMA,
            likely_most=likely_most if chance else None,
            harm_level=chance,
        ),
    )
