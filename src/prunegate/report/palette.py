"""One colour and one shape per status, told apart without colour too, and readable on white."""

from __future__ import annotations

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
