"""Verification: what was checked of a piece of evidence, and what became of each check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from prunegate.errors import EvidenceError

Status = Literal["holds", "broken", "missing", "not checked"]
BEYOND = {
    "signature": "unsigned: this file carries no signature, so it says nothing of who made it",
    "log": "unlogged: this file carries no proof that it is in an audit log",
    "approvals": "nobody's approval is with this file",
}
"""What a file by itself cannot have, and what is said then; a bundle may."""


@dataclass(frozen=True, kw_only=True)
class VerificationCheck:
    """One thing that was looked at."""

    name: str
    """record, verdict, pictures, page, digest, files, entry, signature, log, growth, approvals,
    waivers, sign-off."""
    status: Status
    """missing: there is nothing to check, which breaks only what is required."""
    detail: str
    """In a sentence: what holds, what is wrong and where, or what is not there."""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """All checks of one file."""

    kind: Literal["report", "record", "bundle"]
    record: str | None
    """sha256 of the record; None: there is no record to speak of."""
    outcome: str | None
    """What the record decides; None: it is not believed."""
    checks: tuple[VerificationCheck, ...]

    @property
    def exit_code(self) -> int:
        """0: everything that there is holds. 6: something is broken."""
        broken = any(check.status == "broken" for check in self.checks)
        return EvidenceError.exit_code if broken else 0

    def requiring(self, names: Iterable[str]) -> Verification:
        """The same with some checks required: where nothing is there to check, they are broken."""
        wanted = set(names)
        if "approvals" in wanted:
            wanted.add("sign-off")  # what a bundle's policy asks for, not only that somebody signed
        return replace(
            self,
            checks=tuple(
                replace(check, status="broken")
                if check.name in wanted and check.status == "missing"
                else check
                for check in self.checks
            ),
        )
