"""What an estimator returns: a pair of one-sided p-values, or an interval.

The two p-values belong to opposite null hypotheses, so a gate can tell three states apart: shown
to hold, shown to be broken, and not enough evidence. They are not complements of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar


def adjust(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values in the order given; each is at least its own p-value and at most 1.

    Raises:
        ValueError: A p-value is NaN or outside [0, 1].

    >>> adjust([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    for p in p_values:
        if not 0 <= p <= 1:
            raise ValueError(f"p-value {p}: pass numbers from 0 to 1.")
    count = len(p_values)
    adjusted = [0.0] * count
    running = 0.0
    for rank, index in enumerate(sorted(range(count), key=p_values.__getitem__)):
        running = max(running, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = running
    return tuple(adjusted)


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """Evidence for and against one limit."""

    __test__: ClassVar[bool] = False  # pytest would collect a class of this name

    p_value: float
    """One-sided p of the hypothesis "the limit is broken"; small means it is shown to hold."""
    p_harm: float
    """One-sided p of the hypothesis "the limit holds"; small means it is shown to be broken."""
    method: str
    """Short name of the method, for people."""
    exact: bool = False
    """Whether the size is at most alpha in any sample; else only about alpha in large ones."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A closed two-sided confidence interval."""

    low: float
    """Lower limit, inclusive."""
    high: float
    """Upper limit, inclusive."""
    method: str
    """Short name of the method, for people."""


_Test = TypeVar("_Test", bound=Callable[..., object])


def statistical_test(function: _Test) -> _Test:
    """Mark a test of statistics, which pytest does not collect where it is imported."""
    function.__dict__["__test__"] = False
    return function
