"""Measurements: what two models cost to run, taken interleaved on one machine, as plain values.

How they are taken is ``measure.py``; how they are read from a file is ``measurements_file.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Estimate95:
    """An estimate with its 95 % two-sided interval."""

    value: float
    low: float
    high: float


TOLERANCE = 0.05
"""How far the baseline may differ from itself before a run is no evidence."""


def steady(noise: Estimate95, tolerance: float = TOLERANCE) -> bool:
    """Whether the baseline against itself stays within the tolerance of 1."""
    return 1 - tolerance <= noise.low and noise.high <= 1 + tolerance


def difference_shown(
    ratio: Estimate95, noise: Estimate95 | None
) -> Literal["faster", "slower"] | None:
    """Whether a candidate's times differ from its baseline's by more than the baseline's own do.

    The interval of the ratio has to lie on one side of 1, and beyond what the baseline shows
    against itself in the same rounds: two intervals that overlap show no difference.

    Args:
        ratio: candidate over baseline.
        noise: baseline over baseline; None: it was not timed against itself.

    >>> difference_shown(Estimate95(value=1.002, low=1.001, high=1.011),
    ...                  Estimate95(value=1.0, low=0.996, high=1.01))
    """
    low, high = (1.0, 1.0) if noise is None else (noise.low, noise.high)
    if ratio.high < min(1.0, low):
        return "faster"
    return "slower" if ratio.low > max(1.0, high) else None


@dataclass(frozen=True, kw_only=True)
class ModelFigures:
    """One model's operational figures; None is "not measured"."""

    digest: str | None = None
    """sha256 of the model folder, so that figures of another model are recognised."""
    files: dict[str, str] | None = field(default=None, metadata={"absent_if_none": True})
    """sha256 by path of the files that the digest covers, so that a mismatch can name them."""
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    latency_p99_ms: float | None = None
    throughput_per_s: float | None = None
    ttft_ms: float | None = field(default=None, metadata={"absent_if_none": True})
    """Of language models: time to the first token of a text, median."""
    tpot_ms: float | None = field(default=None, metadata={"absent_if_none": True})
    """Of language models: time of every further token, with the cache, median over texts."""
    cpu_ms: float | None = None
    """Process CPU time per inference."""
    model_bytes: int | None = None
    parameters: int | None = None
    zeros: int | None = field(default=None, metadata={"absent_if_none": True})
    """Weights that are zero, of those with two dimensions or more."""
    quantized: bool | None = field(default=None, metadata={"absent_if_none": True})
    """Whether weights are whole numbers, of which rounding makes some zero; None: not told."""
    active_heads: int | None = None
    peak_memory_bytes: int | None = None
    """Resident memory that serving this batch added to a process, at most (``memory.py``)."""
    flops: int | None = None
    """Floating-point operations of one inference, counted and not timed (``flops.py``)."""


@dataclass(frozen=True, kw_only=True)
class GenerationTiming:
    """How generating was timed: in rounds of its own, baseline, candidate, baseline."""

    prompt_tokens: int
    new_tokens: int
    ttft_ratio: Estimate95
    """Candidate's time to the first token over the baseline's, from paired rounds."""
    tpot_ratio: Estimate95
    """Candidate's time per further token over the baseline's."""
    ttft_noise: Estimate95
    """Baseline over baseline: 1 on a quiet machine."""
    tpot_noise: Estimate95

    @property
    def quiet(self) -> bool:
        """Whether the baseline was as fast as itself, in both."""
        return steady(self.ttft_noise) and steady(self.tpot_noise)


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """Both models' figures from one interleaved run."""

    format: str = "urn:prunegate:measurements:v1"
    created: str
    """UTC, ISO 8601."""
    engine: str
    """For example ``torch 2.13.0 cpu``."""
    batch: int
    threads: int
    rounds: int
    baseline: ModelFigures
    candidate: ModelFigures
    cpu_ratio: Estimate95 | None = None
    """Candidate's CPU time over the baseline's, from paired rounds."""
    latency_ratio: Estimate95 | None = None
    """Candidate's median latency over the baseline's, from paired rounds."""
    noise: Estimate95 | None = None
    """Baseline over baseline, measured in the same rounds: 1 on a quiet machine."""
    cpu_noise: Estimate95 | None = None
    """The same for CPU time, which a busy machine disturbs far less."""
    quiet: bool = True
    """False: the machine was too busy; timed figures are no evidence."""
    environment: dict[str, str] = field(default_factory=dict)
    """Processor, cores, load before and after."""
    generation: GenerationTiming | None = field(default=None, metadata={"absent_if_none": True})
    """Of language models whose generating was timed."""
    others: tuple[Measurements, ...] = ()
    """The same models in batches of other sizes. Rules read the figures above, never these."""


def is_evidence(taken: Measurements) -> bool:
    """Whether timed figures may decide anything.

    What a file says of itself is not enough: where it has the baseline against itself, that decides
    as well.
    """
    return taken.quiet and (taken.noise is None or steady(taken.noise))
