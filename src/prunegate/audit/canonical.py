"""Canonical bytes: one byte string for one record, so that a digest names it (RFC 8785, JCS)."""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cache
from typing import Any

from prunegate.errors import InternalError

_SCALARS = (str, int, float, bool)


def plain_json(value: Any) -> Any:
    """A dataclass tree as plain JSON values (tuples become lists).

    A field that is marked ``absent_if_none`` is left out where it is None.
    """
    if value is None or type(value) in _SCALARS:
        return value
    if isinstance(value, str):  # a sentence that knows what it says
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        said = [(name, always, getattr(value, name)) for name, always in _fields(type(value))]
        return {name: plain_json(item) for name, always, item in said if always or item is not None}
    if isinstance(value, dict):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_json(item) for item in value]
    return value


@cache
def _fields(kind: type) -> list[tuple[str, bool]]:
    """A dataclass's fields by name, and whether each is there where it is None."""
    return [(f.name, not f.metadata.get("absent_if_none")) for f in dataclasses.fields(kind)]


def canonical_bytes(value: Any) -> bytes:
    """RFC 8785 bytes of a dataclass tree or plain JSON value.

    Raises:
        InternalError: a NaN, an infinity or a value that JSON cannot hold.
    """
    import rfc8785

    try:
        content: bytes = rfc8785.dumps(plain_json(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise InternalError(f"a record value has no canonical JSON form: {error}") from error
    return content


def digest(value: Any) -> str:
    """sha256 of the canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()
