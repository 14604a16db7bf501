"""Loading and saving: bit-exact, trainable, and refused when anything is off."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.unit.models.stored import MakeCandidate

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.digest import tree_digest

pytestmark = pytest.mark.slow


def test_a_baseline_is_loaded_as_it_was_saved(
    baseline_folder: Path, make_vit: Callable[..., tuple[Any, dict[str, Any]]]
) -> None:
    from prunegate.models.load import load_model

    loaded = load_model(baseline_folder)
    original, config = make_vit()
    assert loaded.config == config
    assert loaded.surgery is None
    assert not loaded.module.training
    assert loaded.digest == tree_digest(baseline_folder)
    assert loaded.active_heads == 6
    assert loaded.model_bytes == (baseline_folder / "model.safetensors").stat().st_size
    assert loaded.parameters == sum(parameter.numel() for parameter in original.parameters())
    for name, tensor in original.state_dict().items():
        assert torch.equal(loaded.module.state_dict()[name], tensor), name


def test_what_save_pretrained_writes_is_loaded_whatever_names_it_stores(
    baseline_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    from prunegate.models.load import load_baseline

    loaded = load_baseline(baseline_folder)
    assert capfd.readouterr() == ("", "")
    logging.disable_progress_bar()
    loaded.module.save_pretrained(baseline_folder)
    logging.enable_progress_bar()
    again = load_baseline(baseline_folder)
    for name, tensor in loaded.module.state_dict().items():
        assert torch.equal(again.module.state_dict()[name], tensor), name


def test_a_candidate_reloads_bit_exact(make_candidate: MakeCandidate) -> None:
    from prunegate.models.load import load_model

    folder, module = make_candidate()
    loaded = load_model(folder)
    assert loaded.kept.of("heads") == ((0, 2), (1,))
    assert loaded.active_heads == 3
    assert loaded.surgery is not None
    assert loaded.parameters == loaded.surgery.parameters
    state, reloaded = module.state_dict(), loaded.module.state_dict()
    assert list(state) == list(reloaded)
    assert all(torch.equal(state[name], reloaded[name]) for name in state)
    inputs = torch.randn(4, 3, 16, 16)
    with torch.inference_mode():
        assert torch.equal(module(inputs).logits, loaded.module(inputs).logits)
    assert {path.name for path in folder.iterdir()} == {
        "model.safetensors",
        "surgery.json",
        "preprocessor_config.json",
        "README.md",
    }


def test_a_reloaded_candidate_can_be_trained(make_candidate: MakeCandidate) -> None:
    from prunegate.models.load import read_candidate

    module = read_candidate(make_candidate()[0]).module
    inputs, labels = torch.randn(8, 3, 16, 16), torch.arange(8) % 2
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-2)
    losses = []
    for _ in range(20):
        loss = module(inputs, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(parameter.grad is not None for parameter in module.parameters())
    assert losses[-1] < losses[0] / 2


def test_saving_twice_gives_the_same_bytes(make_candidate: MakeCandidate, tmp_path: Path) -> None:
    from prunegate.models.load import read_candidate
    from prunegate.models.save import write_candidate

    folder, _ = make_candidate()
    loaded = read_candidate(folder)
    assert loaded.surgery is not None
    write_candidate(loaded.module, loaded.surgery, tmp_path / "deep" / "again", folder)
    assert tree_digest(tmp_path / "deep" / "again") == loaded.digest


def test_a_folder_that_is_taken_is_left_alone(
    make_candidate: MakeCandidate, tmp_path: Path
) -> None:
    from prunegate.models.load import read_candidate
    from prunegate.models.save import write_candidate

    folder, _ = make_candidate()
    loaded = read_candidate(folder)
    assert loaded.surgery is not None
    with pytest.raises(ModelError, match="not an empty folder"):
        write_candidate(loaded.module, loaded.surgery, folder, folder)
    assert read_candidate(folder).digest == loaded.digest


def test_nothing_is_left_when_saving_fails(make_candidate: MakeCandidate, tmp_path: Path) -> None:
    from prunegate.models.load import read_candidate
    from prunegate.models.save import write_candidate

    folder, _ = make_candidate()
    loaded = read_candidate(folder)
    assert loaded.surgery is not None
    target = tmp_path / "elsewhere" / "candidate"
    with pytest.raises(ModelError, match="cannot be written"):
        write_candidate(loaded.module, loaded.surgery, target, tmp_path / "no preprocessor")
    assert not target.parent.exists()


def test_an_interrupt_half_way_leaves_nothing(
    make_candidate: MakeCandidate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prunegate.models import save
    from prunegate.models.load import read_candidate

    def interrupted(_descriptor: int) -> None:
        raise KeyboardInterrupt

    folder, _ = make_candidate()
    loaded = read_candidate(folder)
    assert loaded.surgery is not None
    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save.write_candidate(loaded.module, loaded.surgery, tmp_path / "x" / "new", folder)
    assert list((tmp_path / "x").iterdir()) == []


def test_a_model_that_changed_after_surgery_is_not_saved(
    make_candidate: MakeCandidate, tmp_path: Path
) -> None:
    from prunegate.models.load import read_candidate
    from prunegate.models.save import write_candidate

    folder, _ = make_candidate()
    loaded = read_candidate(folder)
    assert loaded.surgery is not None
    with torch.no_grad():
        loaded.module.classifier.bias += 1
    with pytest.raises(ModelError, match="changed after the surgery"):
        write_candidate(loaded.module, loaded.surgery, tmp_path / "new", folder)


def test_reading_a_manifest_needs_no_torch() -> None:
    code = (
        "import sys, prunegate.models.digest, prunegate.models.surgery_json, "
        "prunegate.pipeline.early_refusals, "
        "prunegate.models.vit_geometry, prunegate.models.kept_units; "
        "assert not {'torch', 'transformers', 'safetensors', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_device_or_mode_is_put_back(
    make_vit: Callable[..., tuple[Any, dict[str, Any]]],
) -> None:
    from prunegate.models.placement import placed

    module, _ = make_vit()
    module.train()
    module.vit.layers[0].eval()
    with placed(module, "cpu", training=False):
        assert not module.training
    assert module.training
    assert not module.vit.layers[0].training
    for device in ("tpu", "mps", "meta", ""):
        with (
            pytest.raises(UnsupportedError, match="use cpu"),
            placed(module, device, training=True),
        ):
            pass


def test_a_gpu_that_is_not_there_is_refused(
    make_vit: Callable[..., tuple[Any, dict[str, Any]]],
) -> None:
    from prunegate.models.placement import placed

    module, _ = make_vit()
    beyond = f"cuda:{torch.cuda.device_count()}"
    with (
        pytest.raises(UnsupportedError, match="no such GPU"),
        placed(module, beyond, training=True),
    ):
        pass
