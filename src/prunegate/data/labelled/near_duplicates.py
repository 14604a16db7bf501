"""Near-duplicates: pictures of different splits that look alike although their bytes differ.

A re-encoded or resized copy of a training picture is as good as the picture itself to a model that
has seen it. Each picture is summed up in 64 bits, whether it gets brighter from one of nine columns
to the next in each of eight rows (difference hash), and two are near where at most four bits
differ. Of five groups of bits one is then the same in both, so that only pictures which share a
group are compared. It is a warning and no clause: series of one scene look alike, too.

Source: Krawetz (2013), Kind of Like That, hackerfactor.com (dHash).
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from prunegate.data.labelled.image_files import open_image
from prunegate.data.labelled.rows import LabelledRows
from prunegate.data.predictions.columns import shown
from prunegate.errors import TableError

NEAR = 4
"""Bits that may differ."""
_ROWS, _COLUMNS = 8, 9
_BANDS = ((0, 13), (13, 13), (26, 13), (39, 13), (52, 12))
"""First bit and number of bits of each group: one more than may differ."""
_FLAT = 8
"""Grey levels between the darkest and the brightest part up to which a picture shows nothing."""
_PART, _SHOWN = 512, 3


@dataclass(frozen=True, kw_only=True)
class NearPairs:
    """Pictures that look like one of another split."""

    rows: int
    """Rows of the gate split that do."""
    examples: tuple[tuple[str, str], ...]
    """A row of the gate split and one of another that it looks like; the first by id."""


def near_duplicate_warning(rows: LabelledRows) -> str | None:
    """That pictures of the gate split look like some of other splits; None: none does.

    Raises:
        TableError: a picture cannot be read.
    """
    if rows.reads != "images":
        return None
    found = near_pairs(rows, difference_hashes(rows.paths))
    if not found.rows:
        return None
    pairs = "; ".join(f"{shown(one)} like {shown(other)}" for one, other in found.examples)
    more = "; ..." if found.rows > len(found.examples) else ""
    verb = "image of the gate split looks" if found.rows == 1 else "images of the gate split look"
    return f"{found.rows:,} {verb} like an image of another split: {pairs}{more}"


def difference_hashes(paths: Sequence[Path]) -> tuple[int | None, ...]:
    """The 64 bits of each picture; None: it is flat, and looks like every other flat one.

    Raises:
        TableError: a picture cannot be read.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return tuple(pool.map(_hash, paths, chunksize=16))


def _hash(path: Path) -> int | None:
    try:
        with open_image(path) as image:
            image.draft("L", (_COLUMNS * 8, _ROWS * 8))
            small = image.convert("L").resize((_COLUMNS, _ROWS), 1)  # Lanczos
            grey = np.asarray(small, dtype=np.int16)
    except TableError:
        raise
    except Exception as error:  # decoders raise many types on damaged files
        raise TableError(f"{path}: cannot be read as an image ({error})") from error
    if int(grey.max()) - int(grey.min()) <= _FLAT:
        return None
    bits = np.packbits((grey[:, 1:] > grey[:, :-1]).ravel())
    return int.from_bytes(bits.tobytes(), "big")


def near_pairs(rows: LabelledRows, hashes: Sequence[int | None]) -> NearPairs:
    """Rows of the gate split that look like a row of another split.

    Args:
        rows: the labelled rows.
        hashes: of each row's picture.
    """
    gate: dict[int, str] = {}
    others: dict[int, str] = {}
    at: dict[int, int] = defaultdict(int)
    for identifier, split, found in zip(rows.ids, rows.splits, hashes, strict=True):
        if found is None:
            continue
        here = gate if split == "gate" else others
        here.setdefault(found, str(identifier))
        at[found] += split == "gate"
    near: dict[int, int] = {}
    for one, other in _close(list(gate), list(others)):
        near.setdefault(one, other)
    first = sorted((gate[one], others[other]) for one, other in near.items())
    return NearPairs(rows=sum(at[one] for one in near), examples=tuple(first[:_SHOWN]))


def _close(gate: Sequence[int], others: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs of hashes that differ in few bits, each compared only within a group of bits."""
    for start, count in _BANDS:
        held: dict[int, list[int]] = defaultdict(list)
        for found in others:
            held[found >> start & ((1 << count) - 1)].append(found)
        asked: dict[int, list[int]] = defaultdict(list)
        for found in gate:
            asked[found >> start & ((1 << count) - 1)].append(found)
        for band, ones in asked.items():
            if band in held:
                yield from _within(ones, np.array(held[band], dtype=np.uint64))


def _within(ones: Sequence[int], others: npt.NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    for start in range(0, len(ones), _PART):
        part = np.array(ones[start : start + _PART], dtype=np.uint64)
        bits = np.unpackbits(
            (part[:, None] ^ others[None, :]).view(np.uint8).reshape(len(part), len(others), 8),
            axis=2,
        ).sum(axis=2)
        for row, column in np.argwhere(bits <= NEAR):
            yield int(part[row]), int(others[column])
