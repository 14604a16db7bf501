"""A recipe: pruning and fine-tuning steps in order, and the candidate that they make.

The baseline is copied, never changed. ``without_pruning`` gives the unpruned control: the same
fine-tuning with nothing removed, which tells what the data did and what the pruning did.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import nn

from prunegate.compress.criteria import Subject, check_criterion
from prunegate.compress.examples import Examples, Progress
from prunegate.compress.finetune import Schedule, finetune
from prunegate.compress.prune import Cut, Removal, prune
from prunegate.compress.scores import share
from prunegate.errors import InternalError, ModelError
from prunegate.models.kept import Kept, Kind
from prunegate.models.store import LoadedModel
from prunegate.models.surgery import ImportanceSummary, NeuronSummary, Surgery
from prunegate.models.weights import weights_sha256


@dataclass(frozen=True, kw_only=True)
class PruneStep:
    """Remove units."""

    cut: Cut
    data: Examples | None = None
    """Rows to rank with; magnitude and random need none."""
    data_name: str = ""
    """What the rows are, for the record."""


@dataclass(frozen=True, kw_only=True)
class FinetuneStep:
    """Train what is left."""

    schedule: Schedule
    data: Examples
    data_name: str = ""
    """What the rows are, for the record."""


Step = PruneStep | FinetuneStep


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What a recipe made of a baseline."""

    module: nn.Module
    """The smaller model, in the baseline's mode."""
    kept: Kept
    """What is left, numbered as in the unpruned model."""
    surgery: Surgery
    """The manifest to save beside the weights."""
    losses: tuple[tuple[float, ...], ...]
    """Training loss per step of every fine-tuning, in order."""

    @property
    def importance(self) -> ImportanceSummary | None:
        """The first ranking that heads (else neurons) were removed by; None: nothing was."""
        return self.surgery.importance


def compress(
    baseline: LoadedModel,
    steps: Sequence[Step],
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Candidate:
    """Apply a recipe to a copy of a model.

    Args:
        baseline: The model; may itself be a candidate, whose record is then continued.
        steps: At least one.
        seed: Every step draws its own seed from it.
        device: "cpu" or "cuda".
        progress: Called with the stage ("step 1 of 2: rank"), done and total.

    Raises:
        ModelError: no steps, or a step that cannot be done as asked.
        TableError: a step without the data it needs.
        UnsupportedError: an unknown criterion or device.
    """
    _check(steps, seed)
    work = _Work(baseline, device)
    for index, step in enumerate(steps):
        work.report = _named(progress, f"step {index + 1} of {len(steps)}")
        if isinstance(step, PruneStep):
            work.prune(step, _step_seed(seed, 0, len(work.rankings)))
        else:
            work.finetune(step, _step_seed(seed, 1, len(work.losses)))
    return work.candidate(seed)


def without_pruning(steps: Iterable[Step]) -> tuple[FinetuneStep, ...]:
    """Return the fine-tuning steps alone: the recipe of the unpruned control.

    Empty when nothing is fine-tuned; the control is then the baseline itself. Prunings and
    fine-tunings draw their seeds separately, so the control sees the same rows in the same order.
    """
    return tuple(step for step in steps if isinstance(step, FinetuneStep))


class _Work:
    """A recipe in progress."""

    def __init__(self, baseline: LoadedModel, device: str) -> None:
        self.baseline = baseline
        self.device = device
        self.module = copy.deepcopy(baseline.module)
        self.kept = baseline.kept
        self.report: Progress | None = None
        self.recipe: list[dict[str, Any]] = []
        self.losses: list[tuple[float, ...]] = []
        self.rankings: list[tuple[Kind, ImportanceSummary]] = []

    def prune(self, step: PruneStep, seed: int) -> None:
        subject = Subject(
            family=self.baseline.family,
            module=self.module,
            data=step.data,
            seed=seed,
            device=self.device,
            progress=self.report,
        )
        removal = prune(subject, self.kept, step.cut)
        summary = _summary(step.cut.criterion, removal, self.kept, self._whole())
        self.rankings.append((step.cut.what, summary))
        self.kept = removal.kept
        self.recipe.append(_prune_record(step, removal.removed))

    def finetune(self, step: FinetuneStep, seed: int) -> None:
        self.losses.append(
            finetune(
                self.module,
                step.data,
                step.schedule,
                seed=seed,
                device=self.device,
                progress=self.report,
            )
        )
        self.recipe.append(_finetune_record(step))

    def candidate(self, seed: int) -> Candidate:
        family, config = self.baseline.family, self.baseline.config
        parameters = sum(weight.numel() for weight in self.module.parameters())
        expected = family.parameters(config, self.kept.counts("heads"), self.kept.counts("neurons"))
        if parameters != expected:
            raise InternalError(f"{parameters:,} parameters are left, arithmetic says {expected:,}")
        earlier = self.baseline.surgery
        surgery = Surgery(
            architecture=family.architecture,
            config=config,
            heads=self.kept.heads,
            neurons=self.kept.neurons,
            parameters=parameters,
            weights_sha256=weights_sha256(self.module),
            baseline_digest=earlier.baseline_digest if earlier else self.baseline.digest,
            recipe=(*(earlier.recipe if earlier else ()), *self.recipe),
            seed=seed,
            importance=self._importance(),
        )
        return Candidate(
            module=self.module, kept=self.kept, surgery=surgery, losses=tuple(self.losses)
        )

    def _importance(self) -> ImportanceSummary | None:
        of_heads = [summary for kind, summary in self.rankings if kind == "heads"]
        return next(iter([*of_heads, *(summary for _, summary in self.rankings)]), None)

    def _whole(self) -> Kept:
        return self.baseline.family.whole(self.baseline.config)


def _summary(criterion: str, removal: Removal, present: Kept, whole: Kept) -> ImportanceSummary:
    shares = share(removal.importance.heads)
    heads = []
    for layer, units in enumerate(whole.heads):
        known = dict(zip(present.heads[layer], shares[layer].tolist(), strict=True))
        heads.append(tuple(known.get(unit) for unit in units))
    neurons = tuple(
        NeuronSummary(
            minimum=float(scores.min()),
            median=float(np.median(scores)),
            maximum=float(scores.max()),
        )
        for scores in removal.importance.neurons
    )
    return ImportanceSummary(criterion=criterion, heads=tuple(heads), neurons=neurons)


def _prune_record(step: PruneStep, removed: int) -> dict[str, Any]:
    cut = asdict(step.cut)
    amount = {name: value for name, value in cut.pop("amount").items() if value is not None}
    return {
        "step": "prune",
        **cut,
        **amount,
        "removed": removed,
        "data": step.data_name,
        "rows": 0 if step.data is None else len(step.data),
    }


def _finetune_record(step: FinetuneStep) -> dict[str, Any]:
    schedule = {name: value for name, value in asdict(step.schedule).items() if value is not None}
    return {"step": "finetune", **schedule, "data": step.data_name, "rows": len(step.data)}


def _check(steps: Sequence[Step], seed: int) -> None:
    if not steps:
        raise ModelError("the recipe has no steps; prune or fine-tune something.")
    if not 0 <= seed < 1 << 63:
        raise ModelError(f"seed {seed} has to be a whole number from 0 below 2**63.")
    for step in steps:
        if isinstance(step, PruneStep):
            check_criterion(step.cut.criterion)


def _step_seed(seed: int, stream: int, index: int) -> int:
    return int(np.random.SeedSequence([seed, stream, index]).generate_state(1)[0])


def _named(progress: Progress | None, prefix: str) -> Progress | None:
    if progress is None:
        return None
    return lambda stage, done, total: progress(f"{prefix}: {stage}", done, total)
