"""Near-duplicates: pictures of different splits that look alike although their bytes differ.

A re-encoded or resized copy of a training picture is as good as the picture itself to a model that
has seen it. Each picture is summed up in 72 grey levels, and in 64 bits of these: whether it gets
brighter from one of nine columns to the next in each of eight rows (difference hash). Two are near
where at most four bits differ and the levels go together (a correlation of 0.9): pictures that are
mostly empty have few bits that could differ. Of five groups of bits one is then the same in both,
so that only pictures which share a group are compared. It is a warning and no clause: series of one
scene look alike, too. Where pictures of the gate split look like each other as often as like so
many of other splits (digits, icons, frames of one camera), the warning says that they are a family.

Source: Krawetz (2013), Kind of Like That, hackerfactor.com (dHash).
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from prunegate.data.labelled.image_files import open_image
from prunegate.data.labelled.rows import LabelledRows
from prunegate.data.predictions.columns import shown
from prunegate.errors import TableError

if TYPE_CHECKING:
    from PIL import Image

NEAR = 4
"""Bits that may differ."""
TOGETHER = 0.9
"""Correlation of grey levels from which pictures may be near."""
_ROWS, _COLUMNS = 8, 9
_BANDS = ((0, 13), (13, 13), (26, 13), (39, 13), (52, 12))
"""First bit and number of bits of each group: one more than may differ."""
_FLAT = 8
"""Grey levels between the darkest and the brightest part up to which a picture shows nothing."""
_DEEP = 257
"""Levels of 16 bits for each of 8."""
_AT_ONCE, _SHOWN = 2_000_000, 3


@dataclass(frozen=True, kw_only=True)
class PerceptualHash:
    """What a picture looks like from far away."""

    bits: int
    """64 of them, row by row: whether the next column is brighter."""
    grey: bytes
    """Levels of the 8 x 9 parts, row by row."""


@dataclass(frozen=True, kw_only=True)
class NearPairs:
    """Pictures that look like one of another split."""

    rows: int
    """Rows of the gate split that do."""
    examples: tuple[tuple[str, str], ...]
    """A row of the gate split and one of another that it looks like; the first by id."""
    within: int
    """Rows of the gate split that look like another of the gate split."""
    matched: int
    """Rows of the gate split that look like one of as many pictures of other splits as it has."""

    @property
    def family(self) -> bool:
        """Whether looking alike is as common within the gate split as between the splits."""
        return self.within >= self.matched > 0


def near_duplicate_warning(rows: LabelledRows) -> str | None:
    """That pictures of the gate split look like some of other splits; None: none does.

    Raises:
        TableError: a picture cannot be read.
    """
    if rows.reads != "images":
        return None
    found = near_pairs(rows, perceptual_hashes(rows.paths))
    if not found.rows:
        return None
    pairs = "; ".join(f"{shown(one)} like {shown(other)}" for one, other in found.examples)
    more = "; ..." if found.rows > len(found.examples) else ""
    verb = "image of the gate split looks" if found.rows == 1 else "images of the gate split look"
    said = f"{found.rows:,} {verb} like an image of another split: {pairs}{more}"
    if not found.family:
        return said
    return (
        f"{said}. {found.within:,} look like another of the gate split, too, which is as often: "
        "these pictures are alike among each other, or copies were dealt out over all splits; look "
        "at some pairs, and give rows of one origin a 'group'"
    )


def perceptual_hashes(paths: Sequence[Path]) -> tuple[PerceptualHash | None, ...]:
    """How each picture looks; None: it is flat, and looks like every other flat one.

    Raises:
        TableError: a picture cannot be read.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return tuple(pool.map(_look, paths, chunksize=16))


def _look(path: Path) -> PerceptualHash | None:
    try:
        with open_image(path) as image:
            grey = _grey_levels(image)
    except TableError:
        raise
    except Exception as error:  # decoders raise many types on damaged files
        raise TableError(f"{path}: cannot be read as an image ({error})") from error
    if int(grey.max()) - int(grey.min()) <= _FLAT:
        return None
    bits = np.packbits((grey[:, 1:] > grey[:, :-1]).ravel())
    return PerceptualHash(bits=int.from_bytes(bits.tobytes(), "big"), grey=grey.tobytes())


def _grey_levels(image: Image.Image) -> npt.NDArray[np.uint8]:
    if image.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
        small = image.convert("F").resize((_COLUMNS, _ROWS), 1)  # Lanczos
        return (np.asarray(small) / _DEEP).clip(0, 255).astype(np.uint8)
    image.draft("L", (_COLUMNS * 8, _ROWS * 8))
    return np.asarray(image.convert("L").resize((_COLUMNS, _ROWS), 1), dtype=np.uint8)


def near_pairs(rows: LabelledRows, found: Sequence[PerceptualHash | None]) -> NearPairs:
    """Rows of the gate split that look like a row of another split.

    Args:
        rows: the labelled rows.
        found: how each row's picture looks.
    """
    gate: dict[PerceptualHash, str] = {}
    others: dict[PerceptualHash, str] = {}
    at: dict[PerceptualHash, int] = defaultdict(int)
    for identifier, split, look in zip(rows.ids, rows.splits, found, strict=True):
        if look is None:
            continue
        here = gate if split == "gate" else others
        here.setdefault(look, str(identifier))
        at[look] += split == "gate"
    near = _close(list(gate), list(others))
    first = sorted((gate[one], others[other]) for one, other in near.items())
    found_rows = sum(at[one] for one in near)
    if not near:
        return NearPairs(rows=0, examples=(), within=0, matched=0)
    own = {one for one in gate if at[one] > 1} | {*_close(list(gate), list(gate), apart=True)}
    step = max(1.0, len(others) / len(gate))
    some = [one for place, one in enumerate(others) if int(place % step) == 0]
    return NearPairs(
        rows=found_rows,
        examples=tuple(first[:_SHOWN]),
        within=sum(at[one] for one in own),
        matched=sum(at[one] for one in _close(list(gate), some)),
    )


def _close(
    gate: Sequence[PerceptualHash], others: Sequence[PerceptualHash], *, apart: bool = False
) -> dict[PerceptualHash, PerceptualHash]:
    """Looks with another that is near, compared only with those that share a group of bits.

    Args:
        gate: what is asked for.
        others: what it is compared with.
        apart: whether a look is no neighbour of itself.
    """
    near: dict[PerceptualHash, PerceptualHash] = {}
    for start, count in _BANDS:
        held: dict[int, list[PerceptualHash]] = defaultdict(list)
        for look in others:
            held[look.bits >> start & ((1 << count) - 1)].append(look)
        asked: dict[int, list[PerceptualHash]] = defaultdict(list)
        for look in gate:
            band = look.bits >> start & ((1 << count) - 1)
            if look not in near and band in held:
                asked[band].append(look)
        for band, ones in asked.items():
            near |= _within(ones, held[band], apart=apart)
    return near


def _within(
    ones: Sequence[PerceptualHash], others: Sequence[PerceptualHash], *, apart: bool
) -> dict[PerceptualHash, PerceptualHash]:
    """Of each look with another that is near, the first."""
    bits, levels = _arrays(others)
    places = {look: place for place, look in enumerate(others)}
    part = max(1, _AT_ONCE // len(others))
    near = {}
    for start in range(0, len(ones), part):
        here, grey = _arrays(ones[start : start + part])
        differing = np.bitwise_count(here[:, None] ^ bits[None, :])
        alike = (differing <= NEAR) & (grey @ levels.T >= TOGETHER)
        for place, one in enumerate(ones[start : start + part]):
            if apart and one in places:
                alike[place, places[one]] = False
        for row in np.flatnonzero(alike.any(axis=1)):
            near[ones[start + int(row)]] = others[int(alike[row].argmax())]
    return near


def _arrays(
    some: Sequence[PerceptualHash],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.float32]]:
    """Bits, and levels of which the product of two is their correlation."""
    bits = np.array([one.bits for one in some], dtype=np.uint64)
    grey = np.frombuffer(b"".join(one.grey for one in some), dtype=np.uint8)
    levels = grey.reshape(len(some), -1).astype(np.float32)
    levels -= levels.mean(axis=1, keepdims=True)
    return bits, levels / np.linalg.norm(levels, axis=1, keepdims=True)
