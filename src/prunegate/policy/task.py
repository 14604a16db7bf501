"""The task section: what one row's answer is, and when it counts as positive."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, field_validator, model_validator

from prunegate.metrics.task_traits import TRAITS, TaskTraits
from prunegate.policy.naming import value_text
from prunegate.policy.section import Number, Scalar, Section, Share, one_or_each

Role = Literal["baseline", "candidate"]
"""One of the two models."""


class Thresholds(Section):
    """A threshold of each model's own."""

    baseline: Share
    """The baseline's: score >= threshold is positive."""
    candidate: Share
    """The candidate's, chosen on other rows than those that are judged."""

    @field_validator("candidate", mode="before")
    @classmethod
    def _tuned_is_not_built(cls, value: Any) -> Any:
        if value == "tuned":
            raise ValueError(
                "'tuned' is not built; give the number that was found on other rows than these"
            )
        return value


Threshold = Annotated[
    Annotated[Share, Tag("number")] | Annotated[Thresholds, Tag("thresholds")],
    Discriminator(one_or_each),
]


class Task(Section):
    """What the two models decide."""

    kind: Literal["binary", "multiclass", "score", "language"]
    """What one row's answer is: yes or no, one of several classes, a number, or a text's
    likelihood."""
    positive: Scalar | None = None
    """binary: the label that counts as positive."""
    threshold: Threshold | None = None
    """binary: score >= threshold is positive, of both models or {baseline: .., candidate: ..};
    without it the table holds labels, not scores."""
    classes: tuple[Scalar, ...] = ()
    """multiclass: the labels there are; any other in the table is a mistake. Empty: as found."""
    range: tuple[Number, Number] | None = None
    """score: smallest and largest score there can be, so that unseen losses can be reckoned with.
    Without it that is done on slices whose scores lie between 0 and 1."""
    ignore: tuple[Scalar, ...] = ()
    """Labels whose rows are left out, and counted in the record: unsure, -1."""

    def threshold_of(self, role: Role) -> float | None:
        """The threshold of one model; None: its column holds decisions."""
        if isinstance(self.threshold, Thresholds):
            return self.threshold.baseline if role == "baseline" else self.threshold.candidate
        return self.threshold

    @property
    def traits(self) -> TaskTraits:
        """What rows and answers of such a task are."""
        return TRAITS[self.kind]

    @model_validator(mode="after")
    def _binary_needs_a_positive_label(self) -> Task:
        if self.kind == "binary" and self.positive is None:
            raise ValueError("a binary task needs 'positive': the label that counts as positive")
        if self.kind != "binary" and not (self.positive is None and self.threshold is None):
            raise ValueError("'positive' and 'threshold' belong to a binary task only")
        return self

    @model_validator(mode="after")
    def _keys_of_other_kinds(self) -> Task:
        if self.classes and self.kind != "multiclass":
            raise ValueError("'classes' belongs to a multiclass task only")
        if self.range is not None and self.kind != "score":
            raise ValueError("'range' belongs to a score task only")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("'range' is [smallest, largest] score, the smallest first")
        if len(self.classes) == 1:
            raise ValueError("'classes' needs at least two labels")
        return self

    @model_validator(mode="after")
    def _ignored_labels_are_no_answers(self) -> Task:
        if self.ignore and not self.traits.decided:
            raise ValueError(f"'ignore' leaves labels out; a {self.kind} task has none")
        judged = {value_text(v) for v in (self.positive, *self.classes) if v is not None}
        if both := sorted(judged.intersection(map(value_text, self.ignore))):
            raise ValueError(f"'ignore' leaves {both[0]!r} out, which is judged; remove one")
        return self
