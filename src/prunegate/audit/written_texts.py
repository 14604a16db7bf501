"""Written texts in a record: a sample of what both models wrote, and who rated all of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from prunegate.verdict.finding import ABSENT


@dataclass(frozen=True, kw_only=True)
class Generation:
    """What both models go on with after one prompt, the likeliest token each time."""

    id: str
    slices: tuple[str, ...]
    """Names of the by-key slices that the row belongs to."""
    prompt: str
    """Like all texts here the beginning, where it is long."""
    reference: str
    """What the labelled data say."""
    baseline: str
    candidate: str
    baseline_quality: float | None = field(default=None, metadata=ABSENT)
    """How good the scorer finds what the baseline wrote; None: no scorer was asked."""
    candidate_quality: float | None = field(default=None, metadata=ABSENT)
    """Likewise of the candidate."""


@dataclass(frozen=True, kw_only=True)
class QualityScorer:
    """The model that rated what both models wrote, and of what length that was."""

    architecture: str
    digest: str
    """As a ModelRef's."""
    output: str
    """Its output that is the rating."""
    low: float
    """Smallest rating there can be."""
    high: float
    """Largest."""
    new_tokens: int
    """Written after each prompt, at most, the likeliest token each time."""
    prompt_tokens: int | None
    """Of each prompt that were read at most, its end; None: as many as the models take."""
    with_prompt: bool
    """Whether it read the prompt, too."""
