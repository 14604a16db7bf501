"""Precision at a fixed recall, turned into what may be flagged of the negatives.

With recall r of the positives, false alarms at rate F and odds of negatives to positives o, the
precision is r / (r + o F): where recall is fixed, precision is a matter of false alarms, which two
models raise on the same negatives. So a limit on precisions is one on how much higher the one rate
of false alarms may be than the other. How much hangs on what is known only within bounds: on the
odds, on the rate of the model that the other is held against, and, where scores are equal, on how
far a recall lies above the one that is asked for. ``surely_kept`` and ``surely_broken`` take these
as they are least in favour of what is to be shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Ends = tuple[float, float]
"""The least and the most that something may be."""


@dataclass(frozen=True, kw_only=True)
class AtRecall:
    """What is known of a population at two thresholds with one recall."""

    recall: float
    """That both models have at least."""
    most: float
    """What the recall of one of them may be at most: of the model held against where a limit is to
    be kept, of the other where it is to be broken."""
    odds: Ends
    """Negatives to one positive."""
    alarms: Ends
    """The rate of false alarms of the model that the other is held against."""


def surely_kept(slope: float, margin: float, known: AtRecall) -> float:
    """A rise of false alarms up to which precision >= slope x the other's - margin for sure.

    >>> known = AtRecall(recall=0.9, most=0.9, odds=(1.0, 1.0), alarms=(0.1, 0.1))
    >>> round(surely_kept(1.0, 0.05, known), 4)  # from .9 precision to .85
    0.0588
    """
    found = _rises(known.recall, known.most, slope, margin, known)
    least = min(found) if found else math.inf  # none: nothing is asked for
    return least / known.odds[1 if least > 0 else 0]


def surely_broken(slope: float, margin: float, known: AtRecall) -> float:
    """A rise of false alarms from which precision < slope x the other's - margin for sure."""
    found = _rises(known.most, known.recall, slope, margin, known)
    largest = known.odds[1] * known.alarms[1]
    asked = slope * known.recall / (known.recall + largest) - margin
    most = max(found) if asked > 0 else math.inf
    return most / known.odds[0 if most > 0 else 1]


def alarms_at(precision: float, recall: float, odds: float) -> float:
    """The rate of false alarms at which a precision above 0 is just reached."""
    return recall * (1 / precision - 1) / odds


def _rises(own: float, other: float, slope: float, margin: float, known: AtRecall) -> list[float]:
    """Rises of o F that just keep the limit, wherever they may be least or most.

    As a function of what the other's o F is, the rise is convex, or concave, so that these are both
    ends and where it turns. Where the limit asks for a precision of 0 or less there is none.
    """
    (few, many), (low, high) = known.odds, known.alarms
    ends = (few * low, many * high)
    turns = slope - math.sqrt(own * slope / other)
    places = list(ends)
    if turns and 0 < (precision := margin / turns) <= 1:
        place = other * (1 / precision - 1)
        places += [place] if ends[0] < place < ends[1] else []
    found = []
    for place in places:
        asked = slope * other / (other + place) - margin
        if asked > 0:
            found.append(own * (1 / asked - 1) - place)
    return found
