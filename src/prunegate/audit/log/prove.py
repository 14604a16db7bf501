"""Prove: the file that shows one entry's place in the log to somebody who has only that entry.

The proof itself comes from the hash tiles; finding an entry by a digest reads the entries.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from prunegate.audit.log.entry import EntryFacts, ReadEntry, may_name
from prunegate.audit.log.folder import as_evidence, read_checkpoint
from prunegate.audit.log.merkle import consistency_proof, includes, inclusion_proof, leaf_hash
from prunegate.audit.log.tiles import (
    ENTRIES,
    WIDTH,
    bundles,
    read_bundle,
    stored_entry,
    tile_nodes,
    tile_path,
    unframe,
)
from prunegate.audit.log.tlog_proof import TlogProof
from prunegate.errors import EvidenceError, InputError
from prunegate.text.escape import escaped

Matches = Callable[[bytes, EntryFacts], bool]
"""Whether an entry is the one that a digest means."""

_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_DIGEST = re.compile(r"[0-9a-f]{12,64}")


def names_it(digest: str) -> Matches:
    """An entry that is the digest, or has it (or begins with it) as a subject or as evidence."""

    def matches(entry: bytes, facts: EntryFacts) -> bool:
        own = hashlib.sha256(entry).hexdigest()
        return any(d.startswith(digest) for d in (own, *facts.subjects, *facts.evidence))

    return matches


def find_entry(
    audit: Path, wanted: str, read: ReadEntry, matches: Matches | None = None
) -> tuple[int, bytes]:
    """The entry that a number, or a digest of at least 12 characters, means.

    A digest is one of the entry, or of what it is about or names as evidence; where several entries
    have it, the one with the smallest number is meant, an entry's own digest before all others.

    Raises:
        InputError: there is no such entry.
        EvidenceError: the log's files are malformed.
    """
    size = read_checkpoint(audit).checkpoint.size
    if _NUMBER.fullmatch(wanted) and len(wanted) < 12:
        return int(wanted), stored_entry(audit, size, int(wanted))
    if not _DIGEST.fullmatch(wanted):
        raise InputError(
            f"{escaped(wanted)[:80]}: give an entry's number, or 12 to 64 hexadecimal digits of a"
            " digest; prunegate audit log lists them"
        )
    named: tuple[int, bytes] | None = None
    judge = matches or names_it(wanted)
    for index, width in bundles(size):
        content = read_bundle(audit, index, width)
        maybe = named is None and may_name(content, wanted)
        where = tile_path(ENTRIES, index, width)
        for number, entry in enumerate(
            unframe(content, width, where, index * WIDTH), start=index * WIDTH
        ):
            if hashlib.sha256(entry).hexdigest().startswith(wanted):
                return number, entry
            if maybe and may_name(entry, wanted):
                with as_evidence(f"entry {number} ({where})"):
                    facts = read(entry)
                if judge(entry, facts):
                    named, maybe = (number, entry), False
    if named is None:
        raise InputError(f"{wanted}: no entry of the log is, or names, this digest; is it sealed?")
    return named


def prove(audit: Path, number: int, entry: bytes) -> TlogProof:
    """The proof that ``entry`` is number ``number`` of the current checkpoint.

    Raises:
        InputError: the log has no such number.
        EvidenceError: the hash tiles do not lead from this entry to the checkpoint's root.
    """
    signed = read_checkpoint(audit)
    tree = signed.checkpoint
    if not 0 <= number < tree.size:
        raise InputError(f"the log has no entry {number}; it has {tree.size}, numbered from 0")
    path = inclusion_proof(number, tree.size, tile_nodes(audit, tree.size))
    if not includes(leaf_hash(entry), number, tree.size, path, tree.root):
        raise EvidenceError(
            f"entry {number} does not lead to the checkpoint's root: the entry or a hash tile was"
            " changed; find which: prunegate audit verify"
        )
    return TlogProof(index=number, path=tuple(path), checkpoint=signed.note.encode())


def prove_consistency(audit: Path, old: int) -> list[bytes]:
    """The hashes that show the current log to extend its first ``old`` entries.

    Raises:
        InputError: the log has fewer.
        EvidenceError: a hash tile is missing or cut off.
    """
    size = read_checkpoint(audit).checkpoint.size
    if not 0 <= old <= size:
        raise InputError(f"the log has {size} entries, fewer than {old}")
    return consistency_proof(old, size, tile_nodes(audit, size))
