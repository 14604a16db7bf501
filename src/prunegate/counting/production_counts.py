"""Production's counts: all rows, each value's reweighted to its share of what production sees.

Post-stratification: rows of a value weigh its share in production over its share in the table, and
everything else is as with design weights. Nothing is counted for it: the slice follows from those
of the mix's key, so that whoever holds a record can work it out again. A value that production sees
and the table lacks cannot be made up for by weights: it is told as lacking, which is never a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from operator import add
from typing import Any

from prunegate.counting.slices import SliceCounts
from prunegate.counting.stratum import Stratum
from prunegate.counting.tallies import DecidedRows
from prunegate.counting.weight_sums import WeightSums
from prunegate.policy.naming import parse_slice_name, slice_name
from prunegate.policy.production import PRODUCTION, ProductionMix, production_mix, reweights
from prunegate.policy.schema import Minimum, Policy

LEAST_ROWS = 30
"""Rows of every value that production sees, whatever the policy's minimum: fewer are too few to
stand for it (NCHS standards for proportions, Vital Health Stat. 2(175), 2017)."""
_BITS = 40
"""Of the largest weight: weights are whole numbers, so that sums of them are exact."""


def with_production(policy: Policy, slices: Sequence[SliceCounts]) -> tuple[SliceCounts, ...]:
    """The slices, and after overall the slice ``production`` where the policy declares its mix.

    Args:
        policy: the policy.
        slices: overall first; of rows that are all labelled.
    """
    mix, overall = production_mix(policy), slices[0]
    if mix is None or not reweights(policy) or not isinstance(overall.tally, DecidedRows):
        return tuple(slices)
    minimum = policy.evidence.minimum
    return (overall, _reweighted(mix, minimum, slices), *slices[1:])


def rows_by_value(policy: Policy, slices: Sequence[SliceCounts]) -> dict[str, int]:
    """Rows by the value of the key that production's mix is about; empty where none is declared."""
    mix = production_mix(policy)
    found = [] if mix is None else [one for one in slices if one.slicing == mix.key]
    named = {one.name: parse_slice_name(one.name) or {} for one in found}
    return {next(iter(named[one.name].values()), one.name): one.rows for one in found}


def counted_slices(slices: Sequence[Any]) -> tuple[Any, ...]:
    """Slices, or their summaries, without the one that follows from the others."""
    return tuple(one for one in slices if one.strata is None)


def _reweighted(mix: ProductionMix, minimum: Minimum, slices: Sequence[SliceCounts]) -> SliceCounts:
    by_name = {one.name: one for one in slices if one.slicing == mix.key}
    none = type(slices[0].tally)()
    empty = SliceCounts(name="", slicing=mix.key, declared=True, tally=none)
    found = {value: by_name.get(slice_name([mix.key], [value]), empty) for value in mix.shares}
    strata = tuple(
        Stratum(
            value=value,
            share=float(share),
            rows=found[value].rows,
            lacking=_lacking(found[value], minimum) if share else 0,
        )
        for value, share in mix.shares.items()
    )
    seen = {value: one for value, one in found.items() if one.rows and mix.shares[value]}
    tally: Any = reduce(add, (one.tally for one in seen.values()), none)
    tally = replace(tally, weights=_weights(mix, seen)) if seen else tally
    return SliceCounts(
        name=PRODUCTION, slicing=PRODUCTION, declared=True, tally=tally, strata=strata
    )


def _lacking(counts: SliceCounts, minimum: Minimum) -> int:
    """Rows that a value is short of: of the policy's minimum, its positives among them, or ours."""
    least = max(minimum.rows, LEAST_ROWS)
    return max(least - counts.rows, minimum.positives - counts.positives, 0)


def _weights(mix: ProductionMix, seen: Mapping[str, SliceCounts]) -> WeightSums:
    """What the rows weigh; a row that was not seen may be as heavy as the heaviest of any value."""
    each = {value: mix.shares[value] / one.rows for value, one in seen.items()}
    heaviest = max(each.values())
    step = heaviest / (1 << _BITS)
    totals, squares = Counter[Any](), Counter[Any]()
    for value, one in seen.items():
        assert isinstance(one.tally, DecidedRows)  # noqa: S101  # as all rows are
        weight = max(1, round(each[value] / step))
        for cell, rows in one.tally.counted.items():
            if rows:
                totals[cell] += rows * weight
                squares[cell] += rows * weight * weight
    most = max(1, round(heaviest / step))
    return WeightSums(
        step=Fraction(1, 1 << _BITS),
        totals=dict(totals),
        squares=dict(squares),
        heaviest=dict.fromkeys(totals, most),
    )
