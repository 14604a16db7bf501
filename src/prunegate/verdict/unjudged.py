"""Unjudged: rules that a table can never be judged by, whatever the models answer there.

A metric without a value on a slice (no negatives, no row of a class), a method that takes more rows
than there are, a declared slice of one class only: the gate finds each of them inconclusive.
``check`` says so before anybody waits for a model, from the gate's own findings.
"""

from __future__ import annotations

from collections.abc import Sequence

from prunegate.counting.slices import SliceCounts
from prunegate.data.contract.counts import Count
from prunegate.metrics.catalogue import METRICS
from prunegate.policy.schema import Policy
from prunegate.text.escape import escaped
from prunegate.verdict.drafts import drafts
from prunegate.verdict.finding import Finding, OpenBecause

NEVER: frozenset[OpenBecause] = frozenset(
    {"undefined", "method", "one class", "uneven groups", "nothing to judge"}
)
"""Why a limit is open, where no answer of a model could settle it."""


def unjudged_counts(policy: Policy, slices: Sequence[SliceCounts]) -> tuple[Count, ...]:
    """What each metric lacks where a rule that blocks can never judge it, for the data contract.

    Args:
        policy: the policy.
        slices: overall first.
    """
    found: dict[str, Count] = {}
    for draft in drafts(policy, slices, {}):
        finding = draft.finding
        if finding.severity == "block" and finding.open_because in NEVER:
            count = _count(finding)
            found.setdefault(count.name, count)
    return tuple(found.values())


def _count(finding: Finding) -> Count:
    held = 0 if finding.open_because in ("undefined", "nothing to judge") else finding.n
    where, phrase = escaped(finding.slice), METRICS[finding.metric].phrase
    of_class = "" if finding.class_label is None else f" of {escaped(finding.class_label)}"
    return Count(
        name=f"{finding.slice}.{finding.metric}{of_class}",
        words=f"rows by which {phrase}{of_class} can be judged on {where}",
        value=held or None,
        at_least=held + max(finding.needed or 1, 1),
        evidence=True,
        advice=finding.note,
    )
