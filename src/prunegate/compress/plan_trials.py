"""Plans of one budget, tried: each is cut, recovered shortly, and ranked by its loss after that.

What the curves of a budget say is about the model before recovery, and rankings from before can
turn: a plan that loses more at first may recover better. The trials see the step's own rows, never
the gate's, and leave nothing behind but their losses; the recipe goes on from the model as it was.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import nn

from prunegate.compress.compensation import compensate
from prunegate.compress.finetune import finetune, total_steps
from prunegate.compress.quality import step_quality
from prunegate.compress.ranking_input import Examples, RankingInput
from prunegate.compress.select import Survivors
from prunegate.errors import ModelError
from prunegate.models.cut import cut
from prunegate.models.kept_units import Kind
from prunegate.policy.steps import Finetune, Prune

SHORT = 20
"""Batches that each plan is recovered for, at most."""


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """The fine-tuning that follows in the recipe, cut short."""

    schedule: Finetune
    data: Examples
    teacher: nn.Module | None
    seed: int
    """The same for each plan: they see the same rows in the same order."""

    @property
    def steps(self) -> int:
        """Batches."""
        return min(SHORT, total_steps(self.schedule, len(self.data)))

    def of(self, module: nn.Module, device: str) -> None:
        """Recover a model in place."""
        short = self.schedule.model_copy(update={"steps": self.steps, "epochs": None})
        finetune(module, self.data, short, teacher=self.teacher, seed=self.seed, device=device)


@dataclass(frozen=True, kw_only=True)
class TriedPlan:
    """One plan and what came of it."""

    kept: tuple[int, ...]
    """Units that stay of each present row."""
    expected: float
    """What its curves say is lost before recovery, nats per row or counted token."""
    loss: float
    """After the short recovery, on the step's own rows, as of ``StepQuality``."""


def least_lost(tried: Sequence[TriedPlan]) -> int:
    """The number of the plan with the least loss; of equal ones, the one expected to lose less."""
    return min(range(len(tried)), key=lambda one: (tried[one].loss, one))


def tried_plans(
    ranked: RankingInput,
    kind: Kind,
    choices: Sequence[Survivors],
    expected: Sequence[float],
    wanted: Prune,
    recovery: Recovery | None,
) -> tuple[TriedPlan, ...]:
    """Cut, recover and measure each plan on a copy of the model.

    Args:
        ranked: The model, which stays as it is, and the rows that the losses are measured on.
        kind: What is cut.
        choices: The survivors of each plan.
        expected: What each plan's curves say is lost.
        wanted: The step.
        recovery: What follows the step.

    Raises:
        ModelError: nothing follows that could recover a plan, or a recovery diverged.
        TableError: a label that is not a class.
    """
    if recovery is None:
        raise ModelError("several plans need a fine-tuning after the step; add one, or plans: 1.")
    tried = []
    for number, (positions, before) in enumerate(zip(choices, expected, strict=True)):
        ranked.progress("try", number, len(choices))
        trial = replace(ranked, module=copy.deepcopy(ranked.module))
        if wanted.compensate != "none":
            compensate(trial, kind, positions)
        cut(trial.family, trial.module, kind, positions)
        recovery.of(trial.module, trial.device)
        found = step_quality(trial.module, trial.rows(), trial.device)
        kept = tuple(map(len, positions))
        tried.append(TriedPlan(kept=kept, expected=before, loss=found.loss))
    return tuple(tried)
