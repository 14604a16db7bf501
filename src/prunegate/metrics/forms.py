"""Forms: what a metric is computed from, and hence which evidence tests it.

A metric has one form per kind of task. A form says which rows the metric is about, which of them
are right, and how the candidate gets worse at it, which is all that counting, testing and planning
have to know. ``evidence/of_metric.py`` has the evidence of every form. A new metric of a known form
is one entry of the catalogue; a new form is one class here and one kind of evidence there.

Cells are numbered ``4 * label + 2 * baseline + candidate``, 1 being positive.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Cells = tuple[int, ...]
POSITIVES, NEGATIVES, EVERY = (4, 5, 6, 7), (0, 1, 2, 3), tuple(range(8))
_RIGHT = (0b111, 0b000)
"""Cells that both models get right."""
_LEFT_ALONE = 0b000
"""The cell of negatives that neither model flags."""
_WRONG = (0b100, 0b110, 0b011, 0b001)
"""Cells that the candidate gets wrong."""
ErrorKind = Literal["missed", "flagged"]
"""What goes wrong with a row: the positive class was missed, or another one was flagged."""
Unit = Literal[
    "rows",
    "positives",
    "negatives",
    "flagged rows",
    "rows flagged by either",
    "flagged or positive",
]
"""What a metric's own rows are called."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """The rows that a metric is about, which are counted when labels are planned."""

    cells: Cells = EVERY
    unit: Unit = "rows"


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a metric comes about; the defaults suit one that is about all rows."""

    from_scores: ClassVar[bool] = False
    """Whether decisions do not do: it is computed from the scores that they follow from."""
    foretold: ClassVar[bool] = True
    """Whether its test gets sharper with the root of the number of rows, so that what is seen tells
    how many settle a limit."""

    @property
    def against_labels(self) -> bool:
        """Whether it says how far the models agree with labels, so that they have to know these."""
        return True

    @property
    def base(self) -> Base:
        """Rows that a change of the metric rests on."""
        return Base()

    @property
    def base_of_level(self) -> Base:
        """Rows that the candidate's value alone rests on."""
        return self.base

    @property
    def worse(self) -> Cells:
        """Cells, right so far, in which the candidate's errors lower the metric."""
        return _RIGHT

    @property
    def better(self) -> Cells:
        """Cells, wrong so far, in which the candidate's corrections raise the metric."""
        return _WRONG

    @property
    def error_kind(self) -> ErrorKind | None:
        """How rows of a yes/no task go wrong where it gets worse; None: in both ways."""
        return None

    @property
    def one_label(self) -> int | None:
        """The label of a yes/no task whose rows it is about, however many there are of the other.

        None: of both.
        """
        return None

    @property
    def guards_against_alarms(self) -> bool:
        """Whether a candidate that flags every row does worse at it."""
        return not self.from_scores and _LEFT_ALONE in self.worse


@dataclass(frozen=True, kw_only=True)
class SharedRows(Form):
    """A share of rows that both models decide: of one label's rows, or of all."""

    labels: tuple[int, ...] = (0, 1)
    """Of a yes/no task: the labels whose rows count."""

    @property
    def roles(self) -> tuple[Cells, Cells, Cells, Cells]:
        """Cells that both models get right, that are lost, gained, and that neither gets right."""

        def wrong(bits: int) -> Cells:  # one bit per model: baseline, candidate
            return tuple((7 * y) ^ bits for y in self.labels)

        return wrong(0b00), wrong(0b01), wrong(0b10), wrong(0b11)

    @property
    def base(self) -> Base:
        if self.labels == (1,):
            return Base(cells=POSITIVES, unit="positives")
        return Base(cells=NEGATIVES, unit="negatives") if self.labels == (0,) else Base()

    @property
    def worse(self) -> Cells:
        return tuple(cell for cell in _RIGHT if cell >> 2 in self.labels)

    @property
    def better(self) -> Cells:
        return tuple(cell for cell in _WRONG if cell >> 2 in self.labels)

    @property
    def error_kind(self) -> ErrorKind | None:
        return None if self.one_label is None else _ERROR_KINDS[self.one_label]

    @property
    def one_label(self) -> int | None:
        return self.labels[0] if len(self.labels) == 1 else None


_ERROR_KINDS: tuple[ErrorKind, ErrorKind] = ("flagged", "missed")
"""What goes wrong with a row of either label."""


@dataclass(frozen=True, kw_only=True)
class Overlapping(Form):
    """Precision or F1 of one class: each model has a denominator of its own."""

    kind: Literal["precision", "f1"]

    @property
    def base(self) -> Base:
        if self.kind == "f1":
            return Base(cells=(1, 2, 3, *POSITIVES), unit="flagged or positive")
        return Base(cells=(1, 2, 3, 5, 6, 7), unit="rows flagged by either")

    @property
    def base_of_level(self) -> Base:
        if self.kind == "f1":
            return Base(cells=(1, 3, *POSITIVES), unit="flagged or positive")
        return Base(cells=(1, 3, 5, 7), unit="flagged rows")

    @property
    def worse(self) -> Cells:
        """Precision suffers by false alarms; of F1 the misses are taken."""
        return (0b111,) if self.kind == "f1" else (0b000,)

    @property
    def better(self) -> Cells:
        return (0b100, 0b110) if self.kind == "f1" else (0b011, 0b001)

    @property
    def error_kind(self) -> ErrorKind | None:
        return None if self.kind == "f1" else "flagged"

    @property
    def guards_against_alarms(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class Flips(Form):
    """A share that only the pair of models has: rows that are decided differently."""

    negative_only: bool
    """Only rows that the baseline got right and the candidate wrong; else every changed row."""

    @property
    def better(self) -> Cells:
        """A flip rate has no change, so nothing can improve too much."""
        return ()


@dataclass(frozen=True, kw_only=True)
class OverClasses(Form):
    """One number of the whole table of labels and decisions: a macro average, or a coefficient."""

    kind: Literal["recall", "precision", "f1", "mcc"]
    """Of what the classes' average is; or a coefficient of ``stats/class_coefficients.py``."""
    least_classes: int = 1
    """Classes that a slice needs as labels; with fewer the metric is undefined."""
    least_rows: int = 0
    """Rows of the rarest class from which the method's error rates have been measured."""


@dataclass(frozen=True, kw_only=True)
class OverLabels(Form):
    """Rows with several labels: the average of the labels' own values, each weighing the same."""

    kind: Literal["recall", "precision", "f1"]
    sides: tuple[int, ...] = (1,)
    """Of recall, whose: of the rows that have a label (1), of those that have it not (0)."""


@dataclass(frozen=True, kw_only=True)
class OverDecisions(Form):
    """Rows with several labels: every decision on a label counts by itself."""

    of: Form
    """The form of these decisions."""


@dataclass(frozen=True, kw_only=True)
class WholeRows(Form):
    """Rows with several labels: a row is right where every one of its decisions is."""

    of: Form
    """The form of rows that are right or wrong."""


@dataclass(frozen=True, kw_only=True)
class EachLabel(Form):
    """Rows with several labels: only each label by itself, or all decisions, have a value."""


@dataclass(frozen=True, kw_only=True)
class Mean(Form):
    """The mean of a row's number, or a ratio of sums."""

    quantity: str
    """Which number: ``value`` (score, or negative log-likelihood), ``error`` (absolute),
    ``square`` (of the error) or ``quality`` (of what is written)."""
    exponential: bool = False
    """The exponential of the mean: perplexity."""
    root: bool = False
    """The root of the mean, of squares."""
    bounded: bool = True
    """Whether there is a most that the number can change, where the tally tells one."""

    @property
    def against_labels(self) -> bool:
        return self.quantity in ("error", "square")


@dataclass(frozen=True, kw_only=True)
class ScoreLoss(Form):
    """The mean of what a row's scores lose against its label."""

    from_scores: ClassVar[bool] = True

    quantity: str
    """Which loss: ``log_loss`` or ``brier``."""


@dataclass(frozen=True, kw_only=True)
class Ranked(Form):
    """The share of pairs of a positive and a negative that the scores put in the right order."""

    from_scores: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class AtFixedRate(Form):
    """Recall of each model at its own threshold, with a false positive rate that the rule gives."""

    from_scores: ClassVar[bool] = True
    foretold: ClassVar[bool] = False

    @property
    def base(self) -> Base:
        return Base(cells=POSITIVES, unit="positives")


@dataclass(frozen=True, kw_only=True)
class AtFixedRecall(Form):
    """Precision of each model at its own threshold, with a recall that the rule gives."""

    from_scores: ClassVar[bool] = True
    foretold: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class OfRanks(Form):
    """A statistic of how scores order the rows, to which every row adds its own pull."""

    from_scores: ClassVar[bool] = True

    quantity: str
    """Which one: ``average_precision`` or ``rank_correlation``."""


@dataclass(frozen=True, kw_only=True)
class WithinTop(Form):
    """The share of rows whose true class is among the k with the highest scores."""

    from_scores: ClassVar[bool] = True
