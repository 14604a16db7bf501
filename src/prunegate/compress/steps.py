"""A recipe: the steps that make a candidate of a baseline, in order.

The baseline is copied, never changed. ``without_pruning`` gives the unpruned control: the same
fine-tuning with nothing removed, which tells what the data did and what the pruning did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from prunegate.compress.criteria import check_criterion
from prunegate.compress.finetune import Schedule
from prunegate.compress.ranking_input import Examples
from prunegate.compress.structured import Cut
from prunegate.compress.unstructured import Thinning
from prunegate.errors import ModelError
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.models.load import LoadedModel
from prunegate.models.surgery import Ranking, Surgery


@dataclass(frozen=True, kw_only=True)
class Rewind:
    """Where the survivors go back to after each removal."""

    to: Literal["initial", "early"]
    weights: LoadedModel
    """The unpruned model as it was then."""


@dataclass(frozen=True, kw_only=True)
class PruneStep:
    """Remove units, or set weights to zero."""

    cut: Cut | Thinning
    data: Examples | None = None
    """Rows to rank with; magnitude and random need none."""
    data_name: str = ""
    """What the rows are, for the record."""
    cycles: int = 1
    """Rounds of ranking, removing and the fine-tuning that follows."""
    rewind: Rewind | None = None


@dataclass(frozen=True, kw_only=True)
class FinetuneStep:
    """Train what is left."""

    schedule: Schedule
    data: Examples
    data_name: str = ""
    """What the rows are, for the record."""


@dataclass(frozen=True, kw_only=True)
class QuantizeStep:
    """Store and compute with eight-bit whole numbers; the last step but an export."""

    kind: Literal["dynamic", "static", "weight_only"] = "dynamic"
    engine: Literal["onnxruntime", "torch"] = "onnxruntime"
    per_channel: bool = True
    embeddings: bool | None = None
    """Quantize embedding tables too; None: where they hold most of the weights."""
    data: Examples | None = None
    """Rows that scale the activations; static only."""
    data_name: str = ""
    """What the rows are, for the record."""


@dataclass(frozen=True, kw_only=True)
class ExportStep:
    """Turn the model into model.onnx; the last step."""


Step = PruneStep | FinetuneStep | QuantizeStep | ExportStep


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

    step: Step
    number: int
    """Of the step, from 1."""
    cycle: int = 1
    cycles: int = 1

    def place(self, steps: int) -> str:
        """Where in a recipe of so many steps: ``step 3 of 4`` or ``step 3 of 4, cycle 1 of 2``."""
        cycle = f", cycle {self.cycle} of {self.cycles}" if self.cycles > 1 else ""
        return f"step {self.number} of {steps}{cycle}"


def unroll(steps: Sequence[Step]) -> tuple[Operation, ...]:
    """Unroll cycles: a prune step with cycles repeats together with the fine-tuning after it.

    Raises:
        ModelError: no steps, steps in an order that cannot be, or cycles without a fine-tuning.
        UnsupportedError: a criterion that is not known.
    """
    _check(steps)
    found: list[Operation] = []
    taken = -1
    for index, step in enumerate(steps):
        if index == taken:
            continue
        number = index + 1
        if not isinstance(step, PruneStep) or (step.cycles == 1 and step.rewind is None):
            found.append(Operation(step=step, number=number))
            continue
        following = steps[number] if number < len(steps) else None
        if not isinstance(following, FinetuneStep):
            raise ModelError(f"step {number}: cycles and rewind need a fine-tuning right after it.")
        taken = number
        for cycle in range(1, step.cycles + 1):
            of = {"cycle": cycle, "cycles": step.cycles}
            found.append(Operation(step=step, number=number, **of))
            found.append(Operation(step=following, number=number + 1, **of))
    return tuple(found)


def without_pruning(steps: Iterable[Step]) -> tuple[FinetuneStep, ...]:
    """Return the fine-tunings alone: the recipe of the unpruned control.

    Empty when nothing is fine-tuned; the control is then the baseline itself. Empty also where the
    weights are rewound: training from there is not what the baseline would get. Prunings and
    fine-tunings draw their seeds separately, so the control sees the same rows in the same order.
    """
    steps = tuple(steps)
    if any(isinstance(step, PruneStep) and step.rewind is not None for step in steps):
        return ()
    done = unroll(steps) if steps else ()
    return tuple(one.step for one in done if isinstance(one.step, FinetuneStep))


def _check(steps: Sequence[Step]) -> None:
    if not steps:
        raise ModelError("the recipe has no steps; prune or fine-tune something.")
    finished: list[str] = []
    for step in steps:
        if isinstance(step, PruneStep):
            check_criterion(step.cut.criterion)
        if isinstance(step, PruneStep | FinetuneStep):
            if finished:
                raise ModelError(f"a model after '{finished[0]}' cannot be changed any more.")
        else:
            word = "export" if isinstance(step, ExportStep) else "quantize"
            if word in finished:
                raise ModelError(f"'{word}' stands twice in the recipe; keep one.")
            finished.append(word)
    torch_int8 = any(isinstance(s, QuantizeStep) and s.engine == "torch" for s in steps)
    if torch_int8 and "export" in finished:
        raise ModelError("int8 of torch cannot be exported; quantize with engine onnxruntime.")
