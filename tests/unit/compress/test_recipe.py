"""Recipes: steps compose, the record is true, the control removes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.unit.compress.prepared import amount_of, prepared, unvalidated

from prunegate.compress.steps import Stage
from prunegate.errors import ModelError, TableError, UnsupportedError

pytestmark = pytest.mark.models

Make = Callable[..., Any]


def prune_step(what: str = "heads", data: Any = None, **amount: Any) -> Any:
    criterion = amount.pop("criterion", "magnitude" if data is None else "taylor")
    return prepared(data, prune={"what": what, "criterion": criterion, "amount": amount_of(amount)})


def tune_step(data: Any, **schedule: Any) -> Any:
    settings = {"steps": 3, "batch_size": 8, "learning_rate": 1e-3, **schedule}
    return prepared(data, finetune=settings)


def test_a_recipe_of_all_kinds(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress

    baseline, rows = make_model(), make_rows(20)
    before = {name: tensor.clone() for name, tensor in baseline.module.state_dict().items()}
    seen: list[tuple[Stage, int, int]] = []
    candidate = compress(
        baseline,
        [
            prune_step("heads", rows, fraction=1 / 3),
            prune_step("neurons", rows, fraction=0.25),
            tune_step(rows),
        ],
        seed=3,
        progress=lambda *stage: seen.append(stage),
    )
    assert candidate.kept.active_heads == 4
    assert sum(candidate.kept.counts("neurons")) == 15
    counted = sum(parameter.numel() for parameter in candidate.module.parameters())
    assert candidate.surgery.parameters == counted < baseline.parameters
    assert [len(losses) for losses in candidate.losses] == [3]
    assert [step["step"] for step in candidate.surgery.recipe] == ["prune", "prune", "finetune"]
    assert candidate.surgery.recipe[0]["removed"] == 2
    assert candidate.surgery.recipe[0]["fraction"] == 1 / 3
    assert candidate.surgery.recipe[2]["data"] == "train"
    assert candidate.surgery.recipe[2]["rows"] == 20
    assert seen[0] == (Stage(place="step 1 of 3", verb="rank heads", of_units=True), 20, 20)
    assert seen[-1] == (Stage(place="step 3 of 3", verb="fine-tune", of_units=False), 3, 3)
    assert all(torch.equal(before[name], now) for name, now in baseline.module.state_dict().items())


def test_the_recorded_indices_are_original_over_several_cycles(
    make_model: Make, make_rows: Make
) -> None:
    """Replaying the record on the baseline gives the model that the cycles gave."""
    from prunegate.compress.execute import compress
    from prunegate.models.cut import cut_whole

    baseline, rows = make_model(num_attention_heads=6), make_rows(16)
    steps = [
        prune_step("heads", rows, fraction=0.3),
        prune_step("neurons", fraction=0.3),
        prune_step("heads", rows, keep=4),
        prune_step("neurons", criterion="random", keep=9),
    ]
    candidate = compress(baseline, steps)
    replayed = baseline.family.skeleton(baseline.config, baseline.kept)
    replayed.load_state_dict(baseline.module.state_dict())
    cut_whole(baseline.family, replayed, candidate.kept)
    state = candidate.module.state_dict()
    assert all(torch.equal(state[name], now) for name, now in replayed.state_dict().items())


def test_compressing_a_candidate_continues_its_record(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress

    baseline, rows = make_model(num_attention_heads=6), make_rows(8)
    first = compress(baseline, [prune_step("heads", rows, keep=8)])
    loaded = replace(
        baseline, module=first.module, kept=first.kept, surgery=first.surgery, digest="c" * 64
    )
    second = compress(loaded, [prune_step("heads", rows, keep=5)])
    assert second.surgery.baseline_digest == baseline.digest
    assert [step["keep"] for step in second.surgery.recipe] == [8, 5]
    for earlier, later in zip(first.kept.of("heads"), second.kept.of("heads"), strict=True):
        assert set(later) <= set(earlier)
    ranking = second.importance("heads")
    assert ranking is not None
    for layer, kept in zip(ranking.shares, first.kept.of("heads"), strict=True):
        assert len(layer) == 6
        present = tuple(head for head, share in enumerate(layer) if share is not None)
        assert present == kept


def test_the_head_map_is_the_first_head_ranking(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.scores import shares_of_rows
    from prunegate.compress.scoring.by_criterion import rank

    baseline, rows = make_model(), make_rows(8)
    candidate = compress(
        baseline, [prune_step("neurons", fraction=0.2), prune_step("heads", rows, keep=4)]
    )
    ranking = candidate.importance("heads")
    assert ranking is not None
    assert ranking.criterion == "taylor"
    ranked = RankingInput(family=baseline.family, module=candidate.module, data=rows)
    assert len(rank("taylor", ranked, "heads")) == 2
    baseline_heads = compress(baseline, [prune_step("heads", rows, keep=4)]).importance("heads")
    expected = shares_of_rows(rank("taylor", replace(ranked, module=baseline.module), "heads"))
    assert baseline_heads is not None
    for layer, shares in zip(baseline_heads.shares, expected, strict=True):
        assert sum(value for value in layer if value is not None) == pytest.approx(1, abs=1e-5)
        assert layer == pytest.approx(tuple(shares.tolist()), rel=1e-5)
    assert compress(baseline, [prune_step("neurons", fraction=0.2)]).importance("heads") is None


def test_the_unpruned_control_is_the_same_fine_tuning(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress
    from prunegate.compress.finetune import finetune
    from prunegate.compress.steps import without_pruning
    from prunegate.compress.work import _step_seed

    baseline, rows = make_model(), make_rows(20)
    steps = [
        prune_step("heads", rows, keep=4),
        tune_step(rows),
        prune_step(keep=3),
        tune_step(rows),
    ]
    control = compress(baseline, without_pruning(steps), seed=9)
    assert control.kept == baseline.kept
    assert control.importance("heads") is None
    assert control.surgery.parameters == baseline.parameters
    alone = make_model().module
    for index, step in enumerate(steps[1::2]):
        finetune(alone, rows, step.step.finetune, seed=_step_seed(9, 1, index))
    state = alone.state_dict()
    assert all(torch.equal(state[name], now) for name, now in control.module.state_dict().items())
    assert without_pruning([prune_step(keep=3)]) == ()


def test_the_same_seed_gives_the_same_weights(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress

    rows = make_rows(20)
    steps = [prune_step("heads", criterion="random", keep=3), tune_step(rows)]
    shas = [compress(make_model(), steps, seed=seed).surgery.weights_sha256 for seed in (1, 1, 2)]
    assert shas[0] == shas[1] != shas[2]


def test_a_candidate_is_saved_and_reloads(
    make_model: Make, make_rows: Make, tmp_path: Path
) -> None:
    from prunegate.compress.execute import compress
    from prunegate.models.load import load_model
    from prunegate.models.save import write_candidate

    (tmp_path / "preprocessor_config.json").write_text("{}")
    rows = make_rows(12)
    steps = [
        prune_step("heads", rows, keep=3),
        prune_step("neurons", fraction=0.5),
        tune_step(rows),
    ]
    candidate = compress(make_model(), steps, seed=2)
    write_candidate(candidate.module, candidate.surgery, tmp_path / "out", tmp_path)
    loaded = load_model(tmp_path / "out")
    assert loaded.surgery == candidate.surgery
    assert json.loads((tmp_path / "out" / "surgery.json").read_text())["seed"] == 2
    state = loaded.module.state_dict()
    assert all(torch.equal(state[name], now) for name, now in candidate.module.state_dict().items())


@pytest.mark.slow
def test_random_pruning_keeps_the_minimum(make_model: Make) -> None:
    from prunegate.compress.execute import compress

    for seed in range(20):
        candidate = compress(
            make_model(num_hidden_layers=3), [prune_step(criterion="random", keep=3)], seed=seed
        )
        assert candidate.kept.counts("heads") == (1, 1, 1)


def test_recipes_that_cannot_be_are_refused(make_model: Make, make_rows: Make) -> None:
    from prunegate.compress.execute import compress

    baseline = make_model()
    with pytest.raises(ModelError, match="no steps"):
        compress(baseline, [])
    with pytest.raises(ModelError, match="seed"):
        compress(baseline, [prune_step(keep=3)], seed=-1)
    with pytest.raises(UnsupportedError, match="astrology"):
        compress(baseline, [unvalidated(prune_step(keep=3), criterion="astrology")])
    with pytest.raises(TableError, match="calibration data"):
        compress(baseline, [prune_step(criterion="taylor", keep=3)])
    with pytest.raises(ModelError, match="at most 4 can"):
        compress(baseline, [prune_step(keep=1)])


def test_a_missing_extra_is_known_before_any_training(
    make_model: Any, make_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from prunegate.compress.execute import compress

    def never(stage: Stage, _done: int, _total: int) -> None:
        raise AssertionError(stage.verb)

    monkeypatch.setitem(sys.modules, "onnxscript", None)
    steps = [tune_step(make_rows(4)), prepared(export="onnx")]
    with pytest.raises(UnsupportedError, match=r"pip install 'prunegate\[edge\]'"):
        compress(make_model(), steps, progress=never)
