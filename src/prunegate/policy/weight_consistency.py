"""What must agree with a policy's design weights: its task, its rules and its other columns."""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.errors import UnsupportedError
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.forms import Flips, OverClasses, Overlapping, SharedRows
from prunegate.policy.messages import literal
from prunegate.policy.schema import Policy
from prunegate.policy.validation import Path
from prunegate.text.escape import escaped

WEIGHED = (SharedRows, Overlapping, Flips, OverClasses)
"""The forms of metrics whose rows may weigh differently."""


def weight_disagreements(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Where a policy's design weights contradict the rest of it."""
    if policy.weight is None:
        return
    at: Path = ("weight",)
    if not policy.task.traits.weighed:
        message = (
            f"design weights are for binary and multiclass tasks; this one is {policy.task.kind}"
        )
        yield (
            at,
            f"{message}. Remove it, or give a table that holds rows as often as the world does",
        )
    taken = {key for spec in policy.slices for key in (*spec.keys, *(spec.where or {}))}
    if policy.weight in taken:
        yield at, f"{literal(policy.weight)} is a slicing key too; weights are no slices"
    if policy.weight == policy.group:
        yield at, f"{literal(policy.weight)} is the group column too; name another one"
    for index, rule in enumerate(policy.rules):
        metric = METRICS.get(rule.metric)
        form = None if metric is None else metric.forms.get(policy.task.kind)
        if form is not None and not isinstance(form, WEIGHED):
            yield ("rules", index, "metric"), f"{rule.metric} cannot be judged with design weights"


def refuse_weights(policy: Policy, why: str) -> None:
    """Refuse a policy with design weights where these cannot be reckoned with.

    Args:
        policy: the policy.
        why: goes on after its weight key, and says what to do.

    Raises:
        UnsupportedError: it names weights.
    """
    if policy.weight is not None:
        raise UnsupportedError(f"'weight: {escaped(policy.weight)}' {why}")
