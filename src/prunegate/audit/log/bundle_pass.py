"""Bundle pass: what one bundle of entries gives, by itself, so that several can be read at a time.

Nothing here depends on the bundles before it: the pass over the log puts together what each gave,
in their order. Large logs are read by as many processes as there are cores.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from prunegate.audit.log.entry import EntryFacts, ReadEntry
from prunegate.audit.log.folder import EVIDENCE
from prunegate.audit.log.index import rows_of
from prunegate.audit.log.merkle import HASH_SIZE, leaf_hash
from prunegate.audit.log.tiles import (
    ENTRIES,
    WIDTH,
    bundles,
    read_entry_bundle,
    read_tile,
    tile_path,
    unframe,
)
from prunegate.errors import EvidenceError, InputError

Keep = Callable[[bytes, EntryFacts], bool]
"""Whether an entry (content, facts) is wanted; asked in any process, so it remembers nothing."""


@dataclass(frozen=True, kw_only=True)
class EntryReading:
    """How entries are read."""

    audit: Path
    """The log's folder."""
    read: ReadEntry
    """Reads an entry's facts and refuses what is none; remembers nothing."""
    keep: Keep | None = None
    """Which entries are wanted; None: none."""
    missing_ok: bool = False
    """Evidence may be gone."""


@dataclass(frozen=True, kw_only=True)
class KeptEntry:
    """An entry that was wanted."""

    number: int | None
    """In the log; None: pending."""
    content: bytes
    facts: EntryFacts


@dataclass(frozen=True, kw_only=True)
class HashDifference:
    """Two things that do not fit; only the signed root tells which of them was changed."""

    entry_changed: str
    """What is wrong, if an entry was changed."""
    tile_changed: str
    """What is wrong, if a tile was."""


@dataclass(frozen=True, kw_only=True)
class BundleRead:
    """What a bundle gives; facts end at the first difference or fault."""

    leaves: bytes
    """Leaf hashes of its entries, one after the other."""
    rows: tuple[bytes, ...]
    """Rows of the index, of one entry after the other."""
    created: tuple[str, ...]
    """When each entry says that it was made."""
    unsigned: int
    """Entries without a signature of their own."""
    missing: tuple[str, ...]
    """Digests that entries name and nobody can look up; empty unless that is allowed."""
    kept: tuple[KeptEntry, ...]
    difference: HashDifference | None
    """The first one between the entries and their stored hashes."""
    fault: str | None
    """Why reading the facts ended: an entry that is none, or evidence that is missing."""
    cut: str | None
    """Why the bundle ends before its last entry."""


def each_bundle(
    reading: EntryReading, size: int, processes: int | None = None
) -> Iterator[BundleRead]:
    """What every bundle of a log of this size gives, in their order.

    Args:
        reading: how to read.
        size: entries of the log.
        processes: how many read; None: one for a small log, else one a core.
    """
    count = _processes(size) if processes is None else processes
    if count == 1:
        for number, width in bundles(size):
            yield _Bundle(reading, number, width).read()
        return
    with ProcessPoolExecutor(
        count, get_context("fork"), initializer=_begin, initargs=(reading,)
    ) as pool:
        ahead: deque[Future[BundleRead]] = deque()
        try:
            for number, width in bundles(size):
                ahead.append(pool.submit(_read_here, number, width))
                if len(ahead) > count * _AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


_AHEAD = 8
"""Bundles per process that are read before they are asked for: memory stays flat."""
_LARGE = 16_384
"""Entries of a log that is worth more than one process."""
_MOST = 8
_here: list[EntryReading] = []
"""How a process of the pool reads, set when it begins: with every bundle it would be pickled."""


def _processes(size: int) -> int:
    if size < _LARGE or not sys.platform.startswith("linux"):
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST)


def _begin(reading: EntryReading) -> None:
    _here[:] = [reading]


def _read_here(number: int, width: int) -> BundleRead:
    return _Bundle(_here[0], number, width).read()


class _Bundle:
    """One bundle while it is read."""

    def __init__(self, reading: EntryReading, index: int, width: int) -> None:
        self._reading = reading
        self._index = index
        self._width = width
        self._where = tile_path(ENTRIES, index, width)
        self._evidence = f"{reading.audit / EVIDENCE}{os.sep}"
        self._difference: HashDifference | None = None
        self._facts: list[EntryFacts] = []
        self._rows: list[bytes] = []
        self._missing: list[str] = []
        self._kept: list[KeptEntry] = []

    def read(self) -> BundleRead:
        """All that it gives."""
        stored, cut = self._stored(), None
        entries: list[bytes] = []
        try:
            content = read_entry_bundle(self._reading.audit, self._index, self._width)
            first = self._index * WIDTH
            entries.extend(unframe(content, self._width, self._where, first))
        except EvidenceError as error:
            cut = str(error)
        leaves = [leaf_hash(entry) for entry in entries]
        fault = None
        try:
            self._read_facts(entries, leaves, stored)
        except EvidenceError as error:
            fault = str(error)
        return BundleRead(
            leaves=b"".join(leaves),
            rows=tuple(self._rows),
            created=tuple([facts.created for facts in self._facts]),
            unsigned=sum(not facts.signers for facts in self._facts),
            missing=tuple(self._missing),
            kept=tuple(self._kept),
            difference=self._difference,
            fault=fault,
            cut=cut,
        )

    def _stored(self) -> bytes:
        """Stored leaf hashes; none where their tile is missing or cut off: a difference."""
        try:
            return read_tile(self._reading.audit, 0, self._index, self._width)
        except EvidenceError as error:
            self._difference = HashDifference(entry_changed=str(error), tile_changed=str(error))
            return b""

    def _read_facts(self, entries: list[bytes], leaves: list[bytes], stored: bytes) -> None:
        if self._difference is not None:
            return
        same = stored == b"".join(leaves)
        for at, (entry, leaf) in enumerate(zip(entries, leaves, strict=True)):
            number = self._index * WIDTH + at
            if not same and stored[at * HASH_SIZE : (at + 1) * HASH_SIZE] != leaf:
                self._difference = HashDifference(
                    entry_changed=f"entry {number} ({self._where}) was changed after it was sealed",
                    tile_changed=f"{tile_path(0, self._index, self._width)} was changed: its hash"
                    f" of entry {number} is wrong, the entry itself is as it was sealed",
                )
                return
            self._see(number, entry)

    def _see(self, number: int, entry: bytes) -> None:
        try:
            facts = self._reading.read(entry)
        except InputError as error:
            raise EvidenceError(f"entry {number} ({self._where}) is none: {error}") from error
        self._facts.append(facts)
        self._rows.append(rows_of(number, entry, facts))
        if self._reading.keep is not None and self._reading.keep(entry, facts):
            self._kept.append(KeptEntry(number=number, content=entry, facts=facts))
        for digest in facts.evidence:
            if os.path.exists(self._evidence + digest):  # noqa: PTH110  # a Path costs ten times more
                continue
            if not self._reading.missing_ok:
                raise EvidenceError(
                    f"{EVIDENCE}/{digest} is missing: entry {number} names it; bring the file back,"
                    " or say that evidence may be gone (--evidence-may-be-gone)"
                )
            self._missing.append(digest)
