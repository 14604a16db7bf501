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
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return visible(iso)
    utc = when.astimezone(UTC) if when.tzinfo else when
    zone = " UTC" if when.tzinfo else ""
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M}{zone}"


def short_code(digest: str) -> str:
    """The first twelve digits of a digest, grouped to be read aloud: ``3f2a 91bc 07de``."""
    return " ".join(digest[start : start + 4] for start in (0, 4, 8))
