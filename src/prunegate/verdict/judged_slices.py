"""Targets: which slices a rule is about, and which of them have enough evidence to be judged."""

from __future__ import annotations

import math
from collections.abc import Sequence

from prunegate.counting.slices import OVERALL, SliceCounts
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Minimum, Policy, Rule


def enough(counts: SliceCounts, minimum: Minimum) -> bool:
    """Whether a slice reaches the policy's minimum evidence; with weights, what it is worth."""
    if counts.strata is not None:  # each value of the mix has to; then all together do
        return not lacking_rows(counts)
    worth = counts.worth or counts
    return worth.rows >= minimum.rows and worth.positives >= minimum.positives


def lacking_rows(counts: SliceCounts) -> int:
    """Rows that values of production's mix are short of, where the slice is about it."""
    return sum(one.lacking for one in counts.strata or ())


def minimum_in_rows(counts: SliceCounts, minimum: Minimum) -> Minimum:
    """The policy's minimum evidence in rows such as the slice has, which may be worth less."""
    worth = counts.worth
    if worth is None or not worth.rows:
        return minimum
    rows = math.ceil(minimum.rows * counts.rows / worth.rows)
    positives = minimum.positives
    if worth.positives:
        positives = math.ceil(minimum.positives * counts.positives / worth.positives)
    return minimum.model_copy(update={"rows": rows, "positives": positives})


def judged(counts: SliceCounts, policy: Policy) -> bool:
    """Declared slices always are; undeclared ones from the minimum evidence up."""
    return counts.declared or enough(counts, policy.evidence.minimum)


def classes_to_judge(
    policy: Policy, rule: Rule, overall: SliceCounts, counts: SliceCounts
) -> tuple[str | None, ...]:
    """The classes that a rule judges one by one on a slice; ``None`` alone: it judges none so.

    A slice that nobody declared is asked only about classes that it has.
    """
    if rule.classes in ("macro", "micro"):
        return (None,)
    if isinstance(rule.classes, tuple):
        wanted = [value_text(value) for value in rule.classes]
    else:
        known = (*policy.task.classes, *policy.task.labels)
        wanted = sorted({*overall.tally.classes, *map(value_text, known)})
    return tuple(name for name in wanted if counts.declared or name in counts.tally.classes)


def select_slices(rule: Rule, slices: Sequence[SliceCounts]) -> dict[str, tuple[SliceCounts, ...]]:
    """The slices that each selector of the rule names, each slice once.

    A selector whose slices an earlier one has named already (``[all, overall]``) is left out.
    """
    seen: set[str] = set()
    selected: dict[str, tuple[SliceCounts, ...]] = {}
    for selector in rule.selects:
        named = [s for s in slices if _matches(selector, s)]
        chosen = tuple(s for s in named if s.name not in seen)
        seen |= {s.name for s in chosen}
        if chosen or not named:
            selected[selector] = chosen
    return selected


def _matches(selector: str, counts: SliceCounts) -> bool:
    if selector == "all":
        return counts.strata is None  # production's mix is asked for by its name
    if selector == OVERALL:
        return counts.name == OVERALL
    return selector in (counts.slicing, counts.name)
