"""Settle: from drafts to a decision, with the error control of the whole gate.

APPROVE iff every blocking limit is shown to hold, each at alpha (an intersection-union test: valid
under any dependence, no correction needed). REJECT iff some blocking limit is shown to be broken
after Holm's correction over all blocking proven limits, or a point rule or figure is outside its
limit. INCONCLUSIVE otherwise. So adding a limit can never turn a non-approve into an approve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from prunegate.stats.holm import adjust
from prunegate.verdict.drafts import Draft
from prunegate.verdict.finding import Finding, Outcome


def settle(drafts: Sequence[Draft], alpha: float) -> tuple[Finding, ...]:
    """Final findings: proven harm, corrected within its family, turns drafts into failures."""
    findings = [draft.finding for draft in drafts]
    for severity in ("block", "warn"):
        family = [i for i, d in enumerate(drafts) if _in_family(d, severity)]
        adjusted = adjust([_harm(findings[i]) for i in family])
        for index, p_harm in zip(family, adjusted, strict=True):
            findings[index] = _contest(drafts[index], p_harm, alpha)
    return tuple(findings)


def outcome(findings: Sequence[Finding]) -> Outcome:
    """The decision; nothing blocking judged is never an approve."""
    blocking = [f for f in findings if f.severity == "block"]
    if any(f.status == "fail" for f in blocking):
        return "reject"
    passed = any(f.status == "pass" for f in blocking)  # what is waived is judged, but holds not
    if passed and all(f.status in ("pass", "waived") for f in blocking):
        return "approve"
    return "inconclusive"


def _in_family(draft: Draft, severity: str) -> bool:
    finding = draft.finding
    proven = finding.evidence == "proven" and finding.p_harm is not None
    return proven and finding.severity == severity


def _harm(finding: Finding) -> float:
    return 1.0 if finding.p_harm is None else finding.p_harm


def _contest(draft: Draft, p_harm: float, alpha: float) -> Finding:
    finding = replace(draft.finding, p_harm_adjusted=p_harm)
    if draft.contestable and finding.status == "inconclusive" and p_harm <= alpha:
        return replace(finding, status="fail", needed=None, needed_unit=None, note="")
    return finding
