"""Tiles (C2SP tlog-tiles): the tree and its entries as files of 256, which never change once full.

``tile/<L>/<N>`` holds 256 hashes, each over a full tile one level below (level 0: leaf hashes);
``tile/entries/<N>`` the 256 entries themselves, each after its length in two bytes. The rightmost
files are partial and named ``<N>.p/<width>``. A number is written ``x001/x234/067``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from prunegate.audit.log.durable_files import read_regular
from prunegate.audit.log.merkle import HASH_SIZE, CompactRange, Nodes
from prunegate.audit.log.pending import LARGEST_ENTRY
from prunegate.errors import EvidenceError, InputError

WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""

ENTRIES = "entries"
"""Stands for the level in the path of an entry bundle."""

_HEIGHT = 8
_CACHED = 128


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Path of a tile or bundle below the audit folder.

    >>> tile_path(0, 1234067, 112)
    'tile/0/x001/x234/067.p/112'
    """
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    number = "/".join(reversed(groups))
    return f"tile/{level}/{number}" if width == WIDTH else f"tile/{level}/{number}.p/{width}"


def levels(size: int) -> Iterator[tuple[int, int, int]]:
    """Of a tree: each level, its number of full tiles, and the width of its partial one (or 0)."""
    level = 0
    while hashes := size >> (_HEIGHT * level):
        yield level, hashes // WIDTH, hashes % WIDTH
        level += 1


def layout(size: int) -> Iterator[str]:
    """Paths of every file that a log of this size consists of."""
    for level, full, partial in levels(size):
        for kind in (level, ENTRIES) if level == 0 else (level,):
            for index in range(full):
                yield tile_path(kind, index)
            if partial:
                yield tile_path(kind, full, partial)


def frame(entry: bytes) -> bytes:
    """An entry as it stands in a bundle."""
    return struct.pack(">H", len(entry)) + entry


def unframe(content: bytes, count: int, where: str, first: int) -> Iterator[bytes]:
    """The entries of a bundle that must hold exactly ``count``, numbered from ``first``.

    Raises:
        EvidenceError: it holds fewer, or something follows them.
    """
    at = 0
    for number in range(first, first + count):
        length = int.from_bytes(content[at : at + 2], "big")
        end = at + 2 + length
        if end > len(content):
            raise EvidenceError(f"entry {number} ({where}) is cut off")
        yield content[at + 2 : end]
        at = end
    if at != len(content):
        raise EvidenceError(f"{where}: {len(content) - at} bytes follow its last entry")


def read_entry_bundle(audit: Path, index: int, width: int) -> bytes:
    """Bytes of an entry bundle.

    Raises:
        EvidenceError: it is missing, or cannot be one.
    """
    return _read(audit, tile_path(ENTRIES, index, width), width * (2 + LARGEST_ENTRY))


def read_tile(audit: Path, level: int, index: int, width: int) -> bytes:
    """The ``width`` hashes of a tile, one after the other.

    Raises:
        EvidenceError: it is missing, or has another length.
    """
    path = tile_path(level, index, width)
    content = _read(audit, path, width * HASH_SIZE)
    if len(content) != width * HASH_SIZE:
        raise EvidenceError(f"{path} has {len(content)} bytes, not {width * HASH_SIZE}: cut off")
    return content


def bundles(size: int) -> Iterator[tuple[int, int]]:
    """Number and width of every bundle of a log of this size."""
    for index in range((size + WIDTH - 1) // WIDTH):
        yield index, min(WIDTH, size - index * WIDTH)


def stored_entries(audit: Path, size: int, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Entries from number ``start`` on, with their numbers, one bundle in memory at a time.

    Raises:
        EvidenceError: a bundle is missing or malformed.
    """
    for index, width in bundles(size):
        first = index * WIDTH
        if first + width <= start:
            continue
        content = read_entry_bundle(audit, index, width)
        where = tile_path(ENTRIES, index, width)
        for number, entry in enumerate(unframe(content, width, where, first), start=first):
            if number >= start:
                yield number, entry


def stored_entry(audit: Path, size: int, number: int) -> bytes:
    """One entry.

    Raises:
        InputError: the log has no such number.
        EvidenceError: its bundle is missing or malformed.
    """
    if not 0 <= number < size:
        raise InputError(f"the log has no entry {number}; it has {size}, numbered from 0")
    return next(stored_entries(audit, size, number))[1]


def tile_nodes(audit: Path, size: int) -> Nodes:
    """The tree's nodes, read from the hash tiles of a log of this size."""

    @lru_cache(maxsize=_CACHED)
    def tile(level: int, index: int) -> bytes:
        hashes = size >> (_HEIGHT * level)
        return read_tile(audit, level, index, min(WIDTH, hashes - index * WIDTH))

    def nodes(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, _HEIGHT)
        first = index << height
        content = tile(tile_level, first // WIDTH)
        hashes = _hashes(content)[first % WIDTH : first % WIDTH + (1 << height)]
        return hashes[0] if height == 0 else CompactRange(hashes).root()

    return nodes


def find_leaf(audit: Path, size: int, wanted: set[bytes]) -> Iterator[tuple[int, bytes]]:
    """Numbers of the leaves whose hash is wanted, from the level 0 tiles alone."""
    for index, width in bundles(size):
        hashes = _hashes(read_tile(audit, 0, index, width))
        if not wanted.isdisjoint(hashes):
            for offset, leaf in enumerate(hashes):
                if leaf in wanted:
                    yield index * WIDTH + offset, leaf


def _hashes(content: bytes) -> list[bytes]:
    return [content[at : at + HASH_SIZE] for at in range(0, len(content), HASH_SIZE)]


def _read(audit: Path, path: str, limit: int) -> bytes:
    try:
        return read_regular(audit / path, limit)
    except FileNotFoundError as error:
        raise EvidenceError(f"{path} is missing") from error
    except InputError as error:
        raise EvidenceError(str(error)) from error
