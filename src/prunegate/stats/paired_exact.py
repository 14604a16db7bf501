"""Difference of two paired proportions against a margin: the exact unconditional test.

For recall, specificity, false positive rate and accuracy. Ordered by Tango's score and maximised
over the nuisance rate by Berger and Boos, so that the size is at most alpha in any sample, the
zero-cell samples included where Wald and bootstrap always approve. Harm is the same test with the
roles of lost and gained exchanged.

From 100,000 lost and as many gained rows on, the score's normal tail takes over; there it is within
.001 of the exact p-value, even where every row differs and counts move in steps of two, and within
a few percent of it in harm tails down to 1e-6 (``tests/benchmarks/enumerate_takeover.py``).

Sources: Tango (1998), Statistics in Medicine 17, 891-908; Berger & Boos (1994), JASA 89,
1012-1016; Berger & Sidik (2003), Statistical Methods in Medical Research 12, 91-108.
"""

from __future__ import annotations

from prunegate.stats import arguments, normal, unconditional
from prunegate.stats.margin_line import Boundary
from prunegate.stats.result import TestResult, statistical_test

METHOD = "exact unconditional (Berger-Boos, Tango ordering)"
METHOD_LARGE = "Tango score"
ASYMPTOTIC_FROM = 100_000
"""Lost rows, and gained rows, from which the normal tail is used."""
BETA = 1e-4
BETA_HARM = 1e-6
"""Small, because Holm compares harm with levels far below alpha."""


@statistical_test
def test(  # a library function: pytest never sees it
    lost: int,
    gained: int,
    n: int,
    margin: float,
    *,
    beta: float | None = None,  # noqa: PT028  not a pytest test, defaults are allowed
) -> TestResult:
    """Is (gained - lost) / n, in the population, at least ``-margin``?

    Args:
        lost: Rows the baseline gets right and the candidate wrong.
        gained: Rows the candidate gets right and the baseline wrong.
        n: All rows; with no row there is no evidence and both p-values are 1.
        margin: Allowed drop, in (-1, 1); negative demands a gain.
        beta: Berger-Boos level of both tails; 0 searches every rate. By default 1e-4 and, for
            harm, 1e-6; a p-value is never below its beta.

    Raises:
        ValueError: Counts or margin out of range.

    >>> round(test(0, 0, 149, 0.02, beta=0.0).p_value, 6)
    0.049282
    """
    arguments.part_of(n, lost=lost, gained=gained)
    arguments.open_interval("margin", margin, -1, 1)
    return against(lost, gained, n, Boundary(intercept=margin), beta=beta)


def against(
    lost: int, gained: int, n: int, boundary: Boundary, *, beta: float | None = None
) -> TestResult:
    """Both tails of the test against any boundary."""
    if n == 0:
        return TestResult(p_value=1.0, p_harm=1.0, method=METHOD, exact=True)
    hold, harm = (BETA, BETA_HARM) if beta is None else (beta, beta)
    return TestResult(
        p_value=tail_of_holding(lost, gained, n, boundary, hold),
        p_harm=tail_of_harm(lost, gained, n, boundary, harm),
        method=METHOD_LARGE if min(lost, gained) >= ASYMPTOTIC_FROM else METHOD,
        exact=True,
    )


def tail_of_holding(
    lost: int, gained: int, n: int, boundary: Boundary, beta: float = BETA
) -> float:
    """The p-value of "the limit is broken" alone, of at least one row."""
    if min(lost, gained) >= ASYMPTOTIC_FROM:
        return normal.upper_tail(boundary.score_of(lost, gained, n))
    return unconditional.unconditional_p(lost, gained, n, boundary, beta)


def tail_of_harm(
    lost: int, gained: int, n: int, boundary: Boundary, beta: float = BETA_HARM
) -> float:
    """The p-value of "the limit holds" alone, of at least one row."""
    if min(lost, gained) >= ASYMPTOTIC_FROM:
        return normal.upper_tail(-boundary.score_of(lost, gained, n))
    return unconditional.unconditional_p(gained, lost, n, boundary.reversed, beta)
