"""The growing tree is the tree of all its leaves, in whatever pieces they come."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from prunegate.audit.log.frontier import Frontier
from prunegate.audit.log.tiles import layout, tile_path

WIDTH, SIZE = 256, 32
Tiles = dict[str, bytes]


def leaf(number: int) -> bytes:
    return hashlib.sha256(b"\0%d" % number).digest()


def halved(hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1: split at the largest power of two below the number of leaves."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + halved(hashes[:split]) + halved(hashes[split:])).digest()


def tiles_of(leaves: list[bytes]) -> Tiles:
    """C2SP tlog-tiles: level by level, a hash over each full tile one level below."""
    found, level, hashes = {}, 0, leaves
    while hashes:
        cut = [hashes[at : at + WIDTH] for at in range(0, len(hashes), WIDTH)]
        for index, tile in enumerate(cut):
            found[tile_path(level, index, len(tile))] = b"".join(tile)
        hashes = [halved(tile) for tile in cut if len(tile) == WIDTH]
        level += 1
    return found


def tiles(frontier: Frontier, full: Tiles) -> Tiles:
    partial = {
        tile_path(level, index, len(content) // SIZE): content
        for level, index, content in frontier.partials()
    }
    return full | partial


PIECES = [
    (1,),
    (255, 1),
    (256, 256, 100),
    (1, 256, 255),
    (100, 256, 256, 1),
    (256, 3, 256),
    (257, 256),
    (512, 7),
    (256,) * 257 + (9, 256),
]


@pytest.mark.parametrize("pieces", PIECES, ids=lambda pieces: f"{pieces[0]}-{sum(pieces)}")
def test_pieces_of_any_length_make_the_same_tree(pieces: tuple[int, ...], tmp_path: Path) -> None:
    leaves = [leaf(number) for number in range(sum(pieces))]
    full: Tiles = {}

    def keep(level: int, index: int, content: bytes) -> None:
        full[tile_path(level, index)] = content

    frontier = Frontier(keep)
    for place, piece in enumerate(pieces):
        done = frontier.size
        if place == len(pieces) - 1:  # as if the log was left there
            for name, content in tiles(frontier, full).items():
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_bytes(content)
            frontier = Frontier.stored(tmp_path, done, keep)
        frontier.extend(b"".join(leaves[done : done + piece]))
    assert frontier.size == len(leaves)
    assert frontier.root() == halved(leaves)
    assert tiles(frontier, full) == tiles_of(leaves)
    named = [name for name in layout(len(leaves)) if not name.startswith("tile/entries")]
    assert sorted(named) == sorted(tiles_of(leaves))
