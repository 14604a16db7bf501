"""A recipe carried out: from a baseline and steps to a candidate, resumed where it was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prunegate.compress import checkpoint
from prunegate.compress.steps import (
    Candidate,
    Operation,
    PreparedStep,
    Stage,
    StageProgress,
    unroll,
)
from prunegate.compress.work import Work
from prunegate.errors import ModelError
from prunegate.io.progress import Progress, silent
from prunegate.models.load import LoadedModel
from prunegate.models.onnx_file import edge
from prunegate.models.surgery import FLOAT32


def compress(
    baseline: LoadedModel,
    steps: Sequence[PreparedStep],
    *,
    seed: int = 0,
    device: str = "cpu",
    checkpoints: Path | None = None,
    progress: StageProgress = silent,
) -> Candidate:
    """Apply a recipe to a copy of a model.

    Args:
        baseline: The model; may itself be a candidate, whose record is then continued.
        steps: At least one.
        seed: Every step draws its own seed from it.
        device: "cpu" or "cuda".
        checkpoints: A folder that belongs to this very work; what was done is kept there after
            each operation, and taken up again. None: nothing is kept.
        progress: Called with the stage, done and total.

    Raises:
        ModelError: no steps, or a step that cannot be done as asked.
        TableError: a step without the data it needs.
        UnsupportedError: an unknown criterion or device, or units that the model does not have.
    """
    if not 0 <= seed < 1 << 63:
        raise ModelError(f"seed {seed} has to be a whole number from 0 below 2**63.")
    todo = unroll(steps)
    _require_extra(steps)
    work = Work.start(baseline, seed, device)
    if checkpoints is not None:
        checkpoint.load_checkpoint(work, checkpoints)
    for one in todo[work.done :]:
        work.do(one, _staged(progress, one, len(steps)))
        if checkpoints is not None and work.done < len(todo) and work.storage == FLOAT32:
            checkpoint.save_checkpoint(work, checkpoints)
    return work.candidate()


def _require_extra(steps: Sequence[PreparedStep]) -> None:
    """Miss what the last steps need now, not after the training."""
    bare = [prepared.step for prepared in steps]
    engines = {step.quantize.engine for step in bare if step.quantize is not None}
    if "onnxruntime" in engines or any(step.export is not None for step in bare):
        for name in ("onnx", "onnxruntime", "onnxscript"):
            edge(name)


def _staged(progress: StageProgress, one: Operation, steps: int) -> Progress:
    """Progress of one operation, whose verbs are told with their place."""
    place, of_units = one.place(steps), one.prepared.step.prune is not None
    return lambda verb, done, total: progress(
        Stage(place=place, verb=verb, of_units=of_units), done, total
    )
