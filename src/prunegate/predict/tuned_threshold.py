"""The candidate's own threshold, chosen on calibration rows so that it acts as the baseline does.

Pruning and quantizing shift scores; at the baseline's threshold a candidate may then be judged for
where its scores lie and not for how it ranks. The threshold is chosen on rows that are not judged;
scores are never changed. Rows count by their design weights, where the policy names some. Between
two neighbouring scores that decide alike, it lies in the middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

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
        positive: bool [N], of every calibration row, whether its label is the positive one.
        flagged: bool [N], whether the baseline flags it.
        scores: float64 [N], the candidate's scores, in [0, 1].
        weights: float64 [N], above 0; None: they are alike.

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
    labels = _Labels(every=each.sum(), positives=each[positive].sum())
    baseline = _Flagged(rows=each[flagged].sum(), hits=each[positive & flagged].sum())
    steps, candidate = _by_threshold(scores, positive, each)
    values = _value(match, candidate, labels)
    place = _place(match, candidate, baseline, labels)
    return TunedThreshold(
        threshold=_between(steps, place),
        match=match,
        rows=len(positive),
        positives=int(positive.sum()),
        baseline=float(_value(match, baseline, labels)),
        candidate=float(values[place]),
    )


_Sums = Any
"""A sum of weights, or [T]: one for each of T thresholds."""


@dataclass(frozen=True, kw_only=True)
class _Labels:
    """What is there to flag, as sums of weights."""

    every: np.float64
    positives: np.float64


@dataclass(frozen=True, kw_only=True)
class _Flagged:
    """What is flagged, as sums of weights; at one threshold, or at each of several."""

    rows: _Sums
    hits: _Sums
    """Of the rows, the positives."""


def _by_threshold(
    scores: NDArray[np.float64], positive: Flags, each: NDArray[np.float64]
) -> tuple[NDArray[np.float64], _Flagged]:
    """The scores that occur, the highest first, and what is flagged from each of them on."""
    steps, place_of = np.unique(scores, return_inverse=True)
    rows, hits = (
        np.bincount(place_of, weights=worth, minlength=len(steps))[::-1].cumsum()
        for worth in (each, each * positive)
    )
    return steps[::-1], _Flagged(rows=rows, hits=hits)


def _value(match: Match, flagged: _Flagged, labels: _Labels) -> _Sums:
    """The recall, the share of flagged rows, or the F1."""
    if match == "recall":
        return flagged.hits / labels.positives
    if match == "flag_rate":
        return flagged.rows / labels.every
    return 2 * flagged.hits / (flagged.rows + labels.positives)


def _place(match: Match, candidate: _Flagged, baseline: _Flagged, labels: _Labels) -> int:
    """The place of the threshold that does as is asked; of equals the highest, hence the first."""
    if match == "recall":
        return int(np.argmax(candidate.hits >= baseline.hits - _ROUNDING * labels.every))
    if match == "flag_rate":
        away = np.abs(candidate.rows - baseline.rows) / labels.every
        return int(np.argmin(np.round(away / _ROUNDING)))
    return int(np.argmax(np.round(_value(match, candidate, labels) / _ROUNDING)))


def require_matchable(positive: Flags, flagged: Flags) -> None:
    """Insist that there is something on the calibration rows to match.

    Args:
        positive: bool [N], of every row, whether its label is the positive one.
        flagged: bool [N], whether the baseline flags it.

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
