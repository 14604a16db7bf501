"""What a measurements document may hold: every mistake in it, each with its place."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from prunegate.cost.measurement import Estimate95, GenerationTiming, Measurements, ModelFigures
from prunegate.text.escape import escaped

FORMAT = "urn:prunegate:measurements:v1"
INTERVALS = ("cpu_ratio", "latency_ratio", "noise", "cpu_noise")
OF_GENERATION = ("ttft_ratio", "tpot_ratio", "ttft_noise", "tpot_noise")
SELDOM = ("files", "ttft_ms", "tpot_ms", "zeros", "quantized")
"""Of a model: left out where there is nothing to say."""
_REQUIRED = {"format", "created", "engine", "batch", "threads", "rounds", "quiet"}
_REQUIRED |= {"baseline", "candidate"}
_LATENCIES = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms")


def mistakes_in(document: Any) -> Iterator[str]:
    """Yield every mistake of a parsed document; none means that it can be built."""
    if not isinstance(document, dict):
        yield f"got {_shown(document)}, expected an object"
        return
    yield from _keys(document, [field.name for field in fields(Measurements)], "", _REQUIRED)
    for key, value in document.items():
        if key in _CHECKS and not (value is None and key in (*INTERVALS, "generation")):
            yield from _CHECKS[key](value, key)
    yield from _strangers(document)


def _others(value: Any, where: str) -> Iterator[str]:
    """Measurements in a measurement, one level deep."""
    if not isinstance(value, list | tuple):
        yield f"{where}: got {_shown(value)}, expected a list of measurements"
        return
    for place, one in enumerate(value):
        if isinstance(one, dict) and one.get("others"):
            yield f"{where}[{place}].others: measurements are one level deep; leave it out"
            continue
        yield from (f"{where}[{place}].{mistake}" for mistake in mistakes_in(one))


def _strangers(document: Mapping[str, Any]) -> Iterator[str]:
    """Measurements of other models, or twice the same batch, among those of this file."""
    others = document.get("others")
    listed = others if isinstance(others, list | tuple) else ()
    parts = [one for one in listed if isinstance(one, dict)]
    for role in ("baseline", "candidate"):
        digests = [_digest_of(part, role) for part in (document, *parts)]
        if any(digest != digests[0] for digest in digests):
            yield f"others: not all of the same {role} (its digest differs)"
    batches = [part.get("batch") for part in (document, *parts)]
    if any(batch in batches[:place] for place, batch in enumerate(batches)):
        yield f"others: a batch size occurs twice among {_shown(batches)}"


def _digest_of(part: Mapping[str, Any], role: str) -> Any:
    model = part.get(role)
    return model.get("digest") if isinstance(model, dict) else None


def _figures(value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: got {_shown(value)}, expected an object"
        return
    yield from _keys(value, [field.name for field in fields(ModelFigures)], f"{where}.", set())
    for key, figure in value.items():
        if figure is not None and key in _FIGURES:
            yield from _FIGURES[key](figure, f"{where}.{key}")
    known = [value[key] for key in _LATENCIES if _is_number(value.get(key))]
    if known != sorted(known):
        yield f"{where}: latency percentiles fall ({known}); p50 <= p95 <= p99 has to hold"


def _interval(value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: got {_shown(value)}, expected an object with value, low, high"
        return
    names = [field.name for field in fields(Estimate95)]
    wrong = [*_keys(value, names, f"{where}.", set(names))]
    for key in names:
        if key in value:
            wrong += _above_zero(value[key], f"{where}.{key}")
    if not wrong and not value["low"] <= value["value"] <= value["high"]:
        wrong.append(f"{where}: low <= value <= high has to hold")
    yield from wrong


def _generation(value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: got {_shown(value)}, expected an object"
        return
    names = [field.name for field in fields(GenerationTiming)]
    yield from _keys(value, names, f"{where}.", set(names))
    for key, found in value.items():
        if key in OF_GENERATION:
            yield from _interval(found, f"{where}.{key}")
        elif key in names:
            yield from _above_nothing(found, f"{where}.{key}")


def _keys(
    found: Mapping[str, Any], known: list[str], where: str, needed: set[str]
) -> Iterator[str]:
    for key in found:
        if key not in known:
            yield f"{where}{escaped(key)}: unknown key; expected one of {', '.join(known)}"
    for key in sorted(needed - found.keys()):
        yield f"{where}{key}: missing"


def _above_zero(value: Any, where: str) -> Iterator[str]:
    if not _is_number(value) or not 0 < value < math.inf:
        yield f"{where}: got {_shown(value)}, expected a number above zero"


def _count(value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        yield f"{where}: got {_shown(value)}, expected a whole number, not negative"


def _above_nothing(value: Any, where: str) -> Iterator[str]:
    if [*_count(value, where)] or value == 0:
        yield f"{where}: got {_shown(value)}, expected a whole number above zero"


def _text(value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, str) or not value or len(value) > 2000:
        yield f"{where}: got {_shown(value)}, expected text"


def _exactly_format(value: Any, where: str) -> Iterator[str]:
    if value != FORMAT:
        yield f"{where}: got {_shown(value)}, expected {FORMAT!r}"


def _digest(value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
        yield f"{where}: got {_shown(value)}, expected 64 lower-case hexadecimal digits"


def _flag(value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{where}: got {_shown(value)}, expected true or false"


def _moment(value: Any, where: str) -> Iterator[str]:
    try:
        aware = isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is not None
    except ValueError:
        aware = False
    if not aware:
        yield f"{where}: got {_shown(value)}, expected a time with its zone"


def _texts(value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
        yield f"{where}: got {_shown(value)}, expected an object of texts"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


_Check = Callable[[Any, str], Iterator[str]]
_CHECKS: dict[str, _Check] = {
    "format": _exactly_format,
    "created": _moment,
    "engine": _text,
    "batch": _above_nothing,
    "threads": _above_nothing,
    "rounds": _above_nothing,
    "baseline": _figures,
    "candidate": _figures,
    "cpu_ratio": _interval,
    "latency_ratio": _interval,
    "noise": _interval,
    "cpu_noise": _interval,
    "quiet": _flag,
    "environment": _texts,
    "generation": _generation,
    "others": _others,
}
_FIGURES: dict[str, _Check] = {
    "digest": _digest,
    "files": _texts,
    "model_bytes": _count,
    "parameters": _count,
    "zeros": _count,
    "quantized": _flag,
    "active_heads": _count,
    "peak_memory_bytes": _count,
    "flops": _count,
    "throughput_per_s": _above_zero,
    "cpu_ms": _above_zero,
    "ttft_ms": _above_zero,
    "tpot_ms": _above_zero,
    **dict.fromkeys(_LATENCIES, _above_zero),
}
