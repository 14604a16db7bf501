"""Guarantee: what the error rate of a verdict's tests covers, and what it leaves out.

Only a test has an error rate. A gate whose blocking limits are read off estimates or figures alone
guarantees nothing, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prunegate.metrics.catalogue import METRICS
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, Guarantee, SliceSummary, Uncovered


def guarantee(
    policy: Policy, findings: Sequence[Finding], slices: Sequence[SliceSummary]
) -> Guarantee | None:
    """What the tests of a verdict's blocking limits guarantee; None: there are none."""
    tested = [f for f in findings if _tested(f)]
    if not tested:
        return None
    return Guarantee(
        alpha=policy.evidence.alpha,
        exact=all(f.method_kind == "exact" for f in tested),
        tests=len(tested),
        leaves_out=tuple(_left_out(policy, findings, slices, tested)),
    )


def _tested(finding: Finding) -> bool:
    blocks = finding.severity == "block" and finding.check != BEATS_CONSTANT
    return blocks and finding.evidence == "proven" and finding.p_value is not None


def _left_out(
    policy: Policy,
    findings: Sequence[Finding],
    slices: Sequence[SliceSummary],
    tested: Sequence[Finding],
) -> Iterator[Uncovered]:
    findings = [f for f in findings if f.check != BEATS_CONSTANT]  # no rule's limit
    blocking = [f for f in findings if f.severity == "block"]
    judged = [f for f in blocking if not METRICS[f.metric].operational]
    if any(f.evidence == "point" for f in judged):
        yield "point rules"
    if len(judged) < len(blocking):
        yield "figures"
    if len(blocking) < len(findings):
        yield "warning rules"
    if policy.claims is not None:
        yield "stated figures"
    if any(not one.judged and one.rows for one in slices):
        yield "unjudged slices"
    if policy.task.traits.documents and any(METRICS[f.metric].kind == "mean" for f in tested):
        yield "rare losses"
