"""Reading a file that anybody may have written: bounded bytes, and mistakes with their lines."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path as FilePath

from prunegate.errors import InputError, PolicyError
from prunegate.io.file_kinds import is_table
from prunegate.policy.messages import show_path
from prunegate.policy.validation import Mistake, Path
from prunegate.policy.yaml.document import MAX_BYTES, TOO_LONG, Document
from prunegate.policy.yaml.events import REFUSED
from prunegate.text.escape import escaped

Line = tuple[int, int, str]
"""Line, column and words of one mistake; sorts into the file's order."""


_RECORD = b'"urn:prunegate:record:'


def bounded_bytes(path: FilePath, *, kind: str, hint: str) -> bytes:
    """The bytes, at most one more than allowed; a FIFO or device is refused, not waited for.

    Args:
        path: the file.
        kind: what it should be, in words: ``a policy file``.
        hint: what to do where there is no such file.

    Raises:
        InputError: a table or a record in its place, no such file, or it cannot be read.
    """
    if is_table(path):
        raise InputError(
            f"{escaped(str(path))} is a table, but {kind} is YAML; give the table by its option "
            "(--predictions FILE, where the command has it)"
        )
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to returns at once
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise InputError(f"{escaped(str(path))}: no such file; {hint}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{escaped(str(path))}: cannot be read: {reason}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InputError(f"{escaped(str(path))}: not a regular file; give the path of {kind}")
    with os.fdopen(handle, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if data.startswith(b"{") and _RECORD in data:
        raise InputError(
            f"{escaped(str(path))} is the record of a verdict, but {kind} is YAML; "
            "'prunegate report' and 'prunegate status' read a record"
        )
    return data


def as_text(data: bytes, path: FilePath, refused: type[PolicyError] = PolicyError) -> str:
    """The bytes as text.

    Raises:
        PolicyError: too long, or not UTF-8.
    """
    source = escaped(str(path))
    if len(data) > MAX_BYTES:
        raise refused([f"{source}:1: {TOO_LONG}"])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refused([f"{source}:{line}: not UTF-8; save the file as UTF-8"]) from None


def mistake_lines(document: Document, mistakes: Iterable[Mistake]) -> list[Line]:
    """Every flaw of a document and every mistake in it, in the order of the file, each once."""
    told = [Mistake(path=flaw.path, message=flaw.message) for flaw in document.flaws]
    flaws = {
        (*flaw.mark, _words(mistake)) for flaw, mistake in zip(document.flaws, told, strict=True)
    }
    others = {
        (*document.locate(mistake.path), _words(mistake))
        for mistake in mistakes
        if not _is_refused(document.value, mistake.path)
    }
    return sorted(flaws | others)


def _words(mistake: Mistake) -> str:
    where = show_path(mistake.path)
    return f"{where}: {mistake.message}" if where else mistake.message


def _is_refused(value: object, path: Path) -> bool:
    """Whether the reader refused this very value and said so."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
    return value is REFUSED
