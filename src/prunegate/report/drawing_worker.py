"""The drawing process: what runs in it. One line of Vega-Lite in, one line with its SVG out."""

from __future__ import annotations

import json
import os
import sys

import vl_convert as vlc

_NOTHING = {"data": {"values": []}, "mark": "point"}


def _main() -> None:
    """Start the engine, which the first picture does, then draw until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    vlc.vegalite_to_svg(_NOTHING)
    for line in sys.stdin.buffer:
        # a dictionary: read from text, some numbers come out one digit off
        answers.write(json.dumps(vlc.vegalite_to_svg(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    _main()
