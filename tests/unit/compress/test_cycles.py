"""Cycles, rewinding and checkpoints: the same plan on other weights, the same bits after a stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.unit.compress.prepared import amount_of, prepared, unvalidated

from prunegate.compress.steps import Stage
from prunegate.errors import ModelError

pytestmark = pytest.mark.models

Make = Callable[..., Any]


def prune_step(what: str = "heads", cycles: int = 1, rewind: Any = None, **amount: Any) -> Any:
    scope = amount.pop("scope", "global")
    return magnitude_step(what, cycles, rewind, amount, scope=scope)


def thin_step(cycles: int = 1, rewind: Any = None, **amount: Any) -> Any:
    return magnitude_step("weights", cycles, rewind, amount)


def magnitude_step(what: str, cycles: int, rewind: Any, amount: Any, **more: Any) -> Any:
    """A prune step; ``rewind`` is when to go back to and the weights of then."""
    when, weights = rewind or ("none", None)
    prune = {"what": what, "criterion": "magnitude", "amount": amount_of(amount), **more}
    return prepared(rewind_to=weights, prune={**prune, "cycles": cycles, "rewind": when})


def tune_step(data: Any, steps: int = 2, rate: float = 1e-3) -> Any:
    return prepared(data, finetune={"steps": steps, "batch_size": 8, "learning_rate": rate})


def same(one: Any, other: Any) -> bool:
    left, right = one.state_dict(), other.state_dict()
    return list(left) == list(right) and all(torch.equal(left[n], right[n]) for n in left)


def test_cycles_are_the_same_as_the_steps_written_out(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress

    rows, tune = make_rows(16), tune_step(make_rows(16))
    model = make_model(num_attention_heads=6)
    cycled = compress(model, [prune_step(cycles=3, keep=5), tune], seed=4)
    written = [prune_step(keep=10), tune, prune_step(keep=8), tune, prune_step(keep=5), tune]
    assert same(cycled.module, compress(model, written, seed=4).module)
    removed = [step["removed"] for step in cycled.surgery.recipe if step["step"] == "prune"]
    assert removed == [2, 2, 3]
    assert [step.get("cycle") for step in cycled.surgery.recipe[::2]] == [1, 2, 3]
    assert len(cycled.losses) == 3
    assert len(rows) == 16


def test_cycles_reach_the_amount_in_each_layer(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress

    steps = [prune_step(cycles=2, fraction=0.5, scope="per_layer"), tune_step(make_rows(8))]
    found = compress(make_model(num_attention_heads=6), steps)
    assert found.kept.counts("heads") == (3, 3)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([prune_step(cycles=2, keep=4)], "need a fine-tuning right after"),
        ([prune_step(cycles=5, keep=4), "tune"], "2 units go in all, so 5 cycles"),
        (
            [unvalidated(prune_step(share_below=0.1), cycles=2), "tune"],
            "share_below cannot be spread",
        ),
        ([prune_step(cycles=2, keep=1), "tune"], "at most 4 can"),
    ],
)
def test_cycles_that_cannot_be_are_refused(
    steps: list[Any], message: str, make_model: Make, make_rows: Make
) -> None:
    from prunegate.compress.execute import compress

    tune = tune_step(make_rows(8))
    with pytest.raises(ModelError, match=message):
        compress(make_model(), [tune if step == "tune" else step for step in steps])


def test_rewinding_replays_the_plan_on_the_initial_weights(
    make_model: Make, make_rows: Make
) -> None:
    """After training with a learning rate of nothing, the candidate IS the cut initial model."""
    from prunegate.compress.execute import compress
    from prunegate.models.cut import cut_whole

    trained, initial = make_model(seed=1), make_model(seed=2)
    still = tune_step(make_rows(8), steps=1, rate=1e-30)
    rewind = ("initial", initial)
    steps = [prune_step("neurons", cycles=2, rewind=rewind, keep=9), still]
    made = compress(trained, steps)
    cut_whole(trained.family, initial.module, made.kept)
    assert same(made.module, initial.module)
    assert [step["rewind"] for step in made.surgery.recipe[::2]] == ["initial", "initial"]
    plan = compress(trained, [prune_step("neurons", keep=14), still]).kept
    first = {u for row in made.kept.of("neurons") for u in row}
    assert first <= {u for row in plan.of("neurons") for u in row}


def test_rewound_weights_keep_their_zeros(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress
    from prunegate.compress.steps import without_pruning
    from prunegate.models.sparse import masks, prunable

    trained, initial = make_model(seed=1), make_model(seed=2)
    rewind = ("early", initial)
    steps = [thin_step(cycles=2, rewind=rewind, fraction=0.8), tune_step(make_rows(8))]
    made = compress(trained, steps)
    weights = prunable(made.module, trained.family)
    total = sum(weight.numel() for weight in weights.values())
    assert made.surgery.zeros == round(0.8 * total)
    assert made.surgery.zeros == sum(int((weight == 0).sum()) for weight in weights.values())
    assert made.surgery.parameters == trained.parameters
    before = prunable(initial.module, trained.family)
    for name, mask in masks(made.module, trained.family).items():
        assert not torch.equal(weights[name][mask], before[name][mask])
        torch.testing.assert_close(weights[name][mask], before[name][mask], atol=0.02, rtol=0)
    assert without_pruning(steps) == ()


def test_weights_of_another_model_cannot_be_rewound_to(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress

    other = ("initial", make_model(intermediate_size=9))
    steps = [prune_step(rewind=other, keep=4), tune_step(make_rows(8))]
    with pytest.raises(ModelError, match="weights of the same shapes"):
        compress(make_model(), steps)


class StopError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("stop", range(1, 6))
def test_a_killed_work_goes_on_to_the_same_bits(
    stop: int, make_model: Make, make_rows: Make, tmp_path: Path
) -> None:
    from prunegate.compress.execute import compress

    model, rows = make_model(num_attention_heads=6), make_rows(16)
    steps = [
        thin_step(fraction=0.3),
        prune_step(cycles=2, keep=6),
        tune_step(rows),
        prune_step("layers", keep=1),
        tune_step(rows),
    ]
    whole = compress(model, steps, seed=8)
    told: list[Stage] = []

    def until(stage: Stage, _done: int, _total: int) -> None:
        if stage not in told:
            told.append(stage)
        if len(told) > stop:
            raise StopError

    watched = [_by_data(one, rows) for one in steps]
    expected = compress(model, watched, seed=8)
    with pytest.raises(StopError):
        compress(model, watched, seed=8, checkpoints=tmp_path / "work", progress=until)
    again: list[Stage] = []
    resumed = compress(
        model,
        watched,
        seed=8,
        checkpoints=tmp_path / "work",
        progress=lambda stage, *_: again.append(stage),
    )
    assert resumed.surgery == expected.surgery
    assert resumed.losses == expected.losses
    assert same(resumed.module, expected.module)
    assert told[0] not in again, "the first operation is not done twice"
    assert whole.kept.kinds == resumed.kept.kinds


def _by_data(one: Any, rows: Any) -> Any:
    """The same step, ranked with data, so that it tells its progress."""
    if one.step.prune is None:
        return one
    return replace(unvalidated(one, criterion="taylor"), data=rows)


@pytest.mark.slow
def test_a_damaged_checkpoint_starts_anew(
    make_model: Make, make_rows: Make, tmp_path: Path
) -> None:
    from prunegate.compress.checkpoint import STATE_FILE
    from prunegate.compress.execute import compress

    model = make_model()
    steps = [prune_step(keep=4), tune_step(make_rows(8))]
    expected = compress(model, steps, checkpoints=tmp_path)
    raw = (tmp_path / STATE_FILE).read_bytes()
    changed = raw.replace(b'"done": 1', b'"done": 2')
    assert changed != raw
    for damaged in (b"", raw[:-7], raw[:20], b"{}\n" + raw, b"\xff" * 40, changed):
        (tmp_path / STATE_FILE).write_bytes(damaged)
        assert compress(model, steps, checkpoints=tmp_path).surgery == expected.surgery


def test_the_same_work_is_done_once_at_a_time(tmp_path: Path) -> None:
    from prunegate.compress.checkpoint import kept_until_done

    with kept_until_done(tmp_path / "work", {"seed": 1}) as place:
        with kept_until_done(tmp_path / "work", {"seed": 2}) as other:
            assert other != place
        with (
            pytest.raises(ModelError, match="same work is being done there"),
            kept_until_done(tmp_path / "work", {"seed": 1}),
        ):
            pass
        assert place is not None
        assert place.is_dir()
    assert not (tmp_path / "work").exists()


def test_an_interrupt_before_anything_was_done_leaves_nothing(tmp_path: Path) -> None:
    from prunegate.compress.checkpoint import kept_until_done

    with (
        pytest.raises(KeyboardInterrupt),
        kept_until_done(tmp_path / "work", {"seed": 1}),
    ):
        raise KeyboardInterrupt
    assert not (tmp_path / "work").exists()
