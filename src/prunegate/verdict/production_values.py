"""Production's values: what is judged overall, told of the content that production sees.

Estimates with their intervals, on which nothing hangs: a rule with ``slices: production`` is what
judges them. Where the table lacks content that production sees there is no estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prunegate.counting.slices import OVERALL, SliceCounts
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.metrics.catalogue import METRICS
from prunegate.policy.production import PRODUCTION
from prunegate.policy.schema import Policy
from prunegate.policy.weight_consistency import WEIGHED
from prunegate.verdict.finding import ProductionValue
from prunegate.verdict.judged_slices import classes_to_judge
from prunegate.verdict.shown_values import change_or_level, shown_difference, shown_value

ABOUT_ALL = frozenset({OVERALL, "all", PRODUCTION})
"""Selectors of rules whose metrics are told of production."""


def production_values(
    policy: Policy, slices: Sequence[SliceCounts]
) -> tuple[ProductionValue, ...] | None:
    """Each metric that rules are about overall, reweighted; None: no mix is declared."""
    found = next((one for one in slices if one.strata is not None), None)
    if found is None:
        return None
    if not found.rows or any(one.lacking and not one.rows for one in found.strata or ()):
        return ()
    wanted = dict.fromkeys(_wanted(policy, slices[0], found))
    return tuple(_value(policy, metric, label, found) for metric, label in wanted)


def _wanted(
    policy: Policy, overall: SliceCounts, found: SliceCounts
) -> Iterator[tuple[str, str | None]]:
    for rule in policy.rules:
        form = METRICS[rule.metric].forms.get(policy.task.kind)
        if isinstance(form, WEIGHED) and ABOUT_ALL.intersection(rule.selects):
            for label in classes_to_judge(policy, rule, overall, found):
                yield rule.metric, label


def _value(policy: Policy, name: str, label: str | None, counts: SliceCounts) -> ProductionValue:
    tally = counts.tally if label is None else counts.tally.of_class(label)
    wanted = WantedMetric(metric=name, strict=policy.evidence.strict)
    about, metric = evidence(wanted, tally), METRICS[name]
    low = high = None
    if about.candidate is not None:
        low, high = change_or_level(about, metric, level=about.baseline is None)
    return ProductionValue(
        metric=name,
        class_label=label,
        baseline=shown_value(about.baseline, metric),
        candidate=shown_value(about.candidate, metric),
        difference=shown_difference(about, metric),
        ci_low=low,
        ci_high=high,
        n=about.n,
        effective=about.effective,
    )
