"""Times and digests as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

from prunegate.text.escape import visible

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def moment(iso: str) -> str:
    """An ISO 8601 time in words: ``5 January 2026, 09:30 UTC``; other text is shown as it is."""
    found = in_utc(iso)
    if found is None:
        return visible(iso)
    utc, zone = found
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M}{zone}"


def in_utc(iso: str) -> tuple[datetime, str] | None:
    """An ISO 8601 time in UTC, and what to write after it; None: it is no such time."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return (when.astimezone(UTC), " UTC") if when.tzinfo else (when, "")


def short_code(digest: str) -> str:
    """The first twelve digits of a digest, grouped to be read aloud: ``3f2a 91bc 07de``."""
    return " ".join(digest[start : start + 4] for start in (0, 4, 8))
