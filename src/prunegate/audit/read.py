"""Read a record back: the bytes must be canonical and complete, or they are no record."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NoReturn

from prunegate.audit.canonical import canonical_bytes, plain
from prunegate.audit.record import FORMAT, DecisionRecord
from prunegate.errors import InputError

LARGEST = 64 << 20
"""Bytes; no record is larger."""


def read_record(path: Path) -> tuple[DecisionRecord, str]:
    """A record and its digest.

    Raises:
        InputError: no such file, not JSON, not a record of this version, not in canonical form
            (so that its digest would not be the one it was signed under), or with content that
            the record of this version has no place for.
    """
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise InputError(f"{path}: not a record file; give the record.json of a verdict")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        value = json.loads(content, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: not JSON ({error}); give the record.json of a verdict"
        ) from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise InputError(f"{path}: not a record of this version ({FORMAT})")
    if canonical_bytes(value) != content:
        raise InputError(f"{path}: was changed after it was written; its bytes are not canonical")
    record = _build(path, value)
    if not _holds(plain(record), value):
        raise InputError(f"{path}: has a field or a type of value that {FORMAT} does not know")
    return record, hashlib.sha256(content).hexdigest()


def _build(path: Path, value: dict[str, Any]) -> DecisionRecord:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(DecisionRecord).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}; this is not a whole record") from error


def _holds(whole: Any, part: Any) -> bool:
    """Whether a JSON value has all of another's content; fields added since may be missing."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and _holds(whole[key], part[key]) for key in part)
    if isinstance(whole, list) and isinstance(part, list):
        return len(whole) == len(part) and all(map(_holds, whole, part))
    return canonical_bytes(whole) == canonical_bytes(part)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
