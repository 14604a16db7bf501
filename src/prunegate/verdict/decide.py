"""Judge: a policy, counts and figures in; a verdict out. No I/O, no clock, no randomness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from prunegate.counting.slices import SliceCounts
from prunegate.policy.schema import Policy
from prunegate.stats.result import adjust
from prunegate.verdict import sentences
from prunegate.verdict.drafts import Draft, drafts
from prunegate.verdict.finding import Finding, Outcome, SliceSummary, Verdict
from prunegate.verdict.operational_figures import OperationalFigure
from prunegate.verdict.targets import judged


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


_SETTLED = dict.fromkeys(("needed", "needed_unit", "needed_for", "open_because"))
"""What a finding that failed no longer says."""


def _contest(draft: Draft, p_harm: float, alpha: float) -> Finding:
    finding = replace(draft.finding, p_harm_adjusted=p_harm)
    if draft.contestable and finding.status == "inconclusive" and p_harm <= alpha:
        return replace(finding, status="fail", note="", **_SETTLED)  # type: ignore[arg-type]  # by name
    return finding


def decide(
    policy: Policy,
    slices: Sequence[SliceCounts],
    figures: Mapping[str, OperationalFigure] | None = None,
    warnings: Sequence[str] = (),
) -> Verdict:
    """The verdict of a policy on the joint counts of every slice.

    A slice that the policy expects has to be there, whether or not a rule looks at it: without it
    nothing is approved.

    Args:
        policy: the policy.
        slices: overall first, then every slice that the data or the policy name.
        figures: operational metrics by name; rules on absent ones are inconclusive.
        warnings: what the reading of the data noticed.
    """
    findings = settle(list(drafts(policy, slices, figures or {})), policy.evidence.alpha)
    decision = outcome(findings)
    absent = [s.name for s in slices if s.declared and s.rows == 0]
    unseen = decision == "approve" and bool(absent)
    noticed = (*warnings, *_undeclared(policy, slices))
    losses = sentences.losing(policy, findings)
    return Verdict(
        outcome="inconclusive" if unseen else decision,
        reasons=sentences.absence_reasons(absent)
        if unseen
        else sentences.reasons(policy, decision, findings),
        findings=findings,
        slices=tuple(_summary(s, policy) for s in slices),
        warnings=(*noticed, *losses),
        allowed_losses=tuple(range(len(noticed), len(noticed) + len(losses))),
        statement=sentences.statement(policy, findings) + sentences.looked_at(slices[0].tally),
    )


def _summary(counts: SliceCounts, policy: Policy) -> SliceSummary:
    tally = counts.tally
    lost, gained = tally.lost_gained or (None, None)
    return SliceSummary(
        name=counts.name,
        slicing=counts.slicing,
        declared=counts.declared,
        judged=judged(counts, policy) and counts.rows > 0,
        rows=counts.rows,
        positives=counts.positives,
        cells=counts.cells,
        classes=tally.classes,
        lost=lost,
        gained=gained,
    )


def _undeclared(policy: Policy, slices: Sequence[SliceCounts]) -> list[str]:
    """Values that the data hold although the policy lists others for the same key."""
    listed = {spec.label for spec in policy.slices if spec.expect}
    return [
        f"{s.name} is not declared in the policy ({s.rows:,} rows, "
        + ("judged all the same)" if judged(s, policy) else "too few to be judged)")
        for s in slices
        if s.slicing in listed and not s.declared
    ]
