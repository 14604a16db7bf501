"""Judge: a policy, counts and figures in; a verdict out. No I/O, no clock, no randomness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prunegate.evaluation.slices import SliceCounts
from prunegate.evaluation.tallies import LabelCounts
from prunegate.policy.model import Policy
from prunegate.verdict import words
from prunegate.verdict.drafts import drafts
from prunegate.verdict.figures import Figure
from prunegate.verdict.finding import SliceSummary, Verdict
from prunegate.verdict.settle import outcome, settle
from prunegate.verdict.targets import judged


def decide(
    policy: Policy,
    slices: Sequence[SliceCounts],
    figures: Mapping[str, Figure] | None = None,
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
    return Verdict(
        outcome="inconclusive" if unseen else decision,
        reasons=words.absent(absent) if unseen else words.reasons(policy, decision, findings),
        findings=findings,
        slices=tuple(_summary(s, policy) for s in slices),
        warnings=(*warnings, *_undeclared(policy, slices), *words.losing(policy, findings)),
        statement=words.statement(policy, findings),
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
        classes=tuple(tally.support) if isinstance(tally, LabelCounts) else (),
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
