"""Files and folders that appear whole or not at all: written beside their place, then renamed.

An error, a full disk, Ctrl-C or a polite end (SIGTERM) leaves what stood there before, and nothing
that looks like a result. The audit log does more (names that survive a crash of the machine) in
``audit.log.durable_files``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from prunegate.errors import InputError
from prunegate.io.partial import partial_folder, put_file, sweep

PAGE, BILL = b"<!DOCTYPE html>", b'"bomFormat"'
"""What a page, and a bill of materials, hold near their beginning."""
_NEAR = 4096


def require_new(path: Path, *, force: bool, kind: bytes = b"") -> None:
    """Refuse a file's place before anything takes long; nothing is made yet.

    Args:
        path: the place.
        force: write over a file that is there.
        kind: what a file holds near its beginning that may be written over; empty: any may.

    Raises:
        InputError: a folder; a file that is there without ``force``, or is of another kind.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file")
    if path.exists() and not force:
        raise InputError(f"{path} is there already; name another file, or add --force")
    if path.is_file() and kind and kind not in _beginning(path):
        raise InputError(
            f"{path} is there already and is no earlier one of these, which is all that --force "
            "writes over; name another file"
        )


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_NEAR)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file of a command's, over an earlier one if there is one.

    Raises:
        InputError: it cannot be written (a full disk, for example).
    """
    try:
        replace_file(path, content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def write_each(contents: Mapping[Path, bytes]) -> None:
    """Write several files, each whole; where one fails or is broken off, no new one stays.

    Raises:
        InputError: one cannot be written.
    """
    new = [path for path in contents if not os.path.lexists(path)]
    try:
        for path, content in contents.items():
            write_whole(path, content)
    except BaseException:
        for path in new:
            with suppress(OSError):  # never made
                path.unlink()
        raise


def replace_file(path: Path, content: bytes) -> None:
    """Write a file that all may read; folders above it are made if need be.

    Raises:
        OSError: the disk refuses; what stood there is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    put_file(path, content, synced=False)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``folder`` that takes its place when the block ends well.

    Args:
        folder: new or empty; its parent is made if need be.

    Raises:
        OSError: the disk refuses, or the folder is taken.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(folder.parent) as making:
        yield making
        making.chmod(0o755)  # it was made private
        making.rename(folder)  # replaces an empty folder, fails on any other


def write_folder(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write a folder of files that outlives a crash of the machine.

    Args:
        folder: new or empty; its parent is made if need be.
        content: bytes by file name; a name may begin with those of folders and ``/``.

    Raises:
        OSError: the disk refuses, or the folder is taken.
    """
    with whole_folder(folder) as making:
        for name, raw in content.items():
            (making / name).parent.mkdir(parents=True, exist_ok=True)
            with (making / name).open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())


def move_over(source: Path, target: Path) -> None:
    """Put every file of a folder over its namesake; what else stands in the target stays.

    Raises:
        OSError: the disk refuses.
    """
    for item in sorted(source.iterdir()):
        place = target / item.name
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        os.replace(item, place)  # noqa: PTH105  # replaces files and links alike, atomically
