"""The head map: which attention heads were kept, and how much of its layer each one carried."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import altair as alt

from prunegate.audit.record import Compression, DecisionRecord
from prunegate.report import svg
from prunegate.report.drawing import KEPT
from prunegate.report.svg import SHARES
from prunegate.text import numbers

_LEFT, _PLOT, _LARGEST = 56, 374, 38
_RIGHT = 10


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """One layer in words."""

    layer: str
    kept: str
    removed: str
    neurons: str


@dataclass(frozen=True, kw_only=True)
class HeadMap:
    """The picture and the same in words."""

    chart: svg.Chart
    shade: str
    """What the shade of a head says; empty where the heads were not ranked."""
    summary: str
    rows: tuple[LayerRow, ...]


def head_map(record: DecisionRecord) -> HeadMap | None:
    """The head map of a record; None without compression or without heads."""
    compression = record.compression
    if compression is None or not compression.heads_before:
        return None
    before, kept = sum(compression.heads_before), sum(map(len, compression.heads_kept))
    layers = len(compression.heads_before)
    left = compression.layers_kept
    places = f"{layers} layers" if left is None else f"{len(left)} of {layers} layers"
    summary = f"{kept} of {before} attention heads kept, in {places}"
    return HeadMap(
        chart=_chart(compression, summary),
        shade=_shade(compression),
        summary=summary,
        rows=tuple(_row(compression, layer) for layer in range(layers)),
    )


def _shade(compression: Compression) -> str:
    shares = [share for layer in compression.head_share for share in layer]
    if not shares:
        return ""
    least, most = numbers.share(min(shares)), numbers.share(max(shares))
    return (
        "The darker a head, the larger its share of its layer’s importance when the heads were "
        f"ranked, from {least} to {most}."
    )


def _row(compression: Compression, layer: int) -> LayerRow:
    kept = compression.heads_kept[layer]
    gone = sorted(set(range(compression.heads_before[layer])) - set(kept))
    return LayerRow(
        layer=str(layer + 1),
        kept=_listed(kept),
        removed=_listed(gone),
        neurons=_neurons(compression, layer),
    )


def _listed(heads: tuple[int, ...] | list[int]) -> str:
    return ", ".join(str(head + 1) for head in sorted(heads)) or "none"


def _neurons(compression: Compression, layer: int) -> str:
    if layer >= min(len(compression.neurons_before), len(compression.neurons_kept)):
        return numbers.NOT_DEFINED
    before, kept = compression.neurons_before[layer], compression.neurons_kept[layer]
    return f"{numbers.count(before)} → {numbers.count(kept)}"


def _chart(compression: Compression, summary: str) -> svg.Chart:
    layers, widest = len(compression.heads_before), max(compression.heads_before)
    return _drawn_heads(json.dumps(_cells(compression)), layers, widest, summary)


@lru_cache(maxsize=KEPT)
def _drawn_heads(cells: str, layers: int, widest: int, summary: str) -> svg.Chart:
    cell = min(_LARGEST, _PLOT / max(widest, 1))
    chart = alt.layer(*_layers(json.loads(cells), cell)).encode(
        x=_scale("head:O", "head", widest, alt.X), y=_scale("layer:O", "layer", layers, alt.Y)
    )
    specification = svg.specified(
        chart,
        width=round(cell * widest),
        height=round(cell * layers),
        padding={
            "left": _LEFT,
            "right": _RIGHT + _PLOT - round(cell * widest),
            "top": 6,
            "bottom": 44,
        },
    )
    description = f"{summary}. Removed heads are crossed out; the table below lists them by layer."
    return svg.Chart(
        specification=specification,
        name="heads",
        title="Attention heads by layer",
        description=description,
    )


def _scale(field: str, title: str, size: int, channel: type[alt.X] | type[alt.Y]) -> alt.X | alt.Y:
    every = max(1, -(-size // 12))
    shown = [n for n in range(1, size + 1) if (n - 1) % every == 0]
    axis = alt.Axis(values=shown, title=title, labelAngle=0, domain=False, ticks=False)
    domain = list(range(1, size + 1))
    return channel(field, scale=alt.Scale(domain=domain, padding=0), axis=axis)


def _cells(compression: Compression) -> list[dict[str, float | int | bool]]:
    ranked = compression.head_share
    return [
        {
            "layer": layer + 1,
            "head": head + 1,
            "kept": head in compression.heads_kept[layer],
            "share": ranked[layer][head] if ranked else 1.0,
        }
        for layer, heads in enumerate(compression.heads_before)
        for head in range(heads)
    ]


def _layers(cells: list[dict[str, float | int | bool]], cell: float) -> list[alt.Chart]:
    kept = [c for c in cells if c["kept"]]
    removed = [c for c in cells if not c["kept"]]
    most = max((float(c["share"]) for c in cells), default=1.0)
    shade = alt.Color("share:Q", scale=alt.Scale(domain=[0, most], range=list(SHARES)), legend=None)
    block = {"width": {"band": 0.9}, "height": {"band": 0.9}, "cornerRadius": cell / 8}
    return [
        alt.Chart(alt.Data(values=kept)).mark_rect(**block).encode(color=shade),
        alt.Chart(alt.Data(values=removed)).mark_rect(
            fill=svg.PAPER, stroke="#aab3bc", strokeWidth=1, **block
        ),
        alt.Chart(alt.Data(values=removed)).mark_text(
            text="×", color=svg.MUTED, fontSize=cell * 0.6, baseline="middle"
        ),
    ]
