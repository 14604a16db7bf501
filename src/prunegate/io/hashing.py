"""The content hash of a file, with what is needed to notice a later change.

A hash vouches for bytes at one moment. Only regular files have one: what a link points to can
change without the hash noticing, and a pipe would be waited for.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from prunegate.errors import InputError

_SMALL = 1 << 20
"""Bytes up to which a file is read at once."""


@dataclass(frozen=True, kw_only=True)
class FileHash:
    """A file's content at one moment."""

    path: Path
    size: int
    """Bytes."""
    state: tuple[int, ...]
    """Which file it was, and when its bytes and its entry last changed: whoever writes into it, or
    puts another one in its place, changes it, and can set back the first of the times only."""
    sha256: str
    """Lower-case hexadecimal."""


def file_sha256(path: Path) -> str:
    """The sha256 of one regular file, lower-case hexadecimal.

    Raises:
        InputError: as :func:`hash_file`.
    """
    return hash_file(path).sha256


def hash_file(path: Path, *, follow: bool = True, error: type[InputError] = InputError) -> FileHash:
    """Hash a regular file.

    Args:
        path: the file.
        follow: whether the name may be a symbolic link.
        error: what to raise; it takes a message.

    Raises:
        InputError: it is missing, unreadable, not regular, or changed while it was read.
    """
    # O_NONBLOCK: opening a named pipe must not wait for somebody to write to it.
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        with os.fdopen(os.open(path, flags), "rb", 0) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise error(f"{path}: not a regular file; give files, not folders or pipes.")
            small = before.st_size <= _SMALL
            digest = hashlib.sha256(file.read()) if small else hashlib.file_digest(file, "sha256")
            after = os.fstat(file.fileno())
    except OSError as why:
        raise error(f"{path}: cannot be read ({why.strerror}); check the path.") from why
    found = FileHash(
        path=path, size=before.st_size, state=_state(before), sha256=digest.hexdigest()
    )
    if _state(after) != found.state:
        raise error(f"{path}: changed while it was read; let nothing write to it.")
    return found


def has_changed(hashed: FileHash) -> bool:
    """Whether a path is no longer what was hashed: another file, or one that was written to."""
    try:
        return _state(hashed.path.stat()) != hashed.state
    except OSError:
        return True


def _state(status: os.stat_result) -> tuple[int, ...]:
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (status.st_dev, status.st_ino, status.st_size, *times)
