"""Several plans of one budget: each is recovered, and the one that then loses least is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.compress.prepared import prepared

from prunegate.errors import ModelError
from prunegate.policy.steps import Prune

pytestmark = pytest.mark.models

RECOVERY = {"steps": 30, "learning_rate": 0.01, "batch_size": 4}


def step(**more: Any) -> dict[str, Any]:
    wanted = {"what": "neurons", "criterion": "magnitude", "amount": 0.4, "scope": "budget"}
    return {**wanted, "plans": 3, **more}


def made_by(asked: dict[str, Any], seed: int = 0, recovery: dict[str, Any] = RECOVERY) -> Any:
    from tests.unit.compress.conftest import make_model_of, make_rows_of

    from prunegate.compress.execute import compress

    rows = make_rows_of(12)
    steps = [prepared(rows, prune=asked), prepared(rows, finetune=recovery)]
    return compress(make_model_of(), steps, seed=seed)


@pytest.mark.parametrize("compensate", ["none", "ridge"])
def test_the_plan_with_the_least_loss_is_kept_and_all_are_recorded(compensate: str) -> None:
    made = made_by(step(compensate=compensate))
    told = made.surgery.recipe[0]
    plans = told["plans"]
    assert len(plans) == 3
    assert {sum(one["kept"]) for one in plans} == {12}
    assert len({tuple(one["kept"]) for one in plans}) == 3
    assert [one["expected"] for one in plans] == sorted(one["expected"] for one in plans)
    losses = [one["loss"] for one in plans]
    assert losses[told["plan"] - 1] == min(losses)
    assert len(set(losses)) == 3
    assert list(made.kept.counts("neurons")) == plans[told["plan"] - 1]["kept"]
    assert told["plan_steps"] == 20


def test_a_plan_loses_what_it_loses_when_it_is_recovered_by_hand() -> None:
    """An oracle that cuts each plan with what there is: one plan, cut by counts per layer."""
    import torch
    from tests.unit.compress.conftest import make_model_of, make_rows_of

    from prunegate.compress.finetune import finetune
    from prunegate.compress.loss import batch_loss
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.structured import prune
    from prunegate.compress.work import _step_seed
    from prunegate.policy.steps import Finetune

    told = made_by(step(), seed=5).surgery.recipe[0]
    for plan in told["plans"]:
        model, rows = make_model_of(), make_rows_of(12)
        ranked = RankingInput(family=model.family, module=model.module, data=rows)
        going = tuple(10 - kept for kept in plan["kept"])
        one = Prune.model_validate({"what": "neurons", "criterion": "magnitude", "amount": 0.4})
        prune(ranked, model.kept, one, going)
        short = Finetune.model_validate({**RECOVERY, "steps": 20})
        finetune(model.module, rows, short, seed=_step_seed(5, 2, 0))
        batch = rows.batch(range(12))  # type: ignore[arg-type]  # any row numbers
        with torch.inference_mode():
            loss = float(batch_loss(model.module.eval(), batch, "mean"))
        assert plan["loss"] == pytest.approx(loss, rel=1e-5)


def test_the_same_seed_gives_the_same_candidate_and_trials_leave_nothing_behind() -> None:
    first, again = made_by(step()), made_by(step())
    assert first.surgery == again.surgery
    assert first.losses == again.losses
    told = first.surgery.recipe[0]
    if told["plan"] == 1:
        alone = made_by(step(plans=1))
        assert alone.surgery.weights_sha256 == first.surgery.weights_sha256
    assert "plans" not in made_by(step(plans=1)).surgery.recipe[0]


def test_a_recovery_shorter_than_the_trial_is_not_stretched() -> None:
    told = made_by(step(), recovery={**RECOVERY, "steps": 3}).surgery.recipe[0]
    assert told["plan_steps"] == 3


def test_a_budget_with_one_plan_has_one() -> None:
    told = made_by(step(amount={"keep": 2})).surgery.recipe[0]
    assert [one["kept"] for one in told["plans"]] == [[1, 1]]
    assert told["plan"] == 1


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_of_equal_losses_the_plan_that_was_expected_to_lose_less(losses: list[int]) -> None:
    from prunegate.compress.plan_trials import TriedPlan, least_lost

    tried = [TriedPlan(kept=(), expected=float(n), loss=one) for n, one in enumerate(losses)]
    assert least_lost(tried) == losses.index(min(losses))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"scope": "global"}, "add 'scope: budget'"),
        ({"rewind": "initial"}, "one of 'plans' and 'rewind'"),
        ({"plans": 0}, "greater than or equal to 1"),
        ({"plans": 21}, "less than or equal to 20"),
        ({"plans": True}, "valid integer"),
        ({"plans": 2.0}, "valid integer"),
    ],
)
def test_senseless_plans_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Prune.model_validate(step(**wrong))


def test_plans_need_a_recovery_after_them() -> None:
    from tests.unit.compress.conftest import make_model_of, make_rows_of

    from prunegate.compress.execute import compress

    rows = make_rows_of(12)
    steps = [prepared(rows, finetune=RECOVERY), prepared(rows, prune=step())]
    with pytest.raises(ModelError, match="step 2: several plans need a fine-tuning after it"):
        compress(make_model_of(), steps)
