"""Budgets per layer: no plan within one loses less, it is met, and equal layers share evenly."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.compress.prepared import prepared
from tests.unit.models.tiny import rows_of, tiny

from prunegate.compress.budget import Curve, UnitBudget, allot, best_plans, lost
from prunegate.errors import ModelError
from prunegate.policy.steps import Prune

pytestmark = pytest.mark.models


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    kept = sorted(draw(st.sets(st.integers(1, 6), min_size=1, max_size=4)))
    losses = draw(st.lists(st.integers(0, 50), min_size=len(kept), max_size=len(kept)))
    return Curve(kept=tuple(kept), losses=tuple(loss / 10 for loss in losses))


@settings(max_examples=25, deadline=None)
@given(
    found=st.lists(curves(), min_size=1, max_size=3),
    costs=st.lists(st.integers(1, 4), min_size=3, max_size=3),
    share=st.floats(0, 1),
    exact=st.booleans(),
    apart=st.integers(1, 4),
)
def test_no_plan_within_the_budget_loses_less_nor_any_that_is_as_unlike_those_before(
    found: list[Curve], costs: list[int], share: float, exact: bool, apart: int
) -> None:
    def price(plan: tuple[int, ...]) -> int:
        return sum(cost * kept for cost, kept in zip(costs, plan, strict=False))

    plans = list(itertools.product(*(range(one.kept[0], one.kept[-1] + 1) for one in found)))
    cheapest, dearest = price(plans[0]), price(plans[-1])
    budget = round(cheapest + share * (dearest - cheapest))
    fitting = [
        plan for plan in plans if price(plan) == budget or (not exact and price(plan) < budget)
    ]
    spend = UnitBudget(costs=tuple(map(float, costs[: len(found)])), most=budget, exact=exact)
    if not fitting:
        with pytest.raises(ModelError, match="within the budget"):
            best_plans(found, spend, plans=3, apart=apart)
        return
    chosen = best_plans(found, spend, plans=4, apart=apart)
    for number, plan in enumerate(chosen):
        assert plan in fitting
        best = min(lost(found, one) for one in fitting)
        assert lost(found, plan) <= best + 5e-5 * 5.0
        fitting = [one for one in fitting if distance(one, plan) >= apart]
        assert bool(fitting) or number == len(chosen) - 1
    assert len(chosen) == 4 or not fitting


def distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def test_a_budget_below_the_minimum_is_refused() -> None:
    with pytest.raises(ModelError, match="lower min_per_layer"):
        allot([Curve(kept=(2, 4), losses=(1.0, 0.0))], UnitBudget(costs=(1.0,), most=1))


@given(st.lists(st.integers(1, 1000), min_size=4, max_size=6, unique=True), st.integers(1, 3))
@settings(max_examples=10, deadline=None)
def test_equal_layers_give_what_ranking_them_together_gives(scores: list[int], each: int) -> None:
    from prunegate.compress.select import lowest

    rising = np.sort(np.array(scores, dtype=float))
    kept = tuple(range(1, len(rising) + 1))
    losses = tuple(float(rising[: len(rising) - count].sum()) for count in kept)
    together = lowest([rising] * 3, [3 * each])
    budget = UnitBudget(costs=(1.0,) * 3, most=3 * (len(rising) - each), exact=True)
    plan = allot([Curve(kept=kept, losses=losses)] * 3, budget)
    assert plan == tuple(map(len, together))


def test_levels_reach_from_the_minimum_to_everything() -> None:
    from prunegate.compress.keep_levels import levels_tried

    assert levels_tried(4, 1) == (1, 2, 3, 4)
    assert levels_tried(2, 2) == (2,)
    found = levels_tried(3072, 16)
    assert (found[0], found[-1], len(found)) == (16, 3072, 7)


@pytest.mark.models
@pytest.mark.parametrize("how", ["none", "ridge"])
@pytest.mark.parametrize("name", ["vit", "gpt2", "modernbert"])
def test_a_plan_is_met_to_the_unit_and_leaves_the_model_as_it_was(name: str, how: str) -> None:
    from prunegate.compress.keep_levels import budgeted
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.scoring.by_criterion import rank

    model = tiny(name)
    before = {key: value.clone() for key, value in model.module.state_dict().items()}
    ranked = RankingInput(family=model.family, module=model.module, data=rows_of(model, 6))
    wanted = Prune.model_validate(
        {"what": "neurons", "amount": 0.5, "scope": "budget", "compensate": how}
    )
    (plan,) = budgeted(ranked, "neurons", rank("taylor", ranked, "neurons"), wanted)
    going = plan.going
    assert sum(going) == 12
    assert all(0 <= count <= 7 for count in going)
    assert all(bool((before[k] == now).all()) for k, now in model.module.state_dict().items())


@pytest.mark.models
def test_a_row_that_does_nothing_gives_first() -> None:
    """The rest of the recipe is as ever: recorded, repeated, to the unit."""
    import torch
    from tests.unit.compress.conftest import make_model_of, make_rows_of

    from prunegate.compress.execute import compress
    from prunegate.models.load import LoadedModel

    baseline: LoadedModel = make_model_of()
    with torch.no_grad():
        baseline.module.vit.layers[1].mlp.fc2.weight.zero_()  # type: ignore[union-attr, operator]  # a linear layer
    rows = make_rows_of(12)
    step = {"what": "neurons", "criterion": "activation", "amount": 0.4, "scope": "budget"}
    made = compress(baseline, [prepared(rows, prune=step)])
    assert made.kept.counts("neurons") == (10, 2)
    assert made.surgery.recipe[0]["scope"] == "budget"
    assert made.surgery.recipe[0]["removed"] == 8


@pytest.mark.models
def test_a_filter_costs_what_its_positions_cost() -> None:
    """By hand: its kernel and those that read it, at each pixel of their maps."""
    from prunegate.compress.keep_levels import budgeted, unit_costs
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.scoring.by_criterion import rank

    model = tiny("resnet")
    ranked = RankingInput(family=model.family, module=model.module, data=rows_of(model, 4))
    side = 32 // 4
    assert unit_costs(ranked, "filters") == [
        (36 + 72) * side**2,
        2 * 72 * side**2,
        (72 + 108) * (side // 2) ** 2,
    ]
    wanted = Prune.model_validate({"what": "filters", "amount": 0.5, "scope": "budget"})
    scores = rank("taylor", ranked, "filters")
    going = budgeted(ranked, "filters", scores, wanted)[0].going
    costs, sizes = unit_costs(ranked, "filters"), [len(row) for row in scores]
    spent = sum(c * (s - g) for c, s, g in zip(costs, sizes, going, strict=True))
    assert spent <= 0.5 * sum(c * s for c, s in zip(costs, sizes, strict=True))


@pytest.mark.models
@pytest.mark.parametrize("kind", ["heads", "neurons"])
def test_units_of_a_wider_stage_cost_more_and_a_budget_is_not_passed(kind: Any) -> None:
    """By hand: at each token of the picture, whatever window it is in; a table costs nothing."""
    from prunegate.compress.keep_levels import budgeted, unit_costs
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.scoring.by_criterion import rank

    model = tiny("swin")
    ranked = RankingInput(family=model.family, module=model.module, data=rows_of(model, 4))
    costs = unit_costs(ranked, kind)
    matrices = 4 * 4 if kind == "heads" else 2  # of a head four, each four wide
    assert costs == [matrices * 8 * 64, matrices * 8 * 64, matrices * 16 * 16]
    wanted = Prune.model_validate({"what": kind, "amount": 0.5, "scope": "budget"})
    scores = rank("activation", ranked, kind)
    going = budgeted(ranked, kind, scores, wanted)[0].going
    sizes = [len(row) for row in scores]
    spent = sum(c * (s - g) for c, s, g in zip(costs, sizes, going, strict=True))
    assert spent <= 0.5 * sum(c * s for c, s in zip(costs, sizes, strict=True))


@pytest.mark.parametrize(
    "wrong",
    [
        {"what": "layers", "amount": 0.5},
        {"what": "weights", "amount": 0.5},
        {"what": "heads", "amount": {"share_below": 0.1}},
        {"what": "heads", "amount": 0.5, "cycles": 2},
    ],
)
def test_what_has_no_budget_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="scope: budget"):
        Prune.model_validate({**wrong, "scope": "budget"})
