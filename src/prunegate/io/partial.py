"""What is in the making: a file or folder under a name of its own, swept if its writer has died.

A writer holds a lock (flock) on what it makes. Where it is killed, the lock goes and the file
stays; whoever makes something in the same place next takes it away.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PARTIAL = ".partial-"
"""How the names of files and folders in the making begin."""
SUFFIX = ".prunegate"
"""How they end: nothing else is ours to take away."""


@contextmanager
def partial_file(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Yield a new file and its name, to be filled and renamed; gone at the end if it was not.

    Raises:
        OSError: the disk refuses.
    """
    while True:
        handle, name = tempfile.mkstemp(prefix=PARTIAL, suffix=SUFFIX, dir=folder)
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                if not _held(handle):
                    continue
                yield file, path
                return
        finally:
            path.unlink(missing_ok=True)


def put_file(path: Path, content: bytes, *, synced: bool) -> None:
    """Put a file that all may read at its place, whole or not at all.

    Args:
        path: its place; what stands there is replaced.
        content: of the file.
        synced: whether the bytes have to outlive a crash of the machine.

    Raises:
        OSError: the disk refuses; what stood there is untouched.
    """
    with partial_file(path.parent) as (file, making):
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), 0o644)
        if synced:
            os.fsync(file.fileno())
        making.replace(path)


@contextmanager
def partial_folder(above: Path) -> Iterator[Path]:
    """Yield a new private folder, to be filled and renamed; gone at the end if it was not.

    Raises:
        OSError: the disk refuses.
    """
    folder, handle = held_folder(above, PARTIAL)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def held_folder(above: Path, prefix: str) -> tuple[Path, int]:
    """Make a private folder, after a sweep; the handle holds its lock until it is closed.

    Raises:
        OSError: the disk refuses.
    """
    sweep(above, f"{glob.escape(prefix)}*{SUFFIX}")
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=SUFFIX, dir=above))
        with contextlib.suppress(FileNotFoundError):  # a sweep was faster
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            if _held(handle):
                return folder, handle
            os.close(handle)


def sweep(folder: Path, named: str = f"{PARTIAL}*{SUFFIX}") -> int:
    """Take away what writers that have died left in a folder; returns how many.

    Args:
        folder: where.
        named: a pattern of names that are ours there.
    """
    swept = 0
    for path in sorted(folder.glob(named)):
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
                swept += 1
            finally:
                os.close(handle)
    return swept


def _held(handle: int) -> bool:
    """Lock what was just made; False: a sweep was faster, and it is gone."""
    with contextlib.suppress(OSError):  # a file system without locks, where nothing is swept
        fcntl.flock(handle, fcntl.LOCK_EX)
    return os.fstat(handle).st_nlink > 0
