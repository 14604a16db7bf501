"""Vega-Lite, the language that charts are written in, as plain values that become JSON.

What a chart says is in its own file; here is how each part is spelled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

Values = dict[str, Any]
"""A part of a specification."""
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_TYPES = {"Q": "quantitative", "O": "ordinal", "N": "nominal"}


def channel(field: str, kind: Literal["Q", "O", "N"], **options: Any) -> Values:
    """A field of the data on a channel, as a quantity, in an order, or by name."""
    return {"field": field, "type": _TYPES[kind], **options}


def second(field: str) -> Values:
    """The other end of a mark whose first end is another field, on the same scale."""
    return {"field": field}


def constant(value: Any) -> Values:
    """A channel that has one value for all, in pixels where it is a place."""
    return {"value": value}


def marks(
    kind: str, rows: Iterable[Mapping[str, Any]], look: Mapping[str, Any], **channels: Values
) -> Values:
    """A layer: one kind of mark, for each row or for all of them.

    Args:
        kind: Vega-Lite's name of the mark.
        rows: the data.
        look: how the mark looks.
        channels: what of the data is shown how; what all layers share is not repeated.
    """
    return {
        "data": {"values": [dict(row) for row in rows]},
        "mark": {"type": kind, **look},
        "encoding": channels,
    }


def as_specification(layers: Sequence[Values], channels: Mapping[str, Values], **rest: Any) -> str:
    """Layers as one line of JSON.

    Args:
        layers: from the one below to the one above.
        channels: what all layers share.
        rest: size and settings.
    """
    return json.dumps({"$schema": _SCHEMA, "layer": list(layers), "encoding": channels, **rest})
