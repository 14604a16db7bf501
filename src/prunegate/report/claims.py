"""Stated figures in the report: each with what it was held against and the sum."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.text.escape import LONGEST, shorten, visible

STATUSES = {"contradicted": "fail", "right": "pass", "not checked": "inconclusive"}
"""What a check's status looks like, the most serious first."""
_BASES = {"measurement": "what was measured", "none": "nothing"}


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


@dataclass(frozen=True, kw_only=True)
class ClaimsView:
    """The section on stated figures."""

    lead: str
    rows: tuple[ClaimRow, ...]


def claims(record: DecisionRecord) -> ClaimsView | None:
    """The section on stated figures; None where the policy states none."""
    found = record.claims
    if found is None:
        return None
    order = list(STATUSES)
    checks = sorted(found.checks, key=lambda check: order.index(check.status))
    rows = tuple(
        ClaimRow(
            figure=visible(check.figure),
            stated=visible(check.stated),
            status=STATUSES[check.status],
            status_words=check.status,
            against=_BASES.get(check.basis, check.basis),
            sum=shorten(check.sum, LONGEST),
        )
        for check in checks
    )
    return ClaimsView(lead=_lead(found.about, [check.status for check in checks]), rows=rows)


def _lead(about: str | None, statuses: list[str]) -> str:
    wrong, right, silent = (statuses.count(status) for status in STATUSES)
    noun = "contradiction" if wrong == 1 else "contradictions"
    tally = f"{wrong or 'No'} {noun if wrong else 'contradiction'}; {right} right"
    tally += f", {silent} not checked." if silent else "."
    return f"{shorten(about, LONGEST)}. {tally}" if about else tally
