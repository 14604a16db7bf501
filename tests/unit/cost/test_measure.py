"""Measuring: figures that belong together, settings put back. Nothing here tests speed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
import torch
from torch import nn

from prunegate.cost import measure as module
from prunegate.cost.measure import describe, measure
from prunegate.cost.measurement import Estimate95, ModelFigures, steady
from prunegate.cost.measurements_checks import mistakes_in
from prunegate.errors import MeasurementError

pytestmark = pytest.mark.models


class Counting(nn.Module):
    """Records what it is called with."""

    def __init__(self, log: list[str], name: str) -> None:
        super().__init__()
        self.log, self.name = log, name
        self.layer = nn.Linear(64, 64)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        assert not self.training
        assert torch.is_inference_mode_enabled()
        assert torch.get_num_threads() == 1
        self.log.append(f"{self.name}{len(pixel_values)}")
        return self.layer(pixel_values) @ self.layer.weight


def pair() -> tuple[list[str], Counting, Counting]:
    log: list[str] = []
    return log, Counting(log, "b"), Counting(log, "c")


def run(**more: Any) -> Any:
    _, baseline, candidate = pair()
    settings: dict[str, Any] = {"batch": 4, "rounds": 6, "seconds": 0.05} | more
    return measure(baseline, candidate, torch.zeros(3, 64), **settings)


def test_rounds_are_interleaved_and_equal() -> None:
    log, baseline, candidate = pair()
    measure(
        baseline, candidate, {"pixel_values": torch.zeros(2, 64)}, batch=5, rounds=7, seconds=1e-9
    )
    # Three warm-up calls and one that is not timed, for each; then b, c, b, two calls a slot.
    assert set(log) == {"b5", "c5"}
    assert "".join(log).replace("5", "") == "bbbb" + "cccc" + "bbccbb" * 7


def test_figures_are_complete_and_valid() -> None:
    found = run(rounds=40)
    assert [*mistakes_in(asdict(found))] == []
    for one in (found.baseline, found.candidate):
        assert one.latency_p50_ms <= one.latency_p95_ms
        assert one.throughput_per_s > 0
        assert one.cpu_ms > 0
    assert found.cpu_ratio.low <= found.cpu_ratio.value <= found.cpu_ratio.high
    assert found.engine.startswith(f"torch {torch.__version__.split('+')[0]} cpu")
    assert {"processor", "cores", "load_before", "load_after"} <= found.environment.keys()
    assert (found.batch, found.threads, found.rounds) == (4, 1, 40)


def test_a_percentile_needs_calls() -> None:
    found = run(seconds=1e-9).candidate
    assert found.latency_p50_ms is not None
    assert (found.latency_p95_ms, found.latency_p99_ms) == (None, None)


def test_mode_and_threads_are_put_back() -> None:
    _, baseline, candidate = pair()
    baseline.train()
    baseline.layer.eval()
    candidate.eval()
    threads = torch.get_num_threads()
    measure(baseline, candidate, torch.zeros(1, 64), rounds=6, seconds=0.01)
    assert (baseline.training, baseline.layer.training, candidate.training) == (True, False, False)
    assert torch.get_num_threads() == threads


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    run(progress=lambda *step: told.append(step))
    assert told == [("measure", done, 6) for done in range(1, 7)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"batch": 0}, "at least 1"),
        ({"threads": 0}, "at least 1"),
        ({"rounds": 5}, "at least 6"),
        ({"seconds": 0}, "above zero"),
        ({"seconds": float("nan")}, "above zero"),
    ],
)
def test_settings_without_sense(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(MeasurementError, match=words):
        run(**settings)


@pytest.mark.parametrize("inputs", [torch.zeros(0, 64), torch.tensor(1.0), {}])
def test_no_samples(inputs: Any) -> None:
    _, baseline, candidate = pair()
    with pytest.raises(MeasurementError, match="no sample inputs"):
        measure(baseline, candidate, inputs)


def test_inputs_of_another_form() -> None:
    _, baseline, candidate = pair()
    with pytest.raises(MeasurementError, match="cannot run on the sample inputs"):
        measure(baseline, candidate, torch.zeros(2, 65))


@pytest.mark.parametrize(
    ("low", "high", "quiet"),
    [
        (0.99, 1.01, True),
        (0.95, 1.05, True),
        (0.94, 1.0, False),
        (1.0, 1.06, False),
        (float("nan"), 1.0, False),
    ],
)
def test_a_machine_on_which_the_baseline_differs_from_itself_is_not_quiet(
    low: float, high: float, quiet: bool
) -> None:
    assert steady(Estimate95(value=1.0, low=low, high=high)) is quiet


def test_a_disturbed_baseline_spoils_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second baseline slot takes twice as long: the run has to say so."""
    whole, slots = module.take_round, []

    def disturbed(*args: Any) -> Any:
        taken = whole(*args)
        slots.append(taken)
        slow = tuple(2 * call for call in taken.before.calls)
        return type(taken)(
            before=taken.before,
            candidate=taken.candidate,
            after=type(taken.after)(cpu=taken.after.cpu, calls=slow),
        )

    monkeypatch.setattr(module, "take_round", disturbed)
    found = run()
    assert found.noise.value == 2.0
    assert not found.quiet


class Clock:
    """Time that passes only in a model: 3 units in the baseline, 2 in the candidate."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Timed(nn.Module):
    """Takes the clock forward by its cost and a drift of the machine."""

    def __init__(self, clock: Clock, cost: float, drift: float) -> None:
        super().__init__()
        self.clock, self.cost, self.drift = clock, cost, drift

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        self.clock.now += self.cost * (1 + self.drift * self.clock.now)
        return pixel_values


@pytest.mark.parametrize("drift", [0.0, 1e-6])
@pytest.mark.parametrize(("cost", "ratio"), [(3.0, 1.0), (2.0, 2 / 3), (4.5, 1.5)])
def test_the_ratio_is_that_of_the_costs_on_a_quiet_or_drifting_clock(
    monkeypatch: pytest.MonkeyPatch, cost: float, ratio: float, drift: float
) -> None:
    clock = Clock()
    monkeypatch.setattr("prunegate.cost.rounds.time.perf_counter", clock)
    monkeypatch.setattr("prunegate.cost.rounds.time.process_time", clock)
    baseline, candidate = (Timed(clock, c, drift) for c in (3.0, cost))
    found = measure(baseline, candidate, torch.zeros(1, 4), rounds=20, seconds=900.0)
    for interval in (found.latency_ratio, found.cpu_ratio):
        assert interval is not None
        assert interval.low - 1e-4 <= ratio <= interval.high + 1e-4
        assert interval.high - interval.low < 0.01
    assert found.quiet
    assert found.noise is not None
    assert found.noise.low - 1e-3 <= 1 <= found.noise.high


def test_counted_figures_join_the_timed_ones() -> None:
    timed = run()
    counted = ModelFigures(digest="a" * 64, model_bytes=10, parameters=5, active_heads=2, flops=7)
    found = describe(timed, baseline=counted, candidate=ModelFigures(parameters=3))
    assert found.baseline.digest == "a" * 64
    assert (found.baseline.flops, found.candidate.flops) == (7, None)
    assert found.baseline.latency_p50_ms == timed.baseline.latency_p50_ms
    assert (found.candidate.parameters, found.candidate.model_bytes) == (3, None)
