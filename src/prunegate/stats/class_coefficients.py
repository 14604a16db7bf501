"""Coefficients of a whole table of labels and decisions, such as Matthews'.

No average over classes: every decision is a class of its own, and the value lies between -1 and 1.
A coefficient is one function here: from the share of right decisions and the shares that labels
and decisions have, its value, and what a row labelled i and decided j adds to it up to a constant.
``stats/macro.py`` tests all of them alike.

Source: Gorodkin (2004), Computational Biology and Chemistry 28, 367-374 (R_K, of several classes).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Coefficient = Literal["mcc"]
Floats = NDArray[np.float64]
_EMPTY = 1e-12


def matthews(right: float, labels: Floats, decisions: Floats) -> tuple[float, Floats]:
    """Matthews' correlation coefficient: (c - t.q) / sqrt((1 - q.q) (1 - t.t)).

    >>> value, _ = matthews(0.75, np.array([0.5, 0.5]), np.array([0.25, 0.75]))
    >>> round(value, 6)
    0.57735

    Args:
        right: c, the share of rows that are decided as they are labelled.
        labels: t, the share of rows that have each label, shape (k,).
        decisions: q, the share of rows that are decided as each class, shape (k,).

    Returns:
        The value, NaN where one class alone has labels or decisions, and a slope of shape (k, k).
    """
    t, q = labels, decisions
    spread = (1 - float(q @ q)) * (1 - float(t @ t))
    if spread <= _EMPTY:
        return math.nan, np.full((t.size, t.size), math.nan)
    value = (right - float(t @ q)) / math.sqrt(spread)
    slope = (np.eye(t.size) - q[:, None] - t[None, :]) / math.sqrt(spread)
    slope += value * (q[None, :] / (1 - float(q @ q)) + t[:, None] / (1 - float(t @ t)))
    return value, slope


COEFFICIENTS: dict[str, Callable[[float, Floats, Floats], tuple[float, Floats]]] = {"mcc": matthews}
"""Every coefficient by the ``kind`` that a table has."""
