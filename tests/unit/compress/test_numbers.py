"""Models that answer with a number: squared errors, ranked, fitted and taught by them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from prunegate.errors import ModelError, TableError
from prunegate.policy.steps import Finetune, Prune

torch = pytest.importorskip("torch")

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., Any]

pytestmark = [pytest.mark.models, pytest.mark.slow]

TAUGHT = {
    "steps": 20,
    "batch_size": 8,
    "learning_rate": 3e-3,
    "flips": False,
    "teacher": "baseline",
}
ONE = {"num_labels": 1, "problem_type": "regression"}


def numbered(rows: Any, seed: int = 0) -> Any:
    """The same rows with numbers to learn."""
    generator = torch.Generator().manual_seed(seed)
    return replace(rows, labels=torch.randn(len(rows), generator=generator) * 3 + rows.labels)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 7.0])
def test_the_loss_is_the_squared_error_and_distance_by_definition(
    weight: float, temperature: float
) -> None:
    """scikit-learn's mean squared error; a temperature changes nothing of a number."""
    from sklearn.metrics import mean_squared_error

    from prunegate.compress.distillation import distillation_loss
    from prunegate.models.batch import Batch

    rng = np.random.default_rng(0)
    found, wanted, labels = rng.normal(0, 30, (3, 9))

    class Fixed(torch.nn.Module):
        def __init__(self, numbers: np.ndarray) -> None:
            super().__init__()
            self.logits = torch.nn.Parameter(torch.from_numpy(numbers)[:, None])

        def forward(self) -> Any:
            return self

    student = Fixed(found)
    batch = Batch(inputs={}, labels=torch.from_numpy(labels))
    loss = distillation_loss(student, Fixed(wanted), batch, weight=weight, temperature=temperature)
    hard, soft = mean_squared_error(labels, found), mean_squared_error(wanted, found)
    assert float(loss.detach()) == pytest.approx((1 - weight) * hard + weight * soft, rel=1e-9)
    gradient = torch.autograd.grad(loss, student.logits)[0][:, 0].numpy()
    by_hand = 2 * ((1 - weight) * (found - labels) + weight * (found - wanted)) / 9
    assert gradient == pytest.approx(by_hand, rel=1e-9)


def test_heads_are_ranked_by_the_gradient_of_each_row(make_model: Make, make_rows: Make) -> None:
    """Of one row: 2 (number - label) d number / d gate, its absolute value in the mean."""
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.scoring.by_criterion import rank
    from prunegate.models.gates import gated

    model, rows = make_model(**ONE), numbered(make_rows(12))
    ranked = RankingInput(family=model.family, module=model.module, data=rows, batch_size=5)
    found = rank("taylor", ranked, "neurons")
    site = model.family.sites(model.module, "neurons")[0]
    total = np.zeros(site.units)
    for place in range(len(rows)):
        batch, gate = rows.batch(np.array([place])), torch.ones(1, site.units, requires_grad=True)
        with gated([site], [gate]):
            number = model.module(**batch.inputs).logits[0, 0]
        moved = torch.autograd.grad(number, gate)[0][0].double().numpy()
        total += np.abs(2 * (float(number.detach()) - float(batch.labels[0])) * moved)
    assert found[0] == pytest.approx(total / len(rows), rel=1e-4)


def test_with_a_teacher_the_loss_and_the_distance_fall(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.finetune import finetune
    from prunegate.compress.quality import quality_values, step_quality

    model, teacher, plain = make_model(**ONE), make_model(1, **ONE), make_rows(24)
    with torch.no_grad():
        wanted = teacher.module(**plain.batch(np.arange(24)).inputs).logits[:, 0]
    rows = replace(plain, labels=wanted + 0.1)
    before = step_quality(model.module, rows, "cpu", teacher.module)
    finetune(model.module, rows, Finetune.model_validate(TAUGHT), teacher=teacher.module)
    after = step_quality(model.module, rows, "cpu", teacher.module)
    assert after.loss < before.loss
    assert (before.divergence or 0) > (after.divergence or 0) > 0
    told = quality_values({"before": before, "after": after})
    assert set(told) == {
        "measured_rows", "loss_before", "loss_after", "distance_before", "distance_after"
    }  # fmt: skip
    itself = step_quality(teacher.module, rows, "cpu", teacher.module)
    assert itself.divergence == 0
    assert itself.loss == pytest.approx(0.01, rel=1e-3)


def test_units_go_by_a_budget_with_a_fit_and_the_cut_answers_as_the_gates(
    make_model: Make, make_rows: Make
) -> None:
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.structured import prune
    from prunegate.models.gates import gated

    model, rows = make_model(**ONE), numbered(make_rows(16))
    inputs = rows.batch(np.arange(16)).inputs
    ranked = RankingInput(family=model.family, module=model.module, data=rows)
    step = Prune.model_validate({"what": "neurons", "amount": 0.4, "scope": "budget"})
    sites = model.family.sites(model.module, "neurons")
    whole = [site.units for site in sites]
    with torch.no_grad():
        removal = prune(ranked, model.kept, step)
        kept = [removal.kept.of("neurons")[row] for row in range(len(whole))]
        cut = model.module(**inputs).logits
    other = make_model(**ONE)
    gates = [torch.zeros(16, units) for units in whole]
    for gate, units in zip(gates, kept, strict=True):
        gate[:, list(units)] = 1
    with torch.no_grad(), gated(other.family.sites(other.module, "neurons"), gates):
        gated_numbers = other.module(**inputs).logits
    assert sum(map(len, kept)) < sum(whole)
    assert torch.allclose(cut, gated_numbers, atol=1e-5)


def test_a_number_that_is_none_and_answers_of_several_are_refused(make_model: Make) -> None:
    from prunegate.compress.loss import loss_of

    labels = torch.tensor([1.0, float("nan")])
    with pytest.raises(TableError, match="without a number to learn"):
        loss_of(torch.zeros(2, 1), labels, "mean")
    for shape in ((2, 3), (2,)):
        with pytest.raises(TableError, match="one number each"):
            loss_of(torch.zeros(shape), torch.ones(2), "mean")
    with pytest.raises(ModelError, match="not finite"):
        loss_of(torch.full((2, 1), 1e30), torch.ones(2), "mean")
    assert make_model(**ONE).config["num_labels"] == 1
