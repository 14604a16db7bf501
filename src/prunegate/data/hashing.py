"""Content hashes of files, taken in threads, with what is needed to notice a later change.

A hash vouches for bytes at one moment. Whoever loads the file afterwards asks
``require_unchanged``; a file that changed in between is refused, never hashed again.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from prunegate.errors import TableError

_SHOWN = 5
_PART = 128
"""Files a thread takes at a time: handing over one small file costs more than hashing it."""
_SMALL = 1 << 20
"""Bytes up to which a file is read at once."""


@dataclass(frozen=True, kw_only=True)
class FileHash:
    """A file's content at one moment."""

    path: Path
    size: int
    """Bytes."""
    mtime_ns: int
    """Time of the last change, as the file system tells it."""
    sha256: str
    """Lower-case hexadecimal."""


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
        for part in pool.map(lambda paths: [_hash(path) for path in paths], parts):
            done |= {found.path: found for found in part}
            if advance:
                advance(len(part))
    return tuple(done[path] for path in paths)


def file_sha256(path: Path) -> str:
    """Return the sha256 of one regular file, lower-case hexadecimal.

    Raises:
        TableError: as ``hash_files``.
    """
    return _hash(path).sha256


def require_unchanged(hashes: Iterable[FileHash]) -> None:
    """Refuse files that are no longer what was hashed (by size and time of change).

    Raises:
        TableError: naming the first five and their number.
    """
    changed = [hashed.path for hashed in hashes if _changed(hashed)]
    if changed:
        names = ", ".join(str(path) for path in changed[:_SHOWN])
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise TableError(
            f"changed while they were in use: {names}{more}. Let nothing write to the data during "
            "a run, and start it again."
        )


def _hash(path: Path) -> FileHash:
    try:
        # O_NONBLOCK: opening a named pipe must not wait for somebody to write to it.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", 0) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise TableError(f"{path}: not a regular file; give files, not folders or pipes.")
            small = before.st_size <= _SMALL
            digest = hashlib.sha256(file.read()) if small else hashlib.file_digest(file, "sha256")
            after = os.fstat(file.fileno())
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror}); check the path.") from error
    found = FileHash(
        path=path, size=before.st_size, mtime_ns=before.st_mtime_ns, sha256=digest.hexdigest()
    )
    if (after.st_size, after.st_mtime_ns) != (found.size, found.mtime_ns):
        raise TableError(f"{path}: changed while it was read; let nothing write to it.")
    return found


def _changed(hashed: FileHash) -> bool:
    try:
        status = hashed.path.stat()
    except OSError:
        return True
    return (status.st_size, status.st_mtime_ns) != (hashed.size, hashed.mtime_ns)
