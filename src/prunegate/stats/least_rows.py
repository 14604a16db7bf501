"""The least number of rows that is enough, where more are enough whenever fewer are."""

from __future__ import annotations

from collections.abc import Callable


def least_rows(enough: Callable[[int], bool], most: int) -> int | None:
    """The least number from 1 on; None: no power of two up to ``most`` is enough.

    Args:
        enough: whether so many are; asked of powers of two, and between the last two of them.
        most: at least 1.
    """
    high = 1
    while not enough(high):
        high *= 2
        if high > most:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
