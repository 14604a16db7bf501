"""surgery.json, written and read: strict, versioned, one clear refusal.

Candidate folders come from other people: a key too many, an index twice, a number of the wrong
kind or size is refused before anything is built from it. No torch here.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from itertools import pairwise
from typing import Any, cast

from prunegate.errors import ModelError
from prunegate.models.kept import Indices
from prunegate.models.strict_json import parse_object
from prunegate.models.surgery import SURGERY_FILE, ImportanceSummary, NeuronSummary, Surgery

FORMAT = "prunegate-candidate/1"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_LAYERS = 10_000


class _WrongError(Exception):
    """A value that the format does not allow; becomes a ModelError that names the file."""


def to_json(surgery: Surgery) -> bytes:
    """Write the manifest: UTF-8, one line per top-level key, the same surgery, the same bytes."""
    plain = {field.name: getattr(surgery, field.name) for field in fields(surgery)}
    if surgery.importance is not None:
        plain["importance"] = {
            "criterion": surgery.importance.criterion,
            "heads": surgery.importance.heads,
            "neurons": [vars(layer) for layer in surgery.importance.neurons],
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
        raise ModelError(f"{name}: not a {FORMAT} manifest; write it with 'prunegate run'.")
    try:
        return _surgery(found)
    except _WrongError as error:
        raise ModelError(f"{name}: {error}; write it again with 'prunegate run'.") from error


def _surgery(found: dict[str, Any]) -> Surgery:
    expected = {field.name for field in fields(Surgery)}
    for problem, names in (("missing", expected - set(found)), ("unknown", set(found) - expected)):
        if names:
            raise _WrongError(f"{problem} keys {', '.join(sorted(names))}")
    heads, neurons = _indices(found, "heads"), _indices(found, "neurons")
    if len(heads) != len(neurons):
        raise _WrongError(f"heads has {len(heads)} layers, neurons {len(neurons)}")
    recipe = _list(found, "recipe")
    if not all(isinstance(step, dict) for step in recipe):
        raise _WrongError("recipe has to be a list of objects")
    return Surgery(
        architecture=_text(found, "architecture"),
        config=_object(found, "config"),
        heads=heads,
        neurons=neurons,
        parameters=_whole_number(found, "parameters"),
        weights_sha256=_sha256(found, "weights_sha256"),
        baseline_digest=_sha256(found, "baseline_digest"),
        recipe=tuple(recipe),
        seed=_whole_number(found, "seed"),
        importance=_importance(found, layers=len(heads)),
    )


def _importance(found: dict[str, Any], layers: int) -> ImportanceSummary | None:
    if found["importance"] is None:
        return None
    importance = _object(found, "importance")
    if set(importance) != {"criterion", "heads", "neurons"}:
        raise _WrongError("importance needs exactly criterion, heads, neurons")
    heads, neurons = _list(importance, "heads"), _list(importance, "neurons")
    if not len(heads) == len(neurons) == layers:
        raise _WrongError(f"importance has to have {layers} layers")
    return ImportanceSummary(
        criterion=_text(importance, "criterion"),
        heads=tuple(tuple(_share(share) for share in _rows(layer)) for layer in heads),
        neurons=tuple(_neuron_summary(layer) for layer in neurons),
    )


def _neuron_summary(layer: object) -> NeuronSummary:
    if not isinstance(layer, dict) or set(layer) != {"minimum", "median", "maximum"}:
        raise _WrongError("importance: neurons need minimum, median, maximum per layer")
    return NeuronSummary(**{name: _number(value) for name, value in layer.items()})


def _share(value: object) -> float | None:
    if value is None:
        return None
    share = _number(value)
    if not 0 <= share <= 1:
        raise _WrongError(f"importance: a share of {share!r} is not between 0 and 1")
    return share


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _WrongError(f"importance: {value!r} is not a number")
    number = float(value)
    if not abs(number) < float("inf"):  # 1e999 parses to infinity
        raise _WrongError("importance: not finite")
    return number


def _indices(found: dict[str, Any], name: str) -> Indices:
    layers = _list(found, name)
    if not 1 <= len(layers) <= _MOST_LAYERS:
        raise _WrongError(f"{name} has {len(layers)} layers; expected 1 to {_MOST_LAYERS}")
    return tuple(_layer(_rows(layer), name, index) for index, layer in enumerate(layers))


def _layer(layer: list[Any], name: str, index: int) -> tuple[int, ...]:
    if not layer:
        raise _WrongError(f"{name} of layer {index}: empty; at least one is kept")
    if not all(type(unit) is int and unit >= 0 for unit in layer):
        raise _WrongError(f"{name} of layer {index}: indices have to be whole numbers from 0")
    if any(a >= b for a, b in pairwise(layer)):
        raise _WrongError(f"{name} of layer {index}: indices have to ascend, each once")
    return tuple(layer)


def _rows(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _WrongError(f"expected a list per layer, got {type(value).__name__}")
    return value


def _list(found: dict[str, Any], name: str) -> list[Any]:
    return cast("list[Any]", _typed(found, name, list))


def _object(found: dict[str, Any], name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", _typed(found, name, dict))


def _text(found: dict[str, Any], name: str) -> str:
    return cast("str", _typed(found, name, str))


def _sha256(found: dict[str, Any], name: str) -> str:
    text = _text(found, name)
    if not _SHA256.fullmatch(text):
        raise _WrongError(f"{name} has to be 64 lower-case hexadecimal characters")
    return text


def _whole_number(found: dict[str, Any], name: str) -> int:
    number = cast("int", _typed(found, name, int))
    if isinstance(number, bool) or not 0 <= number < 1 << 63:
        raise _WrongError(f"{name} has to be a whole number from 0 below 2**63")
    return number


def _typed(found: dict[str, Any], name: str, kind: type) -> object:
    value = found[name]
    if not isinstance(value, kind):
        raise _WrongError(f"{name} has to be {kind.__name__}, got {type(value).__name__}")
    return value
