"""Assumed groups: what a policy alone says about its slices, where no pilot is at hand.

The values that the policy names (``expect``, ``where``) are crossed; every cross is as large as the
others, with the same rates. Slicing keys without a named value cannot be planned, and are said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from prunegate.errors import InputError
from prunegate.planning.groups import Group, Rates
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.text.numbers import as_written, significant

MOST_GROUPS = 4096
OTHER = "(other)"
"""The value of rows that no slice of the policy names."""


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """Rates taken for granted, alike in every slice."""

    discordance: float = 0.04
    """Share of the rows of each label on which the models decide differently."""
    prevalence: float = 0.5
    """Share of positive rows."""
    rate: float = 0.95
    """The baseline's recall and specificity; its precision follows from the prevalence."""


def require_possible(assumed: Assumed) -> None:
    """Refuse rates that contradict each other.

    Raises:
        InputError: the models cannot differ so often and err equally often.
    """
    most = 2 * min(assumed.rate, 1 - assumed.rate)
    if assumed.discordance > most:
        discordance, rate = map(as_written, (assumed.discordance, assumed.rate))
        raise InputError(
            f"--discordance {discordance} does not fit --rate {rate}: a candidate that errs as "
            f"often as the baseline can differ on at most {significant(most, 6)} of the rows; give "
            "a smaller discordance or another rate"
        )


def values_named(policy: Policy) -> dict[str, tuple[str, ...]]:
    """For each slicing key the values that the policy names, in its order."""
    named: dict[str, list[str]] = {key: [] for key in policy.keys}
    for spec in policy.slices:
        for value in spec.expect:
            parts = value if isinstance(value, tuple) else (value,)
            for key, part in zip(spec.keys, parts, strict=True):
                named[key].append(value_text(part))
        for key, wanted in (spec.where or {}).items():
            named[key] += map(value_text, wanted if isinstance(wanted, tuple) else (wanted,))
    return {key: tuple(dict.fromkeys(values)) for key, values in named.items()}


def unplanned(policy: Policy) -> tuple[str, ...]:
    """Slicings some of whose values only the data know."""
    named = values_named(policy)
    return tuple(spec.label for spec in policy.slices if any(not named[key] for key in spec.keys))


def combinations(policy: Policy) -> list[tuple[str, ...]]:
    """Every cross of the named values.

    Raises:
        InputError: more crosses than can be simulated.
    """
    listed = {spec.keys[0] for spec in policy.slices if len(spec.keys) == 1 and spec.expect}
    choices = [
        values if key in listed else (*values, OTHER)
        for key, values in values_named(policy).items()
    ]
    if math.prod(map(len, choices)) > MOST_GROUPS:
        raise InputError(
            f"the policy's slicing values cross to more than {MOST_GROUPS:,} groups; plan with a "
            "pilot (--counts or --predictions), which knows the ones that occur"
        )
    return list(product(*choices))


def groups(combined: Sequence[tuple[str, ...]], assumed: Assumed, rows: int) -> tuple[Group, ...]:
    """Groups of ``rows`` rows each, rounded up within each label."""
    half = assumed.discordance / 2
    rates = Rates(right=assumed.rate, lost=half, gained=half)
    chances = (*rates.chances(positive=False), *rates.chances(positive=True))
    positives = math.ceil(rows * assumed.prevalence - 1e-9)
    negatives = math.ceil(rows * (1 - assumed.prevalence) - 1e-9)
    return tuple(
        Group(values=values, negatives=negatives, positives=positives, chances=chances)
        for values in combined
    )
