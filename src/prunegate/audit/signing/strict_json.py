"""Strict JSON: evidence has one spelling only, so that two readers cannot read it differently."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from prunegate.audit.canonical import canonical_bytes
from prunegate.errors import EvidenceError, InternalError
from prunegate.policy.wording import show
from prunegate.text.escape import one_line


def parse_object(content: bytes, where: str) -> dict[str, Any]:
    """The JSON object that some canonical (RFC 8785) bytes hold; ``where`` names them in messages.

    Raises:
        EvidenceError: not JSON, a key that occurs twice, not canonical, or no object.
    """
    try:
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{where}: not JSON ({one_line(str(error))})") from error
    if not isinstance(value, dict):
        raise EvidenceError(f"{where}: a JSON object was expected")
    try:
        same = canonical_bytes(value) == content
    except (InternalError, RecursionError):  # numbers past 2**53, half characters, endless depth
        same = False
    if not same:
        raise EvidenceError(f"{where}: its bytes are not canonical JSON (RFC 8785)")
    return value


def require_keys(value: Any, keys: frozenset[str], where: str) -> None:
    """That a value is an object of exactly these keys.

    Raises:
        EvidenceError: it is none, lacks a key, or has one that is not known.
    """
    if not isinstance(value, dict):
        raise EvidenceError(f"{where}: a JSON object was expected")
    if unknown := sorted(value.keys() - keys):
        raise EvidenceError(f"{where}: has a field that is not known: {show(unknown[0])}")
    if missing := sorted(keys - value.keys()):
        raise EvidenceError(f"{where}: lacks the field '{missing[0]}'")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {show(key)} occurs twice")
        found[key] = value
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
