"""Index: where a digest stands in the log, so that finding an entry need not read all of them.

A cache that is never believed. Each answer is checked against the entry that it points to; one that
does not hold, a missing index or one of another log only make finding slower. What nobody sees in
looking up is a row that was left out: then a later entry that names the same digest is found, or
all entries are read. ``audit verify`` compares every row.

::

    audit/.index/.gitignore    keeps the folder out of the repository: branches need not merge it
    audit/.index/rows          magic, size, count of rows, root; then a row per digest, in order

A row is the digest's first 8 bytes and the entry's number in 8, whose top bit says that the digest
is the entry's own. Sealing appends rows; what an interrupted seal left is cut off by the next.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from prunegate.audit.log.checkpoint import Checkpoint
from prunegate.audit.log.durable_files import make_folder
from prunegate.audit.log.entry import EntryFacts, ReadEntry
from prunegate.audit.log.folder import INDEX
from prunegate.audit.log.merkle import root_of
from prunegate.audit.log.tiles import stored_entries, tile_nodes
from prunegate.errors import EvidenceError

_ROWS = "rows"
_MAGIC = b"pgindex1"
_HEAD = struct.Struct(">8sQQ32s")
_ROW = struct.Struct(">8sQ")
_OWN = 1 << 63
_CHUNK = _ROW.size << 16


@dataclass(frozen=True, kw_only=True)
class Covered:
    """How far an index goes."""

    size: int
    """Entries that it knows: those of the log with smaller numbers."""
    rows: int


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Where the index says that a digest stands."""

    number: int
    own: bool
    """Whether the digest is said to be the entry's own."""


def covered(audit: Path, log: Checkpoint) -> Covered | None:
    """How far the index goes; None: there is none of this log."""
    try:
        with (audit / INDEX / _ROWS).open("rb") as file:
            head = file.read(_HEAD.size)
            length = os.fstat(file.fileno()).st_size
    except OSError:
        return None
    if len(head) != _HEAD.size:
        return None
    magic, size, rows, root = _HEAD.unpack(head)
    if magic != _MAGIC or size > log.size or length < _HEAD.size + rows * _ROW.size:
        return None
    with suppress(EvidenceError):  # a broken hash tile: for others to tell
        if root_of(size, tile_nodes(audit, log.size)) == root:
            return Covered(size=size, rows=rows)
    return None


def hits(audit: Path, known: Covered, digest: str) -> Iterator[Hit]:
    """Where the index says that a digest stands, given by 12 hexadecimal characters at least."""
    needle = bytes.fromhex(digest[: min(len(digest) // 2, 8) * 2])
    with (audit / INDEX / _ROWS).open("rb") as file:
        file.seek(_HEAD.size)
        left = known.rows * _ROW.size
        while chunk := file.read(min(_CHUNK, left)):
            left -= len(chunk)
            yield from _in_chunk(chunk, needle)


def _in_chunk(chunk: bytes, needle: bytes) -> Iterator[Hit]:
    at = chunk.find(needle)
    while at >= 0:
        if at % _ROW.size == 0 and at + _ROW.size <= len(chunk):
            _, number = _ROW.unpack_from(chunk, at)
            yield Hit(number=number & ~_OWN, own=bool(number & _OWN))
        at = chunk.find(needle, at + 1)


def refresh(audit: Path, log: Checkpoint, read: ReadEntry) -> None:
    """Bring the index up to the log's size; only the one sealer may.

    Raises:
        OSError: it cannot be written.
        EvidenceError: the log's files are malformed.
    """
    known = covered(audit, log) or Covered(size=0, rows=0)
    if known.size == log.size:
        return
    make_folder(audit / INDEX)
    (audit / INDEX / ".gitignore").write_text("*\n", encoding="ascii")
    handle = os.open(
        audit / INDEX / _ROWS, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
    )
    with os.fdopen(handle, "r+b") as file:
        file.truncate(_HEAD.size + known.rows * _ROW.size)
        file.seek(0, os.SEEK_END)
        count = known.rows
        for number, entry in stored_entries(audit, log.size, known.size):
            rows = rows_of(number, entry, read(entry))
            count += len(rows) // _ROW.size
            file.write(rows)
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        file.write(_HEAD.pack(_MAGIC, log.size, count, log.root))
        file.flush()
        os.fsync(file.fileno())


def rows_of(number: int, entry: bytes, facts: EntryFacts) -> bytes:
    """The rows of one entry: its own digest first, then what it is about and names as evidence."""
    own = hashlib.sha256(entry).digest()[:8] + (number | _OWN).to_bytes(8, "big")
    last = number.to_bytes(8, "big")
    named = dict.fromkeys((*facts.subjects, *facts.evidence))
    return own + b"".join([bytes.fromhex(digest[:16]) + last for digest in named])


class IndexCheck:
    """Holds the index against the entries, one after the other; an index of another log passes."""

    def __init__(self, audit: Path, log: Checkpoint | None) -> None:
        self._wrong: str | None = None
        known = covered(audit, log) if log is not None else None
        self._size = known.size if known is not None else 0
        self._left = known.rows * _ROW.size if known is not None else 0
        self._file = (audit / INDEX / _ROWS).open("rb") if known is not None else None
        self._first = 0
        """Number of the next entry."""
        if self._file is not None:
            self._file.seek(_HEAD.size)

    def __enter__(self) -> IndexCheck:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def see(self, first: int, rows: Sequence[bytes]) -> None:
        """Take the rows of the next entries, the first of them numbered so; they come in order."""
        rows = rows[: max(self._size - first, 0)]
        if self._wrong is not None or not rows or self._file is None:
            return
        expected = b"".join(rows)
        found = self._file.read(min(len(expected), self._left))
        self._left -= len(expected)
        self._first = first + len(rows)
        if found == expected:
            return
        ends = enumerate(accumulate(map(len, rows)), first)
        self._wrong = _says_otherwise(next(n for n, end in ends if found[:end] != expected[:end]))

    def wrong(self) -> str | None:
        """What is wrong with the first row that is; asked when all entries were seen."""
        if self._wrong is None and self._left > 0 and 0 < self._first == self._size:
            self._wrong = _says_otherwise(self._size - 1)
        return self._wrong


def _says_otherwise(number: int) -> str:
    return (
        f"{INDEX}/{_ROWS} says otherwise of entry {number} than the entry itself, which is as it"
        f" was sealed. It only helps to find entries: delete {INDEX}, the next seal makes it anew"
    )
