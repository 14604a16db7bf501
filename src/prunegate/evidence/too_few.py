"""Too few: that a method's error rates were measured from more rows up than there are."""

from __future__ import annotations

from prunegate.text.said import said


def validated(least: int, units: str, here: str, *counts: int) -> str:
    """From how many on a method is relied on, and how many there are.

    Args:
        least: so many.
        units: of what.
        here: what is said before the counts: they are there, or weigh so much.
        counts: one for each kind of unit.
    """
    return said("too_few.rows", least=least, unit=units, here=here, n=counts)


def units_of_ranking(kinds: int, *, grouped: bool) -> str:
    """What a measure of ranking counts: rows, or of two kinds positives and negatives."""
    if grouped:
        of = "rows" if kinds == 1 else "positives and of negatives"
        return f"equally large groups of {of}"
    return "rows" if kinds == 1 else "positives and negatives"
