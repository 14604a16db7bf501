"""JSON read without forgiveness: no duplicate keys, no NaN, for models size and nesting bounded.

Files come from other people. Two keys of one name mean two readers may see two things; NaN and
Infinity are not JSON. The audit trail reads by the same rules and asks for the canonical spelling
too (``audit/signing/strict_json.py``). No torch here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from prunegate.errors import ModelError
from prunegate.policy.messages import literal

_LARGEST = 16 << 20  # the indices of 200,000 kept neurons take 2 MB


_POSITIONS = ("max_position_embeddings", "n_positions")


def longest_text(config: Mapping[str, Any]) -> int | None:
    """Tokens that a model takes, at most; None: its config does not say."""
    return next((config[name] for name in _POSITIONS if isinstance(config.get(name), int)), None)


def read_object(path: Path) -> dict[str, Any]:
    """Parse a JSON file whose top level is an object; of a longer one no more is read than fits.

    Raises:
        ModelError: as ``parse_object``.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return parse_object(file.read(_LARGEST + 1), str(path))


def parse_object(raw: bytes, name: str) -> dict[str, Any]:
    """Parse the bytes of a JSON file whose top level is an object.

    Args:
        raw: UTF-8.
        name: The file, for messages.

    Raises:
        ModelError: anything else than one such object; the message names the reason.
    """
    if len(raw) > _LARGEST:
        raise ModelError(f"{name}: more than the {_LARGEST:,} bytes that are read of such a file.")
    try:
        value = parse_value(raw)
    except RecursionError as error:
        raise ModelError(f"{name}: nested too deeply to be a model's description.") from error
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise ModelError(f"{name}: not valid JSON: {error}. Copy the file again.") from error
    if not isinstance(value, dict):
        raise ModelError(f"{name}: expected a JSON object, got {type(value).__name__}.")
    return value


def parse_value(raw: bytes) -> Any:
    """Parse UTF-8 JSON of any size.

    Raises:
        ValueError: not UTF-8, not JSON, or a key that occurs twice.
        RecursionError: nested too deeply.
    """
    return json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"the key {literal(twice)} occurs twice")
    return found


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
