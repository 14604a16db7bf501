"""The order that rows are digested in: by a cheap number of each id, and by the ids where two meet.

Nothing but the order rests on the number. Rows are counted out into parts of that order first, so
that each part is sorted, and its values gathered, inside a processor's cache.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_OWN = np.array([(1 << 8 * own) - 1 for own in range(9)], np.uint64)
"""Masks of a word's first bytes, which are a text's own and not the next one's."""
_CACHED = 1 << 14
"""Numbers that are made at once."""


def parts_of(texts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Where each text begins and the last one ends, and the bytes of all."""
    _, offsets, content = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return ends, np.frombuffer(content or b"", dtype=np.uint8)


def id_numbers(ends: NDArray[np.int64], content: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A 64-bit number of each text, eight of its bytes at a time; only the order rests on it."""
    padded = np.concatenate([content[: int(ends[-1])], np.zeros(8, np.uint8)])
    words = np.lib.stride_tricks.as_strided(
        padded[:8].view("<u8"), shape=(len(padded) - 7,), strides=(1,), writeable=False
    )
    numbers = np.diff(ends).astype(np.uint64)
    for first in range(0, len(numbers), _CACHED):
        some = slice(first, first + _CACHED)
        _mix(numbers[some], ends[:-1][some], words)
    return numbers


def _mix(numbers: NDArray[np.uint64], starts: NDArray[np.int64], words: NDArray[np.uint64]) -> None:
    """Make numbers of texts out of their sizes.

    Args:
        numbers: the sizes; changed in place.
        starts: where each text begins.
        words: the eight bytes from each place on.
    """
    sizes = numbers.astype(np.int64)
    least = int(sizes.min())
    for at in range(0, int(sizes.max(initial=0)), 8):
        live = slice(None) if at < least else np.flatnonzero(sizes > at)
        word = words[starts[live] + at]
        if at + 8 > least:
            word &= _OWN[np.minimum(sizes[live] - at, 8)]
        mixed = (numbers[live] ^ word) * _MIX
        numbers[live] = mixed ^ (mixed >> _SHIFT)


def counted_out(
    numbers: NDArray[np.uint64], parts: int, alike: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows by the part of the order that they belong to, and where each part ends.

    Args:
        numbers: of the rows.
        parts: into how many the range of numbers is cut, a power of two up to 2¹⁶.
        alike: into how many it was cut before, of which all rows are in one; a power of two.
    """
    known, bits = alike.bit_length() - 1, parts.bit_length() - 1
    high = (numbers << np.uint64(known)) >> np.uint64(32)
    places = (high >> np.uint64(32 - bits)).astype(np.uint16)
    rows = np.argsort(places, kind="stable")  # numpy counts such, fast
    return rows, np.cumsum(np.bincount(places, minlength=parts))


def order_of_ids(
    ids: pa.Array, numbers: NDArray[np.uint64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], bool]:
    """The one order of these rows, which come part by part of it, and whether no two numbers meet.

    Equal ids have equal numbers, so where none meet all ids differ.

    Args:
        ids: of the rows.
        numbers: of the ids.
        ends: where each part ends.
    """
    starts = (0, *ends[:-1])
    parts = [
        start + np.argsort(numbers[start:end]) for start, end in zip(starts, ends, strict=True)
    ]
    order = np.concatenate(parts)
    ordered = numbers[order]
    if not bool((ordered[1:] == ordered[:-1]).any()):
        return order, True
    both = pa.table({"number": numbers, "id": ids})
    keys = [("number", "ascending"), ("id", "ascending")]
    return np.asarray(pc.sort_indices(both, sort_keys=keys)).astype(np.int64), False
