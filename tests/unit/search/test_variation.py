"""Other amounts in the policy's own steps; equal keys remove the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from prunegate.compress.select import select_survivors
from prunegate.models.kept_units import KeptUnits
from prunegate.policy.steps import SearchSection, Step
from prunegate.search.variation import (
    Variant,
    amounts_key,
    at_random,
    by_scope,
    criterion_of,
    other_scope,
    seen_before,
    varied,
    with_amounts,
)

HEADS = (6, 6, 5)


KEPT = KeptUnits.whole({"heads": HEADS, "neurons": (40, 41, 42), "layers": (3,)})


def policy(*steps: dict[str, Any]) -> Any:
    return SimpleNamespace(compress=tuple(Step.model_validate({"prune": s}) for s in steps))


def searched(*steps: int) -> SearchSection:
    vary = [{"step": step, "amount": (0.1, 0.9)} for step in steps]
    return SearchSection.model_validate({"vary": vary})


def one_key(which: Any, search: SearchSection, *amounts: float) -> Any:
    return amounts_key(which, search, KEPT, amounts)


def test_only_the_varied_amounts_change() -> None:
    made = policy(
        {"what": "heads", "amount": 0.2, "scope": "per_layer"}, {"what": "neurons", "amount": 0.3}
    )
    steps = with_amounts(made, searched(2), (0.55,))
    assert steps[0] == made.compress[0]
    assert steps[1].prune == made.compress[1].prune.model_copy(update={"amount": 0.55})
    assert varied(made, searched(2, 1)) == ("neurons (step 2)", "heads (step 1)")


def test_at_random_draws_and_needs_no_rows() -> None:
    steps = (
        *policy({"what": "heads", "amount": 0.2, "data": {"split": "train"}}).compress,
        Step.model_validate({"finetune": {"steps": 3}}),
    )
    drawn = at_random(steps)
    assert (criterion_of(steps), criterion_of(drawn)) == ("taylor", "random")
    assert drawn[0].rows is None
    assert drawn[1] == steps[1]
    assert drawn[0].prune is not None
    assert drawn[0].prune.amount == 0.2


@given(
    amounts=st.lists(st.floats(0.04, 0.7), min_size=2, max_size=2),
    scope=st.sampled_from(["global", "per_layer"]),
)
def test_equal_keys_are_equal_removals(amounts: list[float], scope: Any) -> None:
    """Against the selection itself, which is what decides."""
    made = policy({"what": "heads", "amount": 0.2, "scope": scope})
    rng = np.random.default_rng(0)
    scores = [rng.random(count) for count in HEADS]
    if scope == "per_layer":
        amounts = [max(0.1, amount) for amount in amounts]
    kept = [select_survivors(scores, amount, scope=scope) for amount in amounts]
    keys = [one_key(made, searched(1), amount) for amount in amounts]
    assert (keys[0] == keys[1]) == (kept[0] == kept[1])


def test_where_the_count_is_not_known_the_share_is_the_key() -> None:
    twice = policy(
        {"what": "heads", "amount": {"share_below": 0.02}}, {"what": "heads", "amount": 0.3}
    )
    after_layers = policy({"what": "layers", "amount": 0.3}, {"what": "heads", "amount": 0.3})
    weights = policy({"what": "weights", "criterion": "magnitude", "amount": 0.3})
    for made, step in ((twice, 2), (after_layers, 2), (weights, 1)):
        one, other = (one_key(made, searched(step), a) for a in (0.5, 0.500001))
        assert one != other


@given(seed=st.integers(0, 2**63 - 1))
def test_draws_have_seeds_of_their_own_and_the_first_has_the_search_s(seed: int) -> None:
    seeds = [Variant(draw=draw).seed(seed) for draw in range(1, 21)]
    assert seeds[0] == Variant().seed(seed) == Variant(scope="global").seed(seed) == seed
    assert len(set(seeds)) == 20
    assert all(0 <= one < 2**63 for one in seeds)
    assert seeds == [Variant(draw=draw).seed(seed) for draw in range(1, 21)]


def test_every_variant_has_a_name_of_its_own_and_old_names_stay() -> None:
    assert Variant().named((0.2,)) == ["candidate", [0.2]]
    assert Variant(draw=1).named((0.2,)) == ["control", [0.2]]
    variants = [
        *(Variant(draw=n) for n in range(4)),
        Variant(scope="global"),
        Variant(scope="budget"),
    ]
    assert len({str(one.named((0.2,))) for one in variants}) == len(variants)


def test_another_scope_changes_what_varies_and_nothing_else() -> None:
    made = policy(
        {"what": "heads", "amount": 0.2, "scope": "budget", "plans": 3},
        {"what": "neurons", "amount": 0.3, "scope": "budget"},
        {"what": "filters", "amount": 0.3, "scope": "per_layer"},
    )
    found = by_scope(made.compress, searched(1, 3), "global")
    changed = found[0].prune
    assert changed is not None
    assert (changed.scope, changed.plans, changed.amount) == ("global", 1, 0.2)
    assert found[1:] == made.compress[1:]
    Step.model_validate(found[0].model_dump())  # as a policy could say it
    back = by_scope(found, searched(1), "budget")[0].prune
    assert back is not None
    assert back.scope == "budget"


def test_a_budget_is_held_beside_global_ranking_unless_told_otherwise() -> None:
    budget = {"what": "heads", "amount": 0.2, "scope": "budget"}
    plain = {"what": "heads", "amount": 0.2}
    asked: dict[str, Any] = {"vary": [{"step": 1, "amount": (0.1, 0.9)}]}
    for step, control, expected in [
        (budget, True, "global"),
        (budget, {"draws": 1}, "global"),
        (budget, {"scope": "none"}, None),
        (budget, False, None),
        (plain, True, None),
        (plain, {"scope": "budget"}, "budget"),
    ]:
        section = SearchSection.model_validate({**asked, "control": control})
        assert other_scope(policy(step), section) == expected


def test_how_often_is_drawn() -> None:
    asked: dict[str, Any] = {"vary": [{"step": 1, "amount": (0.1, 0.9)}]}
    given_ = [
        ({}, 3),
        ({"control": True}, 3),
        ({"control": False}, 0),
        ({"control": {"draws": 1}}, 1),
    ]
    for control, draws in given_:
        assert SearchSection.model_validate({**asked, **control}).beside.draws == draws


def test_after_a_share_of_importance_equal_keys_wait_for_the_first_attempt() -> None:
    below = {"what": "heads", "amount": {"share_below": 0.02}}
    made = policy(below, {"what": "heads", "amount": 0.3})
    recipe = [{"step": "prune", "removed": 5}, {"step": "prune", "removed": 4}]
    seen = seen_before(made, searched(2), recipe)
    assert seen == ((1, 5),)  # 12 heads are left
    keys = [amounts_key(made, searched(2), KEPT, (share,), seen) for share in (0.30, 0.33, 0.45)]
    assert keys[0] == keys[1] == (("units", (4,)),)
    assert keys[2] == (("units", (5,)),)
    cycled = {"what": "neurons", "amount": 0.2, "cycles": 2}
    after = policy(cycled, below, {"what": "heads", "amount": 0.3})
    assert seen_before(after, searched(3), [{"removed": 1}] * 4) == ()  # whose is which
    assert seen_before(made, searched(1), recipe) == ()  # what varies is not alike


def test_rounds_that_come_to_the_same_units_are_one_candidate() -> None:
    made = policy({"what": "heads", "amount": 0.3, "cycles": 2})
    keys = [one_key(made, searched(1), share) for share in (0.5, 0.501, 0.6)]
    assert keys[0] == keys[1] != keys[2]
