"""What an estimator returns: a pair of one-sided p-values, or an interval.

The two p-values belong to opposite null hypotheses, so a gate can tell three states apart: shown
to hold, shown to be broken, and not enough evidence. They are not complements of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


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
    reliable: bool = True
    """False where the method's size was measured to be too large for this little data."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A closed two-sided confidence interval."""

    low: float
    """Lower limit, inclusive."""
    high: float
    """Upper limit, inclusive."""
    method: str
    """Short name of the method, for people."""
