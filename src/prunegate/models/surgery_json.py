"""surgery.json, written and read: strict, versioned, one clear refusal.

Candidate folders come from other people: a key too many, an index twice, a number of the wrong
kind or size is refused before anything is built from it. No torch here.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from itertools import pairwise
from typing import Any, Literal, TypeVar, get_args

from prunegate.errors import ModelError
from prunegate.models.config_json import parse_object
from prunegate.models.kept_units import IN_LAYERS, KINDS, Indices, KeptUnits, Kind
from prunegate.models.surgery import SURGERY_FILE, Ranking, Storage, Surgery

FORMAT = "prunegate-candidate/2"

_FORMATS = Literal["float32", "int8", "onnx"]
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_LAYERS = 10_000
_Value = TypeVar("_Value")


class _WrongError(Exception):
    """A value that the format does not allow; becomes a ModelError that names the file."""


def to_json(surgery: Surgery) -> bytes:
    """Write the manifest: UTF-8, one line per top-level key, the same surgery, the same bytes."""
    plain = {field.name: getattr(surgery, field.name) for field in fields(surgery)}
    plain["kept"] = surgery.kept.units
    plain["storage"] = {"format": surgery.storage.format, "quantized": surgery.storage.quantized}
    plain["importance"] = {
        kind: {"criterion": ranking.criterion, "shares": ranking.shares}
        for kind, ranking in surgery.importance.items()
    }
    lines = [
        f' "{name}": {json.dumps(value, allow_nan=False)}'
        for name, value in {"format": FORMAT, **plain}.items()
    ]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def from_json(raw: bytes, name: str = SURGERY_FILE) -> Surgery:
    """Read the manifest.

    Args:
        raw: The file's bytes.
        name: The file, for messages.

    Raises:
        ModelError: not a manifest of this format, or a value of the wrong kind.
    """
    found = parse_object(raw, name)
    if found.pop("format", None) != FORMAT:
        raise ModelError(f"{name}: not a {FORMAT} manifest; write it with 'prunegate compress'.")
    try:
        return _surgery(found)
    except _WrongError as error:
        raise ModelError(f"{name}: {error}; write it again with 'prunegate compress'.") from error


def _surgery(found: dict[str, Any]) -> Surgery:
    expected = {field.name for field in fields(Surgery)}
    for problem, names in (("missing", expected - set(found)), ("unknown", set(found) - expected)):
        if names:
            raise _WrongError(f"{problem} keys {', '.join(sorted(names))}")
    kept = _kept(_object(found, "kept"))
    recipe = _list(found, "recipe")
    if not all(isinstance(step, dict) for step in recipe):
        raise _WrongError("recipe has to be a list of objects")
    return Surgery(
        architecture=_text(found, "architecture"),
        config=_object(found, "config"),
        kept=kept,
        parameters=_whole_number(found, "parameters"),
        zeros=None if found["zeros"] is None else _whole_number(found, "zeros"),
        storage=_storage(_object(found, "storage")),
        weights_sha256=_sha256(found, "weights_sha256"),
        baseline_digest=_sha256(found, "baseline_digest"),
        recipe=tuple(recipe),
        seed=_whole_number(found, "seed"),
        importance=_importance(_object(found, "importance"), kept),
    )


def _kept(found: dict[str, Any]) -> KeptUnits:
    if not found or not set(found) <= set(KINDS):
        raise _WrongError(f"kept has {', '.join(found) or 'nothing'}; known: {', '.join(KINDS)}")
    units = {kind: _indices(found, kind) for kind in KINDS if kind in found}
    kept = KeptUnits(units=units)
    if "layers" in units and len(units["layers"]) != 1:
        raise _WrongError("kept: layers has to be one row")
    for kind in IN_LAYERS:
        if kind in units and "layers" in units:
            present = {row for row, left in enumerate(units[kind]) if left}
            if present != set(units["layers"][0]):
                raise _WrongError(f"kept: {kind} are not in the layers that are kept")
    return kept


def _storage(found: dict[str, Any]) -> Storage:
    if set(found) != {"format", "quantized"}:
        raise _WrongError("storage needs exactly format, quantized")
    if found["format"] not in get_args(_FORMATS):
        raise _WrongError(f"storage: format {found['format']!r} is not known")
    return Storage(format=found["format"], quantized=_object(found, "quantized"))


def _importance(found: dict[str, Any], kept: KeptUnits) -> dict[Kind, Ranking]:
    rankings: dict[Kind, Ranking] = {}
    for kind in kept.kinds:
        if kind in found:
            rankings[kind] = _ranking(_object(found, kind), kind, rows=len(kept.of(kind)))
    if len(rankings) != len(found):
        raise _WrongError("importance is about units that kept does not have")
    return rankings


def _ranking(found: dict[str, Any], kind: Kind, rows: int) -> Ranking:
    if set(found) != {"criterion", "shares"}:
        raise _WrongError("importance needs exactly criterion, shares")
    shares = _list(found, "shares")
    if len(shares) != rows:
        raise _WrongError(f"importance: {kind} have {len(shares)} rows, kept has {rows}")
    return Ranking(
        criterion=_text(found, "criterion"),
        shares=tuple(tuple(_share(share) for share in _rows(row)) for row in shares),
    )


def _share(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _WrongError(f"importance: {value!r} is not a number")
    if not 0 <= value <= 1:  # also 1e999, which parses to infinity, and a whole number past float
        raise _WrongError("importance: a share is not between 0 and 1")
    return float(value)


def _indices(found: dict[str, Any], name: str) -> Indices:
    layers = _list(found, name)
    if not 1 <= len(layers) <= _MOST_LAYERS:
        raise _WrongError(f"{name} has {len(layers)} rows; expected 1 to {_MOST_LAYERS}")
    return tuple(_layer(_rows(layer), name, index) for index, layer in enumerate(layers))


def _layer(layer: list[Any], name: str, index: int) -> tuple[int, ...]:
    if not layer and name not in IN_LAYERS:  # those of a dropped layer are looked at together
        raise _WrongError(f"{name}: row {index} is empty; at least one is kept")
    if not all(type(unit) is int and unit >= 0 for unit in layer):
        raise _WrongError(f"{name}: row {index}: indices have to be whole numbers from 0")
    if any(a >= b for a, b in pairwise(layer)):
        raise _WrongError(f"{name}: row {index}: indices have to ascend, each once")
    return tuple(layer)


def _rows(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _WrongError(f"expected a list per layer, got {type(value).__name__}")
    return value


def _list(found: dict[str, Any], name: str) -> list[Any]:
    return _typed(found, name, list)


def _object(found: dict[str, Any], name: str) -> dict[str, Any]:
    return _typed(found, name, dict)


def _text(found: dict[str, Any], name: str) -> str:
    return _typed(found, name, str)


def _sha256(found: dict[str, Any], name: str) -> str:
    text = _text(found, name)
    if not _SHA256.fullmatch(text):
        raise _WrongError(f"{name} has to be 64 lower-case hexadecimal characters")
    return text


def _whole_number(found: dict[str, Any], name: str) -> int:
    number = _typed(found, name, int)
    if isinstance(number, bool) or not 0 <= number < 1 << 63:
        raise _WrongError(f"{name} has to be a whole number from 0 below 2**63")
    return number


def _typed(found: dict[str, Any], name: str, kind: type[_Value]) -> _Value:
    value = found[name]
    if not isinstance(value, kind):
        raise _WrongError(f"{name} has to be {kind.__name__}, got {type(value).__name__}")
    return value
