"""JSON read without forgiveness: size and nesting bounded, no duplicate keys, no NaN.

Model folders come from other people. Two keys of one name mean two readers may see two models;
NaN and Infinity are not JSON. No torch here.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from prunegate.errors import ModelError

_LARGEST = 16 << 20  # the indices of 200,000 kept neurons take 2 MB


def parse_object(raw: bytes, name: str) -> dict[str, Any]:
    """Parse the bytes of a JSON file whose top level is an object.

    Args:
        raw: UTF-8.
        name: The file, for messages.

    Raises:
        ModelError: anything else than one such object; the message names the reason.
    """
    if len(raw) > _LARGEST:
        raise ModelError(f"{name}: {len(raw):,} bytes; at most {_LARGEST:,} are read.")
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except RecursionError as error:
        raise ModelError(f"{name}: nested too deeply to be a model's description.") from error
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise ModelError(f"{name}: not valid JSON: {error}. Copy the file again.") from error
    if not isinstance(value, dict):
        raise ModelError(f"{name}: expected a JSON object, got {type(value).__name__}.")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice!r} occurs twice")
    return found


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")
