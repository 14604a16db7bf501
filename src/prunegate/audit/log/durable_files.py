"""Files that appear whole and survive a crash: written aside, synced, renamed, folder synced."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prunegate.errors import InputError
from prunegate.io.partial import put_file, sweep

_STEP_S = 0.05


def write_durably(path: Path, content: bytes) -> None:
    """Put a file at ``path``; it lasts once its folder is synced (:func:`sync_folder`).

    What writers that were killed left in the folder goes first.
    """
    sweep(path.parent)
    put_file(path, content, synced=True)


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
