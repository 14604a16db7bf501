"""The quality section: how good the texts are that both models write, by a scorer or by people.

Likelihood says how well a model expects what somebody else wrote; what it writes itself is another
question. ``run`` lets both models write after every prompt and a scoring model rate the texts;
``gate`` reads ratings from wherever they come.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Strict, model_validator

from prunegate.metrics.task_traits import TaskTraits
from prunegate.policy.place import Place
from prunegate.policy.section import Number, Scalar, Section

MEAN_QUALITY = "mean_quality"
"""The metric that this section is about."""


class Quality(Section):
    """How what both models write is rated; larger is better."""

    scorer: Place | None = None
    """A Hugging Face folder of a text classifier or regressor, relative to the policy file, which
    rates what both models write in ``run``; absent: the table has ratings already, from people or
    another judge (``data: columns: baseline_quality``, ``candidate_quality``)."""
    output: Scalar | None = None
    """The scorer's output that is the rating, by its name in id2label; needed where it has
    several."""
    activation: Literal["softmax", "sigmoid"] | None = None
    """What makes a rating from 0 to 1 of the scorer's output [default: a classifier's own]."""
    range: tuple[Number, Number] | None = None
    """Smallest and largest rating there can be, so that unseen losses can be reckoned with; needed
    for a regressor, whose numbers are taken as they are [default: 0 to 1]."""
    with_prompt: Annotated[bool, Strict()] = False
    """Whether the scorer reads the prompt before what was written, or that alone."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest rating."""
        return self.range or (0.0, 1.0)

    @model_validator(mode="after")
    def _range_rises(self) -> Quality:
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("'range' is [smallest, largest] rating, the smallest first")
        return self

    @model_validator(mode="after")
    def _of_a_scorer(self) -> Quality:
        for key in ("output", "activation", "with_prompt"):
            if key in self.model_fields_set and self.scorer is None:
                raise ValueError(f"'{key}' is said of a scorer; name one: 'scorer: FOLDER'")
        if self.activation is not None and self.range is not None:
            raise ValueError(
                f"a {self.activation}'s numbers lie between 0 and 1, and 'range' says otherwise; "
                "keep one of the two"
            )
        return self


def quality_disagreements(
    task: TaskTraits, quality: Quality | None, metrics: tuple[str, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(path, message) where the section, the task and the rules contradict each other.

    Args:
        task: the kind of task.
        quality: the section.
        metrics: of the rules, in their order.
    """
    if not task.documents:
        if quality is not None:
            why = f"rates what language models write; this task is {task.name}. Remove it"
            yield ("quality",), why
        return
    asked = [place for place, metric in enumerate(metrics) if metric == MEAN_QUALITY]
    if quality is None:
        for place in asked:
            why = f"{MEAN_QUALITY} needs 'quality: {{scorer: FOLDER}}', or 'quality: {{range: [1, "
            yield ("rules", place, "metric"), why + "5]}' where the table has ratings"
    elif not asked:
        why = f"no rule limits {MEAN_QUALITY}, so nothing would come of it; add one, such as "
        yield ("quality",), why + f"{{metric: {MEAN_QUALITY}, max_drop: 0.05}}, or remove it"
