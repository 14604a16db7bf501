"""The baseline learns, repeats itself, and loads like any Hugging Face folder."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

from prunegate.demo import baseline
from prunegate.demo.creatives import render_creatives
from prunegate.demo.workspace import FULL, SEARCH, policy_text
from prunegate.errors import InputError, InternalError

pytestmark = pytest.mark.models

SHORT = baseline.Training(epochs=6, batch=32, rate=1e-3)


@pytest.fixture(scope="module")
def few():
    return render_creatives(128, seed=3)


@pytest.fixture(scope="module")
def trained(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "baseline"
    calls = []
    result = baseline.train(
        few.pixels, few.unsafe, folder, seed=1, training=SHORT,
        progress=lambda *call: calls.append(call),
    )  # fmt: skip
    return result, calls


@pytest.mark.slow
def test_the_documented_size(trained):
    result, _ = trained
    model = AutoModelForImageClassification.from_pretrained(result.folder)
    assert result.parameters == 114_178
    assert sum(each.numel() for each in model.parameters()) == 114_178


@pytest.mark.slow
def test_training_lowers_the_loss(trained):
    result, _ = trained
    assert len(result.losses) == 6
    assert result.losses[-1] < result.losses[0] - 0.05


def test_progress_counts_every_step(trained):
    _, calls = trained
    assert calls == [("train", step, 24) for step in range(1, 25)]


def test_the_folder_is_whole_and_safe(trained):
    result, _ = trained
    assert {path.name for path in result.folder.iterdir()} == {
        "config.json", "model.safetensors", "preprocessor_config.json",
    }  # fmt: skip
    assert [path.name for path in result.folder.parent.iterdir()] == ["baseline"]
    config = json.loads((result.folder / "config.json").read_text())
    assert config["id2label"] == {"0": "safe", "1": "unsafe"}
    assert config["architectures"] == ["ViTForImageClassification"]


def test_the_saved_preprocessor_is_the_one_used_in_training(trained, few):
    result, _ = trained
    processor = AutoImageProcessor.from_pretrained(result.folder)
    images = [Image.fromarray(image) for image in few.pixels[:8]]
    inputs = processor(images=images, return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(inputs, baseline.as_input(few.pixels[:8]), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(trained, few, tmp_path):
    result, _ = trained
    torch.rand(7)  # the caller's generator must not matter
    before = torch.random.get_rng_state()
    again = baseline.train(few.pixels, few.unsafe, tmp_path / "again", seed=1, training=SHORT)
    assert again.losses == result.losses
    weights = "model.safetensors"
    assert (again.folder / weights).read_bytes() == (result.folder / weights).read_bytes()
    assert torch.equal(torch.random.get_rng_state(), before)  # and is left alone


def test_bad_input_is_refused_before_training(few, trained, tmp_path):
    result, _ = trained
    with pytest.raises(InputError, match="exists already"):
        baseline.train(few.pixels, few.unsafe, result.folder, seed=1)
    for pixels, unsafe in (
        (few.pixels[:5], few.unsafe),
        (few.pixels.astype(np.float32), few.unsafe),
        (few.pixels[:0], few.unsafe[:0]),
    ):
        with pytest.raises(InputError, match="N labels, at least one"):
            baseline.train(pixels, unsafe, tmp_path / "none", seed=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_diverged_training_saves_nothing(few, tmp_path):
    wild = baseline.Training(epochs=3, batch=64, rate=float("inf"))
    with pytest.raises(InternalError, match="diverged"):
        baseline.train(few.pixels, few.unsafe, tmp_path / "none", seed=1, training=wild)
    assert not list(tmp_path.iterdir())


def test_the_rate_rises_then_falls_to_nothing():
    rates = [baseline._rate(step, 1_000) for step in range(1_001)]
    assert max(rates) == pytest.approx(1)
    assert rates[:50] == sorted(rates[:50])
    assert rates[50:] == sorted(rates[50:], reverse=True)
    assert rates[-1] == pytest.approx(0, abs=1e-12)


def test_the_search_asks_for_no_more_heads_than_can_go() -> None:
    """One head stays in each layer."""
    shape = baseline.config()
    heads = shape.num_hidden_layers * shape.num_attention_heads
    searched = yaml.safe_load(policy_text(SEARCH, FULL))["search"]["vary"]
    assert all(one["amount"][1] * heads <= heads - shape.num_hidden_layers for one in searched)
