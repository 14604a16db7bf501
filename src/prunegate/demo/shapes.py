"""The seven objects of the generated creatives, as signed distance functions.

A shape is a function of local coordinates (``u`` to the right, ``v`` downwards) that returns the
distance to its outline: negative inside, positive outside. Every shape fits the square from -1 to
1. Distances make antialiasing, outlines and scaling free, and any number of objects is drawn in one
vectorised call. Nothing here knows about images, colours or labels.

The primitives and the five-pointed star follow Inigo Quilez, "2D distance functions".
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Shape = Callable[[Field, Field], Field]


def circle(u: Field, v: Field, radius: float) -> Field:
    """Distance to a disc around the origin."""
    return np.hypot(u, v) - np.float32(radius)


def box(u: Field, v: Field, half: tuple[float, float], corner: float = 0.0) -> Field:
    """Distance to a box around the origin: half width, half height, corner radius."""
    across = np.abs(u) - np.float32(half[0] - corner)
    down = np.abs(v) - np.float32(half[1] - corner)
    outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
    inside = np.minimum(np.maximum(across, down), 0)
    return outside + inside - np.float32(corner)


def ring(u: Field, v: Field, radius: float, width: float) -> Field:
    """Distance to a ring around the origin, ``width`` to either side of ``radius``."""
    return np.abs(circle(u, v, radius)) - np.float32(width)


def _join(*parts: Field) -> Field:
    union = parts[0]
    for part in parts[1:]:
        union = np.minimum(union, part)
    return union


def _cut(body: Field, hole: Field) -> Field:
    return np.maximum(body, -hole)


def pistol(u: Field, v: Field) -> Field:
    """Slide along the top, slanted grip at the back, trigger guard between them."""
    slide = box(u - 0.02, v + 0.42, (0.95, 0.24), 0.05)
    lean = u + 0.52 + 0.28 * (v - 0.3)
    grip = box(lean, v - 0.3, (0.25, 0.62), 0.06)
    guard = ring(u + 0.05, v - 0.02, 0.27, 0.075)
    return _join(slide, grip, guard)


def bottle(u: Field, v: Field) -> Field:
    """Body with round shoulders, narrow neck, cap."""
    body = box(u, v - 0.36, (0.42, 0.64), 0.22)
    neck = box(u, v + 0.52, (0.15, 0.4))
    cap = box(u, v + 0.88, (0.21, 0.11))
    return _join(body, neck, cap)


def phone(u: Field, v: Field) -> Field:
    """Rounded slab with a cut-out screen."""
    return _cut(box(u, v, (0.54, 0.98), 0.14), box(u, v + 0.06, (0.36, 0.68)))


def mug(u: Field, v: Field) -> Field:
    """Upright body with a handle on the right."""
    body = box(u + 0.2, v, (0.6, 0.72), 0.1)
    handle = _cut(ring(u - 0.48, v, 0.38, 0.11), u - np.float32(0.36))
    return _join(body, handle)


def key_shape(u: Field, v: Field) -> Field:
    """Ring on the left, shaft to the right, two teeth below."""
    bow = ring(u + 0.58, v, 0.29, 0.13)
    shaft = box(u - 0.35, v, (0.64, 0.11))
    teeth = _join(box(u - 0.86, v - 0.24, (0.12, 0.2)), box(u - 0.5, v - 0.2, (0.1, 0.16)))
    return _join(bow, shaft, teeth)


def star(u: Field, v: Field) -> Field:
    """Five-pointed star, one point up."""
    cosine, sine = np.float32(0.809016994), np.float32(0.587785252)
    across, down = np.abs(u), -v
    for side in (np.float32(1), np.float32(-1)):  # fold the plane into one tenth of the star
        push = np.maximum(side * cosine * across - sine * down, 0) * np.float32(2)
        across, down = across - side * cosine * push, down + sine * push
    across, down = np.abs(across), down - np.float32(1)
    right, below = np.float32(0.45) * sine, np.float32(0.45) * cosine - np.float32(1)
    along = np.clip((across * right + down * below) / (right * right + below * below), 0, 1)
    away = np.hypot(across - right * along, down - below * along)
    return away * np.sign(down * right - across * below)


def umbrella(u: Field, v: Field) -> Field:
    """Scalloped dome, shaft, hooked handle."""
    dome = _cut(circle(u, v - 0.02, 0.96), -(v - np.float32(0.02)))
    scallops = _join(*(circle(u - at, v - 0.1, 0.27) for at in (-0.62, 0.0, 0.62)))
    shaft = box(u, v - 0.36, (0.075, 0.5))
    hook = _cut(ring(u - 0.17, v - 0.78, 0.17, 0.075), v - np.float32(0.78))
    return _join(_cut(dome, scallops), shaft, hook)


UNSAFE = MappingProxyType({"pistol": pistol, "bottle": bottle})
SAFE = MappingProxyType(
    {"phone": phone, "mug": mug, "key": key_shape, "star": star, "umbrella": umbrella}
)
