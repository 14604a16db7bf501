"""The importance criteria by name."""

from __future__ import annotations

from collections.abc import Callable

from prunegate.compress.activation import activation
from prunegate.compress.importance import taylor
from prunegate.compress.magnitude import magnitude
from prunegate.compress.random_control import random_scores
from prunegate.compress.scores import Scores
from prunegate.compress.subject import Subject
from prunegate.errors import UnsupportedError
from prunegate.models.kept import Kind

CRITERIA: dict[str, Callable[[Subject, Kind], Scores]] = {
    "taylor": taylor,
    "magnitude": magnitude,
    "activation": activation,
    "random": random_scores,
}


def rank(criterion: str, subject: Subject, kind: Kind) -> Scores:
    """Score every unit of a kind that is present, row by row.

    Raises:
        UnsupportedError: no criterion of that name.
        TableError: the criterion needs calibration data and there are none.
    """
    check_criterion(criterion)
    return CRITERIA[criterion](subject, kind)


def check_criterion(criterion: str) -> None:
    """Refuse a name that is not a criterion, before anything is computed.

    Raises:
        UnsupportedError: no criterion of that name.
    """
    if criterion not in CRITERIA:
        known = ", ".join(CRITERIA)
        raise UnsupportedError(f"criterion {criterion!r} is not supported; choose one of: {known}.")
