"""Peak memory: what a model adds to a process of its own, and nothing that it does not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from prunegate.cost import memory as module
from prunegate.cost import memory_process
from prunegate.cost.memory import Stored, peak_memory
from prunegate.errors import MeasurementError

pytestmark = pytest.mark.models

SIDE = 1024
MIB = 1 << 20
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a peak")


def write_vit(folder: Path, neurons: int) -> Stored:
    from transformers import ViTConfig, ViTForImageClassification

    config = ViTConfig(
        image_size=32,
        patch_size=8,
        hidden_size=SIDE,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=neurons,
        num_labels=2,
    )
    with torch.device("meta"):  # random numbers would take seconds
        model = ViTForImageClassification(config)
    model.to_empty(device="cpu")
    with torch.no_grad():
        for weight in (*model.parameters(), *model.buffers()):
            weight.fill_(0.01)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text("{}")
    return Stored(path=folder, architecture="ViTForImageClassification", onnx=False)


@linux
@pytest.mark.slow
def test_a_model_adds_its_weights(tmp_path: Path) -> None:
    """281 MiB of them; loading needs more, and does not count, nor do the libraries."""
    inputs = {"pixel_values": torch.zeros(2, 3, 32, 32)}
    model = write_vit(tmp_path / "vit", neurons=33 * 1024)
    found = peak_memory(model, inputs, [2, 1], 1)
    assert list(found) == [1, 2]
    weights = (model.path / "model.safetensors").stat().st_size
    assert weights > 280 * MIB
    for peak in found.values():
        assert peak is not None
        assert 0.9 * weights <= peak <= 1.3 * weights


@pytest.mark.slow
def test_a_process_that_ends_early_is_one_clear_error(tmp_path: Path) -> None:
    missing = Stored(path=tmp_path / "none", architecture="ViTForImageClassification", onnx=True)
    with pytest.raises(MeasurementError, match=r"ended early .*onnxruntime refuses it"):
        peak_memory(missing, {"pixel_values": torch.zeros(1, 3, 32, 32)}, [1], 1)


@pytest.mark.slow
@linux
def test_the_peak_is_forgotten_and_found_again() -> None:
    assert memory_process._forget_peak()
    before = memory_process._resident("VmHWM")
    held = bytearray(64 * MIB)
    del held
    after = memory_process._resident("VmHWM")
    assert before is not None
    assert after is not None
    assert after - before >= 60 * MIB
    assert memory_process._forget_peak()
    again = memory_process._resident("VmHWM")
    assert again is not None
    assert again <= after - 30 * MIB


@pytest.mark.slow
def test_where_the_system_does_not_tell_the_figure_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory_process, "_STATUS", tmp_path / "none")
    assert memory_process._resident("VmRSS") is None
    monkeypatch.setattr(memory_process, "_CLEAR", tmp_path)
    called: list[Any] = []
    assert memory_process._peak(called.append, {}, 5) is None
    assert memory_process._peak(called.append, {}, None) is None
    assert called == []


def test_the_process_sees_nothing_of_the_working_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> Any:
        asked.append(command)
        return type("Done", (), {"returncode": 0, "stdout": "[5]", "stderr": ""})

    monkeypatch.setattr(module.subprocess, "run", run)
    model = Stored(path=tmp_path, architecture="x", onnx=False)
    assert peak_memory(model, {"a": torch.zeros(1)}, [1], 1) == {1: 5}
    assert asked == [[sys.executable, "-P", "-c", module.PROGRAM]]
