"""Files that appear whole and survive a crash: temporary name, fsync, rename, fsync of the folder.

A writer holds a lock (flock) on its temporary file, so that a sweep takes away only the files of
writers that have died.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prunegate.errors import InputError

PARTIAL = ".partial-"
"""Prefix of every temporary file."""

_STEP_S = 0.05


def write_durably(path: Path, content: bytes) -> None:
    """Put a file at ``path``; it lasts once its folder is synced (:func:`sync_folder`)."""
    while True:
        handle, name = tempfile.mkstemp(prefix=PARTIAL, dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file.fileno()).st_nlink == 0:
                    continue  # a sweep was faster than the lock
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
                temporary.replace(path)
            break
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents last, where they are missing."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def sweep(folder: Path) -> int:
    """Remove the temporary files of dead writers in a folder; returns how many."""
    swept = 0
    for path in sorted(folder.glob(f"{PARTIAL}*")):
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
                swept += 1
            finally:
                os.close(handle)
    return swept


def read_regular(path: Path, limit: int) -> bytes:
    """Content of a regular file of at most ``limit`` bytes; never follows a link or waits.

    Raises:
        FileNotFoundError: there is none.
        InputError: a link, a folder, a pipe, too large, or not readable.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(f"{path}: not a regular file")
            content = file.read(limit + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if len(content) > limit:
        raise InputError(f"{path}: larger than the {limit} bytes that it may have")
    return content


@contextmanager
def locked(path: Path, *, exclusive: bool, wait_s: float) -> Iterator[None]:
    """Hold a lock on a file while the block runs.

    Raises:
        InputError: another process keeps it for longer than ``wait_s``, or it cannot be made.
    """
    flags = os.O_RDWR | os.O_CREAT if exclusive else os.O_RDONLY
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise InputError(f"{path}: cannot be opened ({error.strerror})") from error
    try:
        _wait_for(handle, path, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH, wait_s)
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int, path: Path, kind: int, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise InputError(
                    f"{path}: another process is sealing this log; let it finish and run this again"
                ) from error
            time.sleep(_STEP_S)
        else:
            return
