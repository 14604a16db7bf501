"""The highest value of a smooth function of one variable, when evaluating many points is cheap.

A grid finds the hills, a finer one their tops, and parabolas climb the rest. A hill narrower than
the grid can be missed: the caller chooses the spacing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

_FINE = 9  # points of the finer grid, between both neighbours of the best one
_PARABOLAS = 3
_SECOND = 0.8  # of the highest value, from which a second hill may turn out to be the higher one


def highest(function: Function, grid: Floats, *, ignore: float = 0.0) -> float:
    """Largest value between the ends of the grid.

    Args:
        function: Takes an array of points; at least zero.
        grid: Three points or more, ascending.
        ignore: If the grid shows no value this large, its largest one is returned as it is.

    >>> round(highest(lambda x: np.sin(x), np.linspace(0, 3, 4)), 8)
    1.0
    """
    values = function(grid)
    if values.max() < ignore:
        return float(values.max())
    around = [_neighbours(grid, hill) for hill in _hills(values)]
    fine = np.array([np.linspace(low, high, _FINE) for low, high in around])
    x, y = _brackets(fine, function(fine.ravel()).reshape(fine.shape))
    for _ in range(_PARABOLAS):
        at = _vertex(x, y)
        x, y = _narrowed(x, y, at, function(at))
    return max(float(values.max()), float(y.max()))


def _hills(values: Floats) -> list[int]:
    """The highest point, and the second highest local maximum if it might be the higher one."""
    padded = np.concatenate([[-1.0], values, [-1.0]])
    local = np.flatnonzero((values >= padded[:-2]) & (values >= padded[2:]))
    top = local[np.argsort(values[local])[-2:]]
    return [int(hill) for hill in top if values[hill] >= _SECOND * values.max()]


def _neighbours(grid: Floats, hill: int) -> tuple[float, float]:
    return float(grid[max(hill - 1, 0)]), float(grid[min(hill + 1, len(grid) - 1)])


def _brackets(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Each row's best point between its neighbours."""
    middle = np.clip(np.argmax(y, axis=1), 1, x.shape[1] - 2)
    kept = middle[:, None] + np.array([-1, 0, 1])
    return np.take_along_axis(x, kept, axis=1), np.take_along_axis(y, kept, axis=1)


def _vertex(x: Floats, y: Floats) -> Floats:
    """Where the parabola through three points (a row) is highest, within them."""
    before, after = x[:, 1] - x[:, 0], x[:, 2] - x[:, 1]
    rise, fall = y[:, 1] - y[:, 0], y[:, 1] - y[:, 2]
    bend = before * fall + after * rise
    shift = (after**2 * rise - before**2 * fall) / (2 * np.where(bend > 0, bend, np.inf))
    return np.asarray(np.clip(x[:, 1] + shift, x[:, 0], x[:, 2]))


def _narrowed(x: Floats, y: Floats, at: Floats, height: Floats) -> tuple[Floats, Floats]:
    """Three of the four points of each row: the best one and its neighbours, in order."""
    x, y = np.column_stack([x, at]), np.column_stack([y, height])
    order = np.argsort(x, axis=1)
    return _brackets(np.take_along_axis(x, order, axis=1), np.take_along_axis(y, order, axis=1))
