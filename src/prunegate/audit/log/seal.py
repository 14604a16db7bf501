"""Seal: the single writer takes what is pending into the log, all of it or nothing.

Order of a seal, and why no crash hurts: tiles and bundles under new names (partial ones carry their
width, so the old state stays whole beside the new) -> the signed checkpoint by rename, which is the
commit -> exactly the sealed entries leave ``pending/``, superseded partial files go. Before the
commit the old log stands; after it the next seal finds what is still pending already in the log.

Entries of one seal are in the order (created, sha256). Entries that arrive late, from a branch that
was merged after others were sealed, are taken and told as a warning: their number, not their clock,
says when the log knew them. A machine whose clock lies before the log's last entry, or before an
entry that it is to seal, seals nothing.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate.audit.log.checkpoint import Checkpoint
from prunegate.audit.log.durable_files import make_folder, sync_folder, write_durably
from prunegate.audit.log.entry import ReadEntry, format_created, parse_created
from prunegate.audit.log.extend import extend, remove, stored_frontier, tidy_away
from prunegate.audit.log.folder import (
    CHECKPOINT,
    TRUST_POLICY,
    is_half_begun,
    is_log,
    leftovers,
    read_checkpoint,
    read_trust_policy,
    sealing,
)
from prunegate.audit.log.frontier import Frontier
from prunegate.audit.log.index import refresh
from prunegate.audit.log.merkle import EMPTY_ROOT, includes, inclusion_proof, leaf_hash
from prunegate.audit.log.note import Note, VerifierKey, sign_note, vkey_of
from prunegate.audit.log.pending import FOLDER, pending_names, read_pending
from prunegate.audit.log.tiles import (
    ENTRIES,
    WIDTH,
    find_leaf,
    read_entry_bundle,
    stored_entry,
    tile_nodes,
    tile_path,
    unframe,
)
from prunegate.audit.log.trust_policy import Party, TrustPolicy, judge_checkpoint
from prunegate.errors import EvidenceError, InputError


def begin_log(audit: Path, origin: str, key: Ed25519PrivateKey) -> VerifierKey:
    """Begin an empty log under ``audit``; pending entries that lie there stay.

    Returns:
        The log's verifier key, for those who will check it.

    Raises:
        InputError: a log is already there, the origin is no key name, or it cannot be written.
    """
    vkey = vkey_of(key, origin)
    policy = TrustPolicy(logs=(Party(name=origin, key=vkey),))
    try:
        make_folder(audit)
        with sealing(audit, wait_s=10):
            if is_log(audit) and not is_half_begun(audit, policy):
                raise InputError(
                    f"{audit}: a log is already here; use another folder (--audit DIR), or seal"
                    " into this one: prunegate audit seal"
                )
            checkpoint = signed_checkpoint(Checkpoint(origin=origin, size=0, root=EMPTY_ROOT), key)
            try:
                write_durably(audit / TRUST_POLICY, policy.format())
                write_durably(audit / CHECKPOINT, checkpoint.encode())
            except BaseException:  # the next beginning may be of another key
                for name in (CHECKPOINT, TRUST_POLICY):
                    (audit / name).unlink(missing_ok=True)
                raise
            sync_folder(audit)
    except OSError as error:
        raise InputError(f"{audit}: the log cannot be written ({error.strerror})") from error
    return vkey


def signed_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> Note:
    """A checkpoint with the log's signature under it."""
    text = checkpoint.text()
    return Note(text=text, signatures=(sign_note(text, checkpoint.origin, key),))


CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the clocks of two honest machines may lie apart."""

_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What a seal did."""

    checkpoint: Checkpoint
    """The log's state now; committed and signed."""
    added: int
    """Entries that were taken in; they are the last ones of the log."""
    dropped: int
    """Pending entries that were in the log already."""
    warnings: tuple[str, ...]
    """What a person should know: late entries, files that could not be tidied away."""


@dataclass(frozen=True, kw_only=True, order=True)
class _Waiting:
    """A valid pending entry, by which it is ordered."""

    created: str
    name: str
    leaf: bytes = field(compare=False)


def seal_log(
    audit: Path,
    key: Ed25519PrivateKey,
    read: ReadEntry,
    now: datetime,
    *,
    take: ReadEntry | None = None,
    wait_s: float = 10,
) -> Sealed:
    """Take every pending entry into the log and sign the new checkpoint.

    Args:
        audit: the log's folder.
        key: the log's key, named in its trust policy.
        read: reads an entry's facts and refuses what is none.
        now: the time, with its zone.
        take: reads what is pending, where more is asked of that than of what the log holds.
        wait_s: how long to wait for another sealer.

    Raises:
        InputError: not the log's key, another sealer at work, a pending file that is no entry, a
            clock that lies behind, no space left; the log is as it was.
        EvidenceError: the log on disk is not the one that its checkpoint signs.
    """
    if not audit.is_dir():
        read_checkpoint(audit)  # says that there is no log, and how to begin one
    with sealing(audit, wait_s):
        current = _current(audit, key)
        tidy_away(audit, current.size)
        frontier = stored_frontier(audit, current.size)
        last = _check_edge(audit, current, frontier)
        waiting = _waiting(audit, take or read)
        known = _already_sealed(audit, current, waiting)
        fresh = sorted(one for one in waiting if one.name not in known)
        latest = read(last).created if last is not None else None
        warnings = _check_clock(fresh, latest, now)
        new = _commit(audit, current, frontier, fresh, key) if fresh else current
        warnings += _tidy_after(audit, [one.name for one in waiting], new.size)
        warnings += _index(audit, new, read)
    return Sealed(checkpoint=new, added=len(fresh), dropped=len(known), warnings=tuple(warnings))


def _current(audit: Path, key: Ed25519PrivateKey) -> Checkpoint:
    """The checkpoint to extend, once it and the key are known to be the log's."""
    policy, signed = read_trust_policy(audit), read_checkpoint(audit)
    try:
        judge_checkpoint(policy, signed)
    except EvidenceError as error:
        raise EvidenceError(f"{CHECKPOINT}: {error}") from error
    mine = vkey_of(key, signed.checkpoint.origin)
    if mine not in [party.key for party in policy.logs]:
        raise InputError(
            f"this key ({mine.key_id.hex()}) is not the log's: trust.policy names"
            f" {', '.join(p.key.key_id.hex() for p in policy.logs)}; give the key of audit init"
        )
    return signed.checkpoint


def _check_edge(audit: Path, current: Checkpoint, frontier: Frontier) -> bytes | None:
    """The log's last entry, once tiles and last bundle are known to be those of the checkpoint."""
    if frontier.root() != current.root:
        raise EvidenceError(
            f"the hash tiles do not give the root of the checkpoint of size {current.size}; find"
            " what was changed: prunegate audit verify"
        )
    if current.size == 0:
        return None
    index = (current.size - 1) // WIDTH
    first, width = index * WIDTH, current.size - index * WIDTH
    nodes = tile_nodes(audit, current.size)
    where, entry = tile_path(ENTRIES, index, width), b""
    content = read_entry_bundle(audit, index, width)
    for number, entry in enumerate(unframe(content, width, where, first), start=first):
        if nodes(0, number) != leaf_hash(entry):
            raise EvidenceError(f"entry {number} ({where}) was changed after it was sealed")
    return entry


def _waiting(audit: Path, read: ReadEntry) -> list[_Waiting]:
    """Every pending entry, valid; else all that are not, by name."""
    waiting, mistakes = [], []
    for name in pending_names(audit):
        try:
            entry = read_pending(audit, name)
            facts = read(entry)
            waiting.append(_Waiting(created=facts.created, name=name, leaf=leaf_hash(entry)))
        except FileNotFoundError as error:
            mistakes.append(f"{audit / FOLDER / name}: gone while it was read ({error.strerror})")
        except InputError as error:
            where = str(audit / FOLDER / name)
            mistakes.append(str(error) if where in str(error) else f"{where}: no entry: {error}")
    if mistakes:
        more = [f"and {len(mistakes) - _SHOWN} more"] if len(mistakes) > _SHOWN else []
        lines = "\n".join(f"  {line}" for line in [*mistakes[:_SHOWN], *more])
        raise InputError(f"nothing was sealed; take these out of {FOLDER}/ first:\n{lines}")
    return waiting


def _already_sealed(audit: Path, current: Checkpoint, waiting: list[_Waiting]) -> set[str]:
    """Names of pending entries that the log holds: proven, since they are about to be unlinked."""
    names = {one.leaf: one.name for one in waiting}
    nodes = tile_nodes(audit, current.size)
    found = set()
    for index, leaf in find_leaf(audit, current.size, set(names)) if names else ():
        path = inclusion_proof(index, current.size, nodes)
        entry = stored_entry(audit, current.size, index)
        if not includes(leaf_hash(entry), index, current.size, path, current.root) or (
            leaf_hash(entry) != leaf
        ):
            raise EvidenceError(
                f"entry {index} does not lead to the checkpoint's root: an entry or a hash tile was"
                " changed; find which: prunegate audit verify"
            )
        found.add(names[leaf])
    return found


def _check_clock(fresh: list[_Waiting], latest: str | None, now: datetime) -> list[str]:
    """Warnings about late entries; refuses a clock that lies before what is or will be sealed."""
    clock = format_created(now)
    if not fresh:
        return []
    if latest is not None and parse_created(latest) > now + CLOCK_TOLERANCE:
        raise InputError(
            f"the clock says {clock}, but the log's last entry was created {latest}: set the"
            " clock; nothing was sealed"
        )
    if parse_created(fresh[-1].created) > now + CLOCK_TOLERANCE:
        raise InputError(
            f"the clock says {clock}, but pending entry {fresh[-1].name[:12]} says that it was"
            f" created {fresh[-1].created}: set the clock, or take it out of {FOLDER}/; nothing was"
            " sealed"
        )
    late = [one for one in fresh if latest is not None and one.created < latest]
    if not late:
        return []
    told = (
        f"{len(late)} of {len(fresh)} entries say that they were created before the log's last one"
        f" ({latest}), the first at {late[0].created}: they are sealed now, and their number in the"
        " log says so"
    )
    return [told]


def _commit(
    audit: Path,
    current: Checkpoint,
    frontier: Frontier,
    fresh: list[_Waiting],
    key: Ed25519PrivateKey,
) -> Checkpoint:
    """Write tiles and bundles, then the checkpoint; on any failure the old state stands."""
    try:
        extend(audit, frontier, (read_pending(audit, one.name) for one in fresh))
        new = Checkpoint(origin=current.origin, size=frontier.size, root=frontier.root())
        write_durably(audit / CHECKPOINT, signed_checkpoint(new, key).encode())
    except BaseException as error:
        with contextlib.suppress(OSError):
            if read_checkpoint(audit).checkpoint == current:
                tidy_away(audit, current.size)
        if isinstance(error, OSError):
            raise InputError(
                f"{audit}: nothing was sealed, the log is as it was ({error.strerror}); make room"
                " and seal again"
            ) from error
        raise
    sync_folder(audit)
    return new


def _index(audit: Path, log: Checkpoint, read: ReadEntry) -> list[str]:
    """Bring the index up to the log; without one, finding an entry is slower, and that is all."""
    try:
        refresh(audit, log, read)
    except OSError as error:
        return [f"sealed, but its index could not be written ({error.strerror})"]
    return []


def _tidy_after(audit: Path, names: list[str], size: int) -> list[str]:
    """Unlink exactly what is in the log now; what fails is harmless and left to the next seal."""
    try:
        for name in names:
            (audit / FOLDER / name).unlink(missing_ok=True)
        if names:
            sync_folder(audit / FOLDER)
        remove(audit, leftovers(audit, size))
    except OSError as error:
        return [f"sealed, but old files could not be removed ({error.strerror}); seal again later"]
    return []
