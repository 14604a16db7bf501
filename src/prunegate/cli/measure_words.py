"""A measurement in words: a table a batch size, and whether it counts as evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prunegate.audit.zero_weights import zero_warnings
from prunegate.cost.measurement import (
    TOLERANCE,
    Estimate95,
    Measurements,
    ModelFigures,
    difference_shown,
    is_evidence,
)
from prunegate.text.numbers import count, exact, large, megabytes, plain, significant

_WIDTH = 28
_UNKNOWN = "-"
_FIGURES: tuple[tuple[str, str, Callable[[float | None], str]], ...] = (
    ("latency p50, ms", "latency_p50_ms", significant),
    ("latency p95, ms", "latency_p95_ms", significant),
    ("latency p99, ms", "latency_p99_ms", significant),
    ("throughput, per s", "throughput_per_s", significant),
    ("time to first token, ms", "ttft_ms", significant),
    ("time per further token, ms", "tpot_ms", significant),
    ("CPU time, ms per inference", "cpu_ms", significant),
    ("peak memory", "peak_memory_bytes", megabytes),
    ("stored weights", "model_bytes", megabytes),
    ("parameters", "parameters", large),
    ("of these, zero", "zeros", large),
    ("attention heads", "active_heads", count),
    ("FLOPs per inference", "flops", large),
)


def measurement_lines(taken: Measurements, *, brief: bool) -> list[str]:
    """Everything that was measured; ``brief`` leaves the tables out."""
    parts = (taken, *taken.others)
    said = [] if brief else [line for part in parts for line in _table(part)]
    return [
        *said,
        *(_sentence(part) for part in parts),
        *_writing(taken),
        *_zeros(taken.candidate),
        *_busy(taken),
    ]


def _table(part: Measurements) -> Iterator[str]:
    threads = "one thread" if part.threads == 1 else f"{part.threads} threads"
    yield f"batch {part.batch}, {threads}, {part.engine}, {part.rounds} rounds in turns"
    yield f"  {'':{_WIDTH}} {'baseline':>12} {'candidate':>12}  ratio"
    for name, field, written in _FIGURES:
        one, other = (
            _UNKNOWN if (value := getattr(model, field)) is None else plain(written(value))
            for model in (part.baseline, part.candidate)
        )
        if (one, other) != (_UNKNOWN, _UNKNOWN):
            yield f"  {name:{_WIDTH}} {one:>12} {other:>12}  {_ratio(part, field)}"
    yield f"  {'baseline against itself':{_WIDTH}} {'':>12} {'':>12}  {_interval(part.noise)}"
    yield ""


def _ratio(part: Measurements, field: str) -> str:
    """With its interval where rounds were paired."""
    timing = part.generation
    paired = {
        "latency_p50_ms": part.latency_ratio,
        "cpu_ms": part.cpu_ratio,
        "ttft_ms": timing.ttft_ratio if timing else None,
        "tpot_ms": timing.tpot_ratio if timing else None,
    }.get(field)
    if paired is not None:
        return _interval(paired)
    one, other = getattr(part.baseline, field), getattr(part.candidate, field)
    return _UNKNOWN if one is None or other is None or not one else significant(other / one)


def _interval(ratio: Estimate95 | None) -> str:
    if ratio is None:
        return _UNKNOWN
    value, low, high = map(significant, (ratio.value, ratio.low, ratio.high))
    return f"{value} ({low} to {high})"


def _sentence(part: Measurements) -> str:
    """Whether the times count, and what they say."""
    noise, within = part.noise, f"{exact(TOLERANCE, 2)} %"
    seen = f" ({significant(noise.low)} to {significant(noise.high)})" if noise else ""
    if not is_evidence(part):
        return (
            f"batch {part.batch}: NO EVIDENCE. The baseline against itself left 1 by more than "
            f"{within}{seen}, so rules on these times stay inconclusive; measure again on a "
            "quiet machine, or longer."
        )
    said = f"batch {part.batch}: evidence; the baseline equals itself within {within}{seen}."
    return f"{said} {_speed(part.latency_ratio, noise)}" if part.latency_ratio else said


def _writing(part: Measurements) -> list[str]:
    """Whether the times of writing count, which have rounds of their own."""
    timing = part.generation
    if timing is None:
        return []
    what = f"writing {timing.new_tokens} tokens after {timing.prompt_tokens}"
    if not timing.quiet:
        within = f"{exact(TOLERANCE, 2)} %"
        busy = f"The baseline against itself left 1 by more than {within}"
        return [f"{what}: NO EVIDENCE. {busy}, so rules on these times stay inconclusive."]
    return [f"{what}: evidence. {_speed(timing.tpot_ratio, timing.tpot_noise)}"]


def _zeros(candidate: ModelFigures) -> list[str]:
    """That zero weights save nothing, in the words of a verdict."""
    return [f"warning: {warning}" for warning in zero_warnings(candidate)]


def _speed(ratio: Estimate95, noise: Estimate95 | None) -> str:
    factor = _times(ratio)
    match difference_shown(ratio, noise):
        case "faster":
            return f"The candidate is faster: {factor}."
        case "slower":
            return f"The candidate is slower: {factor} the speed."
        case _:
            itself = f"; the baseline against itself {_times(noise)}" if noise else ""
            return f"No difference in speed is shown: {factor}{itself}."


def _times(ratio: Estimate95) -> str:
    value, low, high = (significant(1 / one) for one in (ratio.value, ratio.high, ratio.low))
    return f"{value} x ({low} to {high})"


def _busy(taken: Measurements) -> list[str]:
    """Steady company is not noise, and makes every time longer all the same."""
    around = taken.environment
    last = taken.others[-1].environment if taken.others else around
    before, after, cores = around["load_before"], last["load_after"], around["cores"]
    said = f"load before {before}, after {after}, on {cores} core(s)"
    if max(float(before), float(after) - taken.threads) < 0.5:
        return [said]
    return [f"{said}: other work was running, so take the ratios, not the times, elsewhere"]
