"""Alike: the warning about two models that answer every row in the same way."""

from __future__ import annotations


def identical(rows: int) -> str:
    """That the two cannot be told apart on so many rows.

    >>> identical(6000)[:57]
    'Baseline and candidate agree exactly on all 6,000 rows: i'
    """
    return (
        f"Baseline and candidate agree exactly on all {rows:,} rows: is the candidate really the "
        "compressed model?"
    )
