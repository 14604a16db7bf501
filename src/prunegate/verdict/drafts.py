"""Drafts: one finding per rule, slice and limit, before the family of tests has been looked at.

A draft already says ``pass`` where its limit is shown to hold and ``inconclusive`` everywhere else;
only ``settle.py`` turns drafts into failures, because that needs all of them (Holm).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from prunegate.evaluation.evidence import Evidence
from prunegate.evaluation.hypothesis import Hypothesis, Level, holds
from prunegate.evaluation.metrics import evidence as evidence_of
from prunegate.evaluation.planning import further
from prunegate.evaluation.slices import OVERALL, SliceCounts
from prunegate.policy.catalogue import METRICS, Metric
from prunegate.policy.model import Policy, Rule
from prunegate.stats.result import TestResult
from prunegate.verdict import words
from prunegate.verdict.figures import Figure
from prunegate.verdict.finding import Finding, Status
from prunegate.verdict.hypotheses import Limit, hypothesis
from prunegate.verdict.operational import operational
from prunegate.verdict.targets import enough, judged, select


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

    @property
    def metric(self) -> Metric:
        """The rule's metric in the catalogue."""
        return METRICS[self.rule.metric]

    @property
    def common(self) -> dict[str, object]:
        """The fields of a finding that the question alone decides."""
        value, kind = words.limit_value(self.limit)
        return {
            "rule": self.index,
            "metric": self.rule.metric,
            "check": self.check,
            "severity": self.rule.severity,
            "evidence": self.rule.evidence,
            "limit": value,
            "limit_kind": kind,
        }


def drafts(
    policy: Policy, slices: Sequence[SliceCounts], figures: Mapping[str, Figure]
) -> Iterator[Draft]:
    """Every draft of a policy on the slices at hand, in the order of rules, slices, limits."""
    for index, rule in enumerate(policy.rules):
        questions = [
            Question(policy=policy, index=index, rule=rule, check=check, limit=limit)
            for check, limit in rule.limits.items()
        ]
        if METRICS[rule.metric].kind == "operational":
            figure = figures.get(rule.metric)
            yield from (Draft(finding=operational(q.common, q.rule, figure)) for q in questions)
            continue
        for selector, chosen in select(rule, slices).items():
            targets = [s for s in chosen if judged(s, policy)]
            if not targets:
                yield from (_nothing(question, selector) for question in questions)
            for counts in targets:
                yield from (_on_slice(question, counts) for question in questions)


def _empty(question: Question, name: str, note: str, **fields: object) -> Draft:
    """A finding without evidence: never a pass."""
    defaults: dict[str, object] = dict.fromkeys(
        ("baseline", "candidate", "difference", "ci_low", "ci_high", "p_value", "p_harm")
    )
    status = "fail" if question.rule.on_undefined == "fail" else "inconclusive"
    known = {"slice": name, "note": note, "status": status, "n": 0, "method": "none"}
    finding = Finding(**{**defaults, **question.common, **known, **fields})  # type: ignore[arg-type]  # built by name
    return Draft(finding=finding)


def _nothing(question: Question, selector: str) -> Draft:
    note = f"nothing to judge: no slice of '{selector}' reaches the minimum evidence"
    return _empty(question, selector, note)


def _on_slice(question: Question, counts: SliceCounts) -> Draft:
    if counts.rows == 0:
        minimum = question.policy.evidence.minimum
        note = "the policy expects this slice and the data have no row of it"
        return _empty(question, counts.name, note, needed=minimum.rows, needed_unit="rows")
    about = evidence_of(question.rule.metric, counts.cells)
    claim = hypothesis(question.check, question.limit, lower_is_better=_turned(question.metric))
    compared = not isinstance(claim, Level)
    if about.candidate is None or (compared and about.baseline is None):
        return _undefined(question, counts, about)
    return _tested(question, counts, about, claim)


def _turned(metric: Metric) -> bool:
    """Whether evidence holds the complement of the metric's own value."""
    return metric.better == "lower"


def _undefined(question: Question, counts: SliceCounts, about: Evidence) -> Draft:
    note = words.undefined(question.rule.metric, counts)
    minimum = question.policy.evidence.minimum
    no_positives = counts.positives == 0
    return _empty(
        question,
        counts.name,
        note,
        baseline=_shown(about.baseline, question.metric),
        candidate=_shown(about.candidate, question.metric),
        needed=minimum.positives if no_positives else max(minimum.rows - counts.rows, 1),
        needed_unit="positives" if no_positives else "rows",
    )


def _tested(question: Question, counts: SliceCounts, about: Evidence, claim: Hypothesis) -> Draft:
    result = about.test(claim)
    low, high = _interval(question, about, claim)
    standing = _of_both_classes(_standing(question, counts, about, claim, result), counts)
    finding = Finding(
        **question.common,  # type: ignore[arg-type]  # built by name
        slice=counts.name,
        status=standing.status,
        baseline=_shown(about.baseline, question.metric),
        candidate=_shown(about.candidate, question.metric),
        difference=_difference(about, question.metric),
        ci_low=low,
        ci_high=high,
        p_value=result.p_value,
        p_harm=result.p_harm,
        n=about.count(claim),
        lost=about.lost,
        gained=about.gained,
        method=result.method if question.rule.evidence == "proven" else "point estimate",
        note=standing.note,
    )
    if standing.one_class:
        finding = replace(finding, needed=1, needed_unit="rows")
    elif standing.status == "inconclusive":
        policy = question.policy.evidence
        more = further(about, claim, result, policy.alpha)
        finding = words.with_need(finding, counts, policy.minimum, more)
    return Draft(finding=finding, contestable=standing.contestable)


@dataclass(frozen=True)
class _Standing:
    status: Status
    note: str = ""
    contestable: bool = False
    one_class: bool = False


def _standing(
    question: Question,
    counts: SliceCounts,
    about: Evidence,
    claim: Hypothesis,
    result: TestResult,
) -> _Standing:
    """Where a tested limit stands on its own slice; the first reason to doubt decides."""
    if not enough(counts, question.policy.evidence.minimum):
        return _Standing("inconclusive", "below the policy's minimum evidence")
    point = holds(claim, about.baseline, _defined(about.candidate))
    if point is None:
        failed = question.rule.on_undefined == "fail"
        note = "undefined: the baseline's rate that the limit refers to is zero"
        return _Standing("fail" if failed else "inconclusive", note)
    if question.rule.evidence == "point":
        return _Standing("pass" if point else "fail")
    if about.too_few and not isinstance(claim, Level):
        return _Standing("inconclusive", about.too_few)
    proven = result.p_value <= question.policy.evidence.alpha
    return _Standing("pass" if proven else "inconclusive", contestable=True)


def _of_both_classes(standing: _Standing, counts: SliceCounts) -> _Standing:
    """A declared slice of one class never passes; proven harm there is harm all the same."""
    one_class = counts.declared and counts.name != OVERALL and counts.positives == counts.rows
    if standing.status != "pass" or not one_class:
        return standing
    note = "the slice has only positive rows; label rows of the other class too"
    return replace(standing, status="inconclusive", note=note, one_class=True)


def _interval(question: Question, about: Evidence, claim: Hypothesis) -> tuple[float, float]:
    """The displayed 95 % interval, in the metric's own direction."""
    level = isinstance(claim, Level)
    shown = about.level_interval() if level else about.change_interval()
    if not _turned(question.metric):
        return shown.low, shown.high
    whole = 1.0 if level else 0.0
    return whole - shown.high, whole - shown.low


def _shown(share: Fraction | None, metric: Metric) -> float | None:
    """A success rate as the metric's own value."""
    if share is None:
        return None
    return float(1 - share if _turned(metric) else share)


def _difference(about: Evidence, metric: Metric) -> float | None:
    if about.baseline is None or about.candidate is None:
        return None
    change = about.candidate - about.baseline
    return float(-change if _turned(metric) else change)


def _defined(share: Fraction | None) -> Fraction:
    assert share is not None  # noqa: S101  # the caller has sorted undefined values out
    return share
