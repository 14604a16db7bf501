"""Hypotheses: what a limit claims about the two models, in one orientation.

A metric is turned so that larger is better: a rate into a *success* rate, whose *error* rate is
one minus it; a mean where lower is better into its negative, so that its *error* is the mean
itself. Then every limit of a policy is one of four claims, and every kind of evidence has to be
able to test just these four.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class Level:
    """The candidate's success rate is at least (or at most) ``limit``."""

    limit: Fraction
    at_least: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """candidate - baseline >= -margin. ``swapped``: the same with the two models exchanged."""

    margin: Fraction
    """Negative demands a gain."""
    swapped: bool = False


@dataclass(frozen=True, kw_only=True)
class SuccessRatio:
    """candidate >= ratio x baseline, for success rates; ``swapped`` exchanges the models."""

    ratio: Fraction
    swapped: bool = False


@dataclass(frozen=True, kw_only=True)
class ErrorsAtMost:
    """candidate's error rate <= ratio x baseline's error rate; ``swapped`` exchanges the models."""

    ratio: Fraction
    swapped: bool = False


Contrast = Difference | SuccessRatio | ErrorsAtMost
Hypothesis = Level | Contrast


def holds(
    hypothesis: Hypothesis,
    baseline: Fraction | None,
    candidate: Fraction,
    whole: Fraction = Fraction(1),
) -> bool | None:
    """Whether exact values satisfy the claim (inclusive); None where it is undefined.

    A ratio to a value that is not above zero is undefined.

    Args:
        hypothesis: the claim.
        baseline: the baseline's value, turned so that larger is better.
        candidate: the candidate's.
        whole: what value and error add up to: 1 for rates, 0 for means.
    """
    if isinstance(hypothesis, Level):
        limit = hypothesis.limit
        return candidate >= limit if hypothesis.at_least else candidate <= limit
    if baseline is None:
        return None
    first, second = (candidate, baseline) if not hypothesis.swapped else (baseline, candidate)
    if isinstance(hypothesis, Difference):
        return first - second >= -hypothesis.margin
    if isinstance(hypothesis, SuccessRatio):
        return None if baseline <= 0 else first >= hypothesis.ratio * second
    if baseline >= whole:
        return None
    return whole - first <= hypothesis.ratio * (whole - second)


def linear_form(contrast: Contrast) -> tuple[Fraction, Fraction]:
    """Slope and margin of rates: candidate - slope x baseline >= -margin, if not swapped."""
    if isinstance(contrast, Difference):
        return Fraction(1), contrast.margin
    if isinstance(contrast, SuccessRatio):
        return contrast.ratio, Fraction(0)
    return contrast.ratio, contrast.ratio - 1


def exact_fraction(number: float) -> Fraction:
    """The number as it was written: 0.02 is 1/50, not the nearest double."""
    return Fraction(str(number))


def asks_for_more(hypothesis: Hypothesis) -> bool:
    """Whether a candidate that gets better comes nearer to satisfying the claim."""
    if isinstance(hypothesis, Level):
        return hypothesis.at_least
    return not hypothesis.swapped
