"""The unpruned control as a record holds it: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from prunegate.verdict.finding import ABSENT


@dataclass(frozen=True, kw_only=True)
class ControlSlice:
    """One slice in the unpruned control: the same fine-tuning with nothing removed."""

    metric: str
    slice: str
    baseline: float | None
    control: float | None
    candidate: float | None
    lost: int | None
    gained: int | None
    at_baseline_threshold: float | None = field(default=None, metadata=ABSENT)
    """The control's value at the baseline's threshold, where it is judged at another one."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """What the fine-tuning data did without any pruning."""

    summary: str
    slices: tuple[ControlSlice, ...]
    threshold: float | None = field(default=None, metadata=ABSENT)
    """The control's own threshold; None: every model is judged at the baseline's."""
