"""Stratum: rows of one value of the key that the production mix is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """One value of the key that the production mix is about."""

    value: str
    share: float
    """Of what production sees."""
    rows: int
    """Of the table."""
    lacking: int = 0
    """Rows that it is short of, so that nothing can be said of production; 0: none."""
