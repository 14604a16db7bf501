"""A chart as a value, and as one static, inert SVG element that fits into the page.

The picture carries no script, no link, no font and no size of its own: it grows with its box and
writes in the page's letters. Every chart is laid out on fixed paddings, so that the result does not
depend on the fonts of the machine that drew it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from markupsafe import Markup

from prunegate.report.drawing import drawn_svg
from prunegate.report.speech import Speech
from prunegate.report.vega_lite import Values, field

COLOURS = {"pass": "#0b6e5d", "fail": "#b3261e", "inconclusive": "#8a5a00", "waived": "#5a4b9a"}
"""Ink of each status: at least 4.5 to 1 on white."""
SHAPES = {"pass": "circle", "fail": "diamond", "inconclusive": "triangle-up", "waived": "square"}
"""Vega's names of the marks; the legend of the page draws the same shapes."""
FORBIDDEN = "#fbeeec"
"""Ground of the changes that a limit does not allow."""
CONTROL = "#5b6673"
BASELINE, CANDIDATE, SAVED = "#5b6673", "#0b6e5d", "#dcefe9"
SHARES = ("#e3efec", "#0b5c4e")
"""From the least to the most important head."""


INK, MUTED, FAINT, PAPER = "#1d2733", "#5b6673", "#dde2e7", "#ffffff"
_ALLOWED = frozenset(
    {"svg", "title", "desc", "g", "path", "rect", "line", "text", "defs", "clipPath"}
)
_DROPPED = ("aria-", "role", "pointer-events", "class", "font-family", "href", "on")
_NAMESPACE = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture that is not drawn yet, and what it says to those who cannot see it."""

    specification: str
    """Vega-Lite as one line of JSON, made by ``specified``."""
    name: str
    """Unique on the page; prefixes every id inside."""
    title: str
    """What the picture is."""
    description: str
    """What it shows."""


def by_status() -> tuple[Values, Values]:
    """Ink and shape of marks whose rows have a ``status``; the page has the legend."""
    return _by_status(COLOURS), _by_status(SHAPES)


def _by_status(looks: Mapping[str, str]) -> Values:
    scale = {"domain": list(looks), "range": list(looks.values())}
    return field("status", "N", scale=scale, legend=None)


_AXIS = {
    "labelColor": MUTED,
    "titleColor": MUTED,
    "tickColor": FAINT,
    "domainColor": FAINT,
    "gridColor": FAINT,
    "labelFontSize": 12,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "labelOverlap": False,
    "labelFlush": False,
    "titlePadding": 8,
}


def specified(chart: Mapping[str, Any], *, width: int, height: int, padding: dict[str, int]) -> str:
    """The specification of a chart, in Vega-Lite, with a fixed layout."""
    specification = {
        **chart,
        "width": width,
        "height": height,
        "padding": padding,
        "autosize": {"type": "none"},
        "background": PAPER,
        "config": {"aria": False, "view": {"stroke": None}, "axis": _AXIS},
    }
    return json.dumps(specification)


def drawn_chart(chart: Chart) -> Markup:
    """The chart as an ``<svg>`` element with a title and a description for screen readers.

    Raises:
        WorkerError: it cannot be drawn here.
        ValueError: the chart library drew something that is not a plain shape or text.
    """
    name = chart.name
    # our own drawing; it has no document type
    root = ET.fromstring(drawn_svg(chart.specification))  # noqa: S314  # see the line above
    for element in root.iter():
        _clean(element, name)
    box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": _NAMESPACE,
            "class": "chart",
            "viewBox": box,
            **_size(box),
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-desc",
        }
    )
    for tag, text in (("desc", chart.description), ("title", chart.title)):
        child = ET.Element(tag, {"id": f"{name}-{tag}"})
        child.text = text
        root.insert(0, child)
    # Serialised from a tree whose elements and attributes were checked one by one.
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  # see the line above


def undrawn_chart(chart: Chart, said: Speech) -> Markup:
    """What stands in the place of a chart that could not be drawn: which, and what it shows."""
    told = said.say("page.undrawn", title=chart.title, shows=chart.description)
    return Markup('<p class="undrawn" role="note">{}</p>').format(told)


def _size(box: str) -> dict[str, str]:
    """Width and height, for whoever shows the picture without our styles."""
    _, _, width, height = box.split()
    return {"width": width, "height": height}


def _clean(element: ET.Element, name: str) -> None:
    """Plain tag names, ids of this chart's own, nothing that acts or loads."""
    element.tag = element.tag.removeprefix(f"{{{_NAMESPACE}}}")
    if element.tag not in _ALLOWED:
        raise ValueError(f"a chart may not contain <{element.tag}>")
    for key in [k for k in element.attrib if k.startswith((*_DROPPED, "{"))]:
        del element.attrib[key]
    if "id" in element.attrib:
        element.attrib["id"] = f"{name}-{element.attrib['id']}"
    for key, value in element.attrib.items():
        if value.startswith("url("):
            element.attrib[key] = value.replace("url(#", f"url(#{name}-", 1)
