"""Image paths of a labelled table that are safe: inside the image folder, links followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from prunegate.data.columns import shown
from prunegate.data.labelled_rows import LabelledRows
from prunegate.errors import TableError

_SHOWN = 5


def check_images(rows: LabelledRows) -> None:
    """Insist that every image is a regular file inside the image folder.

    Raises:
        TableError: naming the first five that are not, and their number.
    """
    root = Path(os.path.realpath(rows.folder))
    real = cache(os.path.realpath)
    wrong = []
    for identifier, image in zip(rows.ids, rows.images, strict=True):
        if reason := _mistake(rows.folder, root, image, real):
            wrong.append(f"  {shown(identifier)}: {shown(image)} {reason}")
    if wrong:
        more = f"\n  and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise TableError(
            f"{rows.name}: {len(wrong)} image(s) cannot be used; paths are relative to "
            f"{rows.folder} and have to stay inside it:\n" + "\n".join(wrong[:_SHOWN]) + more
        )


def _mistake(folder: Path, root: Path, image: str, real: Callable[[Any], Any]) -> str:
    """Return what is wrong with one path; empty if nothing is."""
    if not image or "\x00" in image:
        return "is not a path"
    if PurePosixPath(image).is_absolute() or "\\" in image:
        return "is not a relative path with / between its parts"
    if ".." in PurePosixPath(image).parts:
        return "leaves the image folder"
    path = folder / image
    try:
        mode = path.lstat().st_mode
        # Parents repeat, so they are resolved once each; a link is resolved itself.
        place = Path(real(path) if stat.S_ISLNK(mode) else real(path.parent))
        if not place.is_relative_to(root):
            return "leads out of the image folder (a symbolic link)"
        regular = stat.S_ISREG(path.stat().st_mode if stat.S_ISLNK(mode) else mode)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if regular else "is not a regular file"
