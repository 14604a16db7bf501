"""Trees of a log whose leaves are all in memory."""

from __future__ import annotations

from collections.abc import Sequence

from prunegate.audit.log.merkle import CompactRange, Nodes


def nodes_of(leaves: Sequence[bytes]) -> Nodes:
    """The nodes over some leaf hashes, each worked out when it is asked for."""

    def nodes(level: int, index: int) -> bytes:
        return CompactRange(leaves[index << level : (index + 1) << level]).root()

    return nodes
