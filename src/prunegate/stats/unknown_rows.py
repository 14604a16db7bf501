"""The exact paired test where it is not known how many rows were decided, only between what.

Where labels cost, rows on which two models agree are labelled in part, or not at all: losses and
gains are known, the number of rows that they are a share of is not. The largest p-value over every
possible number is an honest one. The smallest number alone is not enough: as a function of the
number p falls, but not at every step (a table next to the observed one may come to rank before it).

The maximum is found by halving. Over a span of numbers p is at most the probability of all tables
that are as good as the observed one for any number in the span; where that is no more than what was
found already, the span is done. Like every search here it looks at points, not at a continuum: what
tables a span admits is taken from its ends and three numbers between them.

Source: as `paired_exact`; the bounds and their error rates are this project's
(``tests/benchmarks/partial_labels.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from prunegate.stats import arguments, normal, paired_exact, unconditional
from prunegate.stats.margin_line import Boundary
from prunegate.stats.result import TestResult, statistical_test

METHOD = "exact unconditional, largest p over the positives there may be"
_SLACK = 1e-4
"""By how much the answer may be too large, or a hundredth of it; it saves most of the halving."""
NO_EVIDENCE = 0.5
"""From here on a p-value is 1: how large it is says nothing, and takes the longest to find."""
_MOST = 100
"""Spans looked at; of what is left after that the bound is taken, which is never too small."""


@dataclass(frozen=True, kw_only=True)
class PossibleRows:
    """What is known of the number of rows."""

    fewest: int
    """For certain."""
    most: int
    """For certain."""
    likely: int
    """The fewest but for a chance of ``level``."""
    level: float = 0.0
    likely_most: int | None = None
    """The most but for a chance of ``harm_level``; None: what is certain."""
    harm_level: float = 0.0


@statistical_test
def test_unknown(lost: int, gained: int, rows: PossibleRows, margin: float) -> TestResult:
    """Is (gained - lost) / n, in the population, at least ``-margin``?

    Args:
        lost: Rows the baseline gets right and the candidate wrong.
        gained: Rows the candidate gets right and the baseline wrong.
        rows: What n may be.
        margin: Allowed drop, in (-1, 1); negative demands a gain.

    Raises:
        ValueError: Counts, margin or rows out of range.
    """
    arguments.part_of(rows.fewest, lost=lost, gained=gained)
    arguments.part_of(rows.likely, fewest=rows.fewest)
    arguments.part_of(rows.most, likely=rows.likely)
    arguments.open_interval("margin", margin, -1, 1)
    if rows.most == 0:
        return TestResult(p_value=1.0, p_harm=1.0, method=METHOD, exact=True)
    line = Boundary(intercept=margin)
    hold = largest_p(lost, gained, (max(rows.likely, 1), rows.most), line, paired_exact.BETA)
    most, level = (rows.most, 0.0)
    if rows.likely_most is not None:
        most, level = max(rows.likely_most, rows.fewest), rows.harm_level
    few = (max(rows.fewest, 1), max(most, 1))
    harm = largest_p(gained, lost, few, line.reversed, paired_exact.BETA_HARM)
    return TestResult(
        p_value=min(1.0, hold + rows.level),
        p_harm=min(1.0, harm + level),
        method=METHOD,
        exact=True,
    )


def largest_p(lost: int, gained: int, rows: tuple[int, int], line: Boundary, beta: float) -> float:
    """Largest `unconditional.unconditional_p` over every number of rows between two, inclusive."""
    tail = _Tail(counts=(lost, gained), line=line, beta=beta)
    low, high = rows
    best = max(tail.p(high), tail.p(low))
    left, bounds = [(low, high)], [best]
    for turn in range(2 * (high - low)):
        if not left or best >= NO_EVIDENCE:
            break
        first, last = left.pop()
        points = _points(first, last)
        bound = max(tail.p(n, points) for n in points)
        if bound <= best + max(_SLACK, best / 100) or turn >= _MOST:
            bounds.append(bound)
            continue
        middle = min(max(math.isqrt(first * last), first + 1), last - 1)
        best = max(best, tail.p(middle))
        left += [span for span in ((middle, last), (first, middle)) if span[1] - span[0] > 1]
    largest = max(best, *bounds)
    return 1.0 if largest >= NO_EVIDENCE else largest


@dataclass(frozen=True, kw_only=True)
class _Tail:
    """One tail of the test of one pair of counts, as a function of the number of rows."""

    counts: tuple[int, int]
    """What is evidence against the claim, and for it."""
    line: Boundary
    beta: float

    def p(self, n: int, sizes: tuple[int, ...] = ()) -> float:
        """P among ``n`` rows, of tables as good as the observed one for any of the sizes."""
        lost, gained = self.counts
        if min(self.counts) >= paired_exact.ASYMPTOTIC_FROM:
            return normal.upper_tail(
                min(self.line.score_of(*self.counts, k) for k in sizes or (n,))
            )
        return unconditional.union_p(lost, gained, n, sizes or (n,), self.line, self.beta)


def _points(first: int, last: int) -> tuple[int, ...]:
    """Both ends of a span and three numbers between them, each once."""
    return tuple(dict.fromkeys(round(first * (last / first) ** (part / 4)) for part in range(5)))
