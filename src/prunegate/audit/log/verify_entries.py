"""One pass over the log's entries: hashes, tiles, root, facts, evidence; memory stays flat.

A hash that does not fit its entry does not say which of the two was changed. Only the signed root
does, so the first difference is kept until the pass is over, and then named.
"""

from __future__ import annotations

from prunegate.audit.log.bundle_pass import (
    BundleRead,
    EntryReading,
    HashDifference,
    KeptEntry,
    each_bundle,
)
from prunegate.audit.log.checkpoint import Checkpoint
from prunegate.audit.log.folder import CHECKPOINT
from prunegate.audit.log.frontier import Frontier
from prunegate.audit.log.index import IndexCheck
from prunegate.audit.log.merkle import HASH_SIZE, consistency_proof, extends
from prunegate.audit.log.tiles import WIDTH, read_tile, tile_nodes, tile_path
from prunegate.errors import EvidenceError

_FEW = 10


class EntryPass:
    """The pass, and what it counts on the way."""

    def __init__(self, reading: EntryReading, *, processes: int | None = None) -> None:
        self.unsigned = 0
        self.late = 0
        self.first_late: int | None = None
        self.missing: list[str] = []
        self.kept: list[KeptEntry] = []
        self._audit = reading.audit
        self._reading = reading
        self._processes = processes
        self._latest = ""
        self._index = IndexCheck(reading.audit, None)
        self._unfit: HashDifference | None = None
        """The first difference."""

    def check(self, now: Checkpoint, then: Checkpoint | None = None) -> None:
        """Read all entries; compare what they give with tiles, checkpoint and an older one.

        Raises:
            EvidenceError: the first thing that is wrong.
        """
        frontier = Frontier(self._compare)
        then_root = frontier.root()
        with IndexCheck(self._audit, now) as self._index:
            for found in each_bundle(self._reading, now.size, self._processes):
                self._take(found, frontier.size)
                leaves = found.leaves
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

    def _take(self, found: BundleRead, first: int) -> None:
        """Add what a bundle gives; its facts count as long as nothing before them is wrong."""
        if self._unfit is None:
            self._facts(found, first)
            if found.fault is not None:
                raise EvidenceError(found.fault)
            self._unfit = found.difference
        if found.cut is not None:
            raise EvidenceError(found.cut if self._unfit is None else self._unfit.entry_changed)

    def _facts(self, found: BundleRead, first: int) -> None:
        self.unsigned += found.unsigned
        self.missing.extend(found.missing[: _FEW - len(self.missing)])
        self.kept.extend(found.kept)
        self._index.see(first, found.rows)
        for number, created in enumerate(found.created, first):
            if created < self._latest:
                self.late += 1
                self.first_late = number if self.first_late is None else self.first_late
            else:
                self._latest = created

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
            self._unfit = HashDifference(entry_changed=entry_changed, tile_changed=tile_changed)

    def _judge(self, root: bytes, now: Checkpoint) -> None:
        if self._unfit is not None:
            entry_changed = root != now.root
            raise EvidenceError(
                self._unfit.entry_changed if entry_changed else self._unfit.tile_changed
            )
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
