"""Which files a table is read from: a path, a glob or a list, each a regular file of one format.

A path that exists is meant literally, even if its name holds glob characters. Folders, pipes,
devices and addresses on the network are refused by name; nothing is ever fetched.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from prunegate.errors import TableError

Format = Literal["csv", "json", "parquet", "arrow"]
_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
PACKED = {".gz": "gzip", ".zst": "zstd"}
"""Endings of packed files, and what unpacks them."""
_PACKABLE = ("csv", "json")
_ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:/")


@dataclass(frozen=True, kw_only=True)
class TableFiles:
    """The files of one table."""

    paths: tuple[Path, ...]
    """Absolute, at least one, each once; a glob's in sorted order."""
    format: Format
    name: str
    """For messages: the path, or how many files."""
    packing: str | None = None
    """gzip or zstd, of all files; None: they are not packed."""


def find_files(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], *, mixed: bool = False
) -> TableFiles:
    """Find the files that ``source`` means.

    Args:
        source: a path, a glob, or several.
        mixed: whether they may have different formats: then they are more than one table, and the
            format is that of the first.

    Raises:
        TableError: nothing there, something that is no readable file, mixed formats, a file twice.
    """
    items = [source] if isinstance(source, str | os.PathLike) else list(source)
    if not items:
        raise TableError(
            "no table was given; name at least one CSV, JSON lines, Parquet or Arrow file."
        )
    paths = [path for item in items for path in _expand(os.fspath(item))]
    for path in paths:
        _check_file(path)
    _check_once(paths)
    formats = {path: _format(path) for path in paths}
    if len(set(formats.values())) > 1 and not mixed:
        kinds = ", ".join(sorted({" ".join(filter(None, kind)) for kind in formats.values()}))
        raise TableError(f"the files have different formats ({kinds}); give files of one format.")
    name = str(paths[0]) if len(paths) == 1 else f"{len(paths)} files ({paths[0].name}, ...)"
    kind, packing = formats[paths[0]]
    return TableFiles(paths=tuple(paths), format=kind, name=name, packing=packing)


def _expand(text: str) -> list[Path]:
    if _ADDRESS.match(text):
        raise TableError(
            f"{text}: addresses are not read; copy the table here first and give its path."
        )
    if "\x00" in text:
        raise TableError(f"{text!r}: not a path; a path holds no NUL character.")
    path = Path(text).absolute()
    if os.path.lexists(path):
        return [path]
    if glob.has_magic(text):
        found = sorted(Path(match).absolute() for match in glob.glob(text, recursive=True))  # noqa: PTH207  # Path.glob refuses absolute patterns
        if not found:
            raise TableError(f"{text}: no file matches; check the pattern and the folder.")
        return found
    raise TableError(f"{text}: no such file; check the path.")


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror}); check the path.") from error
    if stat.S_ISDIR(status.st_mode):
        raise TableError(f"{path}: a folder, not a table; for all of its files give '{path}/*'.")
    if not stat.S_ISREG(status.st_mode):
        raise TableError(f"{path}: not a regular file; write the table to a file and give that.")
    if status.st_size == 0:
        raise TableError(f"{path}: the file is empty; write the table again.")
    if not os.access(path, os.R_OK):
        raise TableError(f"{path}: permission denied; make the file readable (chmod u+r).")


def _check_once(paths: Sequence[Path]) -> None:
    seen: dict[tuple[int, int], Path] = {}
    for path in paths:
        status = path.stat()
        other = seen.setdefault((status.st_dev, status.st_ino), path)
        if other is not path:
            raise TableError(f"{path}: given twice (also as {other}); its rows would count double.")


def _format(path: Path) -> tuple[Format, str | None]:
    """What a file's name says that it is, and how it is packed."""
    suffix = path.suffix.lower()
    packing = PACKED.get(suffix)
    inner = Path(path.stem).suffix.lower() if packing else suffix
    if inner not in _FORMATS or (packing and _FORMATS[inner] not in _PACKABLE):
        raise TableError(
            f"{path}: unknown kind of table '{inner if packing else ''}{suffix}'; write CSV "
            "(.csv, .tsv) or JSON lines (.jsonl), each also packed (.gz, .zst), Parquet (.parquet) "
            "or Arrow (.arrow, .feather)."
        )
    return _FORMATS[inner], packing
