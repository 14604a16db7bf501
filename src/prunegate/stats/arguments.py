"""Refuse arguments no estimator can mean: NaN, negative counts, parts larger than the whole.

Callers hold checked counts, so these are guards against our own mistakes and raise `ValueError`.
"""

from __future__ import annotations

import math


def counts(**values: float) -> None:
    """Raise `ValueError` unless every value is finite and not negative."""
    for name, value in values.items():
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"{name} is {value}: pass a finite count of zero or more.")


def part_of(n: float, **parts: float) -> None:
    """Raise `ValueError` unless the parts are counts that together do not exceed ``n``."""
    counts(n=n, **parts)
    total = math.fsum(parts.values())
    if total > n:
        names = " + ".join(parts)
        raise ValueError(f"{names} is {total}, more than n = {n}: count each row once.")


def open_interval(name: str, value: float, low: float, high: float) -> None:
    """Raise `ValueError` unless ``low < value < high``."""
    if not low < value < high:
        raise ValueError(f"{name} is {value}: pass a number between {low} and {high}.")


def closed_interval(name: str, value: float, low: float, high: float) -> None:
    """Raise `ValueError` unless ``low <= value <= high``."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}: pass a number from {low} to {high}.")
