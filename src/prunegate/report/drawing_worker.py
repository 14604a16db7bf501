"""The drawing process: what runs in it. One line of Vega-Lite in, one line with its SVG out."""

from __future__ import annotations

import json
import os
import sys

import vl_convert as vlc


def _main() -> None:
    """Draw until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin.buffer:
        # a dictionary: read from text, some numbers come out one digit off
        answers.write(json.dumps(vlc.vegalite_to_svg(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    _main()
