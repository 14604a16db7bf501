"""Recall at a fixed false positive rate: exact tests at every pair of thresholds that may be right.

The thresholds follow from the slice's negatives and are only estimated; the positives are other
rows, so that at any pair of thresholds the exact test of recall holds. The p-value is the largest
over the pairs that the negatives leave possible, plus the chance that they leave out the right one
(a confidence set and a test, as by Berger and Boos 1994). It is never too small, in any sample.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from prunegate.counting.fixed_rate import (
    MISSED,
    FixedRateCounts,
    FlagCounts,
    fewest_negatives,
)
from prunegate.evidence.rates import PairedRate, TestedEvidence
from prunegate.metrics.hypothesis import Contrast, Difference, Hypothesis, Level, asks_for_more
from prunegate.stats.result import Interval, TestResult
from prunegate.text.said import said

METHOD = "exact, at the thresholds least in its favour that the negatives leave possible"


@dataclass(frozen=True, kw_only=True)
class FixedRateRecall(TestedEvidence):
    """The positives that two models flag, each at its threshold with one false positive rate."""

    exact_levels: ClassVar = False

    counts: FixedRateCounts
    rate: float
    """The false positive rate."""

    @cached_property
    def _here(self) -> PairedRate:
        return _paired(self.counts.here)

    @property
    def n(self) -> int:
        return self._here.n

    @property
    def baseline(self) -> Fraction | None:
        return self._here.baseline if self.counts.negatives else None

    @property
    def candidate(self) -> Fraction | None:
        return self._here.candidate if self.counts.negatives else None

    @property
    def lost(self) -> int:
        return self._here.lost

    @property
    def gained(self) -> int:
        return self._here.gained

    @property
    def lacking(self) -> int:
        """Positives that come with the negatives that are lacking."""
        short = max(0, fewest_negatives(self.rate) - self.counts.negatives)
        return math.ceil(short * self.n / max(self.counts.negatives, 1))

    @property
    def reliable(self) -> bool:
        return self.counts.negatives >= fewest_negatives(self.rate)

    @property
    def too_few(self) -> str:
        if self.reliable:
            return ""
        return said(
            "too_few.fixed_rate",
            rate=self.rate,
            least=fewest_negatives(self.rate),
            n=self.counts.negatives,
        )

    def _level(self, level: Level) -> TestResult:
        return self._worst(level)

    def _contrast(self, contrast: Contrast) -> TestResult:
        return self._worst(contrast)

    def _worst(self, claim: Hypothesis) -> TestResult:
        """Over the pairs of thresholds that speak against the claim, and against its reverse."""
        low, high = _worst_of(self._low, claim, 1), _worst_of(self._high, claim, -1)
        against, harm = (low, high) if asks_for_more(claim) else (high, low)
        return TestResult(
            p_value=min(1.0, max(one.test(claim).p_value for one in against) + MISSED),
            p_harm=min(1.0, max(one.test(claim).p_harm for one in harm) + MISSED),
            method=METHOD,
            exact=True,
        )

    @cached_property
    def _low(self) -> tuple[PairedRate, ...]:
        return tuple(_different(self.counts.candidate_low))

    @cached_property
    def _high(self) -> tuple[PairedRate, ...]:
        return tuple(_different(self.counts.candidate_high))

    def level_interval(self) -> Interval:
        return _spanned(
            [one.level_interval() for one in self._low],
            [one.level_interval() for one in self._high],
        )

    def change_interval(self) -> Interval:
        return _spanned(
            [one.change_interval() for one in self._low],
            [one.change_interval() for one in self._high],
        )


def _different(tables: tuple[FlagCounts, ...]) -> Iterator[PairedRate]:
    yield from map(_paired, dict.fromkeys(tables))


def _worst_of(tables: tuple[PairedRate, ...], claim: Hypothesis, sign: int) -> list[PairedRate]:
    """The tables one of which is the worst (1) or the best (-1) for a claim about the candidate.

    For a difference these are such that no other has both more lost and fewer gained rows.
    """
    if not isinstance(claim, Difference):
        return list(tables)
    pairs = dict.fromkeys((sign * one.lost, sign * one.gained) for one in tables)
    return [
        one
        for one in {(t.lost, t.gained): t for t in tables}.values()
        if not any(
            lost >= sign * one.lost and gained <= sign * one.gained
            for lost, gained in pairs
            if (lost, gained) != (sign * one.lost, sign * one.gained)
        )
    ]


def _paired(counts: FlagCounts) -> PairedRate:
    neither, gained, lost, both = counts
    return PairedRate(both=both, lost=lost, gained=gained, neither=neither)


def _spanned(low: list[Interval], high: list[Interval]) -> Interval:
    """From the lowest end at the one thresholds to the highest at the others."""
    return Interval(
        low=min(one.low for one in low),
        high=max(one.high for one in high),
        method=f"{low[0].method} at the thresholds that are possible",
    )
