"""What was measured: speed and size of both models, and how quiet the machine was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.cost.measurement import Estimate95, Measurements, is_evidence, steady
from prunegate.report.speech import Speech, speech_of
from prunegate.text import numbers
from prunegate.text.escape import visible
from prunegate.text.numbers import GAP


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
    said = speech_of(record)
    taken = record.measurements
    rows = [*_timed(taken, said), *_in_batches(taken, said), *_counted(record, said)]
    if not rows:
        return None
    return MeasuresView(
        rows=tuple(rows),
        setting=_setting(taken, said) if taken else "",
        noise=_noise(taken, said) if taken else "",
        quiet=taken is None or is_evidence(taken),
    )


def _timed(taken: Measurements | None, said: Speech) -> list[MeasureRow]:
    if taken is None:
        return []
    one, other, timing = taken.baseline, taken.candidate, taken.generation
    figures: tuple[tuple[str, float | None, float | None, str, Estimate95 | None], ...] = (
        (
            "p50",
            one.latency_p50_ms,
            other.latency_p50_ms,
            "ms",
            taken.latency_ratio,
        ),
        ("p95", one.latency_p95_ms, other.latency_p95_ms, "ms", None),
        ("p99", one.latency_p99_ms, other.latency_p99_ms, "ms", None),
        ("ttft", one.ttft_ms, other.ttft_ms, "ms", timing.ttft_ratio if timing else None),
        ("tpot", one.tpot_ms, other.tpot_ms, "ms", timing.tpot_ratio if timing else None),
        ("cpu", one.cpu_ms, other.cpu_ms, "ms", taken.cpu_ratio),
        ("throughput", one.throughput_per_s, other.throughput_per_s, "", None),
    )
    return [
        MeasureRow(
            name=said.say(f"measured.{name}", **_lengths(taken)),
            before=_with_unit(before, unit, said),
            after=_with_unit(after, unit, said),
            ratio=_paired(name, taken, ratio, said) or _ratio(before, after, said),
            timed=not (ratio is taken.cpu_ratio and _steady_cpu(taken)),
        )
        for name, before, after, unit, ratio in figures
        if before is not None or after is not None
    ]


def _paired(name: str, taken: Measurements, ratio: Estimate95 | None, said: Speech) -> str:
    """A ratio of paired rounds, unless these were disturbed; empty without one."""
    restless = taken.generation is not None and not taken.generation.quiet
    if name in _OF_WRITING and restless:
        return said.say("measured.too_noisy")
    return _interval(ratio, said) if ratio else ""


_OF_WRITING = ("ttft", "tpot")


def _lengths(taken: Measurements) -> dict[str, str]:
    """How long the texts were that were written, for the rows about these."""
    timing = taken.generation
    if timing is None:
        return {}
    return {"prompt": str(timing.prompt_tokens), "new": str(timing.new_tokens)}


def _in_batches(taken: Measurements | None, said: Speech) -> list[MeasureRow]:
    """Median latency in batches of other sizes, each with its own noise."""
    return [
        MeasureRow(
            name=said.say("measured.batch", n=str(one.batch)),
            before=_with_unit(one.baseline.latency_p50_ms, "ms", said),
            after=_with_unit(one.candidate.latency_p50_ms, "ms", said),
            ratio=_interval(one.latency_ratio, said)
            if one.latency_ratio and is_evidence(one)
            else said.say("measured.too_noisy"),
            timed=False,
        )
        for one in (taken.others if taken else ())
    ]


def _steady_cpu(taken: Measurements) -> bool:
    """CPU time can be evidence where the clock on the wall is not."""
    return taken.cpu_noise is not None and steady(taken.cpu_noise)


def _counted(record: DecisionRecord, said: Speech) -> list[MeasureRow]:
    figures: tuple[tuple[str, _Format], ...] = (
        ("model_bytes", numbers.megabytes),
        ("bytes_found", numbers.megabytes),
        ("parameters", numbers.large),
        ("zeros", numbers.large),
        ("active_heads", numbers.count),
        ("peak_memory_bytes", numbers.megabytes),
        ("flops", numbers.large),
    )
    pairs = [(name, *_both(record, name), show) for name, show in figures]
    pairs = [(name, *_found(record, name, one, other), show) for name, one, other, show in pairs]
    return [
        MeasureRow(
            name=said.say(f"measured.{name}"),
            before=said.figure(show(before)),
            after=said.figure(show(after)),
            ratio=_ratio(before, after, said),
            timed=False,
        )
        for name, before, after, show in pairs
        if (before, after) != (None, None)
    ]


def _found(
    record: DecisionRecord, name: str, one: int | None, other: int | None
) -> tuple[int | None, int | None]:
    """Files of one model that say what it is stored in are told beside the other's size."""
    if name != "bytes_found" or (one, other) == (None, None):
        return one, other
    before, after = _both(record, "model_bytes")
    return before if one is None else one, after if other is None else other


def _both(record: DecisionRecord, field: str) -> tuple[int | None, int | None]:
    """A counted figure: the models' own, else what was measured says."""
    taken = record.measurements
    one = _first(field, record.baseline, taken.baseline if taken else None)
    return one, _first(field, record.candidate, taken.candidate if taken else None)


def _first(field: str, *places: object) -> int | None:
    return next((v for place in places if (v := getattr(place, field, None)) is not None), None)


def _with_unit(value: float | None, unit: str, said: Speech) -> str:
    """A figure with its unit; without one it is so many a second."""
    text = numbers.significant(value)
    if text == numbers.NOT_DEFINED:
        return said.figure(text)
    return f"{said.figure(text)}{GAP}{unit or said.say('measured.per_second')}"


def _ratio(before: float | None, after: float | None, said: Speech) -> str:
    if before is None or after is None or before == 0:
        return said.figure(numbers.NOT_DEFINED)
    if before == after:
        return said.say("measured.unchanged")
    return said.figure(numbers.significant(after / before))


def _interval(ratio: Estimate95, said: Speech) -> str:
    ends = (numbers.significant(v) for v in (ratio.value, ratio.low, ratio.high))
    value, low, high = map(said.figure, ends)
    return said.say("measured.interval", value=value, low=low, high=high)


def _setting(taken: Measurements, said: Speech) -> str:
    return said.say(
        "measured.setting",
        engine=visible(taken.engine),
        inputs=said.count("measured.inputs", taken.batch),
        threads=said.count("measured.threads", taken.threads),
        rounds=said.number(numbers.count(taken.rounds)),
        moment=said.moment(taken.created),
    )


def _noise(taken: Measurements, said: Speech) -> str:
    if taken.noise is None:
        told = said.say("measured.noise_unknown")
    else:
        told = said.say("measured.noise", ratio=_interval(taken.noise, said))
    return told if is_evidence(taken) else f"{told} {said.say('measured.busy')}"
