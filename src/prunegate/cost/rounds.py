"""Rounds: the timing itself. Baseline, candidate, baseline, on the same inputs, again and again.

One call that is not timed opens every slot, so that no model pays for the caches of the one before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from prunegate.errors import MeasurementError

Inputs = Tensor | Mapping[str, Tensor]
"""One tensor, or tensors by argument name; the first dimension counts samples."""
Run = Callable[[], None]
"""One inference, ended when its result is there."""
Taken = TypeVar("Taken")
"""What is known of a slot: one model's turn in a round."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Calls of one model in a row."""

    cpu: float
    """Seconds of process CPU time, all threads."""
    calls: tuple[float, ...]
    """Wall seconds of each call."""


@dataclass(frozen=True, kw_only=True)
class Round(Generic[Taken]):
    """Baseline, candidate, baseline."""

    before: Taken
    candidate: Taken
    after: Taken

    @property
    def baseline(self) -> tuple[Taken, Taken]:
        """The baseline's two slots."""
        return self.before, self.after


def take(inputs: Inputs, batch: int) -> dict[str, Tensor] | Tensor:
    """Return exactly ``batch`` samples, [batch, ...]; those that are there repeat.

    Raises:
        MeasurementError: there are none.
    """
    if isinstance(inputs, Tensor):
        return inputs[_places(inputs, batch)].contiguous()
    if not inputs:
        raise MeasurementError("there are no sample inputs; give at least one sample.")
    return {name: tensor[_places(tensor, batch)].contiguous() for name, tensor in inputs.items()}


def _places(tensor: Tensor, batch: int) -> Tensor:
    if tensor.ndim == 0 or not len(tensor):
        raise MeasurementError("there are no sample inputs; give at least one sample.")
    return torch.arange(batch, device=tensor.device) % len(tensor)


def device_of(inputs: dict[str, Tensor] | Tensor) -> torch.device:
    """Return where the inputs are: all on one device."""
    return (inputs if isinstance(inputs, Tensor) else next(iter(inputs.values()))).device


@contextmanager
def settings(baseline: nn.Module, candidate: nn.Module, threads: int) -> Iterator[None]:
    """Set evaluation mode and threads; put both back."""
    modes = [(part, part.training) for m in (baseline, candidate) for part in m.modules()]
    before = torch.get_num_threads()
    try:
        baseline.eval()
        candidate.eval()
        torch.set_num_threads(threads)
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)
        for part, mode in modes:
            part.training = mode


def runner(module: nn.Module, inputs: dict[str, Tensor] | Tensor, device: torch.device) -> Run:
    """Return a call that ends when its result is there."""

    def run() -> None:
        _: Any = module(inputs) if isinstance(inputs, Tensor) else module(**inputs)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return run


def calls_per_slot(runs: list[Run], rounds: int, seconds: float) -> int:
    """Warm up, and find how many calls fill the time: the same number for both models.

    Raises:
        MeasurementError: a model cannot run on the inputs.
    """
    try:
        slots = [_slot(run, 3) for run in runs]
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        first = str(error).partition("\n")[0]
        raise MeasurementError(
            f"a model cannot run on the sample inputs ({first}); give inputs of both models' form."
        ) from error
    baseline, candidate = (min(slot.calls) for slot in slots)
    return max(1, round(seconds / (rounds * (2 * baseline + candidate))))


def take_round(baseline: Run, candidate: Run, calls: int) -> Round[Slot]:
    """Time one round, each slot with the same number of calls."""
    return Round(
        before=_slot(baseline, calls),
        candidate=_slot(candidate, calls),
        after=_slot(baseline, calls),
    )


def _slot(run: Run, calls: int) -> Slot:
    run()  # brings the model back into the caches; what ran before must not matter
    times = []
    cpu = time.process_time()
    for _ in range(calls):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return Slot(cpu=time.process_time() - cpu, calls=tuple(times))
