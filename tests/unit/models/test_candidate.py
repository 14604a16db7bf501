"""Candidates in Python: load, train, save, reload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import prunegate
from prunegate.errors import ModelError

pytestmark = pytest.mark.models

MakeCandidate = Callable[[], tuple[Path, Any]]


def train(module: Any) -> None:
    module.train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-2)
    for _ in range(3):
        logits = module(torch.randn(4, 3, 16, 16)).logits
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 0, 1])).backward()
        optimizer.step()
    module.eval()


def test_a_candidate_trains_saves_and_reloads(
    make_candidate: MakeCandidate, tmp_path: Path
) -> None:
    folder, original = make_candidate()
    module: Any = prunegate.load_candidate(folder)
    assert isinstance(module, torch.nn.Module)
    state = original.state_dict()
    assert all(torch.equal(state[name], now) for name, now in module.state_dict().items())
    train(module)
    prunegate.save_candidate(module, tmp_path / "trained")
    again: Any = prunegate.load_candidate(str(tmp_path / "trained"))
    inputs = torch.randn(2, 3, 16, 16)
    with torch.inference_mode():
        assert torch.equal(again(inputs).logits, module(inputs).logits)
        assert not torch.equal(again(inputs).logits, original(inputs).logits)
    recipe = again.prunegate.surgery.recipe
    assert recipe[-1] == {"step": "trained outside prunegate"}
    assert recipe[:-1] == module.prunegate.surgery.recipe
    assert (tmp_path / "trained/preprocessor_config.json").exists()


def test_an_untouched_candidate_saves_the_same_manifest(
    make_candidate: MakeCandidate, tmp_path: Path
) -> None:
    folder, _ = make_candidate()
    prunegate.save_candidate(prunegate.load_candidate(folder), tmp_path / "copy")
    for path in folder.iterdir():
        assert (tmp_path / "copy" / path.name).read_bytes() == path.read_bytes()


def test_a_model_card_tells_how_to_load_it(make_candidate: MakeCandidate) -> None:
    folder, _ = make_candidate()
    card = (folder / "README.md").read_text()
    assert "prunegate.load_candidate(folder)" in card
    assert "- 3 heads" in card
    assert "- 13 neurons" in card
    assert "rows: 0" not in card
    assert "step: prune, what: heads, removed: 3" in card


def test_what_cannot_be_saved_is_refused(make_candidate: MakeCandidate, tmp_path: Path) -> None:
    folder, original = make_candidate()
    with pytest.raises(ModelError, match=r"only a module that prunegate\.load_candidate"):
        prunegate.save_candidate(original, tmp_path / "a")
    module: Any = prunegate.load_candidate(folder)
    with pytest.raises(ModelError, match="not an empty folder"):
        prunegate.save_candidate(module, folder)
    with pytest.raises(ModelError, match=r"float16; only float32 .*model\.float\(\)"):
        prunegate.save_candidate(module.half(), tmp_path / "b")
    module.float()
    with torch.no_grad():
        module.classifier.bias[0] = float("nan")
    with pytest.raises(ModelError, match=r"NaN or infinite weights in classifier\.bias"):
        prunegate.save_candidate(module, tmp_path / "b")
    module.classifier = torch.nn.Linear(12, 5)
    with pytest.raises(ModelError, match="change shapes with 'prunegate compress' only"):
        prunegate.save_candidate(module, tmp_path / "c")
    assert not {path.name for path in tmp_path.iterdir()} & {"a", "b", "c"}


def test_a_baseline_is_no_candidate(baseline_folder: Path) -> None:
    with pytest.raises(ModelError, match=r"surgery\.json is missing"):
        prunegate.load_candidate(baseline_folder)
