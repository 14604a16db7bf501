"""A measurement in words: a table a batch size, and whether it counts as evidence."""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.cost.measurement import (
    TOLERANCE,
    Interval,
    Measurements,
    ModelFigures,
    is_evidence,
)

_WIDTH = 28
_UNKNOWN = "-"
_FIGURES = (
    ("latency p50, ms", "latency_p50_ms"),
    ("latency p95, ms", "latency_p95_ms"),
    ("latency p99, ms", "latency_p99_ms"),
    ("throughput, per s", "throughput_per_s"),
    ("CPU time, ms per inference", "cpu_ms"),
    ("peak memory, MB", "peak_memory_bytes"),
    ("on disk, MB", "model_bytes"),
    ("parameters", "parameters"),
    ("attention heads", "active_heads"),
    ("GFLOPs per inference", "flops"),
)
_SCALE = {"peak_memory_bytes": 1e6, "model_bytes": 1e6, "flops": 1e9}
_WHOLE = {"parameters", "active_heads"}


def lines(taken: Measurements, *, brief: bool) -> list[str]:
    """Everything that was measured; ``brief`` leaves the tables out."""
    parts = (taken, *taken.others)
    said = [] if brief else [line for part in parts for line in _table(part)]
    return [*said, *(_sentence(part) for part in parts), *_busy(taken)]


def _table(part: Measurements) -> Iterator[str]:
    threads = "one thread" if part.threads == 1 else f"{part.threads} threads"
    yield f"batch {part.batch}, {threads}, {part.engine}, {part.rounds} rounds in turns"
    yield f"  {'':{_WIDTH}} {'baseline':>12} {'candidate':>12}  ratio"
    for name, field in _FIGURES:
        one, other = (_figure(model, field) for model in (part.baseline, part.candidate))
        if (one, other) != (_UNKNOWN, _UNKNOWN):
            yield f"  {name:{_WIDTH}} {one:>12} {other:>12}  {_ratio(part, field)}"
    yield f"  {'baseline against itself':{_WIDTH}} {'':>12} {'':>12}  {_interval(part.noise)}"
    yield ""


def _figure(model: ModelFigures, field: str) -> str:
    value = getattr(model, field)
    if value is None:
        return _UNKNOWN
    return f"{value:,}" if field in _WHOLE else f"{value / _SCALE.get(field, 1):,.4g}"


def _ratio(part: Measurements, field: str) -> str:
    """With its interval where rounds were paired."""
    paired = {"latency_p50_ms": part.latency_ratio, "cpu_ms": part.cpu_ratio}.get(field)
    if paired is not None:
        return _interval(paired)
    one, other = getattr(part.baseline, field), getattr(part.candidate, field)
    return _UNKNOWN if one is None or other is None or not one else f"{other / one:.3f}"


def _interval(ratio: Interval | None) -> str:
    return f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})" if ratio else _UNKNOWN


def _sentence(part: Measurements) -> str:
    """Whether the times count, and what they say."""
    noise = part.noise
    seen = f" ({noise.low:.3f} to {noise.high:.3f})" if noise else ""
    if not is_evidence(part):
        return (
            f"batch {part.batch}: NO EVIDENCE. The baseline against itself left 1 by more than "
            f"{TOLERANCE:.0%}{seen}, so rules on these times stay inconclusive; measure again on a "
            "quiet machine, or longer."
        )
    said = f"batch {part.batch}: evidence; the baseline equals itself within {TOLERANCE:.0%}{seen}."
    return f"{said} {_speed(part.latency_ratio)}" if part.latency_ratio else said


def _speed(ratio: Interval) -> str:
    factor = f"{1 / ratio.value:.2f} x ({1 / ratio.high:.2f} to {1 / ratio.low:.2f})"
    if ratio.high < 1:
        return f"The candidate is faster: {factor}."
    if ratio.low > 1:
        return f"The candidate is slower: {factor} the speed."
    return f"No difference in speed is shown: {factor}."


def _busy(taken: Measurements) -> list[str]:
    """Steady company is not noise, and makes every time longer all the same."""
    around = taken.environment
    last = taken.others[-1].environment if taken.others else around
    before, after, cores = around["load_before"], last["load_after"], around["cores"]
    said = f"load before {before}, after {after}, on {cores} core(s)"
    if max(float(before), float(after) - taken.threads) < 0.5:
        return [said]
    return [f"{said}: other work was running, so take the ratios, not the times, elsewhere"]
