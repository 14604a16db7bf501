"""Content hashes of many files, taken in threads, and a later change noticed.

A hash vouches for bytes at one moment. Whoever loads the file afterwards asks
``require_unchanged``; a file that changed in between is refused, never hashed again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from prunegate.errors import TableError
from prunegate.io.hashing import FileHash, has_changed, hash_file

_SHOWN = 5
_PART = 128
"""Files a thread takes at a time: handing over one small file costs more than hashing it."""


def hash_files(
    paths: Sequence[Path], *, advance: Callable[[int], object] | None = None
) -> tuple[FileHash, ...]:
    """Hash files, each once, however often it is named.

    Args:
        paths: Regular files.
        advance: Called with the number of files done since the last call (progress).

    Returns:
        One hash per path, in the order of ``paths``.

    Raises:
        TableError: a file is missing, unreadable, not regular, or changed while it was read.
    """
    distinct = tuple(dict.fromkeys(paths))
    done: dict[Path, FileHash] = {}
    parts = [distinct[start : start + _PART] for start in range(0, len(distinct), _PART)]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for part in pool.map(_hash, parts):
            done |= {found.path: found for found in part}
            if advance:
                advance(len(part))
    return tuple(done[path] for path in paths)


def _hash(paths: Sequence[Path]) -> list[FileHash]:
    return [hash_file(path, error=TableError) for path in paths]


def require_unchanged(hashes: Iterable[FileHash]) -> None:
    """Refuse files that are no longer what was hashed: written to, or another one in their place.

    Raises:
        TableError: naming the first five and their number.
    """
    changed = [hashed.path for hashed in hashes if has_changed(hashed)]
    if changed:
        names = ", ".join(str(path) for path in changed[:_SHOWN])
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise TableError(
            f"changed while they were in use: {names}{more}. Let nothing write to the data during "
            "a run, and start it again."
        )
