"""More creatives for the search split: what the demo's search needs beyond the demo itself.

A rendering continues where a shorter one of the same seed ends, so the demo's own creatives stay
as they are and the further ones share nothing with them. ``search.csv`` lists both.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from prunegate.demo.creatives import Creatives, render_creatives
from prunegate.demo.dataset import HEADER, TABLE, Sizes
from prunegate.errors import TableError
from prunegate.io.atomic import replace_file, whole_folder
from prunegate.io.progress import Progress

CREATIVES, LISTED = "creatives", "search.csv"
BATCH = 500  # files between two reports of progress
STAGE = "write more creatives to search on"


def write_more(folder: Path, count: int, *, seed: int, sizes: Sizes, progress: Progress) -> Path:
    """Write further creatives of the search split, and the table of all creatives.

    Args:
        folder: the workspace, which holds the demo's creatives.
        count: how many more.
        seed: the demo's.
        sizes: the demo's, which come first in the rendering.
        progress: called now and then with what is done, how much of it, and the total.

    Returns:
        The table; image paths in it start from ``folder``.
    """
    table, more = folder / LISTED, folder / f"more-{count}"
    if not more.exists():
        with whole_folder(more) as making:
            _write(making, _further(count, seed, sizes), progress)
    replace_file(table, _listed(folder, (CREATIVES, more.name)).encode())
    return table


def _further(count: int, seed: int, sizes: Sizes) -> Creatives:
    known = sum(asdict(sizes).values())
    return render_creatives(known + count, seed).take(slice(known, None))


def _write(folder: Path, creatives: Creatives, progress: Progress) -> None:
    """The images, and beside them their rows of the table."""
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADER)
        labels = np.where(creatives.unsafe, "unsafe", "safe")
        for done, ident in enumerate(creatives.ids, start=1):
            name = f"{ident}.png"
            image = Image.fromarray(creatives.pixels[done - 1])
            image.save(folder / name, format="PNG", compress_level=1)
            content = creatives.content_type[done - 1]
            table.writerow([ident, name, labels[done - 1], content, "search"])
            if done % BATCH == 0 or done == len(creatives):
                progress(STAGE, done, len(creatives))


def _listed(folder: Path, parts: tuple[str, ...]) -> str:
    text = io.StringIO(newline="")
    whole = csv.DictWriter(text, HEADER, lineterminator="\n")
    whole.writeheader()
    for part in parts:
        source = folder / part / TABLE
        if not source.is_file():
            raise TableError(f"{source} is missing: name another --cache, or remove this one")
        with source.open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                whole.writerow({**row, "image": f"{part}/{row['image']}"})
    return text.getvalue()
