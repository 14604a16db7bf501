"""Waivers in a verdict: findings that do not hold and are let pass for a time, on a signed word.

A waiver turns one blocking finding of one candidate from fail or inconclusive to ``waived``, and
nothing else: its numbers stay, it stays in the Holm family, and it never counts as a pass. Only
what was judged can be waived: a finding without a figure is nothing that anybody could accept.

The cap is absolute. Where waivers match more findings than the policy's ``at_most``, none of them
counts, so that neither their order nor their number decides which ones do. Hence an approve means:
every blocking finding passes but for ``at_most`` of them, each of these waived, and one at least
passes by itself. More waivers, or a larger cap, never take an approve away.

The law that a further check never turns a non-approve into an approve holds as soon as one blocking
finding passes: what is waived is no check, and a gate of nothing else has judged nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from prunegate.metrics.checks import is_level
from prunegate.policy.schema import Policy
from prunegate.text.escape import escaped
from prunegate.text.said import joined, said
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, Status, Verdict
from prunegate.verdict.outcome import outcome

Place = tuple[int, str, str, str | None]
"""Rule, slice, check and class: no two findings share them."""


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """One finding of one candidate that somebody let pass for a time."""

    entry: str
    """sha256 of the entry of the audit trail that holds the signed words."""
    rule: int
    """Index of the rule in this verdict's policy, from 0."""
    slice: str
    """Name of the finding's slice."""
    check: str
    """Its limit."""
    class_label: str | None
    """Its class; None: it is not about one class."""
    without: Status | None = None
    """What the finding would say without it; None: it was not used."""
    terms: str
    """sha256 of what the rule means: itself, and what of its policy it rests on."""
    candidate: tuple[str, ...]
    """Digests that each tell the candidate that it is for."""
    reason: str
    """Why it may pass for now."""
    owner: str
    """Who sees to it that the finding goes away."""
    author: str
    """Who asked for it."""
    approver: str
    """Who signed it: another person than the author."""
    key: str
    """Fingerprint of the approver's key."""
    asked: str
    """When it was asked for: UTC, to the second; the term counts from here."""
    created: str
    """When it was brought in."""
    expires: str
    """UTC, to the second, from when on it waives nothing."""

    @property
    def place(self) -> Place:
        """Which finding it is about."""
        return self.rule, self.slice, self.check, self.class_label


@dataclass(frozen=True, kw_only=True)
class Waived:
    """A verdict and what it rests on."""

    verdict: Verdict
    used: tuple[Waiver, ...]
    """One for each waived finding, in the order of findings."""


def place_of(finding: Finding) -> Place:
    """Which finding it is."""
    return finding.rule, finding.slice, finding.check, finding.class_label


def unwaivable(policy: Policy, finding: Finding) -> str | None:
    """Why a finding cannot be waived, as the end of a sentence; None: it can."""
    if finding.status == "pass":
        return "it holds, so there is nothing to waive"
    if finding.status == "waived":
        return "it is waived already"
    if finding.severity != "block":
        return "it only warns and holds nothing back"
    if finding.rule >= len(policy.rules):
        return _NO_RULE[finding.check == BEATS_CONSTANT]
    compared = not is_level(finding.check)
    if finding.candidate is None or (compared and finding.baseline is None):
        return "nothing was judged there, and what nobody has seen nobody can accept"
    return None


_NO_RULE = (
    "it is about stated figures, not a rule; put the figures right",
    "it is about the reference, not a rule; put the data right, or label more",
)


def with_waivers(policy: Policy, verdict: Verdict, waivers: Iterable[Waiver]) -> Waived:
    """The verdict with what may be waived, and by which waivers.

    Args:
        policy: the policy; without a section ``waivers`` nothing is waived.
        verdict: finished, with its claims.
        waivers: in force for this candidate, at the time of judging.
    """
    given = _one_each(waivers)
    matched = [f for f in verdict.findings if _is_for(policy, f, given)]
    if not matched:
        return Waived(verdict=verdict, used=())
    most = policy.waivers.at_most if policy.waivers is not None else 0
    if len(matched) > most:
        warnings = (*verdict.warnings, over_cap(len(matched), most))
        return Waived(verdict=replace(verdict, warnings=warnings), used=())
    places = {place_of(finding) for finding in matched}
    findings = tuple(
        _waived(f, given[place_of(f)]) if place_of(f) in places else f for f in verdict.findings
    )
    used = tuple(replace(given[place_of(f)], without=f.status) for f in matched)
    return Waived(verdict=_decided(policy, verdict, findings), used=used)


def over_cap(matched: int, most: int) -> str:
    """The warning that no waiver counts, because there are too many."""
    return said("warning.over_cap", matched=matched, most=most)


def _one_each(waivers: Iterable[Waiver]) -> dict[Place, Waiver]:
    """Of several for one finding the one that holds longest."""
    ordered = sorted(waivers, key=lambda one: (one.expires, one.entry))
    return {one.place: one for one in ordered}


def _is_for(policy: Policy, finding: Finding, given: dict[Place, Waiver]) -> bool:
    return place_of(finding) in given and unwaivable(policy, finding) is None


def _waived(finding: Finding, waiver: Waiver) -> Finding:
    return replace(
        finding, status="waived", note=joined((told(waiver, finding.status), finding.note))
    )


def told(waiver: Waiver, without: Status | None) -> str:
    """``waived by Ann until 2026-12-28 09:00 UTC: ...; without it: fail``."""
    until = f"{waiver.expires[:10]} {waiver.expires[11:16]} UTC"
    who, reason = escaped(waiver.approver), escaped(waiver.reason).rstrip(".")
    return said("note.waived", who=who, until=until, reason=reason, status=str(without))


def _decided(policy: Policy, verdict: Verdict, findings: tuple[Finding, ...]) -> Verdict:
    """The outcome that is left: an absent slice still holds an approve back."""
    from prunegate.verdict import sentences  # which knows how rows are counted; a waiver does not

    decision = outcome(findings)
    absent = [one.name for one in verdict.slices if one.declared and not one.rows]
    unseen = decision == "approve" and bool(absent)
    reasons = (
        sentences.absence_reasons(absent)
        if unseen
        else sentences.reasons(policy, decision, findings)
    )
    return replace(
        verdict,
        outcome="inconclusive" if unseen else decision,
        reasons=reasons,
        findings=findings,
        statement=f"{verdict.statement} {_exempt(findings)}",
    )


def _exempt(findings: Sequence[Finding]) -> str:
    count = sum(finding.status == "waived" for finding in findings)
    which = "1 finding is" if count == 1 else f"{count} findings are"
    return f"{which} waived, and nothing of that is said of {'it' if count == 1 else 'them'}."
