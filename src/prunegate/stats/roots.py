"""Where a function changes sign: limits of intervals that have no closed form."""

from __future__ import annotations

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


def first_crossing(f: Callable[[float], float], start: float, end: float) -> float:
    """Like `crossing`, for a costly smooth ``f``: strides from ``start``, then the secant.

    Returns ``end`` when ``f`` stays positive all the way. Accurate to about 1e-9.
    """
    near, value_near = start, f(start)
    stride = (end - start) / 256
    while True:
        far = near + stride
        if abs(far - start) >= abs(end - start):
            far = end - 1e-9 * (end - start)
        value_far = f(far)
        if value_far <= 0:
            return _illinois(f, (near, value_near), (far, value_far))
        if abs(far - start) >= (1 - 1e-8) * abs(end - start):
            return end
        near, value_near, stride = far, value_far, 2 * stride


def _illinois(
    f: Callable[[float], float], near: tuple[float, float], far: tuple[float, float]
) -> float:
    """False position with halving of a stale end (Illinois rule)."""
    (a, fa), (b, fb) = near, far
    for _ in range(40):
        x = (a * fb - b * fa) / (fb - fa)
        fx = f(x)
        if abs(fx) <= 1e-9 or abs(b - a) <= 1e-10:
            return x
        if (fx > 0) == (fb > 0):
            fa, b, fb = fa / 2, x, fx
        else:
            a, fa, b, fb = b, fb, x, fx
    return x
