"""The importance criteria by name, and what each is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from prunegate.compress.examples import Examples, Progress
from prunegate.compress.importance import taylor
from prunegate.compress.magnitude import magnitude
from prunegate.compress.random_control import random_scores
from prunegate.compress.scores import Importance
from prunegate.errors import TableError, UnsupportedError
from prunegate.models.family import Family


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model to be ranked, and what a criterion may use to rank it."""

    family: Family
    module: nn.Module
    data: Examples | None = None
    """Calibration rows; only gradient criteria need them."""
    seed: int = 0
    """Only the random control uses it."""
    batch_size: int = 64
    device: str = "cpu"
    progress: Progress | None = None


def rank(criterion: str, subject: Subject) -> Importance:
    """Score every head and neuron that is present.

    Raises:
        UnsupportedError: no criterion of that name.
        TableError: the criterion needs calibration data and there are none.
    """
    return _criterion(criterion)(subject)


def check_criterion(criterion: str) -> None:
    """Refuse a name that is not a criterion, before anything is computed.

    Raises:
        UnsupportedError: no criterion of that name.
    """
    _criterion(criterion)


def _criterion(name: str) -> Callable[[Subject], Importance]:
    if name not in CRITERIA:
        known = ", ".join(CRITERIA)
        raise UnsupportedError(f"criterion {name!r} is not supported; choose one of: {known}.")
    return CRITERIA[name]


def _taylor(subject: Subject) -> Importance:
    if subject.data is None:
        raise TableError("the taylor criterion needs calibration data; give the step some rows.")
    return taylor(
        subject.family,
        subject.module,
        subject.data,
        batch_size=subject.batch_size,
        device=subject.device,
        progress=subject.progress,
    )


CRITERIA: dict[str, Callable[[Subject], Importance]] = {
    "taylor": _taylor,
    "magnitude": lambda subject: magnitude(subject.family, subject.module),
    "random": lambda subject: random_scores(subject.family, subject.module, subject.seed),
}
