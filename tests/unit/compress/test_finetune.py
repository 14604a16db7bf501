"""Fine-tuning: it learns, it repeats, it refuses to diverge."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from prunegate.errors import ModelError, TableError
from prunegate.policy.steps import Finetune

pytestmark = pytest.mark.models

Make = Callable[..., Any]


def weights(module: Any) -> bytes:
    from prunegate.models.weights import write_weights

    return write_weights(module)


@pytest.mark.slow
def test_the_loss_goes_down_and_the_mode_comes_back(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.finetune import finetune

    model = make_model()
    losses = finetune(
        model.module, make_rows(), Finetune(steps=60, learning_rate=1e-2, batch_size=10)
    )
    assert len(losses) == 60
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) / 2
    assert not model.module.training
    assert all(parameter.grad is None for parameter in model.module.parameters())


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_even_with_dropout(
    make_model: Make, make_rows: Make
) -> None:
    from prunegate.compress.finetune import finetune

    def trained(seed: int) -> bytes:
        module = make_model(hidden_dropout_prob=0.2).module
        finetune(
            module, make_rows(), Finetune(learning_rate=1e-3, steps=6, batch_size=8), seed=seed
        )
        return weights(module)

    torch.manual_seed(1)
    first = trained(5)
    torch.manual_seed(2)
    assert trained(5) == first
    assert trained(6) != first


def test_the_callers_random_numbers_are_left_alone(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.finetune import finetune

    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    module = make_model(hidden_dropout_prob=0.2).module
    finetune(module, make_rows(), Finetune(learning_rate=1e-3, steps=2))
    assert torch.equal(torch.rand(3), expected)


def test_every_row_is_seen_once_per_epoch(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.finetune import finetune

    rows = make_rows(25)
    seen: list[int] = []
    orders: list[list[int]] = []

    class Watched:
        def __len__(self) -> int:
            return len(rows)

        def batch(self, chosen: np.ndarray) -> Any:
            seen.extend(chosen.tolist())
            return rows.batch(chosen)

    finetune(make_model().module, Watched(), Finetune(learning_rate=1e-3, epochs=2, batch_size=10))
    orders = [seen[:25], seen[25:]]
    assert [sorted(order) for order in orders] == [list(range(25))] * 2
    assert orders[0] != orders[1]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [({"epochs": 2}, 8), ({"epochs": 0.5}, 2), ({"epochs": 0.01}, 1), ({"steps": 7}, 7)],
)
def test_epochs_and_steps(schedule: dict[str, Any], expected: int) -> None:
    from prunegate.compress.finetune import total_steps

    assert total_steps(Finetune(**schedule, batch_size=8), 25) == expected


def test_flips_mirror_some_images_and_none_when_off(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.finetune import finetune

    rows, model = make_rows(16), make_model()
    fed: list[Any] = []
    hook = model.module.register_forward_pre_hook(
        lambda _module, _args, named: fed.append(named["pixel_values"]), with_kwargs=True
    )
    finetune(
        model.module, rows, Finetune(learning_rate=1e-3, steps=1, batch_size=16, flips=True), seed=0
    )
    finetune(
        model.module,
        rows,
        Finetune(learning_rate=1e-3, steps=1, batch_size=16, flips=False),
        seed=0,
    )
    hook.remove()
    mirrored = [
        sum(any(torch.equal(image, one) for one in variant) for image in fed[index])
        for index, variant in ((0, rows.inputs.flip(-1)), (0, rows.inputs), (1, rows.inputs))
    ]
    assert mirrored[0] + mirrored[1] == 16
    assert 0 < mirrored[0] < 16
    assert mirrored[2] == 16


def test_the_learning_rate_rises_then_falls_to_nearly_nothing() -> None:
    from prunegate.compress.finetune import _factor

    rates = [_factor(step, 100, 0.1) for step in range(100)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert max(rates) == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 1e-3
    assert _factor(0, 1, 0.05) == 1.0


def test_divergence_is_refused(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.finetune import finetune

    rows = make_rows(8)
    broken = type(rows)(inputs=rows.inputs * math.inf, labels=rows.labels)
    with pytest.raises(ModelError, match="loss is not finite"):
        finetune(make_model().module, broken, Finetune(learning_rate=1e-3, steps=2))
    last_step = Finetune(steps=1, learning_rate=1e30, weight_decay=1e12)
    with pytest.raises(ModelError, match="made weights infinite or NaN"):
        finetune(make_model().module, rows, last_step)


def test_a_rate_past_float32_is_refused(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.finetune import finetune

    with pytest.raises(ModelError, match="learning_rate out of range"):
        finetune(make_model().module, make_rows(4), Finetune(steps=1, learning_rate=1e38))


def test_no_rows_are_refused(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.finetune import finetune

    with pytest.raises(TableError, match="no rows"):
        finetune(make_model().module, make_rows(0), Finetune(steps=1))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"steps": 1, "epochs": 1},
        {"steps": 0},
        {"steps": -1},
        {"epochs": math.nan},
        {"epochs": math.inf},
        {"steps": 1, "learning_rate": math.nan},
        {"steps": 1, "learning_rate": 0.0},
        {"steps": 1, "batch_size": 0},
        {"steps": 1, "weight_decay": -1.0},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Finetune(**wrong)
