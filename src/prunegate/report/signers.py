"""Whose signatures a record's policy asks for: on the page, on the console, in one spelling."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.text.escape import named
from prunegate.text.numbers import GAP


@dataclass(frozen=True, kw_only=True)
class AskedSigners:
    """Signatures of one role that a record's policy asks for."""

    role: str
    count: int

    @property
    def words(self) -> str:
        """``2 × client``, on one line."""
        return f"{self.count}{GAP}×{GAP}{named(self.role)}"


def signers(record: DecisionRecord) -> tuple[AskedSigners, ...]:
    """Whose signatures the policy in a record asks for; what is malformed there asks for none."""
    asked = record.policy.document.get("approvals")
    wanted = asked.get("required") if isinstance(asked, dict) else None
    return tuple(
        AskedSigners(role=str(one.get("role", "")), count=int(one.get("count", 1)))
        for one in (wanted if isinstance(wanted, list) else ())
        if isinstance(one, dict) and isinstance(one.get("count", 1), int)
    )


def days_of_an_answer(record: DecisionRecord) -> int | None:
    """How many days a signature counts; None: a record's policy sets no end."""
    asked = record.policy.document.get("approvals")
    days = asked.get("max_age_days") if isinstance(asked, dict) else None
    return days if type(days) is int else None
