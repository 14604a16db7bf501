"""Claimed: the checks of stated figures as findings of a verdict, after its rules.

A contradiction is a fact of arithmetic or of what was measured, not a sample: each is one finding
that fails outright. Without any, one finding says so; where nothing could be checked it is open,
and never a pass. So claims can take an approve away and never give one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from prunegate.claims.checked import Claims
from prunegate.policy.schema import Policy
from prunegate.text.said import said
from prunegate.verdict import sentences
from prunegate.verdict.finding import Finding, OpenBecause, Status, Verdict
from prunegate.verdict.outcome import outcome
from prunegate.verdict.warning_facts import warned, with_warnings

METRIC = "claims"
UNREAD = "the claims file was not read: load the policy from its file, or state figures in it"


def with_claims(policy: Policy, verdict: Verdict, claims: Claims | None) -> Verdict:
    """The verdict with what became of the figures that the policy states.

    Args:
        policy: the policy; without a section ``claims`` nothing changes.
        verdict: on its rules.
        claims: the checks; None: the figures were not read.
    """
    if policy.claims is None:
        return verdict
    findings = (*verdict.findings, *_findings(policy, claims))
    verdict = with_warnings(verdict, warned(policy, findings, start=len(verdict.findings)))
    decision = outcome(findings)
    if decision == "approve" and verdict.outcome != "approve":
        # a slice that is not there holds it back, and stays the reason
        return replace(verdict, findings=findings, claims=claims)
    return replace(
        verdict,
        outcome=decision,
        reasons=sentences.reasons(policy, decision, findings),
        findings=findings,
        claims=claims,
    )


def _findings(policy: Policy, claims: Claims | None) -> Iterator[Finding]:
    if claims is None:
        yield _finding(policy, "inconclusive", None, UNREAD, "unread")
        return
    for wrong, label in zip(claims.contradictions, claims.labels, strict=True):
        yield _finding(
            policy, "fail", label, said("note.stated", figure=wrong.figure, sum=wrong.sum)
        )
    if claims.contradictions:
        return
    right = sum(check.status == "right" for check in claims.checks)
    if right:
        yield _finding(policy, "pass", None, said("note.no_contradiction", n=right))
    else:
        note = "none of the stated figures could be checked"
        yield _finding(policy, "inconclusive", None, note, "unchecked")


def _finding(
    policy: Policy,
    status: Status,
    label: str | None,
    note: str,
    because: OpenBecause | None = None,
) -> Finding:
    assert policy.claims is not None  # noqa: S101  # the caller has looked
    return Finding(
        rule=len(policy.rules),
        metric=METRIC,
        slice="overall",
        class_label=label,
        check=METRIC,
        status=status,
        severity=policy.claims.severity,
        evidence="proven",
        baseline=None,
        candidate={"pass": 0.0, "fail": 1.0}.get(status),
        difference=None,
        ci_low=None,
        ci_high=None,
        limit=0.0,
        p_value=None,
        p_harm=None,
        n=0,
        method="figure",
        note=note,
        method_kind="counted",
        open_because=because,
    )
