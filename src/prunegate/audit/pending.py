"""Pending: each record lies under its own digest, so that branches merge and nothing overwrites.

``audit/pending/<sha256>`` holds the record's canonical bytes; sealing them into the log comes later
and takes them from here.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prunegate.errors import InputError


def pend(content: bytes, folder: Path) -> Path:
    """Write a record's bytes under ``folder/pending/<sha256>``, whole or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    place = _place(content, folder)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".partial-", dir=place.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(place)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror
        raise InputError(f"{folder}: the audit record cannot be written ({reason})") from error
    return place


@contextmanager
def pended(content: bytes, folder: Path) -> Iterator[Path]:
    """Pend a record while the block publishes it; if that fails, what was added goes again.

    A record that was pending before stays: it belongs to an earlier verdict.

    Raises:
        InputError: the folder cannot be written.
    """
    place = _place(content, folder)
    stood = place.exists()
    made = [p for p in (place.parent, folder, *folder.parents) if not p.exists()]
    try:
        yield pend(content, folder)
    except BaseException:
        with suppress(OSError):  # not empty (somebody else's records), or never made
            if not stood:
                place.unlink(missing_ok=True)
            for path in made:
                path.rmdir()
        raise


def _place(content: bytes, folder: Path) -> Path:
    return folder / "pending" / hashlib.sha256(content).hexdigest()
