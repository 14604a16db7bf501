"""Known limits: what a reader must not take a record to show."""

from __future__ import annotations

from prunegate.cost.operations import Operations
from prunegate.cost.tariff import RENTED, SCALED
from prunegate.policy.model import Policy
from prunegate.verdict.finding import Verdict


def known_limits(policy: Policy, verdict: Verdict, operations: Operations) -> tuple[str, ...]:
    """What a reader must not take the record to show."""
    limits = []
    if policy.group is None:
        limits.append("Assumes independent rows: the policy names no group column.")
    else:
        limits.append(f"Rows of one {policy.group} may depend on each other, groups may not.")
    limits.append("The verdict speaks of data like those judged, not of content never seen.")
    if operations.measurements is None:
        limits.append("Latency and size were not measured; the record says nothing about them.")
    elif operations.cost is not None and operations.cost.basis == SCALED:
        limits.append("The candidate's price is scaled by CPU time measured here, not quoted.")
    elif operations.cost is not None and operations.cost.basis == RENTED:
        limits.append("Instances are counted from throughput measured here, at the average load.")
    if operations.unpriced:
        limits.append(f"There is no cost: {operations.unpriced}.")
    unjudged = [s.name for s in verdict.slices if not s.judged]
    if unjudged:
        limits.append(f"{len(unjudged)} slice(s) had too little evidence and were not judged.")
    if policy.evidence.minimum.rows == 1 and policy.evidence.minimum.positives == 1:
        limits.append("The policy sets no minimum evidence per slice.")
    return tuple(limits)
