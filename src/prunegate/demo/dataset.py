"""The demo's data on disk: PNG files and one table, in four splits that share nothing.

``creatives.csv`` has the columns id, image (path relative to the folder), label (safe or unsafe),
content_type and split. Splits are consecutive parts of one rendering, so each holds the content
types and labels in the same shares. A creative's split says what it may be used for:

- train: fits the baseline, and the recovery after pruning
- calibration: ranks what to remove
- search: decides how much to remove
- gate: judges, and nothing else

The folder appears whole or not at all.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from prunegate.demo.creatives import Creatives, render_creatives
from prunegate.demo.styles import SIDE
from prunegate.errors import InputError, InternalError, TableError
from prunegate.io.atomic import whole_folder
from prunegate.io.progress import Progress, silent

TABLE = "creatives.csv"
HEADER = ("id", "image", "label", "content_type", "split")
BATCH = 500  # files between two reports of progress
THREADS = 2  # Pillow compresses outside the interpreter's lock


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Creatives per split, in the order in which they are rendered."""

    train: int = 20_000
    calibration: int = 800
    search: int = 800
    gate: int = 24_000

    def __post_init__(self) -> None:
        small = [f"{name}={size}" for name, size in asdict(self).items() if size < 1]
        if small:
            raise InputError(f"every split needs at least one creative, got {', '.join(small)}")

    def split(self, creatives: Creatives) -> dict[str, Creatives]:
        """Cut one rendering into the named splits."""
        parts, start = {}, 0
        for name, size in asdict(self).items():
            parts[name] = creatives.take(slice(start, start + size))
            start += size
        return parts


def write(
    folder: Path,
    *,
    seed: int,
    sizes: Sizes | None = None,
    progress: Progress = silent,
) -> dict[str, Creatives]:
    """Render the splits and write them to ``folder``; the same creatives are returned by split.

    Args:
        folder: where to write; must not exist.
        seed: decides every pixel.
        sizes: creatives per split; the default is the full demo, 45,600 in all.
        progress: called now and then with ("write images", files done, files in all).

    Raises:
        InputError: ``folder`` exists.
        InternalError: two creatives came out with the same pixels.
    """
    if folder.exists():
        raise InputError(f"{folder} exists already: name a new folder for the dataset")
    sizes = sizes or Sizes()
    creatives = render_creatives(sum(asdict(sizes).values()), seed)
    _refuse_twins(creatives)
    splits = sizes.split(creatives)
    with whole_folder(folder) as making:
        _write_images(making, splits, progress)
        _write_table(making / TABLE, splits)
    return splits


def read_split(folder: Path, split: str, progress: Progress = silent) -> Creatives:
    """Read one split back from ``folder``.

    Raises:
        TableError: the table or an image is missing, malformed, or names no such split.
    """
    rows = [row for row in _rows(folder / TABLE) if row["split"] == split]
    if not rows:
        raise TableError(f"{folder / TABLE} has no rows of split {split!r}: check the name")
    done, images = 0, []
    with ThreadPoolExecutor(THREADS) as pool:
        for image in pool.map(_load, [folder / row["image"] for row in rows]):
            images.append(image)
            done += 1
            _tell(progress, "read images", done, len(rows))
    return Creatives(
        ids=np.array([row["id"] for row in rows]),
        pixels=np.stack(images),
        unsafe=np.array([row["label"] == "unsafe" for row in rows]),
        content_type=np.array([row["content_type"] for row in rows]),
    )


def _refuse_twins(creatives: Creatives) -> None:
    """Splits are disjoint by content only while no two creatives look the same."""
    distinct = len({sha256(image.tobytes()).digest() for image in creatives.pixels})
    if distinct < len(creatives):
        raise InternalError(f"{len(creatives) - distinct} creatives repeat others; change the seed")


def _image(split: str, ident: str) -> str:
    return f"images/{split}/{ident}.png"


def _write_images(folder: Path, splits: dict[str, Creatives], progress: Progress) -> None:
    paths, pixels = [], []
    for name, creatives in splits.items():
        (folder / "images" / name).mkdir(parents=True)
        paths += [folder / _image(name, ident) for ident in creatives.ids]
        pixels += list(creatives.pixels)
    done = 0
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(_save, paths, pixels):
            done += 1
            _tell(progress, "write images", done, len(paths))


def _tell(progress: Progress, stage: str, done: int, total: int) -> None:
    if done % BATCH == 0 or done == total:
        progress(stage, done, total)


def _save(path: Path, pixels: NDArray[np.uint8]) -> None:
    Image.fromarray(pixels).save(path, format="PNG", compress_level=1)


def _load(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image)
    except OSError as error:
        raise TableError(f"{path} cannot be read as an image: {error}") from error
    if pixels.shape != (SIDE, SIDE, 3) or pixels.dtype != np.uint8:
        raise TableError(f"{path} is not a {SIDE} x {SIDE} RGB image: render the demo again")
    return pixels


def _write_table(path: Path, splits: dict[str, Creatives]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADER)
        for name, creatives in splits.items():
            labels = np.where(creatives.unsafe, "unsafe", "safe")
            for ident, label, content in zip(
                creatives.ids, labels, creatives.content_type, strict=True
            ):
                table.writerow([ident, _image(name, ident), label, content, name])


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """The table's rows; every label is one of the two."""
    if not path.is_file():
        raise TableError(f"{path} is missing: write the demo's dataset first")
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file)
        if tuple(table.fieldnames or ()) != HEADER:
            raise TableError(f"{path} has columns {table.fieldnames}, expected {list(HEADER)}")
        for row in table:
            if None in row.values() or row["label"] not in ("safe", "unsafe"):
                raise TableError(f"{path}:{table.line_num}: not a row of {', '.join(HEADER)}")
            yield row
