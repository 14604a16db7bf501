"""Distances: how far each finding lies beyond its limit, from the shown figures alone.

The arithmetic of every check, known here anew and by hand: it shares nothing with
``metrics/checks.py``. A check that is in none of the three tables has no distance, and a gate that
uses it ends with an internal error, never with an approval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prunegate.audit.expected_findings import BEATS, CLAIMS

if TYPE_CHECKING:
    import pandas as pd

LEVELS: dict[str, int] = {"at_least": -1, "at_most": 1}
"""Checks that limit the candidate's own value: 1 for at most so much, -1 for at least."""
FACTORS: dict[str, int] = {"max_ratio": 1}
"""Checks whose limit is a multiple of the baseline's value, likewise."""


@dataclass(frozen=True, kw_only=True)
class LimitedChange:
    """A change and what limits it, a column for each; one row a finding."""

    allowed: pd.Series[float]
    """The limit in the metric's own unit: a share of the baseline's value is times that value."""
    rise: pd.Series[float]
    """Candidate less baseline."""
    gain: pd.Series[float]
    """The same, turned so that better is above 0."""


MARGINS: dict[str, Callable[[LimitedChange], pd.Series[float]]] = {
    "max_drop": lambda change: -change.rise - change.allowed,
    "max_rise": lambda change: change.rise - change.allowed,
    "min_gain": lambda change: change.allowed - change.gain,
    "max_gain": lambda change: change.gain - change.allowed,
}
"""Checks that limit a change: how far it lies beyond the limit, below 0 within it."""

SURE = 0.25
"""Up to this p-value a test of a mean and its estimate agree on the side of the limit; above it
(policies of little confidence) the test's correction for skewness may turn it."""


def add_distances(table: pd.DataFrame) -> None:
    """How far beyond its limit a finding lies at worst and at best; not above zero: inside.

    The two differ only where an interval decides, whose ends are shown for levels and for
    multiples; for a change that was estimated there is nothing to work it out from.
    """
    import numpy as np

    estimate = _beyond(table)
    shown = table["level"] | table["check"].isin(FACTORS)
    floors = [check for check, sign in (LEVELS | FACTORS).items() if sign < 0]
    floor = table["check"].isin(floors)
    for name, low, high in (("worst", "ci_low", "ci_high"), ("best", "ci_high", "ci_low")):
        end = table[low].where(floor, table[high])
        beyond = (table["limit"] - end).where(floor, end - table["limit"])
        largest = end.abs().combine(table["limit"].abs(), max).replace(0, 1.0)
        distance = np.where(shown, beyond / largest, 0.0)
        table[name] = np.where(table["interval"], distance, estimate)
    skewed = table["mean"] & table["proven"]
    unsure = skewed & ~(table[["p_value", "p_harm"]].min(axis=1) <= SURE)
    table.loc[unsure, ["worst", "best"]] = 0.0


def _beyond(table: pd.DataFrame) -> pd.Series[float]:
    import numpy as np

    value, before, limit = table["candidate"], table["baseline"], table["limit"]
    errors = before.where(table["lower"], 1 - before)
    base = np.select(
        [table["kind"] == "relative", table["kind"] == "error_ratio"], [before, errors], 1.0
    )
    allowed = (limit * base).where(~table["check"].isin(FACTORS), limit * before)
    rise = value - before
    change = LimitedChange(allowed=allowed, rise=rise, gain=rise.where(~table["lower"], -rise))
    beyond = {
        BEATS: limit - before,
        CLAIMS: value - limit,
        **{check: sign * (value - limit) for check, sign in LEVELS.items()},
        **{check: sign * (value - allowed) for check, sign in FACTORS.items()},
        **{check: by(change) for check, by in MARGINS.items()},
    }
    amount = np.select([table["check"] == c for c in beyond], list(beyond.values()), np.nan)
    level = table["level"]
    largest = np.fmax(value.abs(), allowed.abs())
    largest = largest.where(level, np.fmax(largest, before.abs()))
    beyond_each: pd.Series[float] = amount / largest.where(largest > 0, 1.0)
    return beyond_each
