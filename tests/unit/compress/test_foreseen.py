"""What a recipe will remove is known before it is carried out, or said not to be known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.compress.foreseen import Foreseen, UnitsLeft, foresee, largest_amount
from prunegate.compress.removals import removals
from prunegate.compress.select import lowest
from prunegate.errors import AmountError
from prunegate.models.kept_units import KeptUnits
from prunegate.policy.steps import Prune, Step


def steps_of(*wanted: dict[str, Any]) -> list[Step]:
    return [Step.model_validate({"prune": one}) for one in wanted]


def carried_out(steps: list[Step], kept: KeptUnits, seed: int) -> list[tuple[int, ...] | None]:
    """The removals themselves, with units ranked at random; None: the step could not be done."""
    rng, done = np.random.default_rng(seed), []
    for step in steps:
        wanted = step.prune
        assert wanted is not None
        assert wanted.units is not None
        assert isinstance(wanted.amount, float)
        rows = kept.rows(wanted.units)
        scope, least = wanted.scope, wanted.min_per_layer
        try:
            counts = removals(wanted.amount, [*map(len, rows)], scope=scope, min_per_layer=least)
        except AmountError:
            done.append(None)
            continue
        done.append(counts)
        staying = lowest([rng.random(len(row)) for row in rows], counts, least)
        kept = kept.narrowed(wanted.units, staying)
    return done


prunings = st.lists(
    st.fixed_dictionaries(
        {
            "what": st.sampled_from(["heads", "neurons", "layers"]),
            "amount": st.floats(0.05, 0.95),
            "scope": st.sampled_from(["global", "per_layer"]),
            "min_per_layer": st.integers(1, 3),
        }
    ),
    min_size=1,
    max_size=4,
)


@given(wanted=prunings, heads=st.integers(2, 6), layers=st.integers(1, 4), seed=st.integers(0, 9))
def test_what_is_foreseen_is_what_is_done_whatever_the_ranking(
    wanted: list[dict[str, Any]], heads: int, layers: int, seed: int
) -> None:
    steps = steps_of(*wanted)
    whole = KeptUnits.whole(
        {"heads": [heads] * layers, "neurons": [9] * layers, "layers": [layers]}
    )
    told = {found.number: found for found in foresee(steps, whole)}
    for number, counts in enumerate(carried_out(steps, whole, seed), start=1):
        found = told[number]
        if counts is None:  # a recipe ends here
            assert found.units is None or found.refusal is not None
            return
        if found.units is not None:
            assert found.counts == counts


def test_the_first_step_of_each_kind_is_always_known() -> None:
    whole = KeptUnits.whole({"heads": (4, 4), "neurons": (5, 7), "layers": (2,)})
    every = [{"what": kind, "amount": 0.5} for kind in ("heads", "neurons", "layers")]
    assert [found.counts for found in foresee(steps_of(*every), whole)] == [(4,), (6,), (1,)]


def second(first: dict[str, Any], then: dict[str, Any]) -> Foreseen:
    whole = KeptUnits.whole({"heads": (4, 4), "neurons": (5, 7), "layers": (2,)})
    return [*foresee(steps_of(first, then), whole)][1]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"what": "heads", "amount": {"share_below": 0.1}}, {"what": "heads", "amount": 0.5}),
        ({"what": "heads", "amount": 0.5}, {"what": "heads", "amount": 0.5, "scope": "per_layer"}),
        ({"what": "heads", "amount": 0.5}, {"what": "heads", "amount": 0.5, "min_per_layer": 2}),
        ({"what": "layers", "amount": 0.5}, {"what": "neurons", "amount": 0.5}),
        ({"what": "neurons", "amount": 0.5, "scope": "budget"}, {"what": "neurons", "amount": 0.5}),
    ],
)
def test_what_only_the_recipe_can_tell_is_not_told(
    first: dict[str, Any], then: dict[str, Any]
) -> None:
    found = second(first, then)
    assert (found.units, found.counts, found.refusal) == (None, None, None)


def test_what_cannot_be_is_refused_with_what_can() -> None:
    found = second({"what": "heads", "amount": 0.5}, {"what": "heads", "amount": 0.75})
    assert found.why.startswith("amount: 3 of 4 units would have to go, but at most 2 can")
    assert found.why.endswith("The largest amount possible is 0.5.")
    nothing = second({"what": "heads", "amount": 0.5}, {"what": "heads", "amount": 0.1})
    assert nothing.refusal is not None
    assert not nothing.refusal.beyond
    assert "largest" not in nothing.why


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    least=st.integers(1, 4),
    scope=st.sampled_from(["global", "per_layer"]),
)
def test_the_largest_amount_goes_and_a_unit_more_does_not(
    sizes: list[int], least: int, scope: Any
) -> None:
    """Against the count of removals itself."""
    wanted = Prune(what="heads", amount=0.5, scope=scope, min_per_layer=least)
    most = largest_amount(wanted, UnitsLeft(rows=tuple(sizes)))
    if most > 0:
        gone = removals(most, sizes, scope=scope, min_per_layer=least)
        assert sum(gone) > 0
    beyond = most + 1.01 / (sum(sizes) if scope == "global" else min(sizes))
    if beyond < 1:
        with pytest.raises(AmountError, match=r"min_per_layer"):
            removals(beyond, sizes, scope=scope, min_per_layer=least)


@given(wanted=prunings, heads=st.integers(2, 6), layers=st.integers(1, 4))
def test_all_that_can_go_goes_where_no_larger_share_takes_more(
    wanted: list[dict[str, Any]], heads: int, layers: int
) -> None:
    whole = KeptUnits.whole(
        {"heads": [heads] * layers, "neurons": [9] * layers, "layers": [layers]}
    )
    for found in foresee(steps_of(*wanted), whole):
        if found.units is None or found.counts is None:
            assert not found.all_that_can
            continue
        scope, least = found.wanted.scope, found.wanted.min_per_layer
        possible = []
        for share in np.linspace(0.01, 0.99, 99):
            try:
                counts = removals(share, found.units.rows, scope=scope, min_per_layer=least)
            except AmountError:
                continue
            possible.append(sum(counts))
        assert found.all_that_can == (sum(found.counts) >= max(possible, default=0))


def test_what_a_step_was_seen_to_remove_is_followed() -> None:
    """By a share of importance 2 of 8 heads went: half of what is left are 3."""
    whole = KeptUnits.whole({"heads": (4, 4), "neurons": (5, 7), "layers": (2,)})
    below = {"what": "heads", "amount": {"share_below": 0.1}}
    steps = steps_of(below, {"what": "heads", "amount": 0.5})
    assert [found.counts for found in foresee(steps, whole, {1: 2})] == [(2,), (3,)]
    uneven = steps_of({**below, "scope": "per_layer"}, {"what": "heads", "amount": 0.5})
    assert [found.counts for found in foresee(uneven, whole, {1: 2})] == [None, None]
