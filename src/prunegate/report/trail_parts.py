"""Trail parts: what an event on the page of a history is made of, and how times are spelled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prunegate.audit.approvals.folder_entries import Entry
from prunegate.report.provenance import Fact
from prunegate.text.escape import shorten

CODE = 12
"""Characters of a digest that are shown."""


@dataclass(frozen=True, kw_only=True)
class SignOff:
    """One person's word."""

    status: str
    """Which icon: approve, reject, inconclusive (a question) or hollow (does not count)."""
    word: str
    who: str
    how: str
    weak: bool
    """Whether only the agency vouches for it."""
    details: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One entry on a policy's time line."""

    status: str
    """Which icon: an outcome, waived, note, or hollow (does not count)."""
    title: str
    when: str
    where: str
    text: str
    facts: tuple[Fact, ...] = ()
    points: tuple[str, ...] = ()
    said: tuple[SignOff, ...] = ()


def where(entry: Entry) -> str:
    """Its number, where it has one."""
    return f"entry {entry.number}" if entry.number is not None else "not sealed yet"


def when(moment: datetime) -> str:
    """``2 Mar 2026, 09:00 UTC``."""
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def spelled(created: str) -> str:
    """An entry's time for people; what is no time is shown as it is."""
    try:
        return when(datetime.fromisoformat(created))
    except ValueError:
        return shorten(created, 40)
