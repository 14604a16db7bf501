"""Reuse of one gate set: how much of alpha each attempt on it may spend.

Whoever tries candidates on one gate set until one passes is approved by chance sooner or later:
20 candidates at the margin, each tested at 5 %, give .64. If attempt k is tested at
``6 alpha / (pi^2 k^2)``, these levels add up to alpha, so by the union bound any of all attempts is
wrongly approved at most alpha of the time. ``ledger`` lets the first attempt have all of alpha, so
that nobody pays who does not reuse; then the bound is ``alpha (2 - 6 / pi^2)``, about 1.39 alpha.

The union bound needs candidates that do not depend on the gate set's rows. It covers trying on
until something is approved: up to the first approval every answer was "no", so which candidate
comes next was settled beforehand. It does not cover whoever makes candidates for the rows that a
report shows of this set. Measured (``tests/benchmarks/gate_set_reuse.py``, 4,000 runs, alpha .05)
over 100 attempts: .066 for candidates that share nothing and .065 for a search up the counts of
this very set (strict .045 and .049), where without a ledger nearly every run approves something.
"""

from __future__ import annotations

import math
from typing import Literal

from prunegate.stats.normal import upper_z

Reuse = Literal["ledger", "strict", "none"]
"""First attempt at alpha; every attempt at its share; all at alpha, whatever was tried before."""
_DIGITS = 1e12


def level_of_attempt(reuse: Reuse, alpha: float, number: int) -> float:
    """The level of attempt ``number`` (from 1), rounded down to twelve decimals.

    Raises:
        ValueError: a number below 1.

    >>> [round(level_of_attempt("ledger", 0.05, k), 5) for k in (1, 2, 3)]
    [0.05, 0.0076, 0.00338]
    >>> round(level_of_attempt("strict", 0.05, 1), 5)
    0.0304
    """
    if number < 1:
        raise ValueError(f"attempts are numbered from 1, not {number}")
    if reuse == "none" or (reuse == "ledger" and number == 1):
        return alpha
    return math.floor(_DIGITS * 6 * alpha / (math.pi * number) ** 2) / _DIGITS


def of_all(reuse: Reuse, alpha: float) -> float | None:
    """A bound for wrongly approving any of all attempts, however many; None: there is none.

    >>> round(of_all("ledger", 0.05), 4)
    0.0696
    """
    if reuse == "none":
        return None
    return alpha if reuse == "strict" else alpha * (2 - 6 / math.pi**2)


def rows_ratio(alpha: float, spent: float, power: float) -> float | None:
    """How many times the rows a test needs at level ``spent`` rather than at ``alpha``.

    By the normal approximation, at the same power. None where nothing was left to spend.

    >>> round(rows_ratio(0.05, 0.0076, 0.9), 2)
    1.61
    """
    if spent <= 0:
        return None
    reach = upper_z(1 - power)
    return ((upper_z(spent) + reach) / (upper_z(alpha) + reach)) ** 2
