"""How many of some rows are of a kind, from a random sample of them drawn without replacement.

One-sided limits of a finite number: the hypergeometric tail, inverted. They are exact, and when the
sample holds every row there is nothing left to guess.

Source: Buonaccorsi (1987), The American Statistician 41, 215-218.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from prunegate.stats import arguments
from prunegate.stats.margin_line import Floats


def count_at_least(found: int, sample: int, rows: int, level: float) -> int:
    """The number that, with confidence ``1 - level``, at least so many of ``rows`` reach.

    Args:
        found: Rows of the kind in the sample.
        sample: Rows of the sample.
        rows: All rows that it was drawn from.
        level: Chance of saying too much, in (0, 1).

    Raises:
        ValueError: Parts larger than the whole, or a level out of range.

    >>> count_at_least(54, 60, 1080, 0.002), count_at_least(60, 60, 60, 0.002)
    (806, 60)
    """
    arguments.part_of(sample, found=found)
    arguments.part_of(rows, sample=sample)
    arguments.open_interval("level", level, 0, 1)
    low, high = found, rows - (sample - found)  # the answer lies between them, inclusive
    while low < high:
        middle = (low + high) // 2
        if _tail(found, sample, middle, rows) > level:
            high = middle
        else:
            low = middle + 1
    return low


def count_at_most(found: int, sample: int, rows: int, level: float) -> int:
    """The number that, with confidence ``1 - level``, at most so many of ``rows`` reach.

    >>> count_at_most(0, 60, 1080, 0.002)
    103
    """
    return rows - count_at_least(sample - found, sample, rows, level)


def _tail(found: int, sample: int, kind: int, rows: int) -> float:
    """``P(X >= found)`` where ``kind`` of the ``rows`` are of the kind."""
    if found == 0:
        return 1.0
    x = np.arange(found, min(sample, kind) + 1, dtype=float)
    x = x[sample - x <= rows - kind]
    logs = _choose(kind, x) + _choose(rows - kind, sample - x)
    return float(np.exp(logs - _choose(rows, np.array(float(sample)))).sum())


def _choose(n: int, k: Floats) -> Floats:
    """Logarithm of n over k."""
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
