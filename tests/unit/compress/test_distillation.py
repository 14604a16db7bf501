"""A teacher: the loss by hand, what it changes, what it leaves as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.special import log_softmax, softmax
from tests.unit.compress.prepared import prepared
from tests.unit.models.tiny import rows_of, same_weights, tiny
from torch.nn import functional

from prunegate.errors import ModelError, TableError
from prunegate.policy.steps import Finetune

pytestmark = pytest.mark.models

Make = Callable[..., Any]
TAUGHT = {"steps": 12, "learning_rate": 5e-3, "batch_size": 16, "flips": False}


def by_hand(logits: Any, wanted: Any, labels: Any, weight: float, temperature: float) -> float:
    """The formula in scipy's words, over answers side by side."""
    student, teacher = logits.double().numpy(), wanted.double().numpy()
    hard = -log_softmax(student, axis=-1)[np.arange(len(labels)), labels].mean()
    soft = softmax(teacher / temperature, axis=-1) * (
        log_softmax(teacher / temperature, axis=-1) - log_softmax(student / temperature, axis=-1)
    )
    return float((1 - weight) * hard + weight * temperature**2 * soft.sum(-1).mean())


@pytest.mark.parametrize("name", ["vit", "gpt2"])
def test_the_loss_is_that_of_the_formula(name: str) -> None:
    from prunegate.compress.distillation import distillation_loss
    from prunegate.models.batch import NOT_COUNTED

    student, teacher = tiny(name, 1), tiny(name, 2)
    batch = rows_of(student, 5).batch(np.arange(5))
    found = distillation_loss(student.module, teacher.module, batch, weight=0.7, temperature=3)
    with torch.no_grad():
        logits, wanted = (one.module(**batch.inputs).logits for one in (student, teacher))
    labels = batch.labels
    if name == "gpt2":
        counted = labels[:, 1:] != NOT_COUNTED
        logits, wanted = logits[:, :-1][counted], wanted[:, :-1][counted]
        labels = labels[:, 1:][counted]
    assert float(found.detach()) == pytest.approx(by_hand(logits, wanted, labels, 0.7, 3), rel=1e-5)
    assert all(weight.grad is None for weight in teacher.module.parameters())
    torch.autograd.backward(found)
    assert all(weight.grad is None for weight in teacher.module.parameters())


@pytest.mark.parametrize("name", ["vit", "swin", "bert", "modernbert", "gpt2"])
def test_the_student_comes_nearer_to_its_teacher(name: str) -> None:
    from prunegate.compress.finetune import finetune
    from prunegate.compress.quality import step_quality

    student, teacher = tiny(name, 1), tiny(name, 2)
    rows = rows_of(student, 16)
    apart = [step_quality(student.module, rows, "cpu", teacher.module).divergence]
    before = {key: value.clone() for key, value in teacher.module.state_dict().items()}
    alone = {"teacher": "baseline", "weight": 1.0}
    schedule = Finetune.model_validate({**TAUGHT, "steps": 30, **alone})
    losses = finetune(student.module, rows, schedule, teacher=teacher.module)
    apart.append(step_quality(student.module, rows, "cpu", teacher.module).divergence)
    assert losses[-1] < 0.5 * losses[0]
    assert apart[1] < 0.5 * apart[0]
    assert all(torch.equal(before[key], now) for key, now in teacher.module.state_dict().items())
    assert not teacher.module.training


def test_a_model_is_at_no_distance_from_itself() -> None:
    from prunegate.compress.quality import step_quality

    model = tiny("gpt2")
    found = step_quality(model.module, rows_of(model, 5), "cpu", model.module)
    assert found.divergence == pytest.approx(0, abs=1e-6)
    assert found.accuracy is None


def test_no_weight_is_plain_fine_tuning_to_the_bit(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress

    rows = make_rows(20)
    made = [
        compress(make_model(hidden_dropout_prob=0.2), [prepared(rows, finetune=step)], seed=5)
        for step in (TAUGHT, {**TAUGHT, "teacher": "baseline", "weight": 0.0})
    ]
    assert same_weights(made[0].module, made[1].module)
    assert made[0].losses == made[1].losses
    assert "loss_before" not in made[1].surgery.recipe[0]


def test_the_unpruned_control_has_the_same_teacher(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress
    from prunegate.compress.steps import without_pruning

    baseline, rows = make_model(), make_rows(20)
    steps = [
        prepared(prune={"what": "neurons", "criterion": "random", "amount": 0.8}),
        prepared(rows, finetune={**TAUGHT, "teacher": "baseline"}),
    ]
    control = compress(baseline, without_pruning(steps), seed=1)
    (recorded,) = control.surgery.recipe
    assert (recorded["teacher"], recorded["divergence_before"]) == ("baseline", 0.0)
    plain = compress(baseline, [prepared(rows, finetune=TAUGHT)], seed=1)
    assert not same_weights(control.module, plain.module)
    made = compress(baseline, steps, seed=1).surgery.recipe[1]
    assert made["measured_rows"] == 20


def test_a_teacher_that_is_missing_is_refused(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.finetune import finetune

    schedule = Finetune.model_validate({**TAUGHT, "teacher": "baseline"})
    with pytest.raises(ModelError, match="has a teacher"):
        finetune(make_model().module, make_rows(4), schedule)


def test_several_labels_are_a_yes_or_no_each() -> None:
    """scikit-learn's log loss and scipy's entropy, label by label; summed and in the mean."""
    from scipy.special import expit, rel_entr
    from sklearn.metrics import log_loss

    from prunegate.compress.distillation import divergence
    from prunegate.compress.loss import loss_of

    rng = np.random.default_rng(0)
    logits, wanted = rng.normal(0, 3, (2, 7, 4))
    labels = rng.integers(0, 2, (7, 4)).astype(np.float32)
    given = [torch.from_numpy(one) for one in (logits, wanted, labels)]
    hard = [log_loss(labels[:, k], expit(logits[:, k]), labels=[0, 1]) for k in range(4)]
    p, q = expit(wanted / 2), expit(logits / 2)
    soft = (rel_entr(p, q) + rel_entr(1 - p, 1 - q)).mean(axis=1)
    found = loss_of(given[0], given[2].double(), "mean")
    assert float(found) == pytest.approx(np.mean(hard), rel=1e-9)
    assert float(loss_of(given[0], given[2].double(), "sum")) == pytest.approx(7 * np.mean(hard))
    apart = divergence(*given, temperature=2.0)
    assert float(apart) == pytest.approx(soft.mean(), rel=1e-9)
    assert float(divergence(*given, temperature=2.0, reduction="sum")) == pytest.approx(soft.sum())
    for wrong in (labels + 0.5, labels[:, :3]):
        with pytest.raises(TableError, match="1 or 0 for each of the model's 4 labels"):
            loss_of(given[0], torch.from_numpy(wrong), "mean")


def test_with_several_labels_heads_are_ranked_and_the_loss_falls(
    make_model: Make, make_rows: Make
) -> None:
    """Taylor's gradients of one row at a time, by hand; training on the labels and a teacher."""
    from prunegate.compress.finetune import finetune
    from prunegate.compress.quality import step_quality
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.scoring.by_criterion import rank
    from prunegate.models.gates import gated

    plain, model, teacher = make_rows(24), make_model(), make_model(1)
    rows = replace(plain, labels=torch.stack([plain.labels, torch.ones(24)], dim=1).float())
    ranked = RankingInput(family=model.family, module=model.module, data=rows, batch_size=7)
    found = rank("taylor", ranked, "neurons")
    site = model.family.sites(model.module, "neurons")[0]
    total = np.zeros(site.units)
    for place in range(len(rows)):
        batch, gate = rows.batch(np.array([place])), torch.ones(1, site.units, requires_grad=True)
        with gated([site], [gate]):
            logits = model.module(**batch.inputs).logits
            loss = functional.binary_cross_entropy_with_logits(logits, batch.labels)
            total += torch.autograd.grad(loss, gate)[0][0].abs().double().numpy()
    assert found[0] == pytest.approx(total / len(rows), rel=1e-4)
    before = step_quality(model.module, rows, "cpu", teacher.module)
    schedule = Finetune.model_validate({**TAUGHT, "teacher": "baseline", "weight": 0.2})
    finetune(model.module, rows, schedule, teacher=teacher.module)
    after = step_quality(model.module, rows, "cpu", teacher.module)
    assert after.loss < before.loss
    assert (before.accuracy, after.rows) == (None, 24)
    assert after.divergence is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight": 0.5},
        {"temperature": 2.0},
        {"teacher": "candidate"},
        {"teacher": "baseline", "weight": 1.1},
        {"teacher": "baseline", "temperature": 0.0},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Finetune.model_validate({"steps": 1, **wrong})
