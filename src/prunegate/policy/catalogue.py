"""The metrics that a rule can name: what each means, for which tasks, which direction is better.

A new metric starts here (its name and words) and continues in ``evaluation/metrics.py`` (how it is
computed from counts) or, for operational ones, in ``cost`` (where it is measured).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower"]
Kind = Literal["rate", "flips", "mean", "operational"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric of the catalogue."""

    name: str
    """As a policy spells it."""
    words: str
    """What it is, for people: completes the sentence "the share of ..."."""
    better: Better
    """Which direction is an improvement."""
    kind: Kind
    """``rate``: a share of rows. ``flips``: only the pair has one. ``mean``: of a row value."""
    tasks: tuple[str, ...]
    """Task kinds that have it; empty: all."""
    unit: str = ""
    """Unit for display; empty for shares."""
    label: str = ""
    """Its name in a sentence, where the policy's spelling is no phrase."""
    class_words: str = ""
    """What it is for one class of several, where ``words`` speak of a positive one."""
    joint: bool = False
    """An operational figure that the two models have together, not each its own."""

    @property
    def phrase(self) -> str:
        """Its name for people: ``false positive rate``, ``NLL per token``, ``p95 latency``."""
        return self.label or self.name.replace("_", " ")

    @property
    def noun(self) -> str:
        """What its rows are called, where there are several."""
        return "documents" if self.tasks == ("language",) else "rows"

    @property
    def paired(self) -> bool:
        """Whether each model has its own value, so that a change can be limited."""
        return self.kind != "flips" and not self.joint


_CLASSIFICATION = ("binary", "multiclass")


def _rate(
    name: str, words: str, class_words: str = "", *, better: Better = "higher", label: str = ""
) -> Metric:
    """A rate; one without words for a class is a binary task's alone."""
    return Metric(
        name=name,
        words=words,
        better=better,
        kind="rate",
        tasks=_CLASSIFICATION if class_words else ("binary",),
        label=label,
        class_words=class_words,
    )


def _operational(
    name: str, words: str, unit: str, better: Better = "lower", *, label: str = ""
) -> Metric:
    return Metric(
        name=name, words=words, better=better, kind="operational", tasks=(), unit=unit, label=label
    )


_ALL = (
    _rate(
        "precision",
        "flagged items that are truly positive",
        "items given a class that truly belong to it",
    ),
    _rate(
        "recall",
        "truly positive items that are flagged",
        "items of a class that are given that class",
    ),
    _rate("specificity", "truly negative items that are left alone"),
    _rate(
        "f1",
        "precision and recall combined (their harmonic mean)",
        "precision and recall of a class combined (their harmonic mean)",
        label="F1",
    ),
    _rate("accuracy", "items decided correctly", "items given their true class"),
    _rate("false_positive_rate", "truly negative items that are flagged", better="lower"),
    Metric(
        name="negative_flip_rate",
        words="items the baseline got right and the candidate gets wrong",
        better="lower",
        kind="flips",
        tasks=_CLASSIFICATION,
    ),
    Metric(
        name="churn",
        words="items on which the two models decide differently",
        better="lower",
        kind="flips",
        tasks=_CLASSIFICATION,
    ),
    Metric(
        name="mean_score",
        words="mean quality score",
        better="higher",
        kind="mean",
        tasks=("score",),
    ),
    Metric(
        name="mae",
        words="mean absolute error",
        better="lower",
        kind="mean",
        tasks=("score",),
        label="MAE",
    ),
    Metric(
        name="nll_per_token",
        words="negative log-likelihood per token",
        better="lower",
        kind="mean",
        tasks=("language",),
        unit="nats",
        label="NLL per token",
    ),
    Metric(name="perplexity", words="perplexity", better="lower", kind="mean", tasks=("language",)),
    _operational("latency_p50_ms", "median latency", "ms", label="median latency"),
    _operational(
        "latency_p95_ms", "latency that 95 % of calls stay under", "ms", label="p95 latency"
    ),
    _operational(
        "latency_p99_ms", "latency that 99 % of calls stay under", "ms", label="p99 latency"
    ),
    _operational(
        "throughput_per_s", "number of inferences per second", "/s", "higher", label="throughput"
    ),
    _operational("model_bytes", "size of the stored weights", "bytes", label="model size"),
    _operational("parameters", "number of parameters", ""),
    _operational("active_heads", "number of attention heads", "", label="attention heads"),
    _operational(
        "cost_per_1k", "cost of 1,000 inferences", "money", label="cost of 1,000 inferences"
    ),
    _operational("monthly_cost", "cost of the last projected month", "money"),
    Metric(
        name="saving",
        words="saving over all projected months, less the one-off cost,",
        better="higher",
        kind="operational",
        tasks=(),
        unit="money",
        label="net saving",
        joint=True,
    ),
    Metric(
        name="break_even_month",
        words="month in which the saving has paid the one-off cost",
        better="lower",
        kind="operational",
        tasks=(),
        label="break-even month",
        joint=True,
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""Every metric by the name a policy uses."""

PER_CLASS = ("precision", "recall", "f1")
"""Metrics that each class of a multiclass task has by itself; else they are macro averages."""

TIMED = frozenset({"latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "throughput_per_s"})
"""Operational metrics that come from a clock, so that a noisy machine makes them worthless."""

MONEY = frozenset({"cost_per_1k", "monthly_cost", "saving", "break_even_month"})
"""Operational metrics that follow from the policy's ``cost`` section."""
