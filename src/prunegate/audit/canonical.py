"""Canonical bytes: one byte string for one record, so that a digest names it (RFC 8785, JCS)."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from prunegate.errors import InternalError


def plain_json(value: Any) -> Any:
    """A dataclass tree as plain JSON values (tuples become lists).

    A field that is marked ``absent_if_none`` is left out where it is None.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        said = [(f, getattr(value, f.name)) for f in dataclasses.fields(value)]
        return {
            f.name: plain_json(item)
            for f, item in said
            if item is not None or not f.metadata.get("absent_if_none")
        }
    if isinstance(value, dict):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_json(item) for item in value]
    return value


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
