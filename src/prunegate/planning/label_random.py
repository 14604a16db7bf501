"""Label random: rows to draw at random for a limit on which agreeing rows bear, and their power.

A floor or a cap is planned for a candidate that lies half way between its limit and perfect; a
change for models that are what a good baseline and one that is equal to it are
(``evidence/reference_sample.py``), half of the rows that differ being positive. How many rows a
power takes is what ``plan`` says of such cells; the power of some rows is that question turned
round.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from prunegate.evidence.reference_sample import good_shares
from prunegate.metrics.forms import Flips, Form, OverClasses, Overlapping, SharedRows
from prunegate.metrics.hypothesis import Level
from prunegate.planning.groups import Floats
from prunegate.planning.label_power import DIFFERING
from prunegate.planning.needs import Target, need_of
from prunegate.planning.planned_limits import PlannedLimit
from prunegate.policy.schema import Minimum
from prunegate.stats import sample_size

_MINIMUM = Minimum(rows=1, positives=1)
_STEPS = 9
"""Halvings by which a power is found: to a few thousandths."""


def expected_cells(decided: tuple[int, ...]) -> Floats:
    """Rows by ``4 * label + 2 * baseline + candidate``, [8], that decisions of good models hide."""
    good = good_shares(decided)
    positive = np.array([1 - good.neither, DIFFERING, DIFFERING, good.both])
    rows = np.array(decided, dtype=float)
    return np.concatenate([rows * (1 - positive), rows * positive])


def random_rows(
    limit: PlannedLimit, form: Form, decided: tuple[int, ...], alpha: float, power: float
) -> int | None:
    """Rows to draw at random for a power; None: nobody can plan it."""
    if isinstance(limit.claim, Level):
        return _of_level(limit.claim, form, decided, alpha, power)
    if not isinstance(form, SharedRows | Overlapping | OverClasses):
        return None
    target = Target(alpha=alpha, power=power, minimum=_MINIMUM)
    return need_of(limit, expected_cells(decided), target).rows


def random_power(
    limit: PlannedLimit, form: Form, decided: tuple[int, ...], alpha: float, rows: int
) -> float | None:
    """Chance that so many rows drawn at random show a limit to hold; None: nobody can plan it."""
    if random_rows(limit, form, decided, alpha, 0.5) is None:
        return None
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        needed = random_rows(limit, form, decided, alpha, middle) if middle > alpha else 0
        low, high = (middle, high) if needed is not None and needed <= rows else (low, middle)
    return low


def _of_level(
    claim: Level, form: Form, decided: tuple[int, ...], alpha: float, power: float
) -> int | None:
    limit = float(claim.limit if claim.at_least else 1 - claim.limit)
    share = share_of_level(form, decided)
    if share is None:
        return None
    if not 0 < limit < 1:
        return 1
    rate = (1 + limit) / 2
    if isinstance(form, Overlapping):  # F1 by Jaccard's index, a plain share
        if not claim.at_least:
            return None
        limit, rate = (value / (2 - value) for value in (limit, rate))
    return math.ceil(_floor(rate, limit, alpha, power) / share)


def share_of_level(form: Form, decided: tuple[int, ...]) -> float | None:
    """Share of the rows that a level rests on; None: no level that can be planned."""
    whole = max(1, sum(decided))
    flagged = (decided[0b10] + decided[0b11]) / whole
    if isinstance(form, Overlapping) and form.kind == "f1":
        cells = expected_cells(decided)
        return max(float(cells[[1, 3, 4, 5, 6, 7]].sum()) / whole, 1e-6)
    if not isinstance(form, SharedRows | Flips):
        return None
    if isinstance(form, SharedRows) and len(form.labels) == 1:
        return max(flagged if form.labels[0] else 1 - flagged, 1e-6)
    return 1.0


_floor = lru_cache(maxsize=4096)(sample_size.proportion_at_least)
