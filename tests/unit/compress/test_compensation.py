"""Compensation: least squares as numpy solves it, never worse than cutting alone, stored whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from tests.unit.compress.prepared import prepared
from tests.unit.models.tiny import NAMES, rows_of, same_weights, some, tiny

from prunegate.errors import ModelError, TableError
from prunegate.policy.steps import Prune

pytestmark = pytest.mark.models

Make = Callable[..., Any]


def seen(model: Any, reader: Any, rows: Any) -> tuple[np.ndarray, np.ndarray]:
    """What a reader is given on rows, and what it answers: padding left out, in plain numpy."""
    kept: list[tuple[Any, Any]] = []
    hook = reader.register_forward_hook(lambda _m, given, out: kept.append((given[0], out)))
    with torch.no_grad():
        model.module(**rows.inputs)
    hook.remove()
    inputs, outputs = kept[0]
    if isinstance(reader, torch.nn.Conv2d):
        patches = torch.nn.functional.unfold(
            inputs, reader.kernel_size, padding=reader.padding, stride=reader.stride
        )
        inputs, outputs = patches.transpose(1, 2), outputs.flatten(2).transpose(1, 2)
    elif "attention_mask" in rows.inputs:
        counted = rows.inputs["attention_mask"].bool()
        inputs, outputs = inputs[counted], outputs[counted]
    return tuple(part.flatten(0, -2).double().numpy() for part in (inputs, outputs))  # type: ignore[return-value]  # two of them


def as_matrix(reader: Any) -> np.ndarray:
    weight = reader.weight.detach().double()
    found = weight.T if type(reader).__name__ == "Conv1D" else weight.flatten(1)
    return np.asarray(found.numpy())


def closed_form(
    inputs: np.ndarray, weight: np.ndarray, bias: bool, kept: Sequence[int], gone: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """The ridge as least squares over stacked rows: numpy's solver, no normal equations."""
    known, wanted = inputs[:, kept], inputs[:, gone] @ weight[:, gone].T
    mean, middle = (known.mean(0), wanted.mean(0)) if bias else (0.0, 0.0)
    known, wanted = known - mean, wanted - middle
    penalty = 0.01 * np.mean((known**2).sum(0))
    stacked = np.vstack([known, np.sqrt(penalty) * np.eye(len(kept))])
    padded = np.vstack([wanted, np.zeros((len(kept), wanted.shape[1]))])
    slopes = np.linalg.lstsq(stacked, padded, rcond=None)[0]
    return weight[:, kept] + slopes.T, middle - mean @ slopes if bias else np.zeros(1)


@pytest.mark.parametrize("name", NAMES)
def test_every_reader_gets_the_least_squares_solution(name: str) -> None:
    """And its outputs come no further from what they were than with the units merely gone."""
    from prunegate.compress.compensation import compensate
    from prunegate.compress.input_sums import readers
    from prunegate.compress.ranking_input import RankingInput

    model = tiny(name)
    rows = rows_of(model, 8)
    for kind in (kind for kind in model.whole.kinds if kind != "layers"):
        keep = some(model).of(kind)
        keep = tuple(row or (0,) for row in keep)  # rows of layers that this plan drops
        found = readers(model.family.sites(model.module, kind), keep)
        before = [
            (seen(model, one.module, rows), as_matrix(one.module), bias_of(one.module))
            for one in found
        ]
        ranked = RankingInput(family=model.family, module=model.module, data=rows, batch_size=3)
        compensate(ranked, kind, keep)
        assert len(found) >= len(keep) > 0
        for one, ((inputs, outputs), weight, bias) in zip(found, before, strict=True):
            kept, gone = one.kept.numpy(), one.removed.numpy()
            expected, shift = closed_form(inputs, weight, bias is not None, kept, gone)
            now = as_matrix(one.module)
            np.testing.assert_allclose(now[:, kept], expected, atol=2e-6, rtol=2e-5)
            np.testing.assert_array_equal(now[:, gone], weight[:, gone])
            constant = np.zeros(1) if bias is None else bias
            if bias is not None:
                np.testing.assert_allclose(bias_of(one.module), bias + shift, atol=2e-6, rtol=2e-5)
                constant = bias_of(one.module)
            cut = inputs[:, kept] @ weight[:, kept].T + (0.0 if bias is None else bias) - outputs
            fitted = inputs[:, kept] @ now[:, kept].T + constant - outputs
            assert (fitted**2).sum() <= (cut**2).sum() * (1 + 1e-6)


def bias_of(reader: Any) -> np.ndarray | None:
    bias = getattr(reader, "bias", None)
    return None if bias is None else bias.detach().double().numpy().copy()


@pytest.mark.parametrize("name", ["vit", "gpt2", "llama"])
def test_batches_and_passes_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from prunegate.compress import input_sums
    from prunegate.compress.compensation import compensate
    from prunegate.compress.ranking_input import RankingInput

    made = []
    for batch, most in ((64, 1 << 27), (3, 1)):
        model = tiny(name)
        monkeypatch.setattr(input_sums, "_MOST_SUMMED", most)
        rows = rows_of(model, 8)
        ranked = RankingInput(family=model.family, module=model.module, data=rows, batch_size=batch)
        compensate(ranked, "neurons", [(0, 3, 5)] * 3)
        made.append(model.module.state_dict())
    for key, one in made[0].items():
        torch.testing.assert_close(one, made[1][key], atol=1e-6, rtol=1e-6)


def test_a_unit_that_repeats_another_is_made_up_for_whole(
    make_model: Make, make_rows: Make
) -> None:
    """Up to the penalty: the one that stays takes the other's weight."""
    from prunegate.compress.compensation import compensate
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.models.cut import cut

    model, rows = make_model(num_hidden_layers=1, intermediate_size=2, scale=0.1), make_rows(30)
    mlp = model.module.vit.layers[0].mlp
    with torch.no_grad():
        mlp.fc1.weight[1], mlp.fc1.bias[1] = mlp.fc1.weight[0].clone(), mlp.fc1.bias[0].clone()
        expected = model.module(pixel_values=rows.inputs).logits
    ranked = RankingInput(family=model.family, module=model.module, data=rows)
    weight = mlp.fc2.weight.detach().clone()
    compensate(ranked, "neurons", [(0,)])
    torch.testing.assert_close(
        mlp.fc2.weight[:, 0], weight[:, 0] + weight[:, 1] / 1.01, atol=1e-6, rtol=1e-5
    )
    cut(model.family, model.module, "neurons", [(0,)])
    with torch.no_grad():
        got = model.module(pixel_values=rows.inputs).logits
    torch.testing.assert_close(got, expected, atol=1e-3, rtol=1e-3)


def test_what_never_moves_is_told_by_its_mean_alone(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.compensation import compensate
    from prunegate.compress.ranking_input import RankingInput

    model = make_model(num_hidden_layers=1, intermediate_size=2)
    mlp = model.module.vit.layers[0].mlp
    with torch.no_grad():
        mlp.fc1.weight[0] = 0.0
        mlp.fc1.bias[0] = -1e4  # never fires
    weight = mlp.fc2.weight.detach().clone()
    ranked = RankingInput(family=model.family, module=model.module, data=make_rows(10))
    compensate(ranked, "neurons", [(0,)])
    assert torch.equal(mlp.fc2.weight, weight)


@pytest.mark.parametrize("level", [0.1, 1000.7, -1e6, 1e-20])
@pytest.mark.parametrize("rows", [1, 37])
def test_what_stays_and_never_moves_tells_nothing_at_any_level(level: float, rows: int) -> None:
    from prunegate.compress.compensation import stand_in
    from prunegate.compress.input_sums import InputSums, UnitReader

    features = torch.full((rows, 4), level) * torch.tensor([1, 1.3, 2, 1])
    features[:, 3] = torch.randn(rows, generator=torch.Generator().manual_seed(0))
    sums = InputSums(4, torch.device("cpu"))
    for part in features.split(7):
        sums.add(part)
    reader = UnitReader(module=torch.nn.Linear(4, 2), removed=torch.tensor([2, 3]))
    found = stand_in(reader, sums, centred=True)
    assert not found.slopes.any()
    torch.testing.assert_close(found.constant, features[:, 2:].double().mean(dim=0))


@pytest.mark.parametrize("mean", [0.0, 1e6])
@pytest.mark.parametrize("centred", [True, False])
def test_sums_are_those_of_numpy_also_beside_a_large_mean(mean: float, centred: bool) -> None:
    from prunegate.compress.input_sums import InputSums

    features = mean + torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    sums = InputSums(5, torch.device("cpu"))
    for part in features.split(7):
        sums.add(part)
    wide = features.double().numpy()
    expected = np.cov(wide, rowvar=False, ddof=0) if centred else wide.T @ wide / len(wide)
    np.testing.assert_allclose(
        sums.second_moments(centred=centred), expected, rtol=1e-9, atol=1e-12
    )


RIDGE_HEADS = {"what": "heads", "criterion": "magnitude", "amount": 0.5, "compensate": "ridge"}


def test_a_compensated_candidate_is_recorded_repeated_and_stored(
    make_model: Make, make_rows: Make, tmp_path: Path
) -> None:
    from prunegate.compress.execute import compress
    from prunegate.compress.quality import step_quality
    from prunegate.models.load import read_candidate
    from prunegate.models.save import write_candidate

    baseline, rows = make_model(), make_rows(20)
    steps = [prepared(rows, prune=RIDGE_HEADS), prepared(rows, finetune={"steps": 2})]
    made = compress(baseline, steps, seed=3)
    assert same_weights(made.module, compress(baseline, steps, seed=3).module)
    recorded = made.surgery.recipe[0]
    assert (recorded["compensate"], recorded["ridge"], recorded["rows"]) == ("ridge", 0.01, 20)
    assert recorded["measured_rows"] == 20
    before = step_quality(baseline.module, rows, "cpu")
    assert recorded["loss_before"] == pytest.approx(before.loss, rel=1e-5)
    plain = compress(baseline, [prepared(prune={**RIDGE_HEADS, "compensate": "none"})])
    removed = step_quality(plain.module, rows, "cpu")
    assert recorded["loss_removed"] == pytest.approx(removed.loss, rel=1e-5)
    assert recorded["accuracy_removed"] == pytest.approx(removed.accuracy)
    assert plain.kept == made.kept
    assert "compensate" not in plain.surgery.recipe[0]
    after = compress(baseline, steps[:1], seed=3)
    assert recorded["loss_after"] == pytest.approx(
        step_quality(after.module, rows, "cpu").loss, rel=1e-5
    )
    (tmp_path / "preprocessor_config.json").write_text(
        json.dumps({"do_resize": False, "image_mean": [0.5] * 3, "image_std": [0.5] * 3})
    )
    write_candidate(made.module, made.surgery, tmp_path / "made", tmp_path)
    assert same_weights(read_candidate(tmp_path / "made").module, made.module)


def test_a_network_of_your_own_is_compensated_too() -> None:
    """Filters that several modules read: a residual stream, and features after a flatten."""
    from tests.unit.compress.conftest import Rows
    from torch import nn

    from prunegate.compress.execute import compress
    from prunegate.models.cnn import adopt

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 6, 3, padding="same")
            self.second = nn.Conv2d(6, 6, 3, padding=1, padding_mode="reflect")
            self.last = nn.Linear(6 * 16, 2)

        def forward(self, x: Any) -> Any:
            x = self.first(x).relu()
            x = (x + self.second(x)).relu()
            return self.last(nn.functional.avg_pool2d(x, 4).flatten(1))

    torch.manual_seed(0)
    baseline = adopt(Network(), torch.zeros(1, 3, 16, 16))
    rows = Rows(
        inputs=torch.randn(64, 3, 16, 16, generator=torch.Generator().manual_seed(1)),
        labels=torch.arange(64) % 2,
    )
    with torch.no_grad():
        expected = baseline.module(pixel_values=rows.inputs).logits
    errors = {}
    for how in ("none", "ridge"):
        step = {"what": "filters", "criterion": "magnitude", "amount": 0.5, "compensate": how}
        made = compress(baseline, [prepared(rows, prune=step)])
        with torch.no_grad():
            errors[how] = float((made.module(pixel_values=rows.inputs).logits - expected).norm())
    assert errors["ridge"] < 0.7 * errors["none"]


@pytest.mark.parametrize("what", ["weights", "2:4", "layers"])
def test_where_nothing_can_be_fitted_it_is_refused(what: str) -> None:
    amount = {} if what == "2:4" else {"amount": 0.5}
    with pytest.raises(ValidationError, match=f"remove it from 'what: {what}'"):
        Prune.model_validate({"what": what, "compensate": "ridge", **amount})


def test_rewinding_would_undo_it() -> None:
    with pytest.raises(ValidationError, match="would undo 'compensate'"):
        Prune.model_validate({**RIDGE_HEADS, "rewind": "initial"})


def test_zeros_would_be_filled(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress

    rows, zeroing = make_rows(8), {"what": "weights", "criterion": "magnitude", "amount": 0.5}
    ridged = prepared(rows, prune=RIDGE_HEADS)
    with pytest.raises(ModelError, match="step 2: compensation would fill the zeros of step 1"):
        compress(make_model(), [prepared(prune=zeroing), ridged])
    sparse = compress(make_model(), [prepared(prune=zeroing)])
    baseline = replace(make_model(), module=sparse.module, surgery=sparse.surgery)
    with pytest.raises(ModelError, match="would fill the zeros that are in the weights"):
        compress(baseline, [ridged])


def test_without_rows_it_is_refused(make_model: Make) -> None:
    from prunegate.compress.execute import compress

    with pytest.raises(TableError, match="rows"):
        compress(make_model(), [prepared(prune=RIDGE_HEADS)])
