"""Agreement: what the second opinion leaves in the record.

It is alone, so that the second opinion's process loads nothing else of a record.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SecondOpinion:
    """That another engine judged the findings too. It agreed: else there would be no record."""

    engine: str
    """Name and version."""
    expectations: int
    """Laws that the findings as a whole were held against."""
    findings: int
    """Findings that were looked at."""
