"""Drafts: one finding per rule, slice and limit, before the family of tests has been looked at.

A draft already says ``pass`` where its limit is shown to hold and ``inconclusive`` everywhere else;
only ``settle.py`` turns drafts into failures, because that needs all of them (Holm).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from prunegate.counting.label_sets import LabelSets
from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.slices import OVERALL, SliceCounts
from prunegate.evidence.further_rows import NOT_FORETOLD, Tested, further
from prunegate.evidence.of_metric import WantedMetric
from prunegate.evidence.of_metric import evidence as evidence_of
from prunegate.evidence.rates import Evidence
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS
from prunegate.metrics.hypothesis import ErrorsAtMost, Hypothesis, Level, holds
from prunegate.metrics.metric import Metric
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Limit, Policy, Rule, bound_of
from prunegate.stats.result import TestResult
from prunegate.text.said import said
from prunegate.verdict import sentences
from prunegate.verdict.advice import Lack, with_need
from prunegate.verdict.finding import FieldsOfQuestion, Finding, MethodKind, OpenBecause, Status
from prunegate.verdict.judged_slices import (
    classes_to_judge,
    enough,
    judged,
    lacking_rows,
    minimum_in_rows,
    select_slices,
)
from prunegate.verdict.losses import NOTHING_LOST, is_loss
from prunegate.verdict.operational import operational_finding
from prunegate.verdict.operational_figures import OperationalFigure
from prunegate.verdict.partial_values import (
    labels_behind,
    or_unlabelled,
    with_labels_asked,
    with_rows_beyond,
    with_values_named,
    with_whole_sample,
)
from prunegate.verdict.shown_values import change_or_level, shown_difference, shown_value
from prunegate.verdict.unseen_range import with_unseen_range


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A finding before the family has been looked at."""

    finding: Finding
    contestable: bool = False
    """Whether proven harm may still turn it into a failure: its p_harm rests on enough evidence."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One limit of one rule: what is asked of every slice."""

    policy: Policy
    index: int
    rule: Rule
    check: str
    limit: Limit
    class_label: str | None = None
    """The one class that it is about; None: binary, or all classes together."""

    @property
    def metric(self) -> Metric:
        """The rule's metric in the catalogue."""
        return METRICS[self.rule.metric]

    @property
    def common(self) -> FieldsOfQuestion:
        """The fields of a finding that the question alone decides."""
        limit = bound_of(self.limit)
        return {
            "rule": self.index,
            "metric": self.rule.metric,
            "class_label": self.class_label,
            "check": self.check,
            "severity": self.rule.severity,
            "evidence": self.rule.evidence,
            "limit": limit.value,
            "limit_kind": limit.kind,
        }


def drafts(
    policy: Policy, slices: Sequence[SliceCounts], figures: Mapping[str, OperationalFigure]
) -> Iterator[Draft]:
    """Every draft of a policy on the slices at hand, in the order of rules, slices, limits."""
    for index, rule in enumerate(policy.rules):
        questions = [
            Question(policy=policy, index=index, rule=rule, check=check, limit=limit)
            for check, limit in rule.limits.items()
        ]
        if METRICS[rule.metric].operational:
            figure = figures.get(rule.metric)
            yield from (
                Draft(finding=operational_finding(q.common, q.rule, figure)) for q in questions
            )
            continue
        for selector, chosen in select_slices(rule, slices).items():
            targets = [s for s in chosen if judged(s, policy)]
            if not targets:
                yield from (_nothing(question, selector) for question in questions)
            asked = [(s, classes_to_judge(policy, rule, slices[0], s)) for s in targets]
            for counts, labels in asked:
                for label in labels:
                    yield from (_on_slice(question, counts, label) for question in questions)
            for label in _unseen(rule, [labels for _, labels in asked]):
                yield from (_nothing(question, selector, label) for question in questions)


def _unseen(rule: Rule, asked: Sequence[Sequence[str | None]]) -> list[str]:
    """Classes that a rule lists and that none of its slices has: not judged is not passed."""
    if not asked or not isinstance(rule.classes, tuple):
        return []
    seen = {label for labels in asked for label in labels}
    return [name for value in rule.classes if (name := value_text(value)) not in seen]


def _empty(question: Question, name: str, because: OpenBecause, note: str, **fields: Any) -> Draft:
    """A finding without evidence: never a pass."""
    finding = Finding(
        **question.common,
        slice=name,
        status="fail" if question.rule.on_undefined == "fail" else "inconclusive",
        baseline=None,
        candidate=None,
        difference=None,
        ci_low=None,
        ci_high=None,
        p_value=None,
        p_harm=None,
        n=0,
        method="none",
        method_kind="none",
        note=note,
        open_because=because,
        needed_for=None if fields.get("needed") is None else "minimum evidence",
    )
    return Draft(finding=replace(finding, **fields))


def _asked_for(count: int, unit: str) -> dict[str, Any]:
    """What a minimum lacks, as fields; a single row settles nothing, and no number says so."""
    return {"needed": count, "needed_unit": unit} if count > 1 else {}


def _nothing(question: Question, selector: str, label: str | None = None) -> Draft:
    note = said("note.nothing_small", selector=selector)
    if label is not None:
        note = said("note.nothing_class", selector=selector)
    return _empty(question, selector, "nothing to judge", note, class_label=label)


def _on_slice(question: Question, counts: SliceCounts, label: str | None) -> Draft:
    """One limit on one slice (and one class of a multiclass task by itself)."""
    question = replace(question, class_label=label)
    if counts.rows == 0:
        minimum = question.policy.evidence.minimum
        wanted = _asked_for(max(minimum.rows, minimum.positives), "rows")
        return _empty(question, counts.name, "absent", sentences.absent(minimum), **wanted)
    if any(one.share and not one.rows for one in counts.strata or ()):
        note, lacking = sentences.below_minimum(counts), lacking_rows(counts)
        return _empty(question, counts.name, "absent", note, needed=lacking, needed_unit="rows")
    if label is None and question.rule.classes == "micro" and isinstance(counts.tally, LabelSets):
        return _judged(question, replace(counts, tally=counts.tally.pooled))
    if label is not None:
        counts = replace(counts, tally=counts.tally.of_class(label))
    tally = counts.tally
    if not isinstance(tally, PartialTally) or not tally.doubted:
        return _judged(question, counts)
    possible = tally.possible
    return least_shown([_judged(question, replace(counts, tally=one)) for one in possible])


def least_shown(drafts: Sequence[Draft]) -> Draft:
    """Of what one limit may be, as rows that nobody could label may be labelled, what is shown.

    A limit holds where it does in every case, and is broken where it is in every case: the largest
    p-values decide, and an estimate where all agree.
    """
    worst = max(drafts, key=lambda draft: (draft.finding.status != "pass", _p(draft, "p_value")))
    finding = worst.finding
    if finding.p_harm is not None:
        finding = replace(finding, p_harm=max(_p(draft, "p_harm") for draft in drafts))
    if finding.p_loss is not None:
        finding = replace(finding, p_loss=max(_p(draft, "p_loss") for draft in drafts))
    if finding.status == "fail" and any(draft.finding.status != "fail" for draft in drafts):
        because = finding.open_because or "not shown"
        finding = replace(finding, status="inconclusive", open_because=because)
    contestable = all(draft.contestable for draft in drafts)
    return Draft(finding=finding, contestable=contestable)


def _p(draft: Draft, name: str) -> float:
    """A p-value; what has none shows nothing."""
    found = getattr(draft.finding, name)
    return 1.0 if found is None else float(found)


def _judged(question: Question, counts: SliceCounts) -> Draft:
    claim = CHECKS[question.check].claim(bound_of(question.limit), question.metric)
    about = _evidence(question, counts, claim)
    compared = not isinstance(claim, Level)
    if about.candidate is None or (compared and about.baseline is None):
        return _undefined(question, counts, about)
    return _tested(question, counts, about, claim)


def _evidence(question: Question, counts: SliceCounts, claim: Hypothesis) -> Evidence:
    policy = question.policy
    wanted = WantedMetric(
        metric=question.rule.metric,
        strict=policy.evidence.strict,
        grouped=policy.group is not None,
        claim=claim,
        k=question.rule.k,
        at=question.rule.at,
    )
    return evidence_of(wanted, counts.tally)


def _undefined(question: Question, counts: SliceCounts, about: Evidence) -> Draft:
    note = sentences.undefined(question.metric, counts, question.class_label)
    minimum = question.policy.evidence.minimum
    no_positives = counts.positives == 0
    lacking = minimum.positives if no_positives else minimum.rows - counts.rows
    wanted = _asked_for(lacking, "positives" if no_positives else "rows")
    return _empty(
        question,
        counts.name,
        "undefined",
        note,
        baseline=shown_value(about.baseline, question.metric),
        candidate=shown_value(about.candidate, question.metric),
        **wanted,
    )


def _tested(question: Question, counts: SliceCounts, about: Evidence, claim: Hypothesis) -> Draft:
    result = about.test(claim)
    rests = labels_behind(question.metric, claim, counts.tally)
    low, high = change_or_level(about, question.metric, level=isinstance(claim, Level))
    standing = _of_both_classes(_standing(question, counts, about, claim, result), counts)
    finding = Finding(
        **question.common,
        slice=counts.name,
        status=standing.status,
        baseline=shown_value(about.baseline, question.metric),
        candidate=shown_value(about.candidate, question.metric),
        difference=shown_difference(about, question.metric),
        ci_low=low,
        ci_high=high,
        p_value=result.p_value,
        p_harm=result.p_harm,
        n=about.count(claim),
        lost=about.lost,
        gained=about.gained,
        method=result.method if question.rule.evidence == "proven" else "point estimate",
        method_kind=_method_kind(question, result),
        note=standing.note,
        open_because=standing.because,
        effective=about.effective,
    )
    finding = with_values_named(finding, about, question.metric, rests)
    if standing.because == "one class":
        pass  # its note asks for rows of another class
    elif (weight := _outweighed(question, about, claim, standing)) is not None:
        note = sentences.uneven_groups(weight)
        finding = replace(finding, open_because="uneven groups", weight=weight, note=note)
    elif standing.because == "minimum evidence" and counts.strata is not None:
        lacking = lacking_rows(counts)
        finding = replace(
            finding, needed=lacking, needed_unit="rows", needed_for="minimum evidence"
        )
    elif standing.status == "inconclusive":
        if standing.because == "not shown":
            finding = with_unseen_range(question.policy, finding, about, claim)
        finding = _with_advice(question, counts, about, claim, finding)
    if is_loss(finding) and about.reliable_for(NOTHING_LOST):
        finding = replace(finding, p_loss=about.test(NOTHING_LOST).p_harm)
    return Draft(finding=finding, contestable=standing.contestable)


def _with_advice(
    question: Question, counts: SliceCounts, about: Evidence, claim: Hypothesis, finding: Finding
) -> Finding:
    """An open finding with the labels, of the same rows or of further ones, that help."""
    policy, rests = question.policy.evidence, labels_behind(question.metric, claim, counts.tally)
    whole = with_whole_sample(finding, counts) if rests == "agreed" else None
    if whole is not None:
        all_of_it = _evidence(question, whole, claim)
        if all_of_it.test(claim).p_value > policy.alpha:
            found = _with_advice(question, whole, all_of_it, claim, finding)
            return with_rows_beyond(found, counts)
    low, high = change_or_level(about, question.metric, level=isinstance(claim, Level))
    width = None if low is None or high is None else high - low
    result = about.test(claim)
    tested = Tested(claim=claim, result=result, width=width, whole=question.metric.whole)
    more = further(about, tested, policy.alpha) if question.metric.foretold else NOT_FORETOLD
    lack = Lack(more=more, method=about.lacking if _unvalidated(question, about, claim) else 0)
    asked = with_labels_asked(finding, counts, rests, lack, policy)
    least = minimum_in_rows(counts, policy.minimum)
    return asked or or_unlabelled(with_need(finding, counts, least, lack), counts)


def _outweighed(
    question: Question, about: Evidence, claim: Hypothesis, standing: _Standing
) -> int | None:
    """What the rows weigh where groups are too uneven for any outcome; None elsewhere."""
    if standing.because != "not shown":
        return None
    return about.outweighed(claim, question.policy.evidence.alpha)


def _method_kind(question: Question, result: TestResult) -> MethodKind:
    if question.rule.evidence == "point":
        return "point"
    return "exact" if result.exact else "approximate"


@dataclass(frozen=True)
class _Standing:
    status: Status
    note: str = ""
    because: OpenBecause | None = None
    contestable: bool = False


def _standing(
    question: Question,
    counts: SliceCounts,
    about: Evidence,
    claim: Hypothesis,
    result: TestResult,
) -> _Standing:
    """Where a tested limit stands on its own slice; the first reason to doubt decides."""
    if not enough(counts, question.policy.evidence.minimum):
        note = sentences.below_minimum(counts)
        return _Standing("inconclusive", note, "minimum evidence")
    point = holds(claim, about.baseline, _defined(about.candidate), question.metric.whole)
    if point is None:
        failed = question.rule.on_undefined == "fail"
        note = "undefined: the baseline's value that the limit refers to is zero"
        harmful = _provable_harm(question, about, claim)
        return _Standing("fail" if failed else "inconclusive", note, "no ratio", harmful)
    if question.rule.evidence == "point":
        return _Standing("pass" if point else "fail")
    if _unvalidated(question, about, claim):
        return _Standing("inconclusive", about.too_few, "method")
    if result.p_value <= question.policy.evidence.alpha:
        return _Standing("pass", contestable=True)
    return _Standing("inconclusive", because="not shown", contestable=True)


def _provable_harm(question: Question, about: Evidence, claim: Hypothesis) -> bool:
    """Whether harm can be shown although the limit is undefined: errors grow from none.

    The test rests on rows that either model gets wrong, whatever the baseline's rate is estimated
    at; an undefined limit is never shown to hold.
    """
    grown = isinstance(claim, ErrorsAtMost) and bound_of(question.limit).kind == "error_ratio"
    proven = question.rule.evidence == "proven"
    return grown and proven and not _unvalidated(question, about, claim)


def _unvalidated(question: Question, about: Evidence, claim: Hypothesis) -> bool:
    """Whether there are too few rows for the error rates of the claim's method to be known."""
    return question.rule.evidence == "proven" and not about.reliable_for(claim)


def _of_both_classes(standing: _Standing, counts: SliceCounts) -> _Standing:
    """A declared slice of one class never passes; proven harm there is harm all the same."""
    exempt = counts.name == OVERALL and counts.tally.answers == "decisions"
    one_class = counts.declared and not exempt and counts.tally.one_class
    if standing.status != "pass" or not one_class:
        return standing
    note = "the slice has rows of one class only; label rows of another class too"
    return replace(standing, status="inconclusive", note=note, because="one class")


def _defined(share: Fraction | None) -> Fraction:
    assert share is not None  # noqa: S101  # the caller has sorted undefined values out
    return share
