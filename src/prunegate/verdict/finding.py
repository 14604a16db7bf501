"""Finding and Verdict: what the gate says, as plain values.

A finding is one limit of one rule on one slice. The field names are a contract: they are the
names in record.json and findings.csv too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypedDict

from prunegate.claims.checked import Claims
from prunegate.counting.stratum import Stratum
from prunegate.metrics.catalogue import about_one_label

Outcome = Literal["approve", "reject", "inconclusive"]
Status = Literal["pass", "fail", "inconclusive", "waived"]
MethodKind = Literal["exact", "approximate", "point", "counted", "interval", "none"]
"""What a method keeps: a size of at most alpha in any sample; one of about alpha; nothing, because
the estimate alone decides; a figure that is no sample; a figure with its 95 % interval; no
evidence at all."""
OpenBecause = Literal[
    "absent",
    "nothing to judge",
    "undefined",
    "no ratio",
    "minimum evidence",
    "method",
    "one class",
    "one decision",
    "unrelated candidate",
    "uneven groups",
    "not shown",
    "some labels",
    "not measured",
    "unusable",
    "interval",
    "unread",
    "unchecked",
]
"""What kept the evidence from settling a limit: no row of an expected slice; no slice to judge; a
metric without a value; a limit that refers to a baseline of zero; fewer rows than the policy's
minimum; too few for the method's error rates to be known; rows of one class only; a model that
makes one decision only; a candidate whose decisions are not shown to hang on the labels, where its
baseline's are; a few groups with so many of the rows that no outcome could show anything;
a test that shows neither side; one that does while rows that
bear on it have no label; a figure that was not measured, or not on a
quiet machine; an interval that holds the limit; stated figures that were not read, or that nothing
could be held against."""
NeededFor = Literal["minimum evidence", "method", "power"]
"""What further rows are for: the policy's minimum; the method's; a test that shows the limit to
hold with 90 % power, on one of the assumptions that ``needed_if_unchanged`` and
``needed_if_as_seen`` name."""

WarningKind = Literal["broken", "open", "loss", "undeclared", "unjudged"]
"""A rule or stated figures that only warn and do not hold; or that nothing shows to hold; a loss
within its limit; a slice that the policy does not declare and that was judged all the same; one
that was not."""
Uncovered = Literal[
    "point rules", "figures", "warning rules", "unjudged slices", "rare losses", "stated figures"
]
"""Rules that the estimate alone decides; figures of running the models; rules that only warn;
slices that no rule was applied to; losses that a few documents bear; what the policy states."""

ValueBound = Literal["at_most", "at_least", "about"]
"""Upper bounds; lower bounds; estimates of a sample."""

ABSENT = {"absent_if_none": True}
"""Marks a field that a record leaves out where there is nothing to say: findings are many."""
BEATS_CONSTANT = "beats_constant"
"""The check of findings on the reference, which no rule sets."""

EXIT_CODES: dict[Outcome, int] = {"approve": 0, "reject": 3, "inconclusive": 4}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One limit of one rule on one slice, with its evidence."""

    rule: int
    """Index of the rule in the policy, from 0; after the last rule come claims, where the policy
    states any, and then the reference."""
    metric: str
    slice: str
    """``overall`` or the slice's name."""
    class_label: str | None = None
    """The one class that is judged; None: binary, or all classes together. Of claims: the stated
    figure that is contradicted, and by what."""
    check: str
    """The rule field that set the limit: at_least, max_drop, ..."""
    status: Status
    severity: Literal["block", "warn"]
    evidence: Literal["proven", "point"]
    baseline: float | None
    """The baseline's value; None where it has none or it is undefined."""
    candidate: float | None
    """The candidate's value; None where it is undefined."""
    difference: float | None
    """candidate - baseline."""
    ci_low: float | None
    """95 % two-sided, for display: of the difference for changes, else of the candidate."""
    ci_high: float | None
    limit: float
    """The limit in the terms of the check: a level, an allowed change, or a ratio."""
    limit_kind: Literal["absolute", "relative", "error_ratio"] = "absolute"
    p_value: float | None
    """One-sided p of "the limit is broken": small means the limit is shown to hold."""
    p_harm: float | None
    """One-sided p of "the limit holds": small means the limit is shown to be broken."""
    p_harm_adjusted: float | None = None
    """p_harm after Holm over all proven checks of this severity."""
    n: int
    """Rows that the metric is about: positives for recall, and so on."""
    lost: int | None = None
    """Of those, rows the baseline got right and the candidate wrong."""
    gained: int | None = None
    """Of those, rows the baseline got wrong and the candidate right."""
    needed: int | None = None
    """Further rows or positives that would likely settle an open finding: ``needed_if_as_seen``
    where there is such a number, else ``needed_if_unchanged``, else what a minimum lacks."""
    needed_unit: Literal["rows", "positives"] | None = None
    """positives: of the one class that is judged; of the rarest where all are judged together."""
    method: str
    """How the evidence was computed, in the field's words."""
    note: str = ""
    """One plain sentence for people."""
    method_kind: MethodKind | None = None
    """What the method keeps; None: an earlier record, which does not say."""
    open_because: OpenBecause | None = None
    """What kept the evidence from settling it, also where the rule says that it fails then."""
    needed_for: NeededFor | None = None
    """What ``needed`` rows are for, of several reasons the one that wants most."""
    weight: int | None = field(default=None, metadata=ABSENT)
    """As many independent rows as its rows weigh, where groups are too uneven to show anything."""
    needed_if_unchanged: int | None = field(default=None, metadata=ABSENT)
    """Further rows, in ``needed_unit``, that would likely show an open limit on a change to hold if
    the candidate had changed nothing there, for all that its rows were; None: no such number."""
    needed_if_as_seen: int | None = field(default=None, metadata=ABSENT)
    """Likewise if further rows are like those seen; None: these would never show it."""
    as_seen: Literal["holds", "broken"] | None = field(default=None, metadata=ABSENT)
    """What ever more rows like those seen would show of an open limit; None: too close to tell."""
    p_loss: float | None = field(default=None, metadata=ABSENT)
    """One-sided p of "nothing was lost", where a limit on a loss was looked at and the interval of
    the change lies wholly on its side; None: no evidence of a loss."""
    p_loss_adjusted: float | None = field(default=None, metadata=ABSENT)
    """p_loss after Holm over all limits on a loss that were looked at."""
    values_at_most: bool | None = field(default=None, metadata=ABSENT)
    """True: both values are upper bounds, because rows on which the models agree count as right
    where they have no label; None: they are none."""
    effective: int | None = field(default=None, metadata=ABSENT)
    """As many rows of equal weight as its rows are worth, where they have design weights (Kish);
    None: they weigh alike."""
    values_estimated: bool | None = field(default=None, metadata=ABSENT)
    """True: the values are estimates from a random sample, of the rows that both models flag or of
    all; None: they are what the rows say."""
    values_at_least: bool | None = field(default=None, metadata=ABSENT)
    """True: both values are lower bounds: of a metric that is better when it is low for the reason
    of ``values_at_most``, of agreement with the labels because rows without one are taken at their
    worst; None: they are none."""
    estimated_from: int | None = field(default=None, metadata=ABSENT)
    """Labelled rows of the metric's kind that estimated values rest on; None: they are no
    estimates."""

    unseen_low: float | None = field(default=None, metadata=ABSENT)
    """The least that a score can be, where the range keeps it open: its rows by themselves show
    the limit to hold, and with one more row that lost all of the range they do not; None: that is
    not what does."""
    unseen_high: float | None = field(default=None, metadata=ABSENT)
    """The most that a score can be, likewise."""

    @property
    def unseen_range(self) -> tuple[float, float] | None:
        """The range of scores that keeps it open; None: that is not what does."""
        if self.unseen_low is None or self.unseen_high is None:
            return None
        return self.unseen_low, self.unseen_high

    @property
    def values_are(self) -> ValueBound | None:
        """What the values are where some rows have no label; None: what the rows say."""
        if self.values_at_most:
            return "at_most"
        if self.values_at_least:
            return "at_least"
        return "about" if self.values_estimated else None

    @property
    def n_is_least(self) -> bool:
        """Whether there may be more than ``n`` such rows, some having no label."""
        return self.values_are in ("at_most", "at_least") and about_one_label(self.metric)


@dataclass(frozen=True, kw_only=True)
class SliceWeights:
    """What a slice's design weights come to."""

    rows: float
    """As many rows of equal weight as its rows are worth (Kish)."""
    positives: float
    """Likewise of the positive class; of the class that is worth least where there are several."""
    sums: tuple[float, ...] = ()
    """Sums of weights by cell, in the order of the slice's ``cells``; binary only."""
    squares: tuple[float, ...] = ()
    """Sums of squared weights, likewise."""


DoubtKind = Literal[
    "one decision", "unrelated", "weaker", "reversed", "permuted", "shifted", "reordered"
]
"""A model that makes one decision only; a candidate whose decisions are not shown to hang on the
labels, as one has that nearly always decides the same, where its baseline's are; a candidate that
is shown to have less than half of its baseline's agreement beyond chance; decisions that fit
turned around; classes that fit by other names; decisions that fit the labels some places on in the
order of the ids, of all rows or of a stretch of them; decisions that fit in another order of the
ids."""


class FieldsOfQuestion(TypedDict):
    """The fields of a finding that its question alone decides, whatever the slice."""

    rule: int
    metric: str
    class_label: str | None
    check: str
    severity: Literal["block", "warn"]
    evidence: Literal["proven", "point"]
    limit: float
    limit_kind: Literal["absolute", "relative", "error_ratio"]


@dataclass(frozen=True, kw_only=True)
class ReferenceDoubt:
    """A likely cause of a model's knowing nothing, with its figures."""

    kind: DoubtKind
    slice: str
    """``overall`` or the slice's name."""
    model: Literal["baseline", "candidate"]
    rows: int
    """Rows that it rests on."""
    right: float
    """Share of them decided rightly as they are."""
    class_label: str | None = field(default=None, metadata=ABSENT)
    """The one of several labels that it is about; None: the rows have one label each."""
    right_if: float | None = None
    """The same if the cause were put right; None: nothing is to be put right."""
    decision: str | None = None
    """The one decision that is made; unrelated, weaker: the one that is made most often."""
    decided: int | None = field(default=None, metadata=ABSENT)
    """Unrelated, weaker: rows with that decision."""
    chance: float | None = field(default=None, metadata=ABSENT)
    """Unrelated: share of rows that would be decided rightly by chance."""
    kappas: tuple[float, float] | None = field(default=None, metadata=ABSENT)
    """Weaker: agreement beyond chance of the baseline and of the candidate."""
    bounded: bool | None = field(default=None, metadata=ABSENT)
    """True: rows without a label are taken as kindly as may be, so that ``right`` is at most what
    it says, and ``right_if`` at least; None: every row counted has a label."""
    names: tuple[tuple[str, str], ...] = ()
    """Permuted: the decision, and the label that it stands for."""
    offset: int | None = None
    """Shifted: by how many rows the labels come later."""
    stretch: tuple[int, int] | None = field(default=None, metadata=ABSENT)
    """Shifted: the first and the last row, from 1, that are so; None: all rows are."""
    order: Literal["file", "number", "text", "backwards"] | None = None
    """Shifted: in which order. Reordered: how the decisions' rows seem to have been sorted. As the
    table lies, by the numbers that end the ids, by the ids as texts, or from the last row."""


@dataclass(frozen=True, kw_only=True)
class LabelCells:
    """The rows of a slice as one of several labels sees them."""

    label: str
    cells: tuple[int, ...]
    """Eight numbers at index 4 x label + 2 x baseline + candidate."""


@dataclass(frozen=True, kw_only=True)
class CalibrationErrors:
    """Expected calibration errors of both models on a slice: shown, never tested."""

    bins: int
    """Of equal width."""
    baseline: float
    candidate: float


@dataclass(frozen=True, kw_only=True)
class SliceSummary:
    """One slice as it was found in the data."""

    name: str
    slicing: str
    """``overall``, the by-key(s) joined by a comma, or the name of a named slice."""
    declared: bool
    """Named in the policy by ``expect`` or ``name`` (overall always is)."""
    judged: bool
    """Whether rules were applied; undeclared and under the minimum evidence: only reported."""
    rows: int
    positives: int
    """Rows of the positive class; of the rarest class where there are several. At least so many,
    where only some rows have labels."""
    cells: tuple[int, ...]
    """Joint counts, eight numbers at index 4 x label + 2 x baseline + candidate; binary only. Of
    the labelled rows, where only some have labels: no random sample of the slice."""
    classes: tuple[str, ...] = ()
    """Of a multiclass task: the labels that the slice has. Of a multilabel task: those that some of
    its rows have."""
    label_cells: tuple[LabelCells, ...] | None = field(default=None, metadata=ABSENT)
    """Of a multilabel task: the joint counts of each label, in the policy's order."""
    lost: int | None = None
    """Rows that only the baseline gets right; None where rows are not right or wrong."""
    gained: int | None = None
    """Rows that only the candidate gets right."""
    weights: SliceWeights | None = field(default=None, metadata=ABSENT)
    """What its design weights come to; None: the policy names none."""
    calibration: CalibrationErrors | None = field(default=None, metadata=ABSENT)
    """How far sureness and being right lie apart; None: no rule takes scores for probabilities."""
    strata: tuple[Stratum, ...] | None = field(default=None, metadata=ABSENT)
    """What all rows were reweighted by, where the slice is ``production``; None: any other."""


@dataclass(frozen=True, kw_only=True)
class WarningFact:
    """What a warning is about, as a fact: its sentence is only one way to say it."""

    kind: WarningKind
    place: int
    """Of its sentence in ``warnings``, from 0."""
    finding: int | None = None
    """Index of the finding that it is about, from 0."""
    slice: str | None = None
    """Name of the slice that it is about, where it is about no finding."""


@dataclass(frozen=True, kw_only=True)
class Guarantee:
    """How often a gate such as this approves what it should not, and what that leaves out."""

    alpha: float
    """Level of every test."""
    exact: bool
    """Whether that is a bound; else it is about so."""
    tests: int
    """Blocking limits that were tested."""
    leaves_out: tuple[Uncovered, ...]
    """What is judged, or asked, and yet not covered."""


@dataclass(frozen=True, kw_only=True)
class ProductionValue:
    """A metric of all rows, reweighted to production's mix; an estimate that nothing hangs on."""

    metric: str
    class_label: str | None = None
    """The one class that it is about; None: binary, or all classes together."""
    baseline: float | None
    candidate: float | None
    difference: float | None
    """candidate - baseline; None: the baseline has no value."""
    ci_low: float | None
    """95 % two-sided: of the difference, or where there is none of the candidate."""
    ci_high: float | None
    n: int
    """Rows that it is about."""
    effective: int | None
    """As many rows of equal weight as these are worth; None: they weigh alike."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The decision and everything it rests on."""

    outcome: Outcome
    reasons: tuple[str, ...]
    """Why, in plain words: what is broken, then the first of what is open."""
    findings: tuple[Finding, ...]
    slices: tuple[SliceSummary, ...]
    warnings: tuple[str, ...] = ()
    """What a reader should know although it does not decide."""
    allowed_losses: tuple[int, ...] = ()
    """Places in ``warnings``, from 0, of those about a real loss that its limit allows."""
    warning_facts: tuple[WarningFact, ...] = ()
    """What those warnings are about that follow from the rules, the slices and the claims."""
    guarantee: Guarantee | None = None
    """None: no blocking limit was tested, so that nothing is guaranteed."""
    statement: str
    """The guarantee in words, and what it does not cover; or that there is none."""
    doubts: tuple[ReferenceDoubt, ...] = ()
    """Why a model's decisions may say little: what was looked for and found."""
    claims: Claims | None = None
    """Every check of the policy's stated figures; None: it has none, or they were not read."""
    production: tuple[ProductionValue, ...] | None = field(default=None, metadata=ABSENT)
    """What is judged overall, reweighted to production's mix; None: the policy declares none."""

    @property
    def exit_code(self) -> int:
        """0 approve, 3 reject, 4 inconclusive."""
        return EXIT_CODES[self.outcome]
