"""Prove: the file that shows one entry's place in the log to somebody who has only that entry.

The proof itself comes from the hash tiles; finding an entry by a digest asks the
index first, and reads the entries where that does not help.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from prunegate.audit.log.checkpoint import Checkpoint
from prunegate.audit.log.entry import ReadEntry, may_name
from prunegate.audit.log.folder import as_evidence, read_checkpoint
from prunegate.audit.log.index import covered, hits
from prunegate.audit.log.merkle import consistency_proof, includes, inclusion_proof, leaf_hash
from prunegate.audit.log.tiles import (
    ENTRIES,
    WIDTH,
    bundles,
    read_entry_bundle,
    stored_entry,
    tile_nodes,
    tile_path,
    unframe,
)
from prunegate.audit.log.tlog_proof import TlogProof
from prunegate.errors import EvidenceError, InputError
from prunegate.text.escape import escaped

_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_DIGEST = re.compile(r"[0-9a-f]{12,64}")


def find_entry(audit: Path, wanted: str, read: ReadEntry) -> tuple[int, bytes]:
    """The entry that a number, or a digest of at least 12 characters, means.

    A digest is one of the entry, or of what it is about or names as evidence; where several entries
    have it, the one with the smallest number is meant, an entry's own digest before all others.

    Raises:
        InputError: there is no such entry.
        EvidenceError: the log's files are malformed.
    """
    log = read_checkpoint(audit).checkpoint
    if _NUMBER.fullmatch(wanted) and len(wanted) < 12:
        return int(wanted), stored_entry(audit, log.size, int(wanted))
    if not _DIGEST.fullmatch(wanted):
        raise InputError(
            f"{escaped(wanted)[:80]}: give an entry's number, or 12 to 64 hexadecimal digits of a"
            " digest; prunegate audit log lists them"
        )
    search = _Search(audit, log.size, wanted, read)
    found = search.by_index(log) or search.by_reading(0)
    if found is None:
        raise InputError(f"{wanted}: no entry of the log is, or names, this digest; is it sealed?")
    return found


class _Search:
    """One digest, looked for in the index and in the entries."""

    def __init__(self, audit: Path, size: int, wanted: str, read: ReadEntry) -> None:
        self._audit = audit
        self._size = size
        self._wanted = wanted
        self._read = read

    def by_index(self, log: Checkpoint) -> tuple[int, bytes] | None:
        """What the index points to and the entries confirm; None: read them all."""
        known = covered(self._audit, log)
        if known is None:
            return None
        named: tuple[int, bytes] | None = None
        for hit in hits(self._audit, known, self._wanted):
            if named is not None and not hit.own:
                continue
            if not 0 <= hit.number < known.size:
                return None
            entry = stored_entry(self._audit, self._size, hit.number)
            if hit.own and self._is(entry):
                return hit.number, entry
            if hit.own or not self._names(hit.number, entry):
                return None  # a false row, or another digest that begins alike
            named = hit.number, entry
        rest = self.by_reading(known.size)
        return rest if named is None or (rest is not None and self._is(rest[1])) else named

    def by_reading(self, start: int) -> tuple[int, bytes] | None:
        """The entry, looked for in all from number ``start`` on."""
        named: tuple[int, bytes] | None = None
        for index, width in bundles(self._size):
            first = index * WIDTH
            if first + width <= start:
                continue
            content = read_entry_bundle(self._audit, index, width)
            maybe = named is None and may_name(content, self._wanted)
            where = tile_path(ENTRIES, index, width)
            for number, entry in enumerate(unframe(content, width, where, first), start=first):
                if number < start:
                    continue
                if self._is(entry):
                    return number, entry
                if maybe and may_name(entry, self._wanted) and self._names(number, entry):
                    named, maybe = (number, entry), False
        return named

    def _is(self, entry: bytes) -> bool:
        return hashlib.sha256(entry).hexdigest().startswith(self._wanted)

    def _names(self, number: int, entry: bytes) -> bool:
        with as_evidence(f"entry {number}"):
            facts = self._read(entry)
        return any(d.startswith(self._wanted) for d in (*facts.subjects, *facts.evidence))


def prove_entry(audit: Path, number: int, entry: bytes) -> TlogProof:
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
