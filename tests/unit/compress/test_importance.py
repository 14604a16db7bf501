"""Taylor importance: the gradient of a gate, per sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from prunegate.errors import ModelError, TableError, UnsupportedError

pytestmark = pytest.mark.models

Make = Callable[..., Any]


def ranking_input(model: Any, data: Any = None, **settings: Any) -> Any:
    from prunegate.compress.ranking_input import RankingInput

    return RankingInput(family=model.family, module=model.module, data=data, **settings)


def loss_with_gates(model: Any, rows: Any, sites: Any, gates: list[Any]) -> Any:
    from prunegate.models.gates import gated

    with torch.no_grad(), gated(sites, gates):
        logits = model.module(rows.inputs).logits
        return torch.nn.functional.cross_entropy(logits, rows.labels, reduction="none")


def test_gradients_match_finite_differences(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.scoring.taylor import gate_gradients

    model, rows, step = make_model(), make_rows(5), 1e-3
    model.module.double()
    rows = type(rows)(inputs=rows.inputs.double(), labels=rows.labels)
    sites = [
        site
        for kind in ("heads", "neurons", "layers")
        for site in model.family.sites(model.module, kind)
    ]
    gradients = gate_gradients(model.module, sites, rows.batch(np.arange(len(rows))))
    for index, site in enumerate(sites):
        for unit in range(site.units):
            moved = []
            for change in (step, -step):
                gates = [torch.ones(one.units, dtype=torch.float64) for one in sites]
                gates[index][unit] += change
                moved.append(loss_with_gates(model, rows, sites, gates))
            difference = (moved[0] - moved[1]) / (2 * step)
            torch.testing.assert_close(
                gradients[index][:, unit].double(), difference, atol=1e-5, rtol=1e-3
            )


def test_the_absolute_value_is_taken_per_sample(make_model: Make, make_rows: Make) -> None:
    """One backward pass per sample is the definition; a mean over the batch first is not."""
    from prunegate.compress.scoring.by_criterion import rank
    from prunegate.compress.scoring.taylor import gate_gradients

    model, rows = make_model(), make_rows(12)
    sites = list(model.family.sites(model.module, "heads"))
    single = [
        gate_gradients(model.module, sites, rows.batch(np.array([row]))) for row in range(len(rows))
    ]
    measured = rank("taylor", ranking_input(model, rows, batch_size=12), "heads")
    for layer in range(len(sites)):
        stacked = torch.cat([gradients[layer] for gradients in single]).double()
        expected = stacked.abs().mean(dim=0).numpy()
        np.testing.assert_allclose(measured[layer], expected / np.linalg.norm(expected), rtol=1e-4)
        cancelled = stacked.mean(dim=0).abs().numpy()
        assert not np.allclose(measured[layer], cancelled / np.linalg.norm(cancelled), rtol=0.02)


def test_the_batch_size_does_not_matter(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.scoring.by_criterion import rank

    model, rows = make_model(), make_rows(13)
    whole = rank("taylor", ranking_input(model, rows, batch_size=13), "heads")
    pieces = rank("taylor", ranking_input(model, rows, batch_size=4), "heads")
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)


def test_heads_have_unit_length_per_layer_and_a_dead_head_scores_nothing(
    make_model: Make, make_rows: Make
) -> None:
    from prunegate.compress.scoring.by_criterion import rank

    model = make_model()
    with torch.no_grad():
        model.module.vit.layers[0].attention.o_proj.weight[:, 4:8] = 0  # head 1
        model.module.vit.layers[1].mlp.fc2.weight[:, 3] = 0
    ranked = ranking_input(model, make_rows(10))
    heads, neurons = rank("taylor", ranked, "heads"), rank("taylor", ranked, "neurons")
    assert [round(float(np.linalg.norm(layer)), 12) for layer in heads] == [1.0, 1.0]
    assert heads[0][1] == 0
    assert neurons[1][3] == 0
    assert neurons[1].max() > 0


def test_the_model_is_left_as_it_was(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.scoring.by_criterion import rank

    model = make_model()
    model.module.train()
    before = {name: tensor.clone() for name, tensor in model.module.state_dict().items()}
    rank("taylor", ranking_input(model, make_rows(6)), "heads")
    assert model.module.training
    assert all(parameter.grad is None for parameter in model.module.parameters())
    assert all(torch.equal(before[name], now) for name, now in model.module.state_dict().items())


def test_data_that_cannot_rank_are_refused(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.scoring.by_criterion import rank

    model, rows = make_model(), make_rows(4)
    with pytest.raises(TableError, match="no calibration rows"):
        rank("taylor", ranking_input(model, make_rows(0)), "heads")
    for label in (-100, 2):
        wrong = type(rows)(inputs=rows.inputs, labels=torch.full((4,), label))
        with pytest.raises(TableError, match="class numbers from 0 to 1"):
            rank("taylor", ranking_input(model, wrong), "heads")
    broken = type(rows)(inputs=rows.inputs * float("nan"), labels=rows.labels)
    with pytest.raises(ModelError, match="loss is not finite"):
        rank("taylor", ranking_input(model, broken), "heads")


def test_magnitude_is_the_norm_of_everything_that_goes(make_model: Make) -> None:
    """Cutting a unit takes away exactly the squared weights that its score counted."""
    from prunegate.compress.scoring.by_criterion import rank
    from prunegate.models.cut import cut

    def energy(module: Any) -> float:
        return sum(float(weight.detach().double().square().sum()) for weight in module.parameters())

    for kind, units in (("heads", 3), ("neurons", 10)):
        for unit in range(units):
            model = make_model()
            score = rank("magnitude", ranking_input(model), kind)[0][unit]
            before = energy(model.module)
            rest = tuple(other for other in range(units) if other != unit)
            cut(model.family, model.module, kind, [rest, tuple(range(units))])
            assert before - energy(model.module) == pytest.approx(score**2, rel=1e-6)


def test_criteria_are_looked_up_by_name(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.scoring.by_criterion import rank
    from prunegate.criteria import CRITERIA, ranked_by_rows

    model = make_model()
    ranked = ranking_input(model, make_rows(4), seed=3)
    for name in CRITERIA:
        for kind, shapes in (("heads", [(3,)] * 2), ("neurons", [(10,)] * 2), ("layers", [(2,)])):
            first, again = rank(name, ranked, kind), rank(name, ranked, kind)
            assert [layer.shape for layer in first] == shapes
            for one, other in zip(first, again, strict=True):
                np.testing.assert_array_equal(one, other)
    with pytest.raises(UnsupportedError, match="taylor, magnitude, activation, random"):
        rank("astrology", ranked, "heads")
    for name in ranked_by_rows():
        with pytest.raises(TableError, match="calibration data"):
            rank(name, ranking_input(model), "heads")


def test_random_scores_follow_the_seed(make_model: Make) -> None:
    from prunegate.compress.scoring.by_criterion import rank

    model = make_model()
    one, other = (rank("random", ranking_input(model, seed=seed), "heads") for seed in (1, 2))
    assert not np.array_equal(one[0], other[0])


def test_shares_sum_to_one_and_scores_have_to_be_scores() -> None:
    from prunegate.compress.scores import checked, shares_of_rows

    shares = shares_of_rows([np.array([1.0, 3.0]), np.zeros(4)])
    np.testing.assert_array_equal(shares[0], [0.25, 0.75])
    np.testing.assert_array_equal(shares[1], [0.25] * 4)
    for bad in (np.array([np.nan]), np.array([]), np.array([-1.0]), np.array([np.inf])):
        with pytest.raises(ModelError, match="finite"):
            checked((bad, np.ones(1)))
