"""How far the data's mix of content is from production's, as the policy declares it.

The distance is the total variation: half the sum of the absolute differences of the shares, which
is the share of the rows that would have to be of other content. Nothing is read here but counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prunegate.data.contract.counts import Count
from prunegate.data.predictions.columns import shown
from prunegate.policy.production import ProductionMix, production_mix
from prunegate.policy.schema import Policy
from prunegate.text.said import joined, said

FAR = 0.1
"""From which distance there is a warning where the policy gives no tolerance."""
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class MixDistance:
    """A mix of rows beside production's."""

    distance: float | None
    """0: the same, 1: nothing in common; None: there are no rows."""
    differs: tuple[str, ...]
    """The values that differ most, with both shares, in words."""


def mix_distance(mix: ProductionMix, rows: Mapping[str, int]) -> MixDistance:
    """The distance of rows, by the value of the mix's key, from production."""
    total = sum(rows.values())
    if not total:
        return MixDistance(distance=None, differs=())
    values = sorted({*rows, *mix.shares})
    here = {value: rows.get(value, 0) / total for value in values}
    there = {value: float(mix.shares.get(value, 0)) for value in values}
    far = sorted(values, key=lambda value: (-abs(here[value] - there[value]), value))
    return MixDistance(
        distance=sum(abs(here[value] - there[value]) for value in values) / 2,
        differs=tuple(
            said("warning.mix_of", value=shown(value), here=here[value], there=there[value])
            for value in far[:_SHOWN]
            if here[value] != there[value]
        ),
    )


def mix_count(policy: Policy, rows: Mapping[str, int], of: str = "") -> Count | None:
    """What the contract has a clause about; None: the policy gives no tolerance.

    Args:
        policy: the policy.
        rows: by the value of the mix's key.
        of: which rows, as the end of a phrase.
    """
    mix, tolerance = production_mix(policy), policy.data.tolerance
    if mix is None or tolerance is None:
        return None
    found = mix_distance(mix, rows)
    return Count(
        name="production.mix",
        words=f"distance from production's mix of {shown(mix.key)}{of} (0: the same, 1: apart)",
        value=None if found.distance is None else round(found.distance, 6),
        at_most=tolerance,
        advice="draw the rows as production sees them, more of them where they are few, or widen "
        "'data: tolerance:'",
        examples=found.differs,
    )


def mix_warning(policy: Policy, rows: Mapping[str, int]) -> str | None:
    """That the mix is far from production's; None: it is not, or a clause says so."""
    mix = production_mix(policy)
    found = None if mix is None else mix_distance(mix, rows)
    most = FAR if policy.data.tolerance is None else policy.data.tolerance
    if mix is None or found is None or found.distance is None or found.distance <= most:
        return None
    differs = joined(found.differs)
    return said("warning.mix", key=shown(mix.key), distance=found.distance, differs=differs)
