"""Possible amounts: whether what a search varies can be removed at all, before the first attempt.

How many units each layer has is known from the baseline, and how many have to stay from the step.
Where an earlier step removes units of the same kind, or a step zeroes single weights, only the
attempt itself can tell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from prunegate.compress.select import removals
from prunegate.errors import InputError, ModelError
from prunegate.models.kept_units import KeptUnits
from prunegate.policy.schema import Policy
from prunegate.policy.steps import Prune, Scope, SearchSection
from prunegate.search.variation import DIGITS, is_first_of_its_kind, varied_step


def require_removable(policy: Policy, search: SearchSection, kept: KeptUnits) -> None:
    """Insist that both ends of every range can be removed; all that cannot are told together.

    Args:
        policy: whose steps vary.
        search: the ranges.
        kept: what the baseline has.

    Raises:
        InputError: an end removes more than ``min_per_layer`` allows, or less than a unit.
    """
    if wrong := tuple(_impossible(policy, search, kept)):
        raise InputError("; ".join(wrong))


def largest_amount(wanted: Prune, sizes: tuple[int, ...]) -> float:
    """The largest share that leaves the minimum in every layer; 0: nothing can go.

    Args:
        wanted: the step.
        sizes: units of each layer.
    """
    spare = [max(0, size - wanted.min_per_layer) for size in sizes]
    if wanted.scope == "per_layer":
        share = min((left / size for left, size in zip(spare, sizes, strict=True)), default=0.0)
    else:
        share = sum(spare) / sum(sizes) if sum(sizes) else 0.0
    steps: int = 10**DIGITS
    return math.floor(share * steps) / steps


def _impossible(policy: Policy, search: SearchSection, kept: KeptUnits) -> Iterator[str]:
    for vary in search.vary:
        wanted = varied_step(policy, vary.step)
        if wanted.units is None or not is_first_of_its_kind(policy, vary.step):
            continue
        sizes = tuple(len(row) for row in kept.rows(wanted.units))
        if not sizes:  # no such units, which the first attempt says
            continue
        scope: Scope = "per_layer" if wanted.scope == "per_layer" else "global"
        for end in vary.amount:
            try:
                removals(end, sizes, scope=scope, min_per_layer=wanted.min_per_layer)
            except ModelError as error:
                yield f"search, step {vary.step}, {_told(end, error, wanted, sizes)}"
                break


def _told(end: float, error: ModelError, wanted: Prune, sizes: tuple[int, ...]) -> str:
    """What is wrong with an end, and what would do."""
    most = largest_amount(wanted, sizes)
    remedy = f" The largest amount possible is {most:g}." if 0 < most < end else ""
    return f"amount {end:g} of 'vary': {error}{remedy}"
