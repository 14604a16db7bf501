"""Merkle tree of RFC 6962: one root hash stands for every entry and for their order.

A leaf is ``SHA-256(0x00 || entry)``, an inner node ``SHA-256(0x01 || left || right)``, and a tree
of n leaves splits at the largest power of two below n. Proofs are computed from ``nodes``, a
function from (level, index) to the hash of the perfect subtree over the leaves
``[index * 2**level, (index + 1) * 2**level)``, so that the tree may lie in memory or in files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

Nodes = Callable[[int, int], bytes]

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves."""

HASH_SIZE = 32


def leaf_hash(entry: bytes) -> bytes:
    """Hash of an entry as a leaf (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(subtrees: Sequence[bytes]) -> bytes:
    """Root over perfect subtrees that stand side by side, the largest first."""
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        root = node_hash(left, root)
    return root


def perfect_root(hashes: bytes) -> bytes:
    """Root over a power of two of leaf hashes, given one after the other."""
    sha256, width = hashlib.sha256, 2 * HASH_SIZE
    while len(hashes) > HASH_SIZE:
        pairs = range(0, len(hashes), width)
        hashes = b"".join([sha256(b"\x01" + hashes[at : at + width]).digest() for at in pairs])
    return hashes


class CompactRange:
    """A tree that only grows: at most log2(size) hashes are kept, whatever its size.

    >>> tree = CompactRange(map(leaf_hash, (b"a", b"b", b"c")))
    >>> tree.size, len(tree.subtrees)
    (3, 2)
    """

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self.subtrees: list[bytes] = []
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash; equal neighbours merge, as a binary counter carries."""
        size, subtrees = self.size, self.subtrees
        while size & 1:
            leaf = node_hash(subtrees.pop(), leaf)
            size >>= 1
        subtrees.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Root of the tree so far."""
        return fold(self.subtrees)


def root_of(size: int, nodes: Nodes) -> bytes:
    """Root of the tree over the first ``size`` leaves."""
    return _range_hash(0, size, nodes) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """The hashes that lead from leaf ``index`` to the root, the leaf's sibling first.

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(_range_hash(split, end, nodes))
            end = split
        else:
            path.append(_range_hash(start, split, nodes))
            start = split
    return path[::-1]


def consistency_proof(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """The hashes that show the tree of ``new`` leaves to extend that of ``old`` (section 2.1.2).

    Raises:
        ValueError: not ``0 <= old <= new``.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} cannot extend one of {old}")
    if old == 0:
        return []
    path: list[bytes] = []
    start, end = 0, new
    while old != end:
        split = start + _split(end - start)
        if old <= split:
            path.append(_range_hash(split, end, nodes))
            end = split
        else:
            path.append(_range_hash(start, split, nodes))
            start = split
    if start:
        path.append(_range_hash(start, end, nodes))
    return path[::-1]


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether ``path`` proves that ``leaf`` is number ``index`` (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def extends(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` proves that the new tree extends the old (RFC 9162, section 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == 0:
        return not path and old_root == EMPTY_ROOT and (new > 0 or new_root == EMPTY_ROOT)
    if old == new:
        return not path and old_root == new_root
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _split(width: int) -> int:
    """The largest power of two below ``width`` (at least 2)."""
    return 1 << ((width - 1).bit_length() - 1)


def _range_hash(start: int, end: int, nodes: Nodes) -> bytes:
    """Hash over the leaves ``[start, end)``, a range that the splits of section 2.1 produce."""
    width = end - start
    if width & (width - 1) == 0:
        return nodes(width.bit_length() - 1, start // width)
    split = start + _split(width)
    return node_hash(_range_hash(start, split, nodes), _range_hash(split, end, nodes))
