"""Short fine-tuning after surgery: AdamW, a cosine after a warm-up, labels and maybe a teacher.

Every call makes a new optimizer, because one from before surgery holds parameters that are gone.
The order of rows, flips and dropout come from the seed alone; the caller's random state is left
as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from prunegate.compress.distillation import distillation_loss
from prunegate.compress.loss import batch_loss
from prunegate.compress.ranking_input import Examples
from prunegate.errors import ModelError, TableError
from prunegate.io.progress import Progress, silent
from prunegate.models.batch import Batch
from prunegate.models.placement import placed
from prunegate.policy.steps import Finetune

WARMUP = 0.05
"""Share of the steps over which the learning rate rises."""
_LARGEST_RATE = 1e30  # AdamW divides it by 0.1 and has to write it in float32, which ends at 3e38


def require_usual_sizes(schedule: Finetune) -> None:
    """Refuse what a policy may write and no optimizer can do.

    Raises:
        ModelError: a learning rate past float32.
    """
    if schedule.learning_rate > _LARGEST_RATE:
        raise ModelError(
            "fine-tuning: learning_rate out of range; give a positive number of a usual size."
        )


def total_steps(schedule: Finetune, rows: int) -> int:
    """Count the optimizer steps for so many rows."""
    if schedule.steps is not None:
        return schedule.steps
    return max(1, round((schedule.epochs or 0.0) * math.ceil(rows / schedule.batch_size)))


def finetune(  # noqa: PLR0913  # what is trained on what, and four keywords of how
    module: nn.Module,
    data: Examples,
    schedule: Finetune,
    *,
    teacher: nn.Module | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress = silent,
) -> tuple[float, ...]:
    """Train a model in place; its mode and device are put back afterwards.

    On one machine with one number of threads the same seed gives the same weights, on the CPU.

    Args:
        module: The model.
        data: Rows to train on, at least one.
        schedule: How; its learning rate is the peak, after warm-up.
        teacher: The model to learn from, where the schedule has one; it stays as it is.
        seed: Of the row order, flips and dropout.
        device: "cpu" or "cuda".
        progress: Called with ("fine-tune", steps done, steps).

    Returns:
        The training loss of every step.

    Raises:
        TableError: no rows, or a label that is not a class.
        ModelError: a learning rate past float32, or the loss or a weight stopped being finite.
    """
    if not len(data):
        raise TableError("no rows to fine-tune on; select at least one.")
    require_usual_sizes(schedule)
    taught_by = _taught_by(schedule, teacher)
    total = total_steps(schedule, len(data))
    batches = _batches(data, schedule, np.random.default_rng(seed))
    losses = []
    with _in_training(module, taught_by, device) as target, _own_randomness(target, seed):
        optimizer = torch.optim.AdamW(module.parameters(), weight_decay=schedule.weight_decay)
        for step in range(total):
            loss = _loss(module, next(batches).to(target), schedule, taught_by)
            _descend(optimizer, loss, schedule.learning_rate * _factor(step, total, WARMUP))
            losses.append(float(loss.detach()))
            progress("fine-tune", step + 1, total)
    module.zero_grad(set_to_none=True)
    _refuse_diverged(module)
    return tuple(losses)


def _taught_by(schedule: Finetune, teacher: nn.Module | None) -> nn.Module | None:
    """The teacher, where it has a say: with no weight, this is fine-tuning as without one."""
    if not schedule.taught:
        return None
    if teacher is None:
        raise ModelError("fine-tuning: the step has a teacher; give the baseline's module.")
    return teacher


def _loss(
    module: nn.Module, batch: Batch, schedule: Finetune, teacher: nn.Module | None
) -> torch.Tensor:
    try:
        if teacher is not None:
            return distillation_loss(
                module,
                teacher,
                batch,
                weight=schedule.weight,
                temperature=schedule.temperature,
            )
        return batch_loss(module, batch, reduction="mean")
    except ValueError as error:  # batch norm has no variance over one row
        raise ModelError(
            f"fine-tuning: the model cannot train on a batch of {len(batch)} ({error}); choose a "
            "batch_size that leaves no single row over."
        ) from error


@contextmanager
def _in_training(
    module: nn.Module, teacher: nn.Module | None, device: str
) -> Iterator[torch.device]:
    """Place both models; only the first one learns. Yields where they are."""
    with ExitStack() as stack:
        if teacher is not None:
            stack.enter_context(placed(teacher, device, training=False))
        yield stack.enter_context(placed(module, device, training=True))


@contextmanager
def _own_randomness(device: torch.device, seed: int) -> Iterator[None]:
    """Seed torch for the length of a context and give the caller's state back."""
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        yield


def _batches(data: Examples, schedule: Finetune, generator: np.random.Generator) -> Iterator[Batch]:
    """Yield batches for ever, each pass in a new order, the last batch of a pass smaller."""
    while True:
        order = generator.permutation(len(data))
        for start in range(0, len(data), schedule.batch_size):
            batch = data.batch(order[start : start + schedule.batch_size])
            yield _mirrored(batch, generator) if schedule.mirrors else batch


def _mirrored(batch: Batch, generator: np.random.Generator) -> Batch:
    """Mirror about half of the images left to right; a batch of something else stays."""
    images = batch.inputs.get("pixel_values")
    if images is None:
        return batch
    chosen = torch.from_numpy(generator.random(len(batch)) < 0.5)
    flipped = torch.where(chosen[:, None, None, None], images.flip(-1), images)
    return replace(batch, inputs={**batch.inputs, "pixel_values": flipped})


def _factor(step: int, total: int, warmup: float) -> float:
    """Return the share of the peak learning rate at a step: linear rise, then half a cosine."""
    rising = round(warmup * total)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))


def _descend(optimizer: torch.optim.Optimizer, loss: torch.Tensor, rate: float) -> None:
    """Take one step at a learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    optimizer.step()


def _refuse_diverged(module: nn.Module) -> None:
    # The last step's damage shows in no loss.
    if not all(bool(torch.isfinite(weight).all()) for weight in module.parameters()):
        raise ModelError("fine-tuning made weights infinite or NaN; lower the learning rate.")
