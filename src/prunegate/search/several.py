"""Several amounts at once: a seeded optimiser that learns which candidates pass.

Optuna's tree-structured Parzen estimator (Bergstra et al. 2011) with the constraint that a
candidate passes; it keeps nothing on disk and sends nothing. Both corners are asked first: where
removing the least everywhere is too much, nothing else can pass.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prunegate.errors import UnsupportedError
from prunegate.search.bisection import State
from prunegate.search.memo import Amounts

if TYPE_CHECKING:
    from optuna import Study

PATIENCE = 20
"""Repeated suggestions in a row after which the optimiser is taken to have nothing new."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the optimiser learns of one candidate."""

    number: int
    """The same candidate has the same number."""
    state: State
    objective: float
    """To be made small."""
    violation: float
    """How far from passing: zero or less where it passes."""


def explore(
    ask: Callable[[Amounts], Outcome | None],
    ranges: Sequence[tuple[float, float]],
    *,
    seed: int,
) -> None:
    """Ask for candidates until no more may be asked; the caller keeps what was found.

    Args:
        ask: what a candidate is; None when no more may be asked.
        ranges: smallest and largest amount of each step.
        seed: decides every suggestion.

    Raises:
        UnsupportedError: Optuna is not installed.
    """
    require_optuna()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        # Optuna announces changes of its own interface to its users, who are not ours.
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=2 * len(ranges))
        study = optuna.create_study(sampler=sampler, direction="minimize")
        for corner in zip(*ranges, strict=True):
            study.enqueue_trial(_named(corner))
        _converse(study, ask, ranges)


def require_optuna() -> None:
    """Insist on the extra before anything that takes long.

    Raises:
        UnsupportedError: Optuna is not installed.
    """
    try:
        import optuna  # noqa: F401  # only whether it is there
    except ImportError as error:
        raise UnsupportedError(
            "searching several amounts at once needs Optuna: pip install 'prunegate[search]', or "
            "vary one step, which is searched by bisection"
        ) from error


def _named(values: Sequence[float]) -> dict[str, float]:
    return {f"amount-{place}": value for place, value in enumerate(values)}


def _converse(
    study: Study,
    ask: Callable[[Amounts], Outcome | None],
    ranges: Sequence[tuple[float, float]],
) -> None:
    seen: set[int] = set()
    repeats = 0
    while repeats < PATIENCE:
        trial = study.ask()
        amounts = tuple(
            trial.suggest_float(f"amount-{place}", low, high)
            for place, (low, high) in enumerate(ranges)
        )
        outcome = ask(amounts)
        if outcome is None or (not seen and outcome.state == "too_much"):
            return
        trial.set_constraint("passes", outcome.violation)
        study.tell(trial, outcome.objective)
        repeats = repeats + 1 if outcome.number in seen else 0
        seen.add(outcome.number)
