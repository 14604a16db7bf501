"""Agreement of two orders beyond chance: do scores know anything of the labels?

The statistic is Spearman's rank correlation, and its reference every way of shuffling the labels
among the rows. Over all of these its mean is 0, its variance 1 / (n - 1) and its skewness what the
skewnesses of both columns of ranks make it, exactly and whatever is equal; these three go under a
gamma curve, as for agreement on classes (``agreement.py``), less half a step of two columns of two
values, than which no columns have larger steps. Of rows in groups as many are taken to be there as
groups of equal size weigh, whose rows all have one label and one score: the worst that they can do.

Simulated in ``tests/benchmarks/reference_order.py``. Source: Mielke & Berry (2007), Permutation
Methods, ch. 2 and 7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from prunegate.stats.agreement import shuffled_tail

METHOD = "shuffling test of the rank correlation (three moments)"
METHOD_GROUPS = "shuffling test of the rank correlation (three moments), groups as rows"


@dataclass(frozen=True, kw_only=True)
class OrderAgreement:
    """How far scores order rows as the labels do, and whether chance would do."""

    rows: int
    value: float
    """The rank correlation; 0 where one of both is the same everywhere."""
    single: bool
    """Whether the scores are the same everywhere."""
    score: float
    """Standard deviations above chance; 0 where nothing can be told."""
    p_value: float
    """One-sided p of "no better than chance"; 1 where nothing can be told."""
    method: str
    exact: bool = False


def order_agreement(
    rows: int,
    weighing: float,
    product: int,
    squares: tuple[int, int],
    cubes: tuple[int, int],
) -> OrderAgreement:
    """The test of one model's scores.

    Args:
        rows: of both columns.
        weighing: as many single rows as these weigh.
        product: the sum of the products of label's and score's places, which add up to 0 each.
        squares: of the label's places and of the score's, added up.
        cubes: the same of cubes.

    >>> found = order_agreement(5, 5, 36, (40, 40), (0, 0))  # places -4 -2 0 2 4, two exchanged
    >>> found.value, round(found.p_value, 3)
    (0.9, 0.182)
    """
    method = METHOD if weighing == rows else METHOD_GROUPS
    value, score, p_value = 0.0, 0.0, 1.0
    if all(squares):
        value = product / math.sqrt(squares[0]) / math.sqrt(squares[1])
    if all(squares) and weighing > 2:
        skews = [
            math.sqrt(rows) * c / s / math.sqrt(s) for c, s in zip(cubes, squares, strict=True)
        ]
        half_step = math.prod(math.sqrt(skew * skew + 4) for skew in skews) / 2
        spread = math.sqrt(weighing - 1)
        score = value * spread
        z = score - half_step / math.sqrt(weighing)
        p_value = shuffled_tail(z, math.prod(skews) * spread / (weighing - 2))
    return OrderAgreement(
        rows=rows,
        value=value,
        single=not squares[1],
        score=score,
        p_value=p_value,
        method=method,
    )
