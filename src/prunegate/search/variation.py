"""Variation: the policy's steps with other amounts, or with the random criterion.

Nothing here knows what is pruned: a step is the policy's own, copied with another share.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from prunegate.criteria import CONTROL
from prunegate.models.kept_units import KeptUnits
from prunegate.policy.schema import Policy
from prunegate.policy.steps import Prune, SearchSection, Step
from prunegate.search.memo import Amounts

DIGITS = 6
"""Decimals of an amount: more would only make it hard to read."""


def with_amounts(policy: Policy, search: SearchSection, amounts: Amounts) -> tuple[Step, ...]:
    """The policy's steps with the given share in each step that varies."""
    steps = list(policy.compress)
    for vary, amount in zip(search.vary, amounts, strict=True):
        steps[vary.step - 1] = _changed(steps[vary.step - 1], amount=amount)
    return tuple(steps)


def at_random(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The same steps with units that are drawn instead of ranked."""
    return tuple(_changed(step, criterion=CONTROL) if step.prune else step for step in steps)


def criterion_of(steps: Sequence[Step]) -> str:
    """What ranks the units, in the policy's words."""
    return ", ".join(dict.fromkeys(step.prune.criterion for step in steps if step.prune))


def varied(policy: Policy, search: SearchSection) -> tuple[str, ...]:
    """Each step that varies, for people: ``heads (step 1)``."""
    return tuple(f"{_prune(policy, v.step).what} (step {v.step})" for v in search.vary)


def rounded_amounts(amounts: Amounts) -> Amounts:
    """Amounts with as many digits as people read."""
    return tuple(round(amount, DIGITS) for amount in amounts)


def amounts_key(
    policy: Policy, search: SearchSection, kept: KeptUnits, amounts: Amounts
) -> Hashable:
    """What the amounts remove, as far as it is known before: equal keys are one candidate.

    A share of the units rounds to whole units, so two shares may remove the same. How many there
    are is known where the step is the first to remove of its kind, in one round; elsewhere the
    share itself is the key.
    """
    return tuple(
        _removed(policy, vary.step, kept, amount)
        for vary, amount in zip(search.vary, amounts, strict=True)
    )


def _removed(policy: Policy, step: int, kept: KeptUnits, amount: float) -> Hashable:
    prune = _prune(policy, step)
    earlier = {s.prune.what for s in policy.compress[: step - 1] if s.prune}
    kind = prune.units
    budgeted = prune.scope == "budget"
    if kind is None or budgeted or prune.cycles > 1 or earlier & {prune.what, "layers"}:
        return ("share", amount)
    present = kept.counts(kind)
    rows = present if prune.scope == "per_layer" else (sum(present),)
    return ("units", tuple(math.floor(amount * row + 0.5) for row in rows))


def _prune(policy: Policy, step: int) -> Prune:
    prune = policy.compress[step - 1].prune
    assert prune is not None  # noqa: S101  # the policy's checks: what varies is a prune step
    return prune


def _changed(step: Step, **changes: object) -> Step:
    assert step.prune is not None  # noqa: S101  # the callers ask for prune steps
    return step.model_copy(update={"prune": step.prune.model_copy(update=changes)})
