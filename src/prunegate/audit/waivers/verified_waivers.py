"""Heard: every waiver of an audit folder with its signature verified again, and if its word counts.

As with approvals a signature that does not hold is evidence that does not verify; one that holds,
of a key that may not sign, is heard and does not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prunegate.audit.approvals.verified_approvals import Book
from prunegate.audit.log.entry import format_created
from prunegate.audit.waivers.entry import Read, read_waiver
from prunegate.audit.waivers.in_force import refused


@dataclass(frozen=True, kw_only=True)
class HeardWaiver:
    """What one entry of the trail says, and on whose word."""

    read: Read
    refused: str | None
    """Why the word of whoever signed does not count, as the end of a sentence; None: it does."""

    @property
    def about(self) -> frozenset[str]:
        """sha256 of the record, the policy and the candidate that the signed request names."""
        request = self.read.request
        policy = request.document["policy"]
        named = [policy.get("sha256")] if isinstance(policy, dict) else []
        return frozenset(
            one for one in (request.record, *request.candidate, *named) if isinstance(one, str)
        )

    def expired(self, at: datetime) -> bool:
        """Whether its term was over at a time."""
        return format_created(at) >= self.read.request.ask.expires


def heard_waivers(book: Book) -> dict[str, HeardWaiver]:
    """Every waiver of a trail, by the sha256 of its entry.

    Raises:
        EvidenceError: a signature does not hold, or what it signs is no request.
    """
    revoked = book.trail.revoked()  # by now: whatever the clock of who revoked said
    found = {}
    for entry, said in book.trail.waivers:
        read = read_waiver(said, entry.where)
        found[entry.sha256] = HeardWaiver(read=read, refused=refused(book, entry, read, revoked))
    return found
