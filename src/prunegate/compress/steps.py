"""Steps ready to run: the policy's own steps, each with what it needs besides.

Nothing of a step is copied: what a policy says is what is carried out and what is recorded. Beside
it stand the rows it looks at, as examples, and the earlier weights that it rewinds to. The baseline
is copied, never changed. ``without_pruning`` gives the unpruned control: the same fine-tuning with
nothing removed, which tells what the data did and what the pruning did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import nn

from prunegate.compress.finetune import require_usual_sizes
from prunegate.compress.ranking_input import Examples
from prunegate.compress.scoring.by_criterion import check_criterion
from prunegate.errors import ModelError
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.models.load import LoadedModel
from prunegate.models.surgery import Ranking, Surgery
from prunegate.policy.step_order import misplaced
from prunegate.policy.steps import Rows, Step

Find = Callable[[Rows], Examples]
Earlier = Callable[[Literal["initial", "early"]], LoadedModel]


@dataclass(frozen=True, kw_only=True)
class PreparedStep:
    """A step of a policy and what it needs to be carried out.

    Raises:
        ModelError: it rewinds and has no weights to go back to, or has some and does not.
    """

    step: Step
    data: Examples | None = None
    """The rows that it looks at (``step.rows``); None: it looks at none."""
    rewind_to: LoadedModel | None = None
    """The unpruned model as it was then, where it rewinds."""

    def __post_init__(self) -> None:
        rewinds = self.step.prune is not None and self.step.prune.rewind != "none"
        if rewinds != (self.rewind_to is not None):
            raise ModelError(
                "a prune step with 'rewind' needs 'rewind_to', the weights to go back to, and no "
                "other step has any; give both or neither."
            )


def prepare_steps(
    section: Sequence[Step], examples: Find, earlier: Earlier
) -> tuple[PreparedStep, ...]:
    """The steps of a policy, ready to run.

    Args:
        section: ``policy.compress``.
        examples: turns a step's row selection into labelled examples.
        earlier: loads the weights that a step rewinds to.
    """
    return tuple(_prepared(step, examples, earlier) for step in section)


def _prepared(step: Step, examples: Find, earlier: Earlier) -> PreparedStep:
    rewind = step.prune.rewind if step.prune else "none"
    return PreparedStep(
        step=step,
        data=None if step.rows is None else examples(step.rows),
        rewind_to=None if rewind == "none" else earlier(rewind),
    )


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What a recipe made of a baseline."""

    module: nn.Module
    """The smaller model, in evaluation mode."""
    kept: KeptUnits
    """What is left, numbered as in the unpruned model."""
    surgery: Surgery
    """The manifest to save beside the weights."""
    losses: tuple[tuple[float, ...], ...]
    """Training loss per step of every fine-tuning, in order."""

    def importance(self, kind: Kind) -> Ranking | None:
        """The first ranking that units of a kind were removed by; None: none were."""
        return self.surgery.importance.get(kind)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that is done: a step, or one cycle of it."""

    prepared: PreparedStep
    number: int
    """Of the step, from 1."""
    cycle: int = 1
    cycles: int = 1
    recovery: PreparedStep | None = None
    """The fine-tuning that follows, where a prune step tries several plans."""

    def place(self, steps: int) -> str:
        """Where in a recipe of so many steps: ``step 3 of 4`` or ``step 3 of 4, cycle 1 of 2``."""
        cycle = f", cycle {self.cycle} of {self.cycles}" if self.cycles > 1 else ""
        return f"step {self.number} of {steps}{cycle}"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a recipe is at."""

    place: str
    """``step 1 of 3``."""
    verb: str
    """``rank heads``, ``fine-tune``."""
    of_units: bool
    """Whether the verb says itself what it is done to."""

    def words(self, model: str) -> str:
        """``rank heads (step 1 of 3)``, ``fine-tune the candidate (step 3 of 3)``.

        Args:
            model: what is being made: candidate or control.
        """
        told = self.verb if self.of_units else f"{self.verb} the {model}"
        return f"{told} ({self.place})"


class StageProgress(Protocol):
    """Something to call now and then while a recipe is carried out."""

    def __call__(self, stage: Stage, done: int, total: int, /) -> None:
        """Take what is being done, how much of it is done, and how much there is."""
        ...


def unroll(steps: Sequence[PreparedStep]) -> tuple[Operation, ...]:
    """Unroll cycles: a prune step with cycles repeats together with the fine-tuning after it.

    Raises:
        ModelError: no steps, steps in an order that cannot be, or a size that cannot be trained.
        UnsupportedError: a criterion that is not known.
    """
    _check(steps)
    found: list[Operation] = []
    taken = -1
    for index, prepared in enumerate(steps):
        if index == taken:
            continue
        number, prune = index + 1, prepared.step.prune
        if prune is None or not prune.repeats:
            recovery = _next_finetune(steps[number:]) if prune and prune.plans > 1 else None
            found.append(Operation(prepared=prepared, number=number, recovery=recovery))
            continue
        taken = number
        for cycle in range(1, prune.cycles + 1):
            for one, place in ((prepared, number), (steps[number], number + 1)):
                found.append(
                    Operation(prepared=one, number=place, cycle=cycle, cycles=prune.cycles)
                )
    return tuple(found)


def _next_finetune(steps: Sequence[PreparedStep]) -> PreparedStep | None:
    return next((one for one in steps if one.step.finetune is not None), None)


def without_pruning(steps: Iterable[PreparedStep]) -> tuple[PreparedStep, ...]:
    """Return the fine-tunings alone: the recipe of the unpruned control.

    Empty when nothing is fine-tuned; the control is then the baseline itself. Empty also where the
    weights are rewound: training from there is not what the baseline would get. Prunings and
    fine-tunings draw their seeds separately, so the control sees the same rows in the same order.
    """
    steps = tuple(steps)
    if any(prepared.rewind_to is not None for prepared in steps):
        return ()
    done = unroll(steps) if steps else ()
    return tuple(one.prepared for one in done if one.prepared.step.finetune is not None)


def _check(steps: Sequence[PreparedStep]) -> None:
    if not steps:
        raise ModelError("the recipe has no steps; prune or fine-tune something.")
    bare = [prepared.step for prepared in steps]
    for step in bare:
        if step.prune is not None:
            check_criterion(step.prune.criterion, weights=step.prune.units is None)
        if step.finetune is not None:
            require_usual_sizes(step.finetune)
    for mistake in misplaced(bare):
        raise ModelError(mistake.refusal)
