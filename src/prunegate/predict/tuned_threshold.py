"""The candidate's own threshold, chosen on calibration rows so that it acts as the baseline does.

Pruning and quantizing shift scores; at the baseline's threshold a candidate may then be judged for
where its scores lie and not for how it ranks. The threshold is chosen on rows that are not judged;
scores are never changed. Rows count by their design weights, where the policy names some. Between
two neighbouring scores that decide alike, it lies in the middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from prunegate.errors import TableError

_ROUNDING = 1e-12
"""Of the sum of all weights: what is nearer than this is equal, in whatever order it was added."""
Match = Literal["recall", "flag_rate", "f1"]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class TunedThreshold:
    """A threshold and what it was chosen by."""

    threshold: float
    match: Match
    rows: int
    """Calibration rows."""
    positives: int
    """Of those, rows of the positive label."""
    baseline: float
    """The baseline's recall, share of flagged rows or F1 there, at its own threshold."""
    candidate: float
    """The candidate's, at the threshold that was chosen."""


def tuned_threshold(
    match: Match,
    positive: Flags,
    flagged: Flags,
    scores: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> TunedThreshold:
    """Choose a threshold.

    Args:
        match: recall: the highest threshold that finds as many positives as the baseline;
            flag_rate: the one that flags as many rows, as nearly as scores allow; f1: the one of
            the highest F1. Of equals, the highest.
        positive: of every calibration row, whether its label is the positive one.
        flagged: of every row, whether the baseline flags it.
        scores: of every row, the candidate's score, in [0, 1].
        weights: of every row, above 0; None: they are alike.

    Raises:
        TableError: no rows of both labels, or a baseline that finds nothing, which is nothing to
            match.

    >>> labels = np.array([True, True, False, False])
    >>> found = tuned_threshold("recall", labels, labels, np.array([0.4, 0.3, 0.2, 0.1]))
    >>> found.threshold, found.baseline, found.candidate
    (0.25, 1.0, 1.0)
    """
    require_matchable(positive, flagged)
    each = np.ones(len(scores)) if weights is None else weights / weights.max()
    every, positives, alarms, hits = (
        each[among].sum() for among in (slice(None), positive, flagged, positive & flagged)
    )
    steps, place_of = np.unique(scores, return_inverse=True)
    steps = steps[::-1]
    caught, found = (
        np.bincount(place_of, weights=worth, minlength=len(steps))[::-1].cumsum()
        for worth in (each, each * positive)
    )
    values = {
        "recall": found / positives,
        "flag_rate": caught / every,
        "f1": 2 * found / (caught + positives),
    }[match]
    before = {
        "recall": hits / positives,
        "flag_rate": alarms / every,
        "f1": 2 * hits / (alarms + positives),
    }[match]
    place = {
        "recall": int(np.argmax(found >= hits - _ROUNDING * every)),
        "flag_rate": int(np.argmin(np.round(np.abs(caught - alarms) / every / _ROUNDING))),
        "f1": int(np.argmax(np.round(values / _ROUNDING))),
    }[match]
    return TunedThreshold(
        threshold=_between(steps, place),
        match=match,
        rows=len(positive),
        positives=int(positive.sum()),
        baseline=float(before),
        candidate=float(values[place]),
    )


def require_matchable(positive: Flags, flagged: Flags) -> None:
    """Insist that there is something on the calibration rows to match.

    Args:
        positive: of every row, whether its label is the positive one.
        flagged: of every row, whether the baseline flags it.

    Raises:
        TableError: no rows of both labels, or a baseline that finds nothing.
    """
    rows, there = int((positive & flagged).sum()), int(positive.sum())
    if not 0 < there < len(positive) or not rows:
        raise TableError(
            f"the calibration split has {there} positives among {len(positive)} rows, of which "
            f"the baseline finds {rows}: nothing to tune the candidate's threshold by. Add "
            "labelled rows of both labels, or write a number in the place of 'tuned'"
        )


def _between(steps: NDArray[np.float64], place: int) -> float:
    """The middle between the last score that is flagged and the next, short where it may be."""
    upper = float(steps[place])
    if place + 1 == len(steps):
        return upper
    lower = float(steps[place + 1])
    middle = (upper + lower) / 2
    for digits in range(2, 12):
        short = round(middle, digits)
        if lower < short <= upper:
            return short
    return upper
