"""Ratio of two paired rates against a limit: relative margins and error growth, exactly.

"The candidate's success rate is at least (1 - r) times the baseline's" and "the candidate's error
rate is at most (1 + r) times the baseline's". Rows where neither event happens say nothing about
a ratio, so the test conditions on their number; on the other rows the ratio is a line in
(p_gained, p_lost) with one unknown rate, and the same exact machinery as for a difference
applies, ordered by Nam and Blackwelder's score. Its size is at most alpha for every number of
informative rows, hence overall. Plugging the estimated baseline rate into an absolute margin
instead gave .074 to .119 false approvals.

With no informative row (no success of either, or no error of either) both p-values are 1: a
baseline that never errs leaves growth of its errors undefined, and that is not evidence.

Sources: Nam & Blackwelder (2002), Statistics in Medicine 21, 689-699; Tang, Tang & Chan (2003),
ibid. 22, 1217-1233; Berger & Boos (1994), JASA 89, 1012-1016.
"""

from __future__ import annotations

from dataclasses import replace

from prunegate.stats import arguments, paired_exact
from prunegate.stats.margin_line import Boundary
from prunegate.stats.result import TestResult, statistical_test

METHOD = "exact conditional-unconditional ratio (Berger-Boos, Nam-Blackwelder ordering)"
METHOD_LARGE = "Nam-Blackwelder score"


@statistical_test
def test_relative(both: int, lost: int, gained: int, neither: int, r: float) -> TestResult:
    """Is the candidate's success rate at least ``(1 - r)`` times the baseline's?

    Args:
        both: Rows both get right.
        lost: Rows only the baseline gets right.
        gained: Rows only the candidate gets right.
        neither: Rows both get wrong; no influence on a ratio of success rates.
        r: Allowed relative drop, below 1; negative demands a relative gain.

    Raises:
        ValueError: Negative counts, or ``r`` not below 1.

    >>> round(test_relative(60, 0, 0, 40, 0.05).p_value, 3)
    0.046
    """
    arguments.counts(both=both, lost=lost, gained=gained, neither=neither)
    arguments.open_interval("relative margin r", r, float("-inf"), 1)
    return _ratio(lost, gained, both + lost + gained, 1 - r)


@statistical_test
def test_error_ratio(both: int, lost: int, gained: int, neither: int, r: float) -> TestResult:
    """Is the candidate's error rate at most ``(1 + r)`` times the baseline's?

    Args:
        both: Rows both get right; no influence on a ratio of error rates.
        lost: Rows only the candidate gets wrong.
        gained: Rows only the baseline gets wrong.
        neither: Rows both get wrong.
        r: Allowed relative growth of errors, above -1; negative demands fewer errors.

    Raises:
        ValueError: Negative counts, or ``r`` not above -1.

    >>> test_error_ratio(100, 0, 0, 0, 0.10).p_value
    1.0
    """
    arguments.counts(both=both, lost=lost, gained=gained, neither=neither)
    arguments.open_interval("error ratio r", r, -1, float("inf"))
    return _ratio(lost, gained, neither + lost + gained, 1 / (1 + r))


def _ratio(lost: int, gained: int, informative: int, ratio: float) -> TestResult:
    """p_lost <= 1 - ratio + ratio * p_gained, among the informative rows.

    For successes 1 - p_gained is the baseline's share and 1 - p_lost the candidate's. For errors
    the candidate's share is 1 - p_gained and the baseline's 1 - p_lost, so the ratio is inverted.
    """
    line = Boundary(intercept=1 - ratio, slope=ratio)
    found = paired_exact.against(lost, gained, informative, line)
    large = min(lost, gained) >= paired_exact.ASYMPTOTIC_FROM
    return replace(found, method=METHOD_LARGE if large else METHOD)
