"""The four kinds of creative: what surrounds the objects and what the camera does to them.

A ``Style`` says how objects are placed; its ``backdrop`` is painted before them, its ``overlay``
after them. Colours are float32 from 0 to 1, images are planar, ``[n, 3, 32, 32]``. A style never
sees a label: what it draws is the same for safe and unsafe creatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from prunegate.demo.shapes import Field, box

SIDE = 32
ROWS, COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)

Paint = Callable[[Generator, Field], Field]


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one kind of creative is made."""

    name: str  # the content type
    size: tuple[float, float]  # half size of a lone object, pixels, smallest and largest
    tilt: float  # largest rotation to either side, radians
    contrast: tuple[float, float]  # how much lighter than its background an object is
    faint: float  # share of creatives whose objects hardly stand out: no model gets them all
    line_art: float  # share of creatives drawn as outlines
    blur: float  # longest motion blur, pixels to either side
    backdrop: Callable[[Generator, int], Field]  # paints what lies behind the objects
    overlay: Paint  # paints what lies before them


def uniform(rng: Generator, low: float, high: float, shape: tuple[int, ...]) -> Field:
    """Random float32 numbers from ``low`` to ``high``."""
    numbers: Field = rng.random(shape, dtype=np.float32)
    return numbers * np.float32(high - low) + np.float32(low)


def coverage(distance: Field) -> Field:
    """How much of each pixel lies inside an outline, from its distance in pixels."""
    share: Field = np.clip(np.float32(0.5) - distance, 0, 1)
    return share


def blend(canvas: Field, share: Field, colour: Field) -> Field:
    """Lay ``colour`` [n, 3] over ``canvas`` where ``share`` [n, 32, 32] says."""
    return canvas + share[:, None] * (colour[:, :, None, None] - canvas)


def _muted(rng: Generator, count: int) -> Field:
    """A muted colour per creative: dark to middle grey with a slight hue."""
    grey = uniform(rng, 0.2, 0.5, (count, 1))
    return grey + uniform(rng, -0.08, 0.08, (count, 3))


def _vivid(rng: Generator, count: int) -> Field:
    return uniform(rng, 0.1, 0.9, (count, 3))


def _flat(rng: Generator, count: int) -> Field:
    colour = _muted(rng, count)[:, :, None, None]
    return np.broadcast_to(colour, (count, 3, SIDE, SIDE)).copy()


def _gradient(rng: Generator, count: int) -> Field:
    top, bottom = _muted(rng, count), _muted(rng, count) + np.float32(0.1)
    down: Field = ROWS / np.float32(SIDE - 1)
    return top[:, :, None, None] * (1 - down) + bottom[:, :, None, None] * down


def _cluttered(rng: Generator, count: int) -> Field:
    """A flat ground with two tilted boards of other muted colours."""
    canvas = _flat(rng, count)
    for _ in range(2):
        canvas = blend(canvas, _board(rng, count), _muted(rng, count))
    return canvas


def _board(rng: Generator, count: int) -> Field:
    x, y = uniform(rng, 0, SIDE, (2, count, 1, 1))
    angle = uniform(rng, 0, np.pi, (count, 1, 1))
    long, thin = uniform(rng, 4, 12, (count, 1, 1)), uniform(rng, 0.6, 3, (count, 1, 1))
    across, down = COLUMNS - x, ROWS - y
    along = np.abs(np.cos(angle) * across + np.sin(angle) * down) - long
    aside = np.abs(np.cos(angle) * down - np.sin(angle) * across) - thin
    return coverage(np.maximum(along, aside))


def _banner(rng: Generator, canvas: Field) -> Field:
    """Display: a header strip above, a call-to-action button below."""
    count = len(canvas)
    height = uniform(rng, 3, 5, (count, 1, 1))
    canvas = blend(canvas, coverage(ROWS + 0.5 - height), _vivid(rng, count))
    middle = uniform(rng, 8, 23, (count, 1, 1))
    button = box(COLUMNS - middle, np.broadcast_to(ROWS - 28.5, (count, SIDE, SIDE)), (5, 1.6), 1)
    return blend(canvas, coverage(button), _vivid(rng, count))


def _letterbox(rng: Generator, canvas: Field) -> Field:
    """Video: black bars above and below, underexposure, a little grain."""
    count = len(canvas)
    canvas = canvas * uniform(rng, 0.35, 0.8, (count, 1, 1, 1))
    canvas = canvas + uniform(rng, -0.03, 0.03, canvas.shape)
    height = uniform(rng, 3, 5, (count, 1, 1))
    bars = coverage(np.minimum(ROWS, SIDE - 1 - ROWS) + 0.5 - height)
    return blend(canvas, bars, np.zeros((count, 3), np.float32))


def _snapshot(rng: Generator, canvas: Field) -> Field:
    """User-generated: a colour cast, uneven exposure, sensor noise."""
    count = len(canvas)
    canvas = canvas * uniform(rng, 0.75, 1.15, (count, 3, 1, 1))
    strength = uniform(rng, 0.02, 0.05, (count, 1, 1, 1))
    return canvas + strength * rng.standard_normal(canvas.shape, dtype=np.float32)


def _caption(rng: Generator, canvas: Field) -> Field:
    """Story: two lines of dashes where the text would be."""
    count = len(canvas)
    colour = uniform(rng, 0.6, 1.0, (count, 3))
    for line in (3.0, 28.0):
        row = line + uniform(rng, -1, 1, (count, 1, 1))
        start, phase = uniform(rng, 2, 10, (count, 1, 1)), uniform(rng, 0, 4, (count, 1, 1))
        words = (COLUMNS + phase) % 4 < 3
        line_here = coverage(np.abs(ROWS - row) - np.float32(0.4))
        canvas = blend(canvas, line_here * words * (start <= COLUMNS), colour)
    return canvas


STYLES = (
    Style(name="display", size=(8.0, 10.5), tilt=0.25, contrast=(0.25, 0.55), faint=0.05,
          line_art=0.0, blur=0.0, backdrop=_flat, overlay=_banner),
    Style(name="video", size=(8.0, 11.0), tilt=0.25, contrast=(0.25, 0.60), faint=0.05,
          line_art=0.0, blur=5.0, backdrop=_flat, overlay=_letterbox),
    Style(name="ugc", size=(8.0, 11.0), tilt=0.6, contrast=(0.35, 0.65), faint=0.03,
          line_art=0.0, blur=0.0, backdrop=_cluttered, overlay=_snapshot),
    Style(name="story", size=(8.0, 10.5), tilt=0.25, contrast=(0.25, 0.55), faint=0.08,
          line_art=0.15, blur=0.0, backdrop=_gradient, overlay=_caption),
)  # fmt: skip
