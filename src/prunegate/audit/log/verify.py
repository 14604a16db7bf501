"""Verify: recompute everything that the folder claims, from the entries up, and name what is wrong.

Entries are read in order, one bundle in memory at a time: each is hashed, compared with its stored
hash, read, and the evidence that it names looked up. The tree that they give must be the tiles and
the root that the log signed; pending entries and evidence must be what their names say.

What this cannot see from the folder alone: the log's key holder rewriting the log, or putting an
older state back. An old checkpoint that somebody else kept (``against``) shows both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prunegate.audit.log.bundle_pass import EntryReading, Keep, KeptEntry
from prunegate.audit.log.checkpoint import Checkpoint, SignedCheckpoint, parse_checkpoint
from prunegate.audit.log.entry import ReadEntry
from prunegate.audit.log.folder import (
    CHECKPOINT,
    EVIDENCE,
    TRUST_POLICY,
    as_evidence,
    leftovers,
    read_checkpoint,
    read_locked,
    read_trust_policy,
)
from prunegate.audit.log.note import NoteSignature
from prunegate.audit.log.pending import each_pending
from prunegate.audit.log.trust_policy import Trust, TrustPolicy, judge_checkpoint
from prunegate.audit.log.verify_entries import EntryPass
from prunegate.errors import EvidenceError
from prunegate.text.escape import escaped

_WAIT_S = 10.0
"""How long a sealer at work is waited for."""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What was verified; everything in the folder is as it should be."""

    checkpoint: Checkpoint
    """The log's state."""
    log_key: str
    """vkey that signed it."""
    cosignatures: Mapping[str, NoteSignature]
    """Cosignatures of known witnesses, by their names in the trust policy."""
    unsigned: int
    """Entries without a signature of their own: only the log's key vouches for them."""
    late: int
    """Entries that say that they were created before one with a smaller number."""
    first_late: int | None
    """Number of the first of them."""
    pending: int
    """Valid entries that wait to be sealed."""
    evidence: int
    """Files under ``evidence/``, each of them what its name says."""
    missing_evidence: tuple[str, ...]
    """Digests (the first few) that entries name and nobody can look up; empty unless allowed."""
    leftovers: int
    """Files of a seal that died; the next one takes them away."""
    against: Checkpoint | None
    """The older checkpoint that this log was shown to extend."""
    kept: tuple[KeptEntry, ...]
    """The entries that were wanted: sealed ones by number, then pending ones."""


def verify_log(
    audit: Path,
    read: ReadEntry,
    *,
    keep: Keep | None = None,
    policy: TrustPolicy | None = None,
    against: bytes | None = None,
    missing_ok: bool = False,
) -> Verified:
    """Verify the whole folder.

    Args:
        audit: the log's folder.
        read: reads an entry's facts and refuses what is none; asked in any process.
        keep: which entries to keep; asked in any process. None: none.
        policy: whom to trust, instead of the folder's own ``trust.policy``.
        against: an older signed checkpoint, which the log must extend.
        missing_ok: evidence may be gone (retention); what is there must still be right.

    Raises:
        InputError: there is no log, ``against`` is no checkpoint, or a sealer is at work.
        EvidenceError: the first thing that is wrong, and where.
    """
    older = parse_checkpoint(against) if against is not None else None
    if not audit.is_dir():
        read_checkpoint(audit)  # says that there is no log, and how to begin one
    reading = EntryReading(audit=audit, read=read, keep=keep, missing_ok=missing_ok)
    with read_locked(audit, _WAIT_S):
        own = read_trust_policy(audit)  # has to be right, also where another one decides
        return _verified(reading, policy or own, older)


def _verified(
    reading: EntryReading, trusted: TrustPolicy, older: SignedCheckpoint | None
) -> Verified:
    """Verify a folder that nobody writes to: signatures, tree, pending entries, evidence."""
    audit, keep = reading.audit, reading.keep
    signed = read_checkpoint(audit)
    trust = _trust(trusted, signed)
    if older is not None:
        _check_older(trusted, older, signed.checkpoint)
    against = older.checkpoint if older else None
    tree = EntryPass(reading)
    tree.check(signed.checkpoint, against)
    rest = len(leftovers(audit, signed.checkpoint.size))
    pending = list(each_valid_pending(audit, reading.read))
    evidence = _evidence(audit)
    _require_quorum(trusted, trust)
    return Verified(
        checkpoint=signed.checkpoint,
        log_key=str(trust.log.key),
        cosignatures=trust.cosignatures,
        unsigned=tree.unsigned,
        late=tree.late,
        first_late=tree.first_late,
        pending=len(pending),
        evidence=evidence,
        missing_evidence=tuple(tree.missing),
        leftovers=rest,
        against=against,
        kept=(*tree.kept, *(one for one in pending if keep and keep(one.content, one.facts))),
    )


def _require_quorum(policy: TrustPolicy, trust: Trust) -> None:
    if not trust.quorum_met:
        held = ", ".join(escaped(name) for name in trust.cosignatures) or "nobody"
        raise EvidenceError(
            f"{CHECKPOINT}: {TRUST_POLICY} asks for the quorum {escaped(policy.quorum)}, but it is"
            f" cosigned by {held}; send it to the witnesses and bring their signatures in"
        )


def _trust(policy: TrustPolicy, signed: SignedCheckpoint) -> Trust:
    try:
        return judge_checkpoint(policy, signed)
    except EvidenceError as error:
        raise EvidenceError(f"{CHECKPOINT}: {error}") from error


def _check_older(policy: TrustPolicy, older: SignedCheckpoint, now: Checkpoint) -> None:
    """An older checkpoint must be this log's, and not ahead of it."""
    then = older.checkpoint
    if then.origin != now.origin:
        raise EvidenceError(
            f"the older checkpoint is of the log {escaped(then.origin)}, this one is"
            f" {escaped(now.origin)}"
        )
    try:
        judge_checkpoint(policy, older)
    except EvidenceError as error:
        raise EvidenceError(
            f"the older checkpoint: {error}. If the log's key was changed, this log does not"
            " continue the one that it states"
        ) from error
    if then.size > now.size:
        raise EvidenceError(
            f"the log was cut: the older checkpoint states {then.size} entries, now there are"
            f" {now.size}; entry {now.size} and what follows are gone"
        )


def each_valid_pending(audit: Path, read: ReadEntry) -> Iterator[KeptEntry]:
    """All pending entries, with their facts.

    Raises:
        EvidenceError: one is not what its name says, or no entry.
    """
    with as_evidence("a pending file"):
        for name, entry in each_pending(audit):
            with as_evidence(f"pending/{name} (take it out of there)"):
                facts = read(entry)
            yield KeptEntry(number=None, content=entry, facts=facts)


def _evidence(audit: Path) -> int:
    """How many evidence files there are, each with the content that its name says."""
    count = 0
    folder = audit / EVIDENCE
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith("."):
            continue
        if path.is_symlink() or not path.is_file():
            raise EvidenceError(f"{EVIDENCE}/{escaped(path.name)} is no regular file")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != path.name:
                raise EvidenceError(
                    f"{EVIDENCE}/{escaped(path.name)} was changed: its sha256 is not its name"
                )
        count += 1
    return count
