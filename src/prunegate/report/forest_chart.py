"""The forest plot: difference, interval and margin of every slice of one metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from prunegate.report import svg
from prunegate.report.drawing import KEPT
from prunegate.report.forest import ForestRow, Panel
from prunegate.report.svg import COLOURS, CONTROL, FORBIDDEN
from prunegate.report.vega_lite import Values, field, layer, layered, value

_WIDTH, _BAND, _LEFT, _RIGHT = 206, 30, 138, 14
_SPREAD = 2.5
"""An interval is drawn up to this many times the span of estimates and margins."""
_POSITION = field("index", "O", axis=None, scale={"padding": 0})


@lru_cache(maxsize=KEPT)
def forest_chart(panel: Panel, number: int) -> svg.Chart:
    """One panel as an SVG, native width 358 so that it stays readable on a telephone."""
    domain = _domain(panel.rows)
    rows = [_values(index, row, domain) for index, row in enumerate(panel.rows)]
    height = _BAND * max(len(rows), 1)
    layers = [*_ground(rows, panel.rows, domain), *_marks(rows), *_labels(rows, panel.undefined)]
    specification = svg.specified(
        layered(layers, x=_axis(domain, panel)),
        width=_WIDTH,
        height=height,
        padding={"left": _LEFT, "right": _RIGHT, "top": 6, "bottom": 44},
    )
    return svg.Chart(
        specification=specification,
        name=f"forest-{number}",
        title=panel.drawn,
        description=panel.description,
    )


def _domain(rows: Sequence[ForestRow]) -> tuple[float, float]:
    """An axis that holds no change, every estimate and every margin, and long intervals in part."""
    core = [0.0, *(m.at for r in rows for m in r.lines)]
    core += [v for r in rows for v in (r.difference, r.control) if v is not None]
    span = max(core) - min(core) or 1.0
    ends = [v for r in rows for v in (r.low, r.high) if v is not None and math.isfinite(v)]
    middle = (max(core) + min(core)) / 2
    low = max(min([*core, *ends]), middle - _SPREAD * span)
    high = min(max([*core, *ends]), middle + _SPREAD * span)
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _ticks(low: float, high: float) -> list[float]:
    raw = (high - low) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= raw)
    first = math.ceil(low / step)
    return [round(i * step, 10) for i in range(first, math.floor(high / step) + 1)]


def _axis(domain: tuple[float, float], panel: Panel) -> Values:
    written = "format(datum.value, '+~f')"
    if panel.decimal != ".":
        written = f"replace({written}, '.', '{panel.decimal}')"
    axis = {
        "values": _ticks(*domain),
        "title": panel.axis,
        "labelExpr": f"datum.value == 0 ? '0' : {written}",
        "gridOpacity": 0.7,
    }
    return field("at", "Q", scale={"domain": list(domain), "nice": False}, axis=axis)


def _values(index: int, row: ForestRow, domain: tuple[float, float]) -> Values:
    return {
        "index": index,
        "label": row.label,
        "status": row.status,
        "at": row.difference,
        "low": _inside(row.low, domain),
        "high": _inside(row.high, domain),
        "control": row.control,
    }


def _inside(value: float | None, domain: tuple[float, float]) -> float | None:
    return None if value is None else min(max(value, domain[0]), domain[1])


def _layer(rows: Iterable[Values], mark: str, encoding: Values, **style: Any) -> Values:
    return layer(rows, mark, {**encoding, "y": _POSITION}, **style)


def _ground(
    rows: Sequence[Values], views: Sequence[ForestRow], domain: tuple[float, float]
) -> list[Values]:
    """Changes that the limits forbid, the limits themselves, and the line of no change."""
    margins = [
        {"index": i, "limit": m.at, "edge": domain[0] if m.allowed_above else domain[1]}
        for i, view in enumerate(views)
        for m in view.lines
    ]
    forbidden = {"x": field("limit", "Q"), "x2": field("edge")}
    allowed, unchanged = {"x": field("limit", "Q")}, {"x": field("none", "Q")}
    nothing = [{"index": i, "none": 0} for i, _ in enumerate(rows)]
    line = {"color": COLOURS["fail"], "thickness": 1.6, "height": _BAND}
    zero = {"color": svg.MUTED, "thickness": 1, "height": _BAND}
    return [
        _layer(margins, "rect", forbidden, color=FORBIDDEN, height={"band": 1}),
        _layer(margins, "tick", allowed, **line),
        _layer(nothing, "tick", unchanged, **zero),
    ]


def _marks(rows: Sequence[Values]) -> list[Values]:
    known = [row for row in rows if row["at"] is not None]
    intervals = [row for row in rows if None not in (row["low"], row["high"])]
    controls = [row for row in rows if row["control"] is not None]
    colour, shape = svg.by_status()
    span = {"x": field("low", "Q"), "x2": field("high"), "color": colour}
    ring = {"shape": "circle", "filled": False, "color": CONTROL, "size": 46, "strokeWidth": 1.5}
    mark = {"x": field("at", "Q"), "color": colour, "shape": shape}
    return [
        _layer(intervals, "rule", span, strokeWidth=2.4, strokeCap="round"),
        _layer(controls, "point", {"x": field("control", "Q")}, **ring, yOffset=9),
        _layer(known, "point", mark, filled=True, size=105, opacity=1),
    ]


def _labels(rows: Sequence[Values], nothing: str) -> list[Values]:
    """Names left of the plot; inside it, the rows that have nothing to draw say so."""
    words = {"align": "right", "baseline": "middle", "fontSize": 12.5}
    undefined = [row for row in rows if row["at"] is None]
    name = {"x": value(-10), "text": field("label", "N")}
    told = {"x": value(_WIDTH - 6), "text": value(nothing)}
    return [
        _layer(rows, "text", name, color=svg.INK, **words),
        _layer(undefined, "text", told, color=svg.MUTED, fontStyle="italic", **words),
    ]
