"""Folders of weights that other tools left are judged as they are, or refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.functional.elsewhere import bench_of, describe, pixels_of
from tests.functional.foreign import as_hub_cache, change_config, random_model, save_quietly

from prunegate.errors import InputError, ModelError
from prunegate.models.open_model import open_model

pytestmark = [pytest.mark.slow, pytest.mark.models]


def swin(labels: int = 2) -> Any:
    from transformers import SwinConfig

    config = SwinConfig(
        image_size=16,
        patch_size=2,
        embed_dim=8,
        depths=[1, 1],
        num_heads=[1, 2],
        window_size=2,
        num_labels=labels,
    )
    return random_model("SwinForImageClassification", config)


def test_half_precision_in_shards_from_the_hubs_cache(home: Path) -> None:
    module = swin().half()
    folder = save_quietly(module, home / "swin", max_shard_size="8KB")
    describe(folder)
    repository = as_hub_cache(folder, home / "cache")
    bench, found = bench_of(home, "{folder: cache/models--org--name, classes: [safe, unsafe]}")
    assert (found.precision, found.active_heads) == ("float16", 3)
    assert found.digest == open_model(folder).digest
    pixels = pixels_of(bench, 60)
    with torch.inference_mode():
        computed = module.float() if found.warnings else module
        given = pixels if found.warnings else pixels.half()
        expected = computed(pixel_values=given).logits.double().softmax(-1)[:, 1]
    assert np.allclose(bench.score(found, "candidate"), expected, atol=2e-3)
    with pytest.raises(ModelError, match=r"LABEL_1.*classes: \[...\]|not named"):
        bench_of(home, "cache/models--org--name")
    link = repository / "snapshots" / "abc123" / "config.json"
    link.unlink()
    link.symlink_to("../../../../swin/config.json")
    with pytest.raises(ModelError, match="symbolic link"):
        open_model(repository)


def test_a_student_with_a_preprocessor_of_its_own_and_one_logit(home: Path) -> None:
    from transformers import ViTConfig

    config = ViTConfig(
        image_size=8,
        patch_size=4,
        hidden_size=12,
        num_hidden_layers=1,
        num_attention_heads=3,
        intermediate_size=8,
        num_labels=1,
    )
    module = random_model("ViTForImageClassification", config)
    folder = save_quietly(module, home / "student")
    describe(folder, do_resize=True, size={"height": 8, "width": 8})
    bench, found = bench_of(home, "{folder: student, classes: [unsafe]}")
    assert bench.material_of(found).split("gate").inputs(np.arange(1))["pixel_values"].shape == (
        1,
        3,
        8,
        8,
    )
    with torch.inference_mode():
        own = bench.material_of(found).split("gate").inputs(np.arange(60))["pixel_values"]
        expected = torch.sigmoid(module(pixel_values=own).logits.double())[:, 0]
    assert np.allclose(bench.score(found, "candidate"), expected, atol=1e-6)
    figures = bench.measure(found)
    assert figures.candidate.latency_p50_ms is not None


def test_zeros_left_by_others_are_counted_and_told(home: Path) -> None:
    import transformers

    from prunegate.audit.lineage import model_ref
    from prunegate.audit.zero_weights import zero_warnings

    module = transformers.ViTForImageClassification.from_pretrained(home / "baseline")
    with torch.no_grad():
        for weight in module.parameters():
            if weight.dim() == 2:
                weight[: len(weight) // 2] = 0
    shutil.copytree(home / "baseline", home / "zeros")
    save_quietly(module, home / "zeros")
    found = open_model(home / "zeros")
    expected = sum(int((w == 0).sum()) for w in module.parameters() if w.dim() >= 2)
    assert found.zeros == expected == model_ref(found, "candidate").zeros
    assert f"{expected:,} of the candidate's" in zero_warnings(found)[0]
    assert zero_warnings(open_model(home / "baseline")) == ()


def test_weights_that_do_not_fit_a_library_class_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file
    from transformers import PvtConfig

    sizes = {"hidden_sizes": [8, 8], "depths": [1, 1], "num_attention_heads": [1, 2]}
    sizes |= {"patch_sizes": [4, 2], "strides": [4, 2], "sequence_reduction_ratios": [2, 1]}
    config = PvtConfig(image_size=16, num_encoder_blocks=2, mlp_ratios=[1, 1], **sizes)
    module = random_model("PvtForImageClassification", config)
    folder = save_quietly(module, tmp_path / "pvt")
    state = load_file(folder / "model.safetensors")
    for change, told in (
        (lambda s: s.pop("classifier.bias"), "missing tensors: classifier.bias"),
        (lambda s: s.update(extra=torch.ones(2)), "unknown tensors: extra"),
        (lambda s: s["classifier.bias"].fill_(float("nan")), "NaN"),
    ):
        spoilt = {name: tensor.clone() for name, tensor in state.items()}
        change(spoilt)  # type: ignore[no-untyped-call]  # a change to a dictionary
        save_file(spoilt, folder / "model.safetensors")
        with pytest.raises(ModelError, match=told):
            open_model(folder)
    save_file(state, folder / "model.safetensors")
    change_config(folder, architectures=["NobodyForImageClassification"])
    with pytest.raises(InputError, match="has no class 'NobodyForImageClassification'"):
        open_model(folder)
