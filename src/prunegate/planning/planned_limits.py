"""Limits: every test that a policy makes of the slices at hand, as claims about success rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prunegate.counting.slices import OVERALL, SliceCounts
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS
from prunegate.metrics.hypothesis import Hypothesis
from prunegate.policy.schema import Limit as LimitValue
from prunegate.policy.schema import Policy, Rule, bound_of
from prunegate.verdict.judged_slices import enough, judged, select_slices

PLANNED = "binary"
"""The kind of task that is planned: its two models say yes or no, so that eight cells tell all."""


@dataclass(frozen=True, kw_only=True)
class PlannedLimit:
    """One limit of one rule on one slice."""

    index: int
    """Of the rule, from 0."""
    rule: Rule
    check: str
    value: LimitValue
    place: int
    """Of the slice, among the layout's."""
    counts: SliceCounts
    """The slice and its size."""
    claim: Hypothesis
    enough: bool
    """Whether the slice reaches the policy's minimum evidence."""

    @property
    def metric(self) -> str:
        """The rule's metric."""
        return self.rule.metric

    @property
    def blocks(self) -> bool:
        """Whether the outcome hangs on it."""
        return self.rule.severity == "block"

    @property
    def proven(self) -> bool:
        """Whether it is tested, rather than read off the estimate."""
        return self.rule.evidence == "proven"

    @property
    def one_class(self) -> bool:
        """A declared slice without negatives: never passes."""
        s = self.counts
        return s.declared and s.name != OVERALL and s.positives == s.rows


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Everything a policy asks of the rows."""

    limits: tuple[PlannedLimit, ...]
    """On slices that have rows."""
    unmet: tuple[bool, ...]
    """Of blocking limits without anything to judge: whether their rule fails for it."""
    absent: tuple[str, ...]
    """Declared slices without rows: nothing is approved without them."""

    @property
    def blocking(self) -> tuple[PlannedLimit, ...]:
        """The limits that the outcome hangs on."""
        return tuple(limit for limit in self.limits if limit.blocks)


def operational_metrics(policy: Policy) -> tuple[str, ...]:
    """Metrics of the rules that need no rows, each once."""
    names = (rule.metric for rule in policy.rules)
    return tuple(dict.fromkeys(name for name in names if METRICS[name].operational))


def asked(policy: Policy, slices: Sequence[SliceCounts]) -> Asked:
    """The limits of a policy on slices of these sizes, in the gate's order."""
    found: list[PlannedLimit] = []
    unmet: list[bool] = []
    for index, rule in enumerate(policy.rules):
        if METRICS[rule.metric].operational:
            continue
        for chosen in select_slices(rule, slices).values():
            targets = [s for s in chosen if judged(s, policy)]
            present = [s for s in targets if s.rows]
            missing = len(targets) - len(present) if targets else 1
            if rule.severity == "block":
                unmet += [rule.on_undefined == "fail"] * (missing * len(rule.limits))
            for counts in present:
                found += _on_slice(policy, index, counts, slices.index(counts))
    return Asked(
        limits=tuple(found),
        unmet=tuple(unmet),
        absent=tuple(s.name for s in slices if s.declared and s.rows == 0),
    )


def _on_slice(
    policy: Policy, index: int, counts: SliceCounts, place: int
) -> Iterator[PlannedLimit]:
    rule = policy.rules[index]
    for check, value in rule.limits.items():
        yield PlannedLimit(
            index=index,
            rule=rule,
            check=check,
            value=value,
            place=place,
            counts=counts,
            claim=CHECKS[check].claim(bound_of(value), METRICS[rule.metric]),
            enough=enough(counts, policy.evidence.minimum),
        )
