"""Variation: the policy's steps with other amounts, the random criterion or another scope.

Nothing here knows what is pruned: a step is the policy's own, copied with another share.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from prunegate.compress.foreseen import Foreseen, foresee
from prunegate.criteria import CONTROL
from prunegate.models.kept_units import KeptUnits
from prunegate.policy.schema import Policy
from prunegate.policy.steps import OTHER_SCOPE, Prune, Scope, SearchSection, ShareBelow, Step
from prunegate.search.memo import Amounts
from prunegate.text.numbers import plain, share
from prunegate.text.said import said


@dataclass(frozen=True, kw_only=True)
class Variant:
    """How a candidate departs from the policy's own steps, besides its amounts."""

    draw: int = 0
    """Of the random control, from 1; 0: ranked as the policy says."""
    scope: Scope | None = None
    """What the varied steps are ranked within; None: as the policy says."""

    def changed(self, steps: tuple[Step, ...], search: SearchSection) -> tuple[Step, ...]:
        """The steps of this variant."""
        if self.scope is not None:
            steps = by_scope(steps, search, self.scope)
        return at_random(steps) if self.draw else steps

    def seed(self, seed: int) -> int:
        """What it draws by: the first draw by the search's own seed, further ones derived."""
        if self.draw <= 1:
            return seed
        state = np.random.SeedSequence([seed, self.draw]).generate_state(1, np.uint64)
        return int(state[0]) >> 1  # below 2**63, as seeds are

    def named(self, amounts: Amounts) -> list[object]:
        """What tells its candidate from others of one search."""
        if self.scope is not None:
            return ["scope", list(amounts), self.scope]
        further = [self.draw] if self.draw > 1 else []
        return ["control" if self.draw else "candidate", list(amounts), *further]

    def words(self, number: int, amounts: Amounts) -> str:
        """What is being made, for people."""
        shares = ", ".join(plain(share(amount)) for amount in amounts)
        if self.scope is not None:
            return f"by scope: {self.scope}, for comparison: {shares}"
        if self.draw:
            again = f", draw {self.draw}" if self.draw > 1 else ""
            return f"the random control{again}: {shares}"
        return f"attempt {number}: remove {shares}"


AS_SAID = Variant()
"""Only the amounts are other than what the policy says."""
Seen = tuple[tuple[int, int], ...]
"""Units that steps were seen to remove, each with the step's number."""
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


def by_scope(steps: Sequence[Step], search: SearchSection, scope: Scope) -> tuple[Step, ...]:
    """The same steps, with those that vary ranked within another scope where they can be."""
    found = list(steps)
    for place in (vary.step - 1 for vary in search.vary):
        prune = found[place].prune
        if prune is not None and prune.scope == OTHER_SCOPE[scope]:
            found[place] = _changed(found[place], scope=scope, plans=1)
    return tuple(found)


def other_scope(policy: Policy, search: SearchSection) -> Scope | None:
    """The scope that the chosen amounts are held beside; None: none is."""
    asked = search.beside.scope
    if asked == "none":
        return None
    budgeted = any(varied_step(policy, vary.step).scope == "budget" for vary in search.vary)
    return asked or ("global" if budgeted else None)


def criterion_of(steps: Sequence[Step]) -> str:
    """What ranks the units, in the policy's words."""
    return ", ".join(dict.fromkeys(step.prune.criterion for step in steps if step.prune))


def varied(policy: Policy, search: SearchSection) -> tuple[str, ...]:
    """Each step that varies, for people: ``heads (step 1)``."""
    steps = ((varied_step(policy, one.step).what, one.step) for one in search.vary)
    return tuple(said("search.varied", what=what, step=step) for what, step in steps)


def rounded_amounts(amounts: Amounts) -> Amounts:
    """Amounts with as many digits as people read."""
    return tuple(round(amount, DIGITS) for amount in amounts)


def amounts_key(
    policy: Policy,
    search: SearchSection,
    kept: KeptUnits,
    amounts: Amounts,
    seen: Seen = (),
) -> Hashable:
    """What the amounts remove, as far as it is known before: equal keys are one candidate.

    A share of the units rounds to whole units, so two shares may remove the same. Where it is not
    known how many a step finds, or it goes by cost, the share itself is the key.

    Args:
        policy: whose steps vary.
        search: which of them.
        kept: what the baseline has.
        amounts: the share to remove in each.
        seen: what an earlier attempt has shown, as ``seen_before`` tells it.
    """
    steps = with_amounts(policy, search, amounts)
    found = {one.number: one for one in foresee(steps, kept, dict(seen))}
    return tuple(
        _removed(found.get(vary.step), amount)
        for vary, amount in zip(search.vary, amounts, strict=True)
    )


def _removed(found: Foreseen | None, amount: float) -> Hashable:
    if found is None or found.counts is None:
        return ("share", amount)
    if found.wanted.scope == "budget":
        return ("share", amount)
    return ("units", found.counts)


def seen_before(policy: Policy, search: SearchSection, recipe: Sequence[Mapping[str, Any]]) -> Seen:
    """What a candidate shows of all others: how many went by a share of importance.

    Every attempt does the steps before the first that varies alike.

    Args:
        policy: whose steps vary.
        search: which of them.
        recipe: the operations that made the candidate, as they are recorded.
    """
    found = []
    first = min(vary.step for vary in search.vary)
    for number, (step, done) in enumerate(zip(policy.compress, recipe, strict=False), start=1):
        if number == first or (step.prune is not None and step.prune.repeats):
            break  # one that repeats is several operations
        if step.prune is not None and isinstance(step.prune.amount, ShareBelow):
            found.append((number, int(done["removed"])))
    return tuple(found)


def at_largest(policy: Policy, search: SearchSection, kept: KeptUnits, amounts: Amounts) -> bool:
    """Whether every varied step removes all that it can, as far as that is known before.

    Args:
        policy: whose steps vary.
        search: which of them.
        kept: what the baseline has.
        amounts: the share to remove in each.
    """
    found = {one.number: one for one in foresee(with_amounts(policy, search, amounts), kept)}
    return all(vary.step in found and found[vary.step].all_that_can for vary in search.vary)


def varied_step(policy: Policy, step: int) -> Prune:
    """The pruning step of that number, from 1."""
    prune = policy.compress[step - 1].prune
    assert prune is not None  # noqa: S101  # the policy's checks: what varies is a prune step
    return prune


def _changed(step: Step, **changes: object) -> Step:
    assert step.prune is not None  # noqa: S101  # the callers ask for prune steps
    return step.model_copy(update={"prune": step.prune.model_copy(update=changes)})
