"""Pending entries: each lies under its own digest until it is sealed, so that branches merge.

An entry counts as acknowledged when :func:`add_pending` returns: from then on no crash loses it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from prunegate.audit.log.durable_files import make_folder, read_regular, sync_folder, write_durably
from prunegate.errors import InputError

LARGEST_ENTRY = 65_535
"""Bytes of the largest entry: an entry bundle counts them in two bytes."""

FOLDER = "pending"

_NAME = re.compile(r"[0-9a-f]{64}")


def add_pending(entry: bytes, audit: Path) -> Path:
    """Write an entry under ``audit/pending/<sha256>``, lasting, whole or not at all.

    The same entry again is the same file; one that is already in the log is dropped when sealing.

    Raises:
        InputError: it is empty or larger than an entry may be, or the folder cannot be written.
    """
    if not 0 < len(entry) <= LARGEST_ENTRY:
        raise InputError(
            f"an entry of {len(entry)} bytes; 1 to {LARGEST_ENTRY} fit: put what is big under"
            " evidence/ and name it by its digest"
        )
    place = audit / FOLDER / hashlib.sha256(entry).hexdigest()
    try:
        make_folder(place.parent)
        if not place.exists():
            write_durably(place, entry)
        sync_folder(place.parent)
    except OSError as error:
        raise InputError(f"{audit}: the entry cannot be written ({error.strerror})") from error
    return place


def pending_names(audit: Path) -> list[str]:
    """Names in ``audit/pending``, sorted; hidden files are left out."""
    folder = audit / FOLDER
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def read_pending(audit: Path, name: str) -> bytes:
    """One pending entry, which is what its name says.

    Raises:
        FileNotFoundError: it is not there (any more).
        InputError: the name is no digest, or not that of the content.
    """
    path = audit / FOLDER / name
    if not _NAME.fullmatch(name):
        raise InputError(f"{path}: no pending entry (its name is no sha256); take it out of here")
    entry = read_regular(path, LARGEST_ENTRY)
    if hashlib.sha256(entry).hexdigest() != name:
        raise InputError(f"{path}: its content was changed (the sha256 is not its name)")
    if not entry:
        raise InputError(f"{path}: an empty file is no entry")
    return entry


def each_pending(audit: Path) -> Iterator[tuple[str, bytes]]:
    """Every pending entry with its name; one that was sealed meanwhile is passed over.

    Raises:
        InputError: a file there is no pending entry.
    """
    for name in pending_names(audit):
        try:
            yield name, read_pending(audit, name)
        except FileNotFoundError:
            continue
