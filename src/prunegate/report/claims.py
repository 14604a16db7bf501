"""Stated figures in the report: each with what it was held against and the sum."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.report.speech import Speech, speech
from prunegate.text.escape import LONGEST, shorten, visible
from prunegate.text.languages import ENGLISH

STATUSES = {"contradicted": "fail", "right": "pass", "not checked": "inconclusive"}
"""What a check's status looks like, the most serious first."""
_FOUND = {"contradicted": "contradicted", "right": "right", "not checked": "unchecked"}
"""The catalogue's key of each."""


@dataclass(frozen=True, kw_only=True)
class ClaimRow:
    """One check, every cell as text."""

    figure: str
    stated: str
    status: str
    """As a finding's, for the picture."""
    status_words: str
    against: str
    sum: str
    """In the record's words."""


@dataclass(frozen=True, kw_only=True)
class ClaimsView:
    """The section on stated figures."""

    about: str
    """Where the figures are from, as they say; empty: they do not."""
    tally: str
    rows: tuple[ClaimRow, ...]


def claims(record: DecisionRecord, said: Speech | None = None) -> ClaimsView | None:
    """The section on stated figures; None where the policy states none."""
    found, own = record.claims, said or speech(ENGLISH)
    if found is None:
        return None
    order = list(STATUSES)
    checks = sorted(found.checks, key=lambda check: order.index(check.status))
    rows = tuple(
        ClaimRow(
            figure=visible(check.figure),
            stated=visible(check.stated),
            status=STATUSES[check.status],
            status_words=own.say(f"stated.{_FOUND[check.status]}"),
            against=own.say(f"stated.{check.basis}"),
            sum=shorten(check.sum, LONGEST),
        )
        for check in checks
    )
    about = shorten(found.about, LONGEST) if found.about else ""
    tally = _tally([check.status for check in checks], own)
    return ClaimsView(about=about, tally=tally, rows=rows)


def _tally(statuses: list[str], said: Speech) -> str:
    wrong, right, silent = (statuses.count(status) for status in STATUSES)
    parts = {"contradictions": said.say("stated.no_contradiction"), "right": said.whole(right)}
    if wrong:
        parts["contradictions"] = said.count("stated.contradictions", wrong)
    if silent:
        return said.say("stated.tally_silent", silent=said.whole(silent), **parts)
    return said.say("stated.tally", **parts)
