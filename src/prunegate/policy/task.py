"""The task section: what one row's answer is, and when it counts as positive."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from prunegate.errors import InputError
from prunegate.metrics.task_traits import TRAITS, TaskTraits
from prunegate.policy.messages import suggest
from prunegate.policy.naming import value_text
from prunegate.policy.section import MODELS, Number, Scalar, Section, Share, Text, one_or_each

Role = Literal["baseline", "candidate"]
"""One of the two models."""
ROLES: tuple[Role, ...] = ("baseline", "candidate")
"""Both, in the order in which they are told."""


def _number_or_word(value: Any) -> str:
    return "word" if isinstance(value, str) else "number"


class Thresholds(Section):
    """A threshold of each model's own."""

    baseline: Share
    """The baseline's: score >= threshold is positive."""
    candidate: Annotated[
        Annotated[Share, Tag("number")] | Annotated[Literal["tuned"], Tag("word")],
        Discriminator(_number_or_word),
    ]
    """The candidate's, chosen on other rows than those that are judged; tuned: ``run`` chooses it
    on the calibration split, as ``tune`` says."""
    found: Share | None = None
    """What ``run`` chose; in records only."""


class Tune(Section):
    """How the candidate's threshold is chosen."""

    match: Literal["recall", "flag_rate", "f1"] = "recall"
    """On the calibration rows: the baseline's recall, or its share of rows that are flagged, or
    the highest F1 there is."""


Threshold = Annotated[
    Annotated[Share, Tag("number")]
    | Annotated[Thresholds, Tag("thresholds")]
    | Annotated[dict[Text, Share], Tag("labels")],
    Discriminator(one_or_each),
]


NO_LABELS = frozenset({*MODELS, "macro", "micro", "each"})
"""Words of the policy language that no label of a multilabel task can be."""
MOST_LABELS = 100
_LARGEST_SCORE = 1e4
"""Of scores whose range nobody gave."""


class Task(Section):
    """What the two models decide."""

    kind: Literal["binary", "multiclass", "multilabel", "score", "language"]
    """What one row's answer is: yes or no, one of several classes, any number of several labels, a
    number, or a text's likelihood."""
    positive: Scalar | None = None
    """binary: the label that counts as positive."""
    threshold: Threshold | None = None
    """binary, multilabel: score >= threshold is positive, of both models or {baseline: ..,
    candidate: ..}; of a multilabel task also {LABEL: .., ...}, for every label. Without it the
    table holds decisions, not scores."""
    classes: tuple[Scalar, ...] = ()
    """multiclass: the labels there are; any other in the table is a mistake. Empty: as found."""
    labels: Annotated[tuple[Text, ...], Field(max_length=MOST_LABELS)] = ()
    """multilabel: the labels that a row may have, each decided by itself."""
    range: tuple[Number, Number] | None = None
    """score: smallest and largest score there can be, so that unseen losses can be reckoned with.
    Without it that is done on slices whose scores lie between 0 and 1."""
    ignore: tuple[Scalar, ...] = ()
    """Labels whose rows are left out, and counted in the record: unsure, -1."""

    tune: Tune | None = None
    """binary, with a candidate's threshold that is tuned: how."""

    @property
    def untuned(self) -> bool:
        """Whether the candidate's threshold has still to be chosen."""
        found = self.threshold
        return isinstance(found, Thresholds) and found.candidate == "tuned" and found.found is None

    def threshold_of(self, role: Role, label: str | None = None) -> float | None:
        """The threshold of one model (for one label); None: its column holds decisions.

        Raises:
            InputError: it has still to be chosen.
        """
        if isinstance(self.threshold, dict):
            return None if label is None else self.threshold[label]
        if not isinstance(self.threshold, Thresholds):
            return self.threshold
        if role == "baseline":
            return self.threshold.baseline
        candidate = self.threshold.candidate
        if not isinstance(candidate, str):
            return candidate
        if self.threshold.found is None:
            raise InputError(
                "'threshold: {candidate: tuned}' is chosen on calibration rows, which 'prunegate "
                "run' and 'search' score with both models; use one of them, or write the number "
                "that was chosen on other rows than these in the place of 'tuned'"
            )
        return self.threshold.found

    @property
    def moved(self) -> bool:
        """Whether the candidate is judged at another threshold than the baseline."""
        if not isinstance(self.threshold, Thresholds):
            return False
        return self.threshold_of("candidate") != self.threshold.baseline

    def at_the_baselines_threshold(self) -> Task:
        """The same task with the baseline's threshold for the candidate, too."""
        if not isinstance(self.threshold, Thresholds):
            return self
        return self.model_copy(update={"threshold": self.threshold.baseline, "tune": None})

    def with_threshold(self, found: float) -> Task:
        """The same task with the candidate's threshold as it was chosen."""
        assert isinstance(self.threshold, Thresholds)  # noqa: S101  # else nothing is tuned
        return self.model_copy(
            update={
                "threshold": Thresholds(
                    baseline=self.threshold.baseline, candidate="tuned", found=found
                )
            }
        )

    @property
    def score_bounds(self) -> tuple[float, float]:
        """Smallest and largest score that is read, of labels and of models."""
        return self.range or (-_LARGEST_SCORE, _LARGEST_SCORE)

    @property
    def traits(self) -> TaskTraits:
        """What rows and answers of such a task are."""
        return TRAITS[self.kind]

    @model_validator(mode="after")
    def _binary_needs_a_positive_label(self) -> Task:
        if self.traits.yes_no and self.positive is None:
            raise ValueError("a binary task needs 'positive': the label that counts as positive")
        if not self.traits.yes_no and self.positive is not None:
            raise ValueError("'positive' belongs to a binary task only")
        if not (self.traits.yes_no or self.traits.sets) and self.threshold is not None:
            raise ValueError("'threshold' belongs to a binary or multilabel task only")
        return self

    @model_validator(mode="after")
    def _a_multilabel_task_has_labels(self) -> Task:
        if not self.traits.sets:
            if self.labels:
                raise ValueError("'labels' belongs to a multilabel task only")
            return self
        if len(self.labels) < 2:
            raise ValueError("a multilabel task needs 'labels': at least two names")
        if len({value_text(name) for name in self.labels}) < len(self.labels):
            raise ValueError("'labels' has a name twice; keep one")
        if taken := sorted(NO_LABELS.intersection(self.labels)):
            raise ValueError(
                f"the label {taken[0]!r} is a word of the policy language; give it another name"
            )
        return self

    @model_validator(mode="after")
    def _every_label_has_its_threshold(self) -> Task:
        if not isinstance(self.threshold, dict):
            return self
        if not self.traits.sets:
            raise ValueError(
                "'threshold' is a number from 0 to 1, or {baseline: .., candidate: ..}; only a "
                "multilabel task has one for each label"
            )
        if other := [name for name in self.threshold if name not in self.labels]:
            raise ValueError(f"no label {other[0]!r} in 'labels'; {suggest(other[0], self.labels)}")
        if lacking := [name for name in self.labels if name not in self.threshold]:
            raise ValueError(f"'threshold' has none for the label {lacking[0]!r}; give one to each")
        return self

    @model_validator(mode="after")
    def _keys_of_other_kinds(self) -> Task:
        if self.classes and not self.traits.classes:
            raise ValueError("'classes' belongs to a multiclass task only")
        if self.range is not None and not self.traits.estimated:
            raise ValueError("'range' belongs to a score task only")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("'range' is [smallest, largest] score, the smallest first")
        if len(self.classes) == 1:
            raise ValueError("'classes' needs at least two labels")
        return self

    @model_validator(mode="after")
    def _tune_belongs_to_tuned(self) -> Task:
        tuned = isinstance(self.threshold, Thresholds) and self.threshold.candidate == "tuned"
        if tuned and not self.traits.yes_no:
            raise ValueError(
                "'tuned' is chosen by 'prunegate run', which runs binary models with a threshold; "
                "give the number that was found on other rows than these"
            )
        if self.tune is not None and not tuned:
            raise ValueError(
                "'tune' says how 'threshold: {baseline: ..., candidate: tuned}' is chosen; write "
                "that, or remove 'tune'"
            )
        return self

    @model_validator(mode="after")
    def _ignored_labels_are_no_answers(self) -> Task:
        if self.ignore and not self.traits.decided:
            raise ValueError(f"'ignore' leaves labels out; a {self.kind} task has none")
        if self.ignore and self.traits.sets:
            raise ValueError(
                "'ignore' is not built for a multilabel task; leave such rows out of the table, or "
                "the label out of 'labels'"
            )
        judged = {value_text(v) for v in (self.positive, *self.classes) if v is not None}
        if both := sorted(judged.intersection(map(value_text, self.ignore))):
            raise ValueError(f"'ignore' leaves {both[0]!r} out, which is judged; remove one")
        return self
