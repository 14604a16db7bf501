"""One pass over the log's entries: hashes, tiles, root, facts, evidence; memory stays flat.

A hash that does not fit its entry does not say which of the two was changed. Only the signed root
does, so the first difference is kept until the pass is over, and then named.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prunegate.audit.log.checkpoint import Checkpoint
from prunegate.audit.log.entry import ReadEntry
from prunegate.audit.log.folder import CHECKPOINT, EVIDENCE, as_evidence
from prunegate.audit.log.frontier import Frontier
from prunegate.audit.log.merkle import HASH_SIZE, consistency_proof, extends, leaf_hash
from prunegate.audit.log.tiles import (
    ENTRIES,
    WIDTH,
    bundles,
    read_bundle,
    read_tile,
    tile_nodes,
    tile_path,
    unframe,
)
from prunegate.errors import EvidenceError

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
        self._missing_ok = missing_ok
        self._latest = ""
        self._unfit: tuple[str, str] | None = None
        """The first difference: what is wrong if an entry was changed, and if a tile was."""

    def check(self, now: Checkpoint, then: Checkpoint | None = None) -> None:
        """Read all entries; compare what they give with tiles, checkpoint and an older one.

        Raises:
            EvidenceError: the first thing that is wrong.
        """
        frontier = Frontier(self._compare)
        then_root = frontier.root()
        for index, width in bundles(now.size):
            for leaf in self._bundle(index, width):
                frontier.append(leaf)
                if then is not None and frontier.size == then.size:
                    then_root = frontier.root()
        for level, index, hashes in frontier.partials():
            self._compare(level, index, hashes)
        self._judge(frontier.root(), now)
        if then is not None:
            self._extends(then, then_root, now)

    def _bundle(self, index: int, width: int) -> Iterator[bytes]:
        """Leaf hashes of a bundle; its entries are read as long as nothing is wrong."""
        where, first = tile_path(ENTRIES, index, width), index * WIDTH
        stored = self._stored(0, index, width)
        try:
            entries = unframe(read_bundle(self._audit, index, width), width, where, first)
            for offset, entry in enumerate(entries):
                leaf = leaf_hash(entry)
                if stored[offset * HASH_SIZE : (offset + 1) * HASH_SIZE] != leaf:
                    tile = tile_path(0, index, width)
                    self._differs(
                        f"entry {first + offset} ({where}) was changed after it was sealed",
                        f"{tile} was changed: its hash of entry {first + offset} is wrong, the"
                        " entry itself is as it was sealed",
                    )
                if self._unfit is None:
                    self._facts(first + offset, entry, where)
                yield leaf
        except EvidenceError as error:
            if self._unfit is not None:
                raise EvidenceError(self._unfit[0]) from error
            raise

    def _facts(self, number: int, entry: bytes, where: str) -> None:
        with as_evidence(f"entry {number} ({where}) is none"):
            facts = self._read(entry)
        self.unsigned += not facts.signers
        if facts.created < self._latest:
            self.late += 1
            self.first_late = number if self.first_late is None else self.first_late
        self._latest = max(self._latest, facts.created)
        for digest in facts.evidence:
            if (self._audit / EVIDENCE / digest).exists():
                continue
            if not self._missing_ok:
                raise EvidenceError(
                    f"{EVIDENCE}/{digest} is missing: entry {number} names it; bring the file back,"
                    " or say that evidence may be gone"
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
