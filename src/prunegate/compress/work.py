"""A recipe at work: one operation after the other on a copy of the baseline.

Every step draws its own seed, so the same seed gives the same candidate, bit for bit, whether the
work was interrupted and resumed or not.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from prunegate.compress.finetune import finetune
from prunegate.compress.plan_trials import Recovery
from prunegate.compress.quality import StepQuality, quality_values, step_quality
from prunegate.compress.ranking_input import Examples, RankingInput
from prunegate.compress.recorded_step import plan_values, recorded_step
from prunegate.compress.removals import in_cycle
from prunegate.compress.scores import shares_of_rows
from prunegate.compress.steps import Candidate, Operation
from prunegate.compress.structured import Removal, cut_kind, prune, units_to_remove
from prunegate.compress.unstructured import thin
from prunegate.errors import InternalError, ModelError, TableError
from prunegate.io.progress import Progress
from prunegate.models.cut import cut_whole
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.models.load import LoadedModel
from prunegate.models.save import stored_sha256
from prunegate.models.sparse import count_zeros, held, masks
from prunegate.models.surgery import FLOAT32, Ranking, Storage, Surgery
from prunegate.policy.steps import Finetune, Prune, Quantize


@dataclass(kw_only=True)
class Work:
    """A recipe in progress."""

    baseline: LoadedModel
    seed: int
    device: str
    module: nn.Module
    kept: KeptUnits
    storage: Storage = FLOAT32
    zeros: int | None = None
    recipe: list[dict[str, Any]] = field(default_factory=list)
    losses: list[tuple[float, ...]] = field(default_factory=list)
    importance: dict[Kind, Ranking] = field(default_factory=dict)
    prunings: int = 0
    wanted: tuple[int, ...] | None = None
    """What the cycles of the present step remove in all."""
    done: int = 0
    """Operations that are over."""

    @classmethod
    def start(cls, baseline: LoadedModel, seed: int, device: str) -> Work:
        """Begin with a copy of the baseline.

        Raises:
            ModelError: it is stored in eight bits or as ONNX.
        """
        if baseline.storage.format != "float32":
            raise ModelError(
                f"{baseline.folder}: an {baseline.storage.format} model cannot be compressed "
                "further; start from the float32 one."
            )
        zeros = baseline.surgery.zeros if baseline.surgery else None
        module = copy.deepcopy(baseline.module)
        return cls(
            baseline=baseline,
            seed=seed,
            device=device,
            module=module,
            kept=baseline.kept,
            zeros=zeros,
        )

    def do(self, one: Operation, report: Progress) -> None:
        """Carry out one operation."""
        prepared = one.prepared
        step, removed = prepared.step, 0
        measured: dict[str, Any] = {}
        if step.prune is not None:
            removed, measured = self._prune(step.prune, one, report)
        elif step.finetune is not None:
            measured = self._finetune(step.finetune, prepared.data, report)
        elif step.quantize is not None:
            self._quantize(step.quantize, prepared.data, report)
        elif step.export is not None:
            self._export(report)
        else:
            raise InternalError(f"nobody carries out a step of kind '{step.kind}'")
        self.recipe.append(recorded_step(one, removed, measured))
        self.done += 1

    def _prune(self, step: Prune, one: Operation, report: Progress) -> tuple[int, dict[str, Any]]:
        """Remove or zero; returns how many went, and what compensation bought."""
        prepared = one.prepared
        measured: dict[str, Any] = {}
        ranked = RankingInput(
            family=self.baseline.family,
            module=self.module,
            data=prepared.data,
            seed=_step_seed(self.seed, 0, self.prunings),
            device=self.device,
            progress=_as(report, f"rank {step.what}"),
        )
        if step.units is not None:
            recovery = self._recovery(one)
            removal = self._remove(ranked, step, one, recovery)
            removed = removal.removed
            measured = {
                **quality_values(removal.measured),
                **plan_values(removal.plans, recovery.steps if recovery else 0),
            }
        else:
            before = self.zeros or 0
            self.zeros = thin(ranked, step, cycle=one.cycle, cycles=one.cycles)
            removed = self.zeros - before
        self.prunings += 1
        if prepared.rewind_to is not None:
            self._rewind(prepared.rewind_to)
        return removed, measured

    def _remove(
        self, ranked: RankingInput, wanted: Prune, one: Operation, recovery: Recovery | None
    ) -> Removal:
        if wanted.compensate != "none" and self.zeros is not None:
            raise ModelError(
                "compensation would fill the zeros that are in the weights; remove 'compensate', "
                "or start from the model before they were set."
            )
        counts = None
        if one.cycles > 1:
            if one.cycle == 1:
                self.wanted = units_to_remove(wanted, self.kept)
            if self.wanted is None:
                raise ModelError("share_below cannot be spread over cycles; give another amount.")
            counts = in_cycle(self.wanted, one.cycle, one.cycles)
        removal = prune(ranked, self.kept, wanted, counts, recovery)
        whole = self.baseline.family.whole(self.baseline.config)
        ranking = _ranking(wanted, removal, self.kept, whole)
        self.importance.setdefault(cut_kind(wanted), ranking)
        self.kept = removal.kept
        if self.zeros is not None:  # some went with the units
            self.zeros = count_zeros(self.module, self.baseline.family)
        return removal

    def _recovery(self, one: Operation) -> Recovery | None:
        """How plans are recovered before they are ranked; None: there is one plan."""
        following = one.recovery
        if following is None or following.step.finetune is None or following.data is None:
            return None
        return Recovery(
            schedule=following.step.finetune,
            data=following.data,
            teacher=self.baseline.module if following.step.finetune.taught else None,
            seed=_step_seed(self.seed, 2, self.prunings),
        )

    def _rewind(self, found: LoadedModel) -> None:
        """Put the survivors back to earlier weights, found by their original indices."""
        family = self.baseline.family
        whole = family.whole(self.baseline.config)
        earlier = copy.deepcopy(found.module)
        same = found.family is family and found.kept == whole
        if same:
            cut_whole(family, earlier, self.kept)
            same = _shapes(earlier) == _shapes(self.module)
        if not same:
            raise ModelError(
                f"{found.folder}: not the unpruned model that the baseline was; rewinding needs "
                "weights of the same shapes."
            )
        zero = masks(self.module, family) if self.zeros is not None else {}
        self.module.load_state_dict(earlier.state_dict())
        for name, mask in zero.items():
            self.module.get_parameter(name).data.masked_fill_(~mask, 0.0)
        if self.zeros is not None:
            self.zeros = count_zeros(self.module, family)

    def _finetune(self, step: Finetune, data: Examples | None, report: Progress) -> dict[str, Any]:
        """Train; returns what a teacher bought, where there is one."""
        if data is None:
            raise TableError("no rows to fine-tune on; give the step some.")
        teacher = self.baseline.module if step.taught else None
        found = {} if teacher is None else {"before": self._beside(teacher, data)}
        zeros = masks(self.module, self.baseline.family) if self.zeros is not None else {}
        with held(self.module, zeros):
            losses = finetune(
                self.module,
                data,
                step,
                teacher=teacher,
                seed=_step_seed(self.seed, 1, len(self.losses)),
                device=self.device,
                progress=report,
            )
        self.losses.append(losses)
        if teacher is not None:
            found["after"] = self._beside(teacher, data)
        return quality_values(found)

    def _beside(self, teacher: nn.Module, data: Examples) -> StepQuality:
        return step_quality(self.module, data, self.device, teacher)

    def _quantize(self, step: Quantize, data: Examples | None, report: Progress) -> None:
        from prunegate.compress.quantize import quantize

        self.module, self.storage = quantize(self.module, step, self._example(), data)
        report("quantize", 1, 1)

    def _export(self, report: Progress) -> None:
        from prunegate.compress.quantize import export_onnx

        if self.storage.format != "onnx":
            self.module, self.storage = export_onnx(self.module, self._example())
        report("export", 1, 1)

    def _example(self) -> dict[str, Any]:
        return self.baseline.family.example(self.baseline.config)

    def candidate(self) -> Candidate:
        """What the recipe made.

        Raises:
            InternalError: the module has other parameters than the plan says.
        """
        family, config = self.baseline.family, self.baseline.config
        parameters = family.parameters(config, self.kept)
        if self.storage.format == "float32":
            counted = sum(weight.numel() for weight in self.module.parameters())
            if counted != parameters:
                raise InternalError(f"{counted:,} parameters left, arithmetic says {parameters:,}")
        earlier = self.baseline.surgery
        surgery = Surgery(
            architecture=family.architecture,
            config=config,
            kept=self.kept,
            parameters=parameters,
            zeros=self.zeros,
            storage=self.storage,
            weights_sha256=stored_sha256(self.module, self.storage),
            baseline_digest=earlier.baseline_digest if earlier else self.baseline.digest,
            recipe=(*(earlier.recipe if earlier else ()), *self.recipe),
            seed=self.seed,
            importance={**(earlier.importance if earlier else {}), **self.importance},
        )
        return Candidate(
            module=self.module, kept=self.kept, surgery=surgery, losses=tuple(self.losses)
        )


def _ranking(wanted: Prune, removal: Removal, present: KeptUnits, whole: KeptUnits) -> Ranking:
    kind = cut_kind(wanted)
    shares = dict(zip(present.present(kind), shares_of_rows(removal.scores), strict=True))
    rows = []
    for row, units in enumerate(whole.of(kind)):
        there = present.of(kind)[row]
        known = dict(zip(there, shares[row].tolist(), strict=True)) if row in shares else {}
        rows.append(tuple(_digits(known.get(unit)) for unit in units))
    return Ranking(criterion=wanted.criterion, shares=tuple(rows))


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def _digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _step_seed(seed: int, stream: int, index: int) -> int:
    return int(np.random.SeedSequence([seed, stream, index]).generate_state(1)[0])


def _as(progress: Progress, name: str) -> Progress:
    return lambda _stage, done, total: progress(name, done, total)
