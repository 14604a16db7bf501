"""Vega-Lite: the few words of its grammar that our charts are written in, as plain values.

A chart is layers of marks over rows, and encodings that all layers share. What is made here is the
language itself (https://vega.github.io/vega-lite/docs/spec.html); ``drawing.py`` has it drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

Values = dict[str, Any]
"""A JSON object."""

_TYPES = {"Q": "quantitative", "O": "ordinal", "N": "nominal"}


def field(name: str, kind: Literal["Q", "O", "N"] | None = None, **how: Any) -> Values:
    """An encoding by a column of the rows.

    Args:
        name: of the column.
        kind: what it holds: Q (quantitative), O (ordinal) or N (nominal); the end of a range holds
            what its beginning does and has none.
        how: ``axis``, ``scale``, ``legend`` and the like.

    >>> field("low", "Q", scale={"nice": False})
    {'field': 'low', 'type': 'quantitative', 'scale': {'nice': False}}
    >>> field("high")
    {'field': 'high'}
    """
    return {"field": name, **({"type": _TYPES[kind]} if kind else {}), **how}


def value(number: float | str) -> Values:
    """An encoding that is the same for every row: pixels, a text."""
    return {"value": number}


def layer(
    rows: Iterable[Mapping[str, Any]], mark: str, encoding: Mapping[str, Values], **style: Any
) -> Values:
    """One kind of mark for each row.

    Args:
        rows: each with its columns.
        mark: ``rect``, ``rule``, ``point``, ``text`` and so on.
        encoding: by channel (``x``, ``y2``, ``color``), from ``field`` or ``value``.
        style: what is the same of every mark.
    """
    return {
        "data": {"values": list(rows)},
        "mark": {"type": mark, **style},
        "encoding": dict(encoding),
    }


def layered(layers: Iterable[Values], **encoding: Values) -> Values:
    """A chart: layers, the first one lowest, and what is encoded alike in all of them."""
    return {"layer": list(layers), "encoding": encoding}
