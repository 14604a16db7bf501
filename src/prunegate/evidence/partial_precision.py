"""Partial precision: what a slice says about precision where labels cost.

How many rows each model flags is known without any label, so that with T the true positives among
rows that both flag, and L' and G' those among rows that only the baseline or only the candidate
flags,

    candidate - baseline = T (1 / flagged_c - 1 / flagged_b) + G' / flagged_c - L' / flagged_b.

L' and G' are known: rows that differ are all labelled. T has a weight near zero where the models
flag about equally many, so that a random sample of the rows that both flag says enough of it: the
hypergeometric limits leave some T possible, and the largest p-value of the full test over these,
plus the chance that T is another, is an honest one. The same holds of a floor, where T weighs more.

Like every search here this one looks at points: p-values between them are as good as monotone
(``tests/benchmarks/partial_precision.py``, which has the error rates, too).
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

from prunegate.counting.partial_counts import GAMMA, GAMMA_OF_HARM, PartialCounts
from prunegate.counting.partial_labels import at_least
from prunegate.counting.tallies import Cells
from prunegate.evidence.overlapping_rates import OverlappingRate
from prunegate.evidence.partial_agreement import sampled
from prunegate.evidence.rates import TestedEvidence, rate
from prunegate.metrics.hypothesis import Contrast, Hypothesis, Level
from prunegate.stats import clopper_pearson, ratio_score
from prunegate.stats.reliable import SCORE_MINIMUM
from prunegate.stats.result import Interval, TestResult
from prunegate.text.said import joined, said

_BOTH = 0b11
_BETWEEN = 3
"""True positives that are looked at between the fewest and the most."""
_CONFIDENCE = 0.95
OVER_SAMPLE = "largest p over the true positives there may be"
"""What is added to the method's name."""


@dataclass(frozen=True, kw_only=True)
class PossibleHits:
    """How many rows of those that both models flag may be true positives."""

    fewest: int
    most: int
    level: float
    """The chance that there are others."""

    @property
    def points(self) -> tuple[int, ...]:
        """Both ends and some numbers between them, each once."""
        span, parts = self.most - self.fewest, _BETWEEN + 1
        return tuple(dict.fromkeys(self.fewest + span * part // parts for part in range(parts + 1)))


def possible_hits(tally: PartialCounts, level: float) -> PossibleHits:
    """By the sample, and by the labels of such rows whoever chose them.

    Args:
        tally: a slice; no row of it is left open (``PartialCounts.as_if``).
        level: the chance that the limits may miss the truth, half of it on either side.

    >>> tally = PartialCounts(decided=(0, 0, 0, 9), cells=(0, 0, 0, 1, 0, 0, 0, 2))
    >>> possible_hits(tally, 0.002)
    PossibleHits(fewest=2, most=8, level=0.0)
    """
    rows, known, wrong = tally.decided[_BOTH], tally.cells[4 + _BOTH], tally.cells[_BOTH]
    found, size = sampled(tally, _BOTH, 1)
    if not size or tally.whole(_BOTH):
        return PossibleHits(fewest=known, most=rows - wrong, level=0.0)
    sure = at_least(found, size, rows, level / 2)
    missed = at_least(size - found, size, rows, level / 2)
    return PossibleHits(fewest=max(known, sure), most=rows - max(wrong, missed), level=level)


@dataclass(frozen=True, kw_only=True)
class SampledPrecision(TestedEvidence):
    """Precision where the rows that both models flag are labelled in part."""

    estimated: ClassVar[bool] = True

    apart: Cells
    """The labelled rows that the models decide differently, indexed as joint counts."""
    both: int
    """Rows that both models flag."""
    hits: Fraction
    """Of these, the true positives, as estimated by the sample."""
    hold: PossibleHits
    """How many these may be, for tests of what holds."""
    harm: PossibleHits
    """The same for tests of harm, of which there are many."""
    labelled: int
    """Labelled rows among those that the model flags which flags fewer."""
    strict: bool

    def at(self, hits: int) -> OverlappingRate:
        """What all labels would say if there were so many true positives."""
        cells = list(self.apart)
        cells[_BOTH], cells[4 + _BOTH] = self.both - hits, hits
        return OverlappingRate(cells=tuple(cells), f1=False, strict=self.strict)

    def _rate(self, bit: int) -> Fraction | None:
        flagged = self.both + self.apart[bit] + self.apart[4 + bit]
        share = rate(self.apart[4 + bit], flagged)
        return None if share is None else share + self.hits / flagged

    @property
    def baseline(self) -> Fraction | None:
        return self._rate(0b10)

    @property
    def candidate(self) -> Fraction | None:
        return self._rate(0b01)

    @property
    def n(self) -> int:
        return self.both + sum(self.apart)

    @property
    def lost(self) -> int:
        return self.at(0).lost

    @property
    def gained(self) -> int:
        return self.at(0).gained

    @property
    def too_few(self) -> str:
        if self.reliable:
            return ""
        return said("too_few.labelled", least=SCORE_MINIMUM, n=self.labelled)

    @property
    def lacking(self) -> int:
        return max(0, SCORE_MINIMUM - self.labelled)

    def count(self, hypothesis: Hypothesis) -> int:
        return self.at(0).count(hypothesis)

    def _level(self, level: Level) -> TestResult:
        return self._largest(level)

    def _contrast(self, contrast: Contrast) -> TestResult:
        return self._largest(contrast)

    def _largest(self, claim: Hypothesis) -> TestResult:
        """The test at its worst, either way."""
        holds = [self.at(hits).test(claim) for hits in self.hold.points]
        harms = [self.at(hits).test(claim) for hits in self.harm.points]
        p_value = max(one.p_value for one in holds) + self.hold.level
        p_harm = max(one.p_harm for one in harms) + self.harm.level
        return replace(
            holds[0],
            p_value=min(1.0, p_value),
            p_harm=min(1.0, p_harm),
            method=joined((holds[0].method, OVER_SAMPLE), ", "),
        )

    def level_interval(self) -> Interval:
        """From the lower end at the fewest to the upper end at the most true positives."""
        return _around(
            clopper_pearson.interval(*self.at(hits).parts(1), self._confidence)
            for hits in (self.hold.fewest, self.hold.most)
        )

    def change_interval(self) -> Interval:
        """From the lowest to the highest end at the fewest and the most true positives."""
        return _around(
            ratio_score.interval_precision(self.at(hits).cells, self._confidence)
            for hits in (self.hold.fewest, self.hold.most)
        )

    @property
    def _confidence(self) -> float:
        return _CONFIDENCE + self.hold.level


def _around(ends: Iterable[Interval]) -> Interval:
    found = list(ends)
    return Interval(
        low=min(one.low for one in found),
        high=max(one.high for one in found),
        method=found[0].method,
    )


def sampled_precision(tally: PartialCounts, *, strict: bool) -> SampledPrecision | None:
    """What a slice says of precision; None: rows that differ lack labels, or there is no sample.

    Args:
        tally: a slice.
        strict: use the method that is never liberal.
    """
    found, size = sampled(tally, _BOTH, 1)
    if not tally.differ_labelled or not (size or tally.whole(_BOTH)):
        return None
    apart = tuple(n if cell % 4 in (0b01, 0b10) else 0 for cell, n in enumerate(tally.cells))
    both, hold = tally.decided[_BOTH], possible_hits(tally, GAMMA)
    hits = Fraction(both * found, size) if size else Fraction(hold.fewest)
    looked_at = tally.cells[_BOTH] + tally.cells[4 + _BOTH]
    return SampledPrecision(
        apart=apart,
        both=both,
        hits=min(max(hits, Fraction(hold.fewest)), Fraction(hold.most)),
        hold=hold,
        harm=possible_hits(tally, GAMMA_OF_HARM),
        labelled=looked_at + min(apart[bit] + apart[4 + bit] for bit in (0b01, 0b10)),
        strict=strict,
    )
