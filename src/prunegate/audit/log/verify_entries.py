"""One pass over the log's entries: hashes, tiles, root, facts, evidence; memory stays flat.

A hash that does not fit its entry does not say which of the two was changed. Only the signed root
does, so the first difference is kept until the pass is over, and then named.
"""

from __future__ import annotations

import os
from pathlib import Path

from prunegate.audit.log.checkpoint import Checkpoint
from prunegate.audit.log.entry import ReadEntry
from prunegate.audit.log.folder import CHECKPOINT, EVIDENCE
from prunegate.audit.log.frontier import Frontier
from prunegate.audit.log.index import IndexCheck
from prunegate.audit.log.merkle import HASH_SIZE, consistency_proof, extends, leaf_hash
from prunegate.audit.log.tiles import (
    ENTRIES,
    WIDTH,
    bundles,
    read_entry_bundle,
    read_tile,
    tile_nodes,
    tile_path,
    unframe,
)
from prunegate.errors import EvidenceError, InputError

_FEW = 10


class EntryPass:
    """The pass, and what it counts on the way."""

    def __init__(self, audit: Path, read: ReadEntry, *, missing_ok: bool) -> None:
        self.unsigned = 0
        self.late = 0
        self.first_late: int | None = None
        self.missing: list[str] = []
        self._audit = audit
        self._read = read
        self._evidence = f"{audit / EVIDENCE}{os.sep}"
        self._missing_ok = missing_ok
        self._latest = ""
        self._index = IndexCheck(audit, None)
        self._unfit: tuple[str, str] | None = None
        """The first difference: what is wrong if an entry was changed, and if a tile was."""

    def check(self, now: Checkpoint, then: Checkpoint | None = None) -> None:
        """Read all entries; compare what they give with tiles, checkpoint and an older one.

        Raises:
            EvidenceError: the first thing that is wrong.
        """
        frontier = Frontier(self._compare)
        then_root = frontier.root()
        with IndexCheck(self._audit, now) as self._index:
            for number, width in bundles(now.size):
                leaves = self._bundle(number, width)
                ends = (then.size - frontier.size) * HASH_SIZE if then is not None else 0
                if 0 < ends <= len(leaves):  # the older tree ends in this bundle
                    frontier.extend(leaves[:ends])
                    then_root, leaves = frontier.root(), leaves[ends:]
                frontier.extend(leaves)
            wrong_row = self._index.wrong()
        for level, index, hashes in frontier.partials():
            self._compare(level, index, hashes)
        self._judge(frontier.root(), now)
        if then is not None:
            self._extends(then, then_root, now)
        if wrong_row is not None:
            raise EvidenceError(wrong_row)

    def _bundle(self, index: int, width: int) -> bytes:
        """Leaf hashes of a bundle."""
        where, first = tile_path(ENTRIES, index, width), index * WIDTH
        stored = self._stored(0, index, width)
        entries: list[bytes] = []
        try:
            entries.extend(
                unframe(read_entry_bundle(self._audit, index, width), width, where, first)
            )
        except EvidenceError as error:
            self._leaves(entries, stored, index, width)  # those before it: one may be changed
            if self._unfit is not None:
                raise EvidenceError(self._unfit[0]) from error
            raise
        return self._leaves(entries, stored, index, width)

    def _leaves(self, entries: list[bytes], stored: bytes, index: int, width: int) -> bytes:
        """Leaf hashes of entries, which are read as long as nothing is wrong."""
        where = tile_path(ENTRIES, index, width)
        leaves = [leaf_hash(entry) for entry in entries]
        hashes = b"".join(leaves)
        same = stored == hashes
        for number, (entry, leaf) in enumerate(zip(entries, leaves, strict=True), index * WIDTH):
            at = number % WIDTH * HASH_SIZE
            if not same and stored[at : at + HASH_SIZE] != leaf:
                self._differs(
                    f"entry {number} ({where}) was changed after it was sealed",
                    f"{tile_path(0, index, width)} was changed: its hash of entry {number} is"
                    " wrong, the entry itself is as it was sealed",
                )
            if self._unfit is None:
                self._facts(number, entry, where)
        return hashes

    def _facts(self, number: int, entry: bytes, where: str) -> None:
        try:
            facts = self._read(entry)
        except InputError as error:
            raise EvidenceError(f"entry {number} ({where}) is none: {error}") from error
        self.unsigned += not facts.signers
        if facts.created < self._latest:
            self.late += 1
            self.first_late = number if self.first_late is None else self.first_late
        self._index.see(number, entry, facts)
        self._latest = max(self._latest, facts.created)
        for digest in facts.evidence:
            if os.path.exists(self._evidence + digest):  # noqa: PTH110  # a Path costs ten times more
                continue
            if not self._missing_ok:
                raise EvidenceError(
                    f"{EVIDENCE}/{digest} is missing: entry {number} names it; bring the file back,"
                    " or say that evidence may be gone (--evidence-may-be-gone)"
                )
            if len(self.missing) < _FEW:
                self.missing.append(digest)

    def _compare(self, level: int, index: int, hashes: bytes) -> None:
        """Hold a tile that the entries give against the stored one."""
        width = len(hashes) // HASH_SIZE
        if level and self._stored(level, index, width) != hashes:
            path = tile_path(level, index, width)
            span = WIDTH**level
            first = index * WIDTH * span
            self._differs(
                f"entries {first} to {first + width * span - 1} were changed together with their"
                f" hashes: they do not give {path}",
                f"{path} was changed: it is not what the entries give",
            )

    def _stored(self, level: int, index: int, width: int) -> bytes:
        """A stored tile; nothing where it is missing or cut off, which is kept as a difference."""
        try:
            return read_tile(self._audit, level, index, width)
        except EvidenceError as error:
            self._differs(str(error), str(error))
            return b""

    def _differs(self, entry_changed: str, tile_changed: str) -> None:
        if self._unfit is None:
            self._unfit = (entry_changed, tile_changed)

    def _judge(self, root: bytes, now: Checkpoint) -> None:
        if self._unfit is not None:
            raise EvidenceError(self._unfit[1] if root == now.root else self._unfit[0])
        if root != now.root:
            raise EvidenceError(
                f"{CHECKPOINT}: entries and tiles agree with each other, but not with the root that"
                f" was signed for {now.size} entries: the log was rewritten around its checkpoint"
            )

    def _extends(self, then: Checkpoint, then_root: bytes, now: Checkpoint) -> None:
        """That the older checkpoint's tree is the beginning of this one, recomputed and proven."""
        path = consistency_proof(then.size, now.size, tile_nodes(self._audit, now.size))
        proven = extends(then.size, then.root, now.size, now.root, path)
        if then_root != then.root or not proven:
            raise EvidenceError(
                f"the log was forked: its first {then.size} entries are not those that the older"
                " checkpoint states; somebody with the log's key rewrote them"
            )
