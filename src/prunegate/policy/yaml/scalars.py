"""Plain scalars of YAML 1.2's core schema, and what a policy refuses among them.

Takes the text of one unquoted scalar, gives a Python value. ``no``, ``off``, ``1:30`` and dates are
text, ``0o17`` and ``0x1f`` are whole numbers, ``1e-2`` is 0.01. Refused: what two YAML versions
read differently (``010``), and numbers that cannot be compared (``.nan``, ``.inf``, ``1e999``).
"""

from __future__ import annotations

import math
import re

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_AMBIGUOUS = re.compile(r"[-+]?0[0-9]+")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST_NUMBER = 400
_LARGEST = 2**63 - 1

Plain = str | int | float | bool | None


def resolve(text: str) -> Plain:
    """The value of an unquoted scalar.

    Raises:
        ValueError: a number is ambiguous, not finite or too large; the message says what to do.
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"got {text}; a number here must be finite")
    if _AMBIGUOUS.fullmatch(text):
        raise ValueError(_say_ambiguous(text))
    if len(text) <= _LONGEST_NUMBER:
        return _number(text)
    if _FLOAT.fullmatch(text):
        raise ValueError(f"got a number of {len(text)} characters; quote it if it is text")
    return text


def _number(text: str) -> Plain:
    for pattern, base in ((_DECIMAL, 10), (_OCTAL, 8), (_HEXADECIMAL, 16)):
        if pattern.fullmatch(text):
            return _whole(text, base)
    if not _FLOAT.fullmatch(text):
        return text
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(
            f"got {text[:24]}; too large for a number, and a number here must be finite"
        )
    return value


def _whole(text: str, base: int) -> int:
    value = int(text, base)
    if abs(value) > _LARGEST:
        raise ValueError(
            f"got {text[:24]}...; whole numbers go up to {_LARGEST}: quote it if it is text"
        )
    return value


def _say_ambiguous(text: str) -> str:
    sign = "-" if text.startswith("-") else ""
    decimal = sign + (text.lstrip("+-").lstrip("0") or "0")
    readings = "octal in YAML 1.1, decimal in YAML 1.2"
    return f"{text} is ambiguous ({readings}): write {decimal} or '{text}'"
