"""Single weights: as many zeros as asked for, the right ones, and two of every four."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compress.prepared import amount_of

from prunegate.criteria import CRITERIA
from prunegate.errors import ModelError, TableError
from prunegate.policy.steps import Finetune, Prune

pytestmark = pytest.mark.models

Make = Callable[..., Any]
SCORING = [name for name, criterion in CRITERIA.items() if criterion.scores_weights]


def ranking_input(model: Any, rows: Any = None) -> Any:
    from prunegate.compress.ranking_input import RankingInput

    return RankingInput(family=model.family, module=model.module, data=rows, seed=5)


def thinning(what: str = "weights", **settings_: Any) -> Any:
    names = ("fraction", "keep", "share_below")
    amount = {name: settings_.pop(name) for name in names if name in settings_}
    values = {"criterion": "magnitude", "amount": amount_of(amount), **settings_}
    return Prune.model_validate({"what": what, **values})


def zeros(model: Any) -> dict[str, Any]:
    from prunegate.models.sparse import prunable

    weights = prunable(model.module, model.family)
    return {name: (weight == 0).detach() for name, weight in weights.items()}


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    fraction=st.floats(0.01, 0.9),
    criterion=st.sampled_from(SCORING),
    scope=st.sampled_from(["global", "per_layer"]),
)
def test_exactly_the_share_is_zero(
    fraction: float, criterion: str, scope: str, make_model: Make, make_rows: Make
) -> None:
    from prunegate.compress.unstructured import thin

    model = make_model()
    before = {name: tensor.clone() for name, tensor in model.module.state_dict().items()}
    wanted = thinning(fraction=fraction, criterion=criterion, scope=scope)
    count = thin(ranking_input(model, make_rows(6)), wanted)
    masks = zeros(model)
    sizes = {name: mask.numel() for name, mask in masks.items()}
    assert not any(bool(mask.all()) for mask in masks.values()), "no tensor is emptied"
    if scope == "global":
        assert count == round(fraction * sum(sizes.values()))
    else:
        for name, mask in masks.items():
            assert int(mask.sum()) == round(fraction * sizes[name])
    assert count == sum(int(mask.sum()) for mask in masks.values())
    for name, tensor in model.module.state_dict().items():
        expected = before[name].masked_fill(masks[name], 0) if name in masks else before[name]
        assert torch.equal(tensor, expected), name


def test_magnitude_takes_the_smallest(make_model: Make) -> None:
    from prunegate.compress.unstructured import thin
    from prunegate.models.sparse import prunable

    model = make_model()
    before = prunable(model.module, model.family).values()
    weights = torch.cat([weight.detach().abs().flatten() for weight in before])
    limit = weights.sort().values[round(0.6 * len(weights)) - 1]
    thin(ranking_input(model), thinning(fraction=0.6))
    for weight in prunable(model.module, model.family).values():
        assert bool((weight[weight != 0].abs() > limit).all())


def test_taylor_is_the_gradient_times_the_weight(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.scoring.by_criterion import rank_weights
    from prunegate.models.sparse import prunable

    model, rows = make_model(), make_rows(10)
    tensors = prunable(model.module, model.family)
    scores = rank_weights("taylor", ranking_input(model, rows), tensors)
    batch = rows.batch(np.arange(10))
    loss = torch.nn.functional.cross_entropy(model.module(**batch.inputs).logits, batch.labels)
    loss.backward()
    for name, weight in tensors.items():
        torch.testing.assert_close(scores[name], (weight * weight.grad).abs().detach())


def test_activation_is_the_weight_times_its_inputs_norm(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.scoring.by_criterion import rank_weights
    from prunegate.models.sparse import prunable

    model, rows = make_model(), make_rows(10)
    fc1, seen = model.module.vit.layers[1].mlp.fc1, []
    handle = fc1.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        model.module(**rows.batch(np.arange(10)).inputs)
    handle.remove()
    norms = seen[0].flatten(0, 1).norm(dim=0)
    tensors = prunable(model.module, model.family)
    scores = rank_weights("activation", ranking_input(model, rows), tensors)
    name = "vit.layers.1.mlp.fc1.weight"
    torch.testing.assert_close(scores[name], fc1.weight.detach().abs() * norms)


@pytest.mark.parametrize("criterion", SCORING)
def test_two_of_every_four_neighbours_stay(
    criterion: str, make_model: Make, make_rows: Make
) -> None:
    from prunegate.compress.unstructured import thin

    model = make_model(intermediate_size=8)
    count = thin(ranking_input(model, make_rows(6)), thinning("2:4", criterion=criterion))
    masks = zeros(model)
    assert count == sum(mask.numel() for mask in masks.values()) // 2
    for mask in masks.values():
        assert bool((mask.reshape(-1, 4).sum(dim=1) == 2).all())


def test_two_of_four_needs_fours(make_model: Make) -> None:
    from prunegate.compress.unstructured import thin

    model = make_model()
    with pytest.raises(ModelError, match=r"fc2\.weight \(10\).*multiples of 4"):
        thin(ranking_input(model), thinning("2:4"))
    assert not any(bool(mask.any()) for mask in zeros(model).values())


def test_cycles_add_up_and_never_bring_a_weight_back(make_model: Make) -> None:
    from prunegate.compress.unstructured import thin

    model, wanted = make_model(), thinning(fraction=0.9)
    counts, earlier = [], zeros(model)
    for cycle in (1, 2, 3):
        counts.append(thin(ranking_input(model), wanted, cycle=cycle, cycles=3))
        now = zeros(model)
        assert all(bool((now[name] | ~earlier[name]).all()) for name in now)
        earlier = now
    total = sum(mask.numel() for mask in earlier.values())
    assert counts[-1] == round(0.9 * total)


@pytest.mark.parametrize(
    ("wanted", "error", "message"),
    [
        ({"fraction": 0.9999}, ModelError, "at most .* can"),
        ({"keep": 10**9}, ModelError, "too many"),
        ({"fraction": 1e-6}, ModelError, "zero already, 0 are asked for"),
        ({"fraction": 0.5, "criterion": "taylor"}, TableError, "calibration data"),
        ({"fraction": 0.99, "min_per_layer": 30}, ModelError, "would be zero"),
    ],
)
def test_amounts_that_cannot_be_are_refused_and_change_nothing(
    wanted: dict[str, Any], error: type[Exception], message: str, make_model: Make
) -> None:
    from prunegate.compress.unstructured import thin

    model = make_model()
    with pytest.raises(error, match=message):
        thin(ranking_input(model), thinning(**wanted))
    assert not any(bool(mask.any()) for mask in zeros(model).values())


def test_zeros_stay_zero_while_the_rest_trains(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.finetune import finetune
    from prunegate.compress.unstructured import thin
    from prunegate.models.sparse import held, masks

    model, rows = make_model(), make_rows(24)
    thin(ranking_input(model), thinning(fraction=0.7))
    before = zeros(model)
    with held(model.module, masks(model.module, model.family)):
        finetune(model.module, rows, Finetune(steps=8, batch_size=8, learning_rate=0.05))
    after = zeros(model)
    assert all(torch.equal(before[name], after[name]) for name in before)
