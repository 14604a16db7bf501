"""Paired comparison: whether a control loses more than what was chosen, on the rows both answered.

The gate's own paired tests are asked with what was chosen in the baseline's place: of every metric
and slice that a blocking rule looks at, whether the control lost anything against it. The evidence
is adjusted over all of these (Holm), as losses within their limits are; two estimates side by side
decide nothing.
"""

from __future__ import annotations

from typing import Any

from prunegate.audit.search_record import LostMore
from prunegate.gate import judge
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS, change_check, losses
from prunegate.policy.schema import Policy, Rule
from prunegate.policy.task import Task, Thresholds


def lost_more(policy: Policy, predictions: Any) -> LostMore:
    """What a control loses against a choice.

    Args:
        policy: whose blocking rules say where to look.
        predictions: the rows with the choice's answers in the baseline's place, and the control's
            in the candidate's.

    Returns:
        The loss with the most evidence. A p-value of 1 where no loss stands out by itself (a 95 %
        interval wholly below no change), or no rule looks at values that the two models each have.
    """
    rules = tuple(_change(rule) for rule in policy.rules if _looks(rule))
    if not rules:
        return LostMore(p_value=1.0)
    evidence = policy.evidence.model_copy(update={"reference": "off"})
    asked = policy.model_copy(update={"rules": rules, "evidence": evidence, "claims": None})
    found = [one for one in judge(asked, predictions).findings if one.p_loss_adjusted is not None]
    if not found:
        return LostMore(p_value=1.0)
    clearest = min(found, key=lambda one: one.p_loss_adjusted or 0.0)
    return LostMore(
        p_value=clearest.p_loss_adjusted or 0.0,
        metric=clearest.metric,
        class_label=clearest.class_label,
        slice=clearest.slice,
        more=abs(clearest.difference or 0.0),
    )


def task_of_pair(chosen: Task, control: Task) -> Task:
    """The task in which a choice stands in the baseline's place, each model with its threshold."""
    if not isinstance(chosen.threshold, Thresholds):
        return control
    own = Thresholds.model_validate(
        {
            "baseline": chosen.threshold_of("candidate"),
            "candidate": control.threshold_of("candidate"),
        }
    )
    return control.model_copy(update={"threshold": own, "tune": None})


def _looks(rule: Rule) -> bool:
    metric = METRICS[rule.metric]
    return rule.severity == "block" and metric.paired and not metric.operational


def _change(rule: Rule) -> Rule:
    """The rule with no limit but one on a loss, of whatever size: only the loss is looked at."""
    better = METRICS[rule.metric].better
    checks = [found for name in losses() if (found := change_check(name)) is not None]
    loss = next(check.name for check in checks if not check.improves(better))
    limits: dict[str, Any] = {**dict.fromkeys(CHECKS), loss: 0.0}
    return rule.model_copy(update={**limits, "evidence": "point"})
