"""Holm's step-down adjustment: how small a p-value is, given how many were looked at.

Applied to the harm p-values before anything is rejected; valid under any dependence. Approvals
need no adjustment, because every check must pass (intersection-union).

Source: Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
"""

from __future__ import annotations

from collections.abc import Sequence


def adjust(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values in the order given; each is at least its own p-value and at most 1.

    Raises:
        ValueError: A p-value is NaN or outside [0, 1].

    >>> adjust([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    for p in p_values:
        if not 0 <= p <= 1:
            raise ValueError(f"p-value {p}: pass numbers from 0 to 1.")
    count = len(p_values)
    adjusted = [0.0] * count
    running = 0.0
    for rank, index in enumerate(sorted(range(count), key=p_values.__getitem__)):
        running = max(running, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = running
    return tuple(adjusted)
