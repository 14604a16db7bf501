"""Finding and Verdict: what the gate says, as plain values.

A finding is one limit of one rule on one slice. The field names are a contract: they are the
names in record.json and findings.csv too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prunegate.claims.checked import Claims

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
    "not shown",
    "not measured",
    "unusable",
    "interval",
    "unread",
    "unchecked",
]
"""What kept the evidence from settling a limit: no row of an expected slice; no slice to judge; a
metric without a value; a limit that refers to a baseline of zero; fewer rows than the policy's
minimum; too few for the method's error rates to be known; rows of one class only; a test that
shows neither side; a figure that was not measured, or not on a quiet machine; an interval that
holds the limit; stated figures that were not read, or that nothing could be held against."""
NeededFor = Literal["minimum evidence", "method", "power"]
"""What further rows are for: the policy's minimum; the method's; a test that shows one side with 90
% power, if they are like those seen."""

EXIT_CODES: dict[Outcome, int] = {"approve": 0, "reject": 3, "inconclusive": 4}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One limit of one rule on one slice, with its evidence."""

    rule: int
    """Index of the rule in the policy, from 0; claims come after the last rule."""
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
    """Further rows or positives that would likely settle an open finding."""
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
    values_at_most: bool | None = None
    """True: both values are upper bounds, because rows on which the models agree count as right
    where they have no label; None: they are what the rows say."""


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
    """Of a multiclass task: the labels that the slice has."""
    lost: int | None = None
    """Rows that only the baseline gets right; None where rows are not right or wrong."""
    gained: int | None = None
    """Rows that only the candidate gets right."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The decision and everything it rests on."""

    outcome: Outcome
    reasons: tuple[str, ...]
    """Why, in plain words, the most important first."""
    findings: tuple[Finding, ...]
    slices: tuple[SliceSummary, ...]
    warnings: tuple[str, ...] = ()
    """What a reader should know although it does not decide."""
    allowed_losses: tuple[int, ...] = ()
    """Places in ``warnings``, from 0, of those about a real loss that its limit allows."""
    statement: str
    """The error guarantee of this verdict, in one sentence."""
    claims: Claims | None = None
    """Every check of the policy's stated figures; None: it has none, or they were not read."""

    @property
    def exit_code(self) -> int:
        """0 approve, 3 reject, 4 inconclusive."""
        return EXIT_CODES[self.outcome]
