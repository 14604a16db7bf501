"""Canonical JSON: evidence has one spelling only, so that two readers cannot read it differently.

``json`` writes what RFC 8785 asks for where all is ASCII and every number a short integer, as most
evidence is: then comparing the bytes with its own shows them to be canonical, at a tenth of the
cost. All else is read and spelled by the slower ways, which alone refuse.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from prunegate.audit.canonical import canonical_bytes
from prunegate.errors import EvidenceError, InternalError
from prunegate.models.config_json import parse_value
from prunegate.policy.messages import literal
from prunegate.text.escape import one_line

_LONGEST_INT = 15
"""Digits (with a sign) of a number that is surely below 2**53."""


class _NotPlainError(Exception):
    """A number that ``json`` may spell otherwise than RFC 8785."""


def _not_plain(text: str) -> NoReturn:
    raise _NotPlainError(text)


def _integer(text: str) -> int:
    return int(text) if len(text) <= _LONGEST_INT else _not_plain(text)


_DECODER = json.JSONDecoder(parse_float=_not_plain, parse_int=_integer, parse_constant=_not_plain)
_ENCODER = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    check_circular=False,  # what was parsed is a tree
)


def parse_canonical_object(content: bytes, where: str) -> dict[str, Any]:
    """The JSON object that some canonical (RFC 8785) bytes hold; ``where`` names them in messages.

    Raises:
        EvidenceError: not JSON, a key that occurs twice, not canonical, or no object.
    """
    value = _plain_object(content)
    return _parse_slowly(content, where) if value is None else value


def _plain_object(content: bytes) -> dict[str, Any] | None:
    """The object, where ``json`` alone can tell that the bytes are canonical."""
    try:
        text = content.decode("ascii")
        value, _ = _DECODER.raw_decode(text)  # what follows is seen in the comparison
    except (ValueError, RecursionError, _NotPlainError):
        return None
    return value if isinstance(value, dict) and _ENCODER.encode(value) == text else None


def _parse_slowly(content: bytes, where: str) -> dict[str, Any]:
    try:
        value = parse_value(content)
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
    if value.keys() == keys:
        return
    if unknown := sorted(value.keys() - keys):
        raise EvidenceError(f"{where}: has a field that is not known: {literal(unknown[0])}")
    raise EvidenceError(f"{where}: lacks the field '{min(keys - value.keys())}'")
