"""Loosening: the log's word that the bar was lowered, from which policy to which, and why.

A statement about the two policy files by digest. It names the loosened changes only, each in the
sentence that was shown to whoever gave the reason; texts and lists are bounded, so that no policy
makes an entry too large, and what was left out is counted. Whoever has both files can make the
whole list again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prunegate.policy.change import KINDS, Change
from prunegate.policy.diff_words import change_sentence

if TYPE_CHECKING:
    from pathlib import Path

    from prunegate.policy.load import PolicyFile

LOOSENING = "urn:prunegate:loosening:v1"
"""Predicate type of a loosening."""
MOST_CHANGES = 24
LONGEST_REASON = 1000
"""Characters; with these bounds an entry stays below 65,535 bytes in any script."""
_SENTENCE, _WHERE = 300, 60


def loosening_statement(
    old_sha256: str, new_sha256: str, changes: Sequence[Change], reason: str, created: str
) -> dict[str, Any]:
    """The predicate of a loosening.

    Args:
        old_sha256: of the old policy file's bytes.
        new_sha256: of the new policy file's bytes.
        changes: from ``policy.diff.diff``.
        reason: why, in the words of whoever takes it on; at most ``LONGEST_REASON`` characters.
        created: the time in UTC, ISO 8601, to the second, ending in Z.
    """
    counts = Counter(change.kind for change in changes)
    named = [change for change in changes if change.kind == "loosened"]
    return {
        "created": created,
        "reason": reason,
        "old": {"sha256": old_sha256},
        "new": {"sha256": new_sha256},
        "changes": {kind: counts[kind] for kind in KINDS},
        "loosened": [_told(change) for change in named[:MOST_CHANGES]],
        "loosened_not_named": len(named[MOST_CHANGES:]),
    }


def _told(change: Change) -> dict[str, Any]:
    return {
        "where": _clipped(change.where, _WHERE),
        "told": change.told,
        "sentence": _clipped(change_sentence(change), _SENTENCE),
    }


def _clipped(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def add_loosening(
    files: tuple[PolicyFile, PolicyFile], changes: Sequence[Change], reason: str, audit: Path
) -> Path:
    """Pend a loosening in the audit trail as an unsigned entry; where it lies.

    Args:
        files: the old policy and the new one.
        changes: from ``policy.diff.diff``.
        reason: why.
        audit: the folder of the audit trail.

    Raises:
        InputError: the folder cannot be written.
    """
    from prunegate.audit.log.pending import add_pending
    from prunegate.audit.provenance import now
    from prunegate.audit.signing.dsse import sign_envelope
    from prunegate.audit.signing.statement import Statement, Subject

    old, new = files
    statement = Statement(
        subjects=(
            Subject(name="old policy", sha256=old.sha256),
            Subject(name="new policy", sha256=new.sha256),
        ),
        predicate_type=LOOSENING,
        predicate=loosening_statement(old.sha256, new.sha256, changes, reason, now()),
    )
    return add_pending(sign_envelope(statement.to_bytes(), ()), audit)
