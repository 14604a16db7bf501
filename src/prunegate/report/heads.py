"""The head map: which attention heads were kept, and how much of its layer each one carried."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from prunegate.audit.record import Compression, DecisionRecord
from prunegate.report import svg
from prunegate.report.drawing import KEPT
from prunegate.report.speech import Speech, speech
from prunegate.report.svg import SHARES
from prunegate.report.vega_lite import Values, field, layer, layered
from prunegate.text import numbers
from prunegate.text.languages import ENGLISH

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


def head_map(record: DecisionRecord, said: Speech | None = None) -> HeadMap | None:
    """The head map of a record, in English or in another language.

    None without compression or without heads.
    """
    compression, own = record.compression, said or speech(ENGLISH)
    if compression is None or not compression.heads_before:
        return None
    summary = _summary(compression, own)
    return HeadMap(
        chart=_chart(compression, _Words.of(summary, own)),
        shade=_shade(compression, own),
        summary=summary,
        rows=tuple(_row(compression, layer, own) for layer in range(len(compression.heads_before))),
    )


@dataclass(frozen=True, kw_only=True)
class _Words:
    """What stands on the chart and beside it."""

    title: str
    shows: str
    head: str
    layer: str

    @classmethod
    def of(cls, summary: str, said: Speech) -> _Words:
        return cls(
            title=said.say("attention.chart"),
            shows=said.say("attention.chart_shows", summary=summary),
            head=said.say("attention.axis_head"),
            layer=said.say("attention.axis_layer"),
        )


def _summary(compression: Compression, said: Speech) -> str:
    told = {
        "kept": said.whole(sum(map(len, compression.heads_kept))),
        "before": said.whole(sum(compression.heads_before)),
        "layers": said.whole(len(compression.heads_before)),
    }
    left = compression.layers_kept
    if left is None:
        return said.say("attention.summary", **told)
    return said.say("attention.summary_left", left=said.whole(len(left)), **told)


def _shade(compression: Compression, said: Speech) -> str:
    shares = [share for layer in compression.head_share for share in layer]
    if not shares:
        return ""
    least, most = (said.figure(numbers.share(end)) for end in (min(shares), max(shares)))
    return said.say("attention.shade", least=least, most=most)


def _row(compression: Compression, layer: int, said: Speech) -> LayerRow:
    kept = compression.heads_kept[layer]
    gone = sorted(set(range(compression.heads_before[layer])) - set(kept))
    none = said.say("attention.none")
    return LayerRow(
        layer=str(layer + 1),
        kept=_listed(kept) or none,
        removed=_listed(gone) or none,
        neurons=_neurons(compression, layer, said),
    )


def _listed(heads: tuple[int, ...] | list[int]) -> str:
    return ", ".join(str(head + 1) for head in sorted(heads))


def _neurons(compression: Compression, layer: int, said: Speech) -> str:
    if layer >= min(len(compression.neurons_before), len(compression.neurons_kept)):
        return said.figure(numbers.NOT_DEFINED)
    before, kept = compression.neurons_before[layer], compression.neurons_kept[layer]
    return said.say("number.change", before=said.whole(before), after=said.whole(kept))


def _chart(compression: Compression, words: _Words) -> svg.Chart:
    layers, widest = len(compression.heads_before), max(compression.heads_before)
    return _drawn_heads(json.dumps(_cells(compression)), layers, widest, words)


@lru_cache(maxsize=KEPT)
def _drawn_heads(cells: str, layers: int, widest: int, words: _Words) -> svg.Chart:
    cell = min(_LARGEST, _PLOT / max(widest, 1))
    chart = layered(
        _layers(json.loads(cells), cell),
        x=_scale("head", words.head, widest),
        y=_scale("layer", words.layer, layers),
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
    return svg.Chart(
        specification=specification,
        name="heads",
        title=words.title,
        description=words.shows,
    )


def _scale(column: str, title: str, size: int) -> Values:
    every = max(1, -(-size // 12))
    shown = [n for n in range(1, size + 1) if (n - 1) % every == 0]
    axis = {"values": shown, "title": title, "labelAngle": 0, "domain": False, "ticks": False}
    domain = list(range(1, size + 1))
    return field(column, scale={"domain": domain, "padding": 0}, axis=axis)


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


def _layers(cells: list[dict[str, float | int | bool]], cell: float) -> list[Values]:
    kept = [c for c in cells if c["kept"]]
    removed = [c for c in cells if not c["kept"]]
    most = max((float(c["share"]) for c in cells), default=1.0)
    scale = {"domain": [0, most], "range": list(SHARES)}
    shade = {"color": field("share", "Q", scale=scale, legend=None)}
    block = {"width": {"band": 0.9}, "height": {"band": 0.9}, "cornerRadius": cell / 8}
    empty = {"fill": svg.PAPER, "stroke": "#aab3bc", "strokeWidth": 1}
    cross = {"text": "×", "color": svg.MUTED, "fontSize": cell * 0.6, "baseline": "middle"}
    return [
        layer(kept, "rect", shade, **block),
        layer(removed, "rect", {}, **empty, **block),
        layer(removed, "text", {}, **cross),
    ]
