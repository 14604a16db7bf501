"""What discovery finds: undeclared slices that lost, each with what would declare it. Advice only.

A finding here never enters a verdict: it was chosen by the data that show it. Declare it, and the
next gate judges it on data that did not choose it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DiscoveredSlice:
    """One undeclared slice that lost."""

    name: str
    """As the policy would name it: ``season=holiday,region=eu``."""
    columns: tuple[str, ...]
    values: tuple[str | None, ...]
    """The text of each column's value; None where the rows have no value."""
    rows: int
    lost: int
    """Rows on which the candidate is worse than the baseline."""
    gained: int
    """Rows on which it is better."""
    net_loss: float
    """Mean change of the loss a row (candidate minus baseline; above 0 is worse). For decisions
    that is (lost - gained) / rows."""
    z: float
    """Summed change over its spread under sign flips."""
    guarded_p: float
    """Share of sign flips in which the worst of all slices looks at least as bad."""
    beyond: float
    """Standard errors by which it lost more than every known slice that it lies in."""
    stands_out: bool
    """Beyond chance on both counts, at 5 % over all slices."""
    snippet: str | None
    """YAML that declares it; None where a policy cannot name it (missing values)."""


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """One look at a table."""

    task: str
    columns: tuple[str, ...]
    depth: int
    support: int
    flips: int
    seed: int
    rows: int
    lost: int
    gained: int
    net_loss: float
    """Of the whole table, as for a slice."""
    candidates: int
    """Undeclared slices with enough rows that were looked at."""
    declared: int
    """Slices left out because the policy declares them."""
    largest_z: float | None
    """Over the candidates; None where there are none."""
    method: str
    """How signs were flipped."""
    slices: tuple[DiscoveredSlice, ...]
    """Worst first."""
