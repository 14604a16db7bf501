"""Words: what a finding says, in a sentence that a client can read aloud.

"Proven" is kept for what a test has shown at the policy's confidence. An open finding says what it
lacks; a pass that looks odd on the chart says why it is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import metric_named
from prunegate.metrics.checks import change_check, is_factor, is_level
from prunegate.report.signers import signers
from prunegate.report.slack import crosses, lost_for_certain, worst_plausible
from prunegate.report.units import CLAIMS, Units, is_operational, is_share, metric_name
from prunegate.text import numbers
from prunegate.text.escape import LONGEST, named, shorten, visible
from prunegate.verdict.advice import request
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, SliceSummary

SEVERITY_ORDER = {"fail": 0, "inconclusive": 1, "waived": 2, "pass": 3}
"""Statuses, the most serious first."""
_MAY = "The candidate may replace the baseline"
_DECISION = {
    "approve": f"{_MAY}.",
    "reject": "The candidate may not replace the baseline.",
    "inconclusive": "There is not enough evidence yet to let the candidate replace the baseline.",
}
HAIR = (
    "The interval reaches past the limit by a hair: the decision rests on a one-sided test at the "
    "policy’s confidence, and the interval shown is the wider two-sided 95 % one."
)
LOSING = "It did get worse, though by less than the limit allows."


def decision(record: DecisionRecord) -> str:
    """What the outcome means for the candidate, and whose word it still takes."""
    if record.outcome == "approve" and (asked := signers(record)):
        return f"{_MAY} once signed by {' and '.join(one.words for one in asked)}."
    return _DECISION[record.outcome]


def status(finding: Finding) -> str:
    """A finding's status in words: ``proven safe``, ``shown to be worse``."""
    if finding.status == "waived":
        return "waived"
    if finding.check in _OF_NO_RULE:
        words, otherwise = _OF_NO_RULE[finding.check]
        return words.get(finding.status, otherwise)
    if finding.status == "inconclusive":
        return "not measured" if _unmeasured(finding) else "not enough evidence"
    tested = finding.evidence == "proven" and finding.p_value is not None
    if finding.status == "pass":
        return "proven safe" if tested else "within the limit"
    if finding.candidate is None:
        return "not defined"
    shown = "shown to be worse" if change_check(finding.check) else "shown to miss the limit"
    return shown if tested else "outside the limit"


_OF_NO_RULE = {
    CLAIMS: ({"pass": "no contradiction", "fail": "contradicted"}, "not checked"),
    BEATS_CONSTANT: ({"pass": "beats chance"}, "not shown to beat chance"),
}
"""Words for statuses of findings that no rule asks for, and for every other status."""


def _unmeasured(finding: Finding) -> bool:
    return finding.candidate is None and is_operational(finding.metric)


def worst_status(statuses: Iterable[str]) -> str:
    """The most serious status of several; nothing at all is inconclusive, never a pass."""
    return min(statuses, key=lambda s: SEVERITY_ORDER.get(s, 0), default="inconclusive")


def serious_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings with the most serious first; within a status in the record's order."""
    return sorted(findings, key=lambda f: SEVERITY_ORDER.get(f.status, 0))


def finding_sentence(finding: Finding, units: Units) -> str:
    """The evidence of a finding in one line, with what would settle it and what may surprise."""
    parts = [
        _evidence(finding, units),
        need_in_words(finding, units),
        _note(finding, units),
        *remarks(finding),
    ]
    return " ".join(_stop(part) for part in parts if part)


def remarks(finding: Finding) -> list[str]:
    """What a reader of a pass would wonder about."""
    if finding.status != "pass":
        return []
    hair = [HAIR] if crosses(finding) and finding.evidence == "proven" else []
    return hair + ([LOSING] if lost_for_certain(finding) else [])


def need_in_words(finding: Finding, units: Units) -> str:
    """What would likely settle an open finding: ``Label about 640 more positives in video``."""
    if finding.needed is None:
        return ""
    where = "" if finding.slice == "overall" else f" in {named(finding.slice)}"
    return capital(visible(_request(finding, units, where)))


def _request(finding: Finding, units: Units, where: str = "") -> str:
    """The request for rows as the finding's own note makes it, too."""
    known = finding if metric_named(finding.metric) else replace(finding, metric="accuracy")
    rarest = units.task.classes and finding.class_label is None
    return request(known, rarest=rarest, where=where)


def of_class(finding: Finding) -> str:
    """`` of class violence``; empty where no class is judged by itself."""
    judged = judged_class(finding)
    return f" of {judged}" if judged else ""


def judged_class(finding: Finding) -> str:
    """``class violence``; empty where no class is judged by itself."""
    if finding.class_label is None or finding.check == CLAIMS:
        return ""
    return f"class {named(finding.class_label)}"


def about(finding: Finding) -> str:
    """The metric, and the class where one is judged: ``recall of class violence``."""
    return f"{metric_name(finding.metric)}{of_class(finding)}"


def _note(finding: Finding, units: Units) -> str:
    """The finding's own note, less the request for rows that ``need_in_words`` has made already."""
    asked = "" if finding.needed is None else _request(finding, units)
    return capital(shorten(finding.note.removesuffix(asked).removesuffix("; "), LONGEST))


def _stop(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _evidence(finding: Finding, units: Units) -> str:
    if finding.check in _OF_NO_RULE:
        return _of_no_rule(finding, units)
    if finding.candidate is None:
        return f"{capital(metric_name(finding.metric))} is not defined here"
    if change_check(finding.check) and finding.n:
        return _change_evidence(finding, units)
    if is_level(finding.check) and finding.ci_low is not None:
        value = units.level(finding.metric, finding.candidate)
        return f"{value}, plausibly {units.range(finding)}; asked for: {units.limit(finding)}"
    if is_factor(finding.check) and finding.baseline:
        ratio = numbers.multiple(finding.candidate / finding.baseline, finding.limit)
        change = ""
        if finding.p_value is not None:
            change = f"plausible change {units.range(finding)}{_points(finding)}; "
        return f"{ratio} the baseline’s; {change}allowed: {units.limit(finding)}"
    value = units.level(finding.metric, finding.candidate)
    return f"{value}; allowed: {units.limit(finding)}"


def _of_no_rule(finding: Finding, units: Units) -> str:
    """Of stated figures the note is the sum; of the reference both models' agreement."""
    if finding.check == CLAIMS:
        return ""
    before, after = (
        units.level(finding.metric, one) for one in (finding.baseline, finding.candidate)
    )
    return f"Kappa {before}, and the candidate’s {after}; asked for: {units.limit(finding)}"


def _change_evidence(finding: Finding, units: Units) -> str:
    change = units.change_in_words(finding.metric, finding.difference)
    parts = [lost_and_gained(finding) or f"change {change}", _plausible(finding, units)]
    return capital("; ".join([*parts, f"allowed: {units.limit(finding)}"]))


def _plausible(finding: Finding, units: Units) -> str:
    """The worst that the interval still allows, in the terms of the limit."""
    bound, check = worst_plausible(finding), change_check(finding.check)
    limits_a_loss = check is not None and check.loss
    if not limits_a_loss and finding.p_value is not None:
        return f"plausible change {units.range(finding)}{_points(finding)}"
    if bound is None:
        tested = finding.p_value is not None
        return "the interval has no end on the worse side" if tested else "no interval"
    word = "drop" if check is not None and check.moves == "drop" else "rise"
    size = -bound if word == "drop" else bound
    if size <= 0:
        return f"no {word} is plausible"
    return f"worst plausible {word} {units.quantities[finding.metric].size(size)}"


def _points(finding: Finding) -> str:
    return " points" if is_share(finding.metric) else ""


def lost_and_gained(finding: Finding) -> str:
    """``lost 14, gained 9 of 1,900``; empty where the pair has no such counts."""
    if finding.lost is None or finding.gained is None:
        return ""
    lost, gained, n = (numbers.count(v) for v in (finding.lost, finding.gained, finding.n))
    worth = ""
    if finding.effective is not None:
        worth = f" (worth {numbers.count(finding.effective)} of equal weight)"
    return f"lost {lost}, gained {gained} of {n}{worth}"


def capital(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def title(metric: str) -> str:
    """A metric's name at the start of a line: ``Recall``, ``F1``."""
    return capital(metric_name(metric))


def slice_value(summary: SliceSummary) -> str:
    r"""A slice's value without its key, for a chart whose slices all share the key.

    ``content_type=video`` becomes ``video``; escapes of the name are undone.
    """
    prefix = f"{summary.slicing}="
    if not summary.name.startswith(prefix):
        return named(summary.name)
    value: str = re.sub(r"\\(.)", r"\1", summary.name.removeprefix(prefix))
    return named(value)
