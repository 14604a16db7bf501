"""Difference of two correlated ratios, precision or F1: the constrained-likelihood score test.

The denominators are random and differ between the models, so no exact test applies. The variance
of the contrast is taken where the contrast sits exactly at its limit (maximum likelihood of the
eight cell probabilities under that constraint), which is Tango's and Nam's idea carried over to
ratios. With few rows that differ, it is what keeps the test honest: by simulation over some 600
boundary settings for either metric, the worst false-approve rate is about .06 at n = 50 to 1,000,
where that of MOVER with Wilson limits reaches .30 (precision) and .48 (F1). Approximate all the
same (`tests/benchmarks/size_ratio.py` finds up to .073 for F1), so reports say "about".

The p-values are the larger of the score's and the signed root likelihood ratio's: the first is
the cautious one towards approval, the second towards harm, where skewness makes the score too
bold (2.1 times a level of .001; 1.2 times with both).

Sources: Tango (1998), Statistics in Medicine 17, 891-908; Kosinski (2013), ibid. 32, 964-977;
Owen (2001), Empirical Likelihood.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from prunegate.stats import arguments, constrained_mle, joint_counts, normal, roots
from prunegate.stats.constrained_mle import RatioLimit
from prunegate.stats.joint_counts import Kind
from prunegate.stats.result import Interval, TestResult, statistical_test

METHOD = "constrained-likelihood score"


@statistical_test
def test_precision(
    cells: Sequence[float],
    k: float,
    margin: float,
    df: int | None = None,  # noqa: PT028  not a pytest test, defaults are allowed
) -> TestResult:
    """Is the candidate's precision minus ``k`` times the baseline's at least ``-margin``?

    Args:
        cells: Eight counts, indexed ``4*label + 2*baseline + candidate`` (1 = positive).
        k: Weight of the baseline, above 0: 1 for an absolute margin, 1 - r for a relative one,
            1 + r (with margin r) for growth of the error rate.
        margin: Allowed shortfall of the contrast, between -1 and k; negative demands a gain.
        df: Degrees of freedom of the cells' design effect, where they are effective counts.

    Raises:
        ValueError: A precision is undefined, or an argument is out of range.
    """
    return _test(cells, "precision", (k, margin), df)


@statistical_test
def test_f1(
    cells: Sequence[float],
    k: float,
    margin: float,
    df: int | None = None,  # noqa: PT028  not a pytest test, defaults are allowed
) -> TestResult:
    """Is the candidate's F1 minus ``k`` times the baseline's at least ``-margin``?

    Arguments and errors as for `test_precision`.
    """
    return _test(cells, "f1", (k, margin), df)


def interval_precision(cells: Sequence[float], confidence: float = 0.95) -> Interval:
    """Two-sided interval of candidate minus baseline precision: the margins not refuted."""
    return _interval(tuple(cells), "precision", confidence)


def interval_f1(cells: Sequence[float], confidence: float = 0.95) -> Interval:
    """Two-sided interval of candidate minus baseline F1: the margins not refuted."""
    return _interval(tuple(cells), "f1", confidence)


def _test(
    cells: Sequence[float], kind: Kind, limit: tuple[float, float], df: int | None
) -> TestResult:
    k, margin = limit
    joint_counts.require_joint_counts(cells, kind)
    arguments.open_interval("k", k, 0, math.inf)
    arguments.open_interval("margin", margin, -1, k)
    found = constrained_mle.fit_cells(cells, RatioLimit(kind=kind, k=k, margin=margin))
    if found is None:
        return TestResult(p_value=1.0, p_harm=1.0, method=METHOD)
    statistics = (found.score, found.root)
    return TestResult(
        p_value=max(normal.upper_tail(z, df) for z in statistics),
        p_harm=max(normal.upper_tail(-z, df) for z in statistics),
        method=METHOD,
    )


@lru_cache(maxsize=1024)
def _interval(cells: tuple[float, ...], kind: Kind, confidence: float) -> Interval:
    joint_counts.require_joint_counts(cells, kind)
    arguments.open_interval("confidence", confidence, 0, 1)
    z = normal.two_sided_z(confidence)

    def score(difference: float) -> float:
        found = constrained_mle.fit_cells(cells, RatioLimit(kind=kind, k=1.0, margin=-difference))
        return 0.0 if found is None else found.score  # unfitted: not refuted

    centre = RatioLimit(kind=kind, k=1.0, margin=0.0).contrast(cells)
    start = (centre, z)  # the score is 0 at what was observed
    low = roots.first_crossing(lambda d: z - score(d), start, -1.0, 1 / 64)
    reach = max(centre - low, 1e-6)  # the other side is about as far
    high = roots.first_crossing(lambda d: z + score(d), start, 1.0, reach)
    return Interval(low=low, high=high, method=METHOD)
