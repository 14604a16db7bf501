"""Read a record back: canonical and whole, or no record; its verdict follows, or no evidence.

Every command that shows, renders, signs or logs a record reads it here, so that none lends its
words to an outcome that the record's own findings and policy do not give.
"""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from prunegate.audit.canonical import canonical_bytes, plain_json
from prunegate.audit.recompute import require_follows
from prunegate.audit.record import FORMAT, DecisionRecord
from prunegate.errors import EvidenceError, InputError, InternalError
from prunegate.io.file_kinds import is_policy, is_table

LARGEST = 64 << 20
"""Bytes; no record is larger."""


@dataclass(frozen=True, kw_only=True)
class StoredRecord:
    """A record and the very bytes that it was read from."""

    record: DecisionRecord
    content: bytes
    """Canonical JSON."""
    digest: str
    """sha256 of the content, lower-case hexadecimal."""


def read_record(path: Path) -> tuple[DecisionRecord, str]:
    """A record and its digest.

    Raises:
        InputError: no such file, or no record (see ``parse_record``).
        EvidenceError: it calls itself a record and is not canonical, or its outcome does not
            follow from its own findings and policy.
    """
    found = stored_record(path)
    return found.record, found.digest


def stored_record(path: Path) -> StoredRecord:
    """A record with its bytes, of a file or a verdict's folder; raises as ``read_record`` does."""
    path, wanted = record_file(path), "the record.json of a verdict"
    told = "a table" if is_table(path) else "a policy" if is_policy(path) else ""
    if told:
        raise InputError(f"{path} is {told}; give {wanted}")
    content = read_bytes(path, wanted)
    try:
        found = parse_record(content, str(path))
    except InputError as error:
        if _was_changed(content):
            raise EvidenceError(
                f"{error}; take the file as 'prunegate gate' wrote it, or judge again"
            ) from error
        raise
    require_follows(found.record, str(path))
    return found


def record_file(path: Path) -> Path:
    """The record's file, where the folder of its verdict may be given as well."""
    return path / "record.json" if path.is_dir() else path


def kept_form(content: bytes) -> StoredRecord:
    """Our own record as everybody will read it, before it is kept.

    Raises:
        InternalError: it could not be read back, or would be refused as evidence.
    """
    found = own_record(content)
    require_kept(found)
    return found


def own_record(content: bytes) -> StoredRecord:
    """Our own record as it is read back; nothing is worked out again yet.

    Raises:
        InternalError: it could not be read back.
    """
    with _verifiable():
        return parse_record(content, _OWN)


def require_kept(found: StoredRecord) -> None:
    """Work our own record out again, before it is kept.

    Raises:
        InternalError: it would be refused as evidence.
    """
    with _verifiable():
        require_follows(found.record, _OWN)


_OWN = "the record"


@contextmanager
def _verifiable() -> Iterator[None]:
    """What others would be told of a record of ours is an error of ours."""
    try:
        yield
    except (InputError, EvidenceError) as error:
        raise InternalError(f"the record of this verdict cannot be verified: {error}") from error


def read_bytes(path: Path, wanted: str) -> bytes:
    """The bytes of a file that somebody gave; a FIFO or device is refused, not waited for.

    Raises:
        InputError: no such file, too large for a record, or it cannot be read.
    """
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise InputError(f"{path}: not a record file; give {wanted}")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def parse_record(content: bytes, name: str) -> StoredRecord:
    """The record that canonical bytes hold; nothing is worked out again.

    Raises:
        InputError: not JSON, not a record of this version, not in canonical form (so that its
            digest would not be the one it was signed under), or with content that the record of
            this version has no place for.
    """
    value = _value(content, name)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise InputError(f"{name}: not a record of this version ({FORMAT})")
    if not _is_canonical(value, content):
        raise InputError(f"{name}: was changed after it was written; its bytes are not canonical")
    record = _build(name, value)
    if not _holds(plain_json(record), value):
        raise InputError(f"{name}: has a field or a type of value that {FORMAT} does not know")
    return StoredRecord(record=record, content=content, digest=hashlib.sha256(content).hexdigest())


def parse_carried(text: str, name: str) -> StoredRecord:
    """The record that a page carries, whose JSON is spelled so that HTML leaves it alone.

    Raises:
        InputError: as ``parse_record``.
    """
    try:
        content = canonical_bytes(_value(text, name))
    except (InternalError, RecursionError) as error:
        raise InputError(f"{name}: {error}") from error
    return parse_record(content, name)


def parse_json(content: str | bytes) -> Any:
    """Any JSON value in which every key occurs once and every number is one.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deeply.
    """
    return json.loads(content, object_pairs_hook=_unique, parse_constant=_refuse)


def _value(content: str | bytes, name: str) -> Any:
    try:
        return parse_json(content)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{name}: not JSON ({error}); give the record.json of a verdict"
        ) from error


def _was_changed(content: bytes) -> bool:
    """Whether a file calls itself a record, in bytes that nobody writes one in."""
    begins = content.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{")
    if not begins or FORMAT.encode() not in content:
        return False
    try:
        value = _value(content, "")
    except InputError:
        return True
    return not isinstance(value, dict) or not _is_canonical(value, content)


def _is_canonical(value: dict[str, Any], content: bytes) -> bool:
    try:
        return canonical_bytes(value) == content
    except (InternalError, RecursionError):  # a number or text that has no canonical form
        return False


def _build(name: str, value: dict[str, Any]) -> DecisionRecord:
    from pydantic import ValidationError

    try:
        return _validated()(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{name}: {where}: {first['msg']}; this is not a whole record") from error


def begin_reading() -> None:
    """Build what reads records, while something else is waited for."""
    _validated()


@cache
def _validated() -> Callable[[dict[str, Any]], DecisionRecord]:
    """What makes a record of its fields: built once a process, which costs more than a record."""
    from pydantic import TypeAdapter

    return TypeAdapter(DecisionRecord).validate_python


def _holds(whole: Any, part: Any) -> bool:
    """Whether a JSON value has all of another's content; fields added since may be missing."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and _holds(whole[key], part[key]) for key in part)
    if isinstance(whole, list) and isinstance(part, list):
        return len(whole) == len(part) and all(map(_holds, whole, part))
    same = type(whole) is type(part) and whole == part
    return same or canonical_bytes(whole) == canonical_bytes(part)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
