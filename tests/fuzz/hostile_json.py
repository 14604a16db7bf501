"""A mutator that keeps JSON JSON: one value somewhere becomes another one, or goes, or comes twice.

Changing bytes alone seldom leaves a document that a reader looks into.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**31, 2**53 - 1, 2**53, 2**63, -(2**63) - 1, 10**40, 0.5, -0.0, 5e-324,
    1.7976931348623157e308, "", "0", "1", "NaN", "-inf", "../../x", "a\u2028b", "\u202e", "\ud800",
    "::error::", "<script>", "0" * 64, "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", [], {}, [[]],
    {"": 0}, [0] * 300,
)  # fmt: skip
"""What readers stumble over."""


def mutated(content: bytes, seed: int) -> bytes | None:
    """The document with one value changed; None where the bytes are no JSON object or list."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    places = list(_places(value))
    if not places:
        return None
    draw = random.Random(seed)  # noqa: S311  # a fuzzer's choices, no secrets
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        _change(*draw.choice(places), draw)
    if draw.random() < 0.5:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
    return json.dumps(value).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with each of its keys."""
    if not isinstance(value, dict | list):
        return
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _change(holder: Any, key: Any, draw: random.Random) -> None:
    if isinstance(holder, list) and key >= len(holder):
        return
    if isinstance(holder, dict) and key not in holder:
        return
    match draw.randrange(4):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[draw.choice(("", "x", key + " ", "format"))] = holder[key]
        case 2 if isinstance(holder[key], int | float):
            holder[key] = holder[key] * draw.choice((-1, 2, 1e9)) + draw.choice((0, 1, -1))
        case _:
            holder[key] = draw.choice(VALUES)
