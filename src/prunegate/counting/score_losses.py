"""Score losses: what a row's scores lose against its label, as the engine computes it.

For a yes-or-no task the score is the probability of the positive class; for several classes there
is one for each, and the loss takes that of the true class, which is 0 where no score is for it.
"""

from __future__ import annotations

import math
from fractions import Fraction

import narwhals as nw

LOG_LOSS, BRIER = "log_loss", "brier"
SMALLEST = 2.0**-52
"""What a probability is kept from 0 by, so that a log-loss is a number (as in scikit-learn)."""
_MOST_OF_LOG = Fraction(math.log(2.0**52)).limit_denominator(1 << 20) + Fraction(1, 1 << 20)
_BITS = {LOG_LOSS: (34, 22), BRIER: (40, 28)}


def loss_span(quantity: str, *, several: bool) -> Fraction:
    """The most that one row's loss can change: 36 for log-losses; 1, or 2 of several classes."""
    if quantity == LOG_LOSS:
        return _MOST_OF_LOG
    return Fraction(2 if several else 1)


def loss_bits(quantity: str) -> tuple[int, int]:
    """Bits after the point that losses are summed with: finely, and for products."""
    return _BITS[quantity]


def log_loss(probability: nw.Expr) -> nw.Expr:
    """Of the probability given to what is true."""
    kept = nw.when(probability < SMALLEST).then(nw.lit(SMALLEST)).otherwise(probability)
    highest = 1.0 - SMALLEST
    return nw.when(kept > highest).then(nw.lit(-math.log(highest))).otherwise(-kept.log())


def brier_of_two(score: nw.Expr, label: nw.Expr) -> nw.Expr:
    """Squared error of the positive class's score; ``label`` is 1 or 0."""
    return (score - label) ** 2
