"""A metric: what it is called and means, which direction is better, and what it is computed from.

The catalogue (``catalogue.py``) has one entry of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from prunegate.metrics.forms import Form
from prunegate.metrics.task_traits import TRAITS, Answers
from prunegate.text.numbers import exact
from prunegate.text.quantities import Quantity

Better = Literal["higher", "lower"]
Kind = Literal["rate", "flips", "mean", "coefficient", "operational"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric of the catalogue."""

    name: str
    """As a policy spells it."""
    words: str
    """What it is, for people: completes the sentence "the share of ..."."""
    better: Better = "higher"
    """Which direction is an improvement."""
    kind: Kind
    """``rate``: a share of rows. ``flips``: only the pair has one. ``mean``: of a row value.
    ``coefficient``: from -1 to 1. ``operational``: a figure of the whole model."""
    forms: Mapping[str, Form] = field(default_factory=dict)
    """What it is computed from, by the task kinds that have it; empty: it is no matter of rows."""
    unit: str = ""
    """Unit for display; empty for shares."""
    label: str = ""
    """Its name in a sentence, where the policy's spelling is no phrase."""
    class_words: str = ""
    """What it is where there are several classes, if ``words`` speak of a positive one."""
    per_class: bool = False
    """Whether each class of several has one by itself, tested by the form of two classes."""
    top: bool = False
    """Whether it is about the ``k`` highest scores, which its rule has to give."""
    figured: str = ""
    """Its name with the figure that its rule gives in its place (``{k}``, ``{at}``)."""
    at: str = ""
    """What the share is that its rule has to give ``at``, and an example; empty: there is none."""
    joint: bool = False
    """An operational figure that the two models have together, not each its own."""
    timed: bool = False
    """An operational figure from a clock, so that a noisy machine makes it worthless."""
    writing: bool = False
    """An operational figure that only models have that write texts."""
    money: bool = False
    """An operational figure that follows from the policy's ``cost`` section."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task kinds that have it; empty: all."""
        return tuple(self.forms)

    def from_scores(self, task: str) -> bool:
        """Whether decisions do not do for it in a kind of task: it takes the models' scores."""
        form = self.forms.get(task)
        return form is not None and form.from_scores

    def form_of(self, answers: Answers) -> Form | None:
        """What it is computed from in the first kind of task whose models answer so; or None."""
        found = (form for task, form in self.forms.items() if TRAITS[task].answers == answers)
        return next(found, None)

    @property
    def of_yes_no(self) -> Form | None:
        """Its form where rows are positive or not, and of one label by itself, of several."""
        return self.form_of("decisions")

    @property
    def one_label(self) -> int | None:
        """Of yes/no decisions, the label whose rows it is about; None: of both, or it has none."""
        return None if self.of_yes_no is None else self.of_yes_no.one_label

    @property
    def foretold(self) -> bool:
        """Whether what is seen tells how many more rows settle a limit."""
        return all(form.foretold for form in self.forms.values())

    @property
    def phrase(self) -> str:
        """Its name for people: ``false positive rate``, ``NLL per token``, ``p95 latency``."""
        return self.label or self.name.replace("_", " ")

    def phrase_at(self, *, k: int | None = None, at: float | None = None) -> str:
        """Its name with the figure that its rule gives: ``top-5 accuracy``."""
        if not self.figured or (k is None and at is None):
            return self.phrase
        return self.figured.format(k=k, at="" if at is None else exact(at))

    @property
    def noun(self) -> str:
        """What its rows are called, where there are several."""
        nouns = {TRAITS[task].noun for task in self.tasks}
        return nouns.pop() if len(nouns) == 1 else "rows"

    @property
    def wants(self) -> Literal["add", "label"]:
        """What further rows of it take: to be labelled, or, of numbers, to be there."""
        of_numbers = bool(self.tasks) and not any(TRAITS[task].decided for task in self.tasks)
        return "add" if self.kind == "mean" or of_numbers else "label"

    @property
    def share(self) -> bool:
        """Whether it is a share of rows, so that its changes are percentage points."""
        return self.kind in ("rate", "flips")

    def quantity(self, currency: str = "") -> Quantity:
        """How its values and limits are written."""
        return Quantity(kind=self.kind, unit=self.unit, currency=currency)

    @property
    def operational(self) -> bool:
        """Whether it is a measured or counted figure and not a judgement on rows."""
        return self.kind == "operational"

    @property
    def paired(self) -> bool:
        """Whether each model has its own value, so that a change can be limited."""
        return self.kind != "flips" and not self.joint

    @property
    def lower_is_better(self) -> bool:
        """Whether a rise is a loss."""
        return self.better == "lower"

    @property
    def whole(self) -> Fraction:
        """What its value and its turned value add up to: 1 for rates, 0 for means."""
        return Fraction(0 if self.kind == "mean" else 1)

    def turned(self, value: Fraction) -> Fraction:
        """The value turned so that larger is better, or back again."""
        return self.whole - value if self.lower_is_better else value
