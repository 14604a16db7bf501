"""What was measured: speed and size of both models, and how quiet the machine was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.cost.measurement import Estimate95, Measurements, is_evidence, steady
from prunegate.text import numbers
from prunegate.text.escape import visible
from prunegate.text.numbers import GAP
from prunegate.text.time import moment


@dataclass(frozen=True, kw_only=True)
class MeasureRow:
    """One figure of both models, as text."""

    name: str
    before: str
    after: str
    ratio: str
    timed: bool
    """Whether it came from a clock, so that a noisy machine makes it worthless."""


@dataclass(frozen=True, kw_only=True)
class MeasuresView:
    """The section of operational figures."""

    rows: tuple[MeasureRow, ...]
    setting: str
    """Engine, batch, threads, rounds; empty without a measurement."""
    noise: str
    quiet: bool


_Format = Callable[[float | None], str]


def measures(record: DecisionRecord) -> MeasuresView | None:
    """Figures that were measured, or at least counted in the models; None without either."""
    rows = [*_timed(record.measurements), *_in_batches(record.measurements), *_counted(record)]
    if not rows:
        return None
    taken = record.measurements
    return MeasuresView(
        rows=tuple(rows),
        setting=_setting(taken) if taken else "",
        noise=_noise(taken) if taken else "",
        quiet=taken is None or is_evidence(taken),
    )


def _timed(taken: Measurements | None) -> list[MeasureRow]:
    if taken is None:
        return []
    one, other = taken.baseline, taken.candidate
    figures: tuple[tuple[str, float | None, float | None, str, Estimate95 | None], ...] = (
        (
            "Median latency (p50)",
            one.latency_p50_ms,
            other.latency_p50_ms,
            "ms",
            taken.latency_ratio,
        ),
        ("Latency, 95 of 100 calls (p95)", one.latency_p95_ms, other.latency_p95_ms, "ms", None),
        ("Latency, 99 of 100 calls (p99)", one.latency_p99_ms, other.latency_p99_ms, "ms", None),
        ("CPU time per inference", one.cpu_ms, other.cpu_ms, "ms", taken.cpu_ratio),
        ("Throughput", one.throughput_per_s, other.throughput_per_s, "per second", None),
    )
    return [
        MeasureRow(
            name=name,
            before=_with_unit(before, unit),
            after=_with_unit(after, unit),
            ratio=_interval(ratio) if ratio else _ratio(before, after),
            timed=not (ratio is taken.cpu_ratio and _steady_cpu(taken)),
        )
        for name, before, after, unit, ratio in figures
        if before is not None or after is not None
    ]


def _in_batches(taken: Measurements | None) -> list[MeasureRow]:
    """Median latency in batches of other sizes, each with its own noise."""
    return [
        MeasureRow(
            name=f"Median latency (p50), {one.batch} at a time",
            before=_with_unit(one.baseline.latency_p50_ms, "ms"),
            after=_with_unit(one.candidate.latency_p50_ms, "ms"),
            ratio=_interval(one.latency_ratio)
            if one.latency_ratio and is_evidence(one)
            else "too noisy to say",
            timed=False,
        )
        for one in (taken.others if taken else ())
    ]


def _steady_cpu(taken: Measurements) -> bool:
    """CPU time can be evidence where the clock on the wall is not."""
    return taken.cpu_noise is not None and steady(taken.cpu_noise)


def _counted(record: DecisionRecord) -> list[MeasureRow]:
    figures: tuple[tuple[str, str, _Format], ...] = (
        ("Size of the stored weights", "model_bytes", numbers.megabytes),
        ("Its files as they were found", "bytes_found", numbers.megabytes),
        ("Parameters", "parameters", numbers.large),
        ("Of these, zero", "zeros", numbers.large),
        ("Attention heads", "active_heads", numbers.count),
        ("Peak memory while serving", "peak_memory_bytes", numbers.megabytes),
        ("Arithmetic of one inference (FLOPs)", "flops", numbers.large),
    )
    pairs = [(name, *_both(record, field), show) for name, field, show in figures]
    return [
        MeasureRow(
            name=name,
            before=show(before),
            after=show(after),
            ratio=_ratio(before, after),
            timed=False,
        )
        for name, before, after, show in pairs
        if before or after or (name not in _SELDOM and (before, after) != (None, None))
    ]


_SELDOM = ("Of these, zero", "Its files as they were found")
"""Figures that are told only where there are any."""


def _both(record: DecisionRecord, field: str) -> tuple[int | None, int | None]:
    """A counted figure: the models' own, else what was measured says."""
    taken = record.measurements
    one = _first(field, record.baseline, taken.baseline if taken else None)
    return one, _first(field, record.candidate, taken.candidate if taken else None)


def _first(field: str, *places: object) -> int | None:
    return next((v for place in places if (v := getattr(place, field, None)) is not None), None)


def _with_unit(value: float | None, unit: str) -> str:
    text = numbers.significant(value)
    return text if text == numbers.NOT_DEFINED else f"{text}{GAP}{unit}"


def _ratio(before: float | None, after: float | None) -> str:
    if before is None or after is None or before == 0:
        return numbers.NOT_DEFINED
    if before == after:
        return "unchanged"
    return numbers.significant(after / before)


def _interval(ratio: Estimate95) -> str:
    value, low, high = (numbers.significant(v) for v in (ratio.value, ratio.low, ratio.high))
    return f"{value} ({low} to {high})"


def _setting(taken: Measurements) -> str:
    inputs = "one input" if taken.batch == 1 else f"{taken.batch} inputs"
    threads = "one thread" if taken.threads == 1 else f"{taken.threads} threads"
    return (
        f"Measured with {visible(taken.engine)}, {inputs} at a time, {threads}, "
        f"{numbers.count(taken.rounds)} rounds in which both models took turns, "
        f"{moment(taken.created)}."
    )


def _noise(taken: Measurements) -> str:
    if taken.noise is None:
        said = "How noisy the machine was is not known"
    else:
        said = (
            f"The baseline against itself came out at {_interval(taken.noise)}; 1 is perfect quiet"
        )
    if is_evidence(taken):
        return f"{said}."
    return f"{said}. The machine was too busy: the figures struck out are no evidence."
