"""Frontier: the right edge of the tiled tree, all that has to be in memory for it to grow.

Sealing writes every tile that becomes full; verifying compares it with the one that is stored. Both
drive the same frontier and differ in what they do with a tile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from prunegate.audit.log.merkle import HASH_SIZE, CompactRange, fold, perfect_root
from prunegate.audit.log.tiles import WIDTH, levels, read_tile

OnTile = Callable[[int, int, bytes], None]
"""Takes level, number and hashes of a tile."""


class Frontier:
    """A growing tree as its partial tiles, at most 255 hashes a level."""

    def __init__(self, on_full: OnTile) -> None:
        self.size = 0
        self._on_full = on_full
        self._levels: list[_Level] = []

    @classmethod
    def stored(cls, audit: Path, size: int, on_full: OnTile) -> Frontier:
        """The frontier of the log on disk, from its partial tiles.

        Raises:
            EvidenceError: one of them is missing or cut off.
        """
        frontier = cls(on_full)
        frontier.size = size
        for level, full, partial in levels(size):
            edge = _Level(full)
            if partial:
                content = read_tile(audit, level, full, partial)
                for at in range(0, len(content), HASH_SIZE):
                    edge.append(content[at : at + HASH_SIZE])
            frontier._levels.append(edge)
        return frontier

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash; tiles that become full are handed out, the lowest first."""
        self.size += 1
        self._carry(0, leaf)

    def _carry(self, level: int, node: bytes) -> None:
        while True:
            if level == len(self._levels):
                self._levels.append(_Level(0))
            edge = self._levels[level]
            edge.append(node)
            if edge.range.size < WIDTH:
                return
            self._on_full(level, edge.index, bytes(edge.hashes))
            node = edge.range.root()
            self._levels[level] = _Level(edge.index + 1)
            level += 1

    def extend(self, leaves: bytes) -> None:
        """Add leaf hashes, given one after the other; a whole tile of them is hashed as one."""
        if self.size % WIDTH or len(leaves) != WIDTH * HASH_SIZE:
            for at in range(0, len(leaves), HASH_SIZE):
                self.append(leaves[at : at + HASH_SIZE])
            return
        if not self._levels:
            self._levels.append(_Level(0))
        index = self._levels[0].index
        self.size += WIDTH
        self._levels[0] = _Level(index + 1)
        self._on_full(0, index, leaves)
        self._carry(1, perfect_root(leaves))

    def partials(self) -> Iterator[tuple[int, int, bytes]]:
        """Level, number and hashes of every partial tile."""
        for level, edge in enumerate(self._levels):
            if edge.hashes:
                yield level, edge.index, bytes(edge.hashes)

    def root(self) -> bytes:
        """RFC 6962 root of the tree so far."""
        return fold([node for edge in reversed(self._levels) for node in edge.range.subtrees])


class _Level:
    """The partial tile of one level."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.hashes = bytearray()
        self.range = CompactRange()

    def append(self, node: bytes) -> None:
        self.hashes += node
        self.range.append(node)
