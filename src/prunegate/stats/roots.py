"""Where a function changes sign: limits of intervals that have no closed form."""

from __future__ import annotations

import math
from collections.abc import Callable


def crossing(f: Callable[[float], float], low: float, high: float) -> float:
    """Where ``f``, positive at ``low``, stops being positive before ``high`` (on either side).

    The end points are taken on trust, so that ``f`` need not be evaluated where it is singular.
    """
    for _ in range(60):
        middle = (low + high) / 2
        if f(middle) > 0:
            low = middle
        else:
            high = middle
        if abs(high - low) <= 1e-12:
            break
    return (low + high) / 2


def first_crossing(
    f: Callable[[float], float], start: tuple[float, float], end: float, stride: float
) -> float:
    """Like `crossing`, for a costly smooth ``f``: strides from ``start``, then the secant.

    ``start`` is a point with the value of ``f`` there; ``stride`` is a guess of the distance.
    Returns ``end`` when ``f`` stays positive all the way. Accurate until ``f`` is within 1e-4 of 0.
    """
    begin, value_near = start
    near = begin
    stride = math.copysign(stride, end - begin)
    while True:
        far = near + stride
        if abs(far - begin) >= abs(end - begin):
            far = end - 1e-9 * (end - begin)
        value_far = f(far)
        if value_far <= 0:
            return _illinois(f, (near, value_near), (far, value_far))
        if abs(far - begin) >= (1 - 1e-8) * abs(end - begin):
            return end
        stride = _longer(stride, value_near, value_far)
        near, value_near = far, value_far


def _longer(stride: float, value_near: float, value_far: float) -> float:
    """The next stride: a little past where the secant meets zero, at most eight times the last."""
    fall = value_near - value_far
    factor = 1.1 * value_far / fall if fall > 0 else 8.0
    return stride * min(max(factor, 0.1), 8.0)


def _illinois(
    f: Callable[[float], float], near: tuple[float, float], far: tuple[float, float]
) -> float:
    """False position with halving of a stale end (Illinois rule)."""
    (a, fa), (b, fb) = near, far
    for _ in range(40):
        x = (a * fb - b * fa) / (fb - fa)
        fx = f(x)
        if abs(fx) <= 1e-4 or abs(b - a) <= 1e-10:
            return x
        if (fx > 0) == (fb > 0):
            fa, b, fb = fa / 2, x, fx
        else:
            a, fa, b, fb = b, fb, x, fx
    return x
