"""timm's plain ViT: converted, it computes what timm computed; every other variant is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from prunegate.errors import ModelError, UnsupportedError

pytestmark = pytest.mark.models

STORED = Path(__file__).parent / "timm_tiny.safetensors"  # by tests/oracles/make_timm_tiny.py


def oracle() -> tuple[dict[str, Any], dict[str, Any], Any, Any]:
    """Config, weights, input and logits, made by timm."""
    with safe_open(STORED, "pt") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    state = {
        name.removeprefix("state."): tensor
        for name, tensor in tensors.items()
        if name.startswith("state.")
    }
    return config, state, tensors["pixels"], tensors["logits"]


def write(folder: Path, config: dict[str, Any], state: dict[str, Any]) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(safetensors.torch.save(state))
    return folder


def test_a_converted_model_computes_what_timm_computed(tmp_path: Path) -> None:
    from transformers import ViTForImageClassification

    from prunegate.models.load import load_baseline
    from prunegate.models.timm_vit import convert
    from prunegate.predict.framing import Framing
    from prunegate.predict.preprocessing import Preprocessing

    config, state, pixels, logits = oracle()
    config["label_names"] = ["cat", "dog", "bird"]
    target = tmp_path / "converted"
    convert(write(tmp_path / "timm", config, state), target)
    loaded = load_baseline(target)
    with torch.inference_mode():
        ours = loaded.module(pixel_values=pixels).logits
        theirs = ViTForImageClassification.from_pretrained(target).eval()(pixels).logits
    torch.testing.assert_close(ours, logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(theirs, logits, atol=1e-5, rtol=1e-5)
    assert loaded.parameters == sum(tensor.numel() for tensor in state.values())
    assert loaded.config["id2label"] == {"0": "cat", "1": "dog", "2": "bird"}
    read = Preprocessing.from_config(loaded.preprocessor)
    assert (read.mean, read.std) == ((0.5,) * 3, (0.5,) * 3)
    # timm keeps crop_pct 0.9 of a bicubic image: floor(16 / 0.9) is 17.
    assert read.framing == Framing(size=17, resample=3, crops=((16, 16),))
    assert loaded.active_heads == 6


def test_a_timm_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    from prunegate.models.load import load_model

    config, state, _, _ = oracle()
    with pytest.raises(UnsupportedError, match=r"timm_vit\.convert\(folder, new_folder\)"):
        load_model(write(tmp_path / "timm", config, state))


def test_a_published_name_gives_the_sizes() -> None:
    from prunegate.models.timm_vit import converted
    from prunegate.models.vit import FAMILY
    from prunegate.models.weights import load_into

    config, state, _, _ = oracle()
    del config["model_args"]
    made = converted(config, state)
    sizes = ("hidden_size", "num_hidden_layers", "num_attention_heads", "image_size")
    assert [made.config[size] for size in sizes] == [192, 12, 3, [224, 224]]
    module = FAMILY.skeleton(made.config, FAMILY.whole(made.config))
    renamed = FAMILY.rename(made.state)
    with pytest.raises(ModelError, match="missing tensors"):  # those of this file are others
        load_into(module, renamed)


def extra(name: str, *shape: int) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def add(_config: dict[str, Any], state: dict[str, Any]) -> None:
        state[name] = torch.ones(*shape)

    return add


def without(name: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda _config, state: state.pop(name)


def said(**changes: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda config, _state: config.update(changes)


def argued(**changes: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda config, _state: config["model_args"].update(changes)


def evaluated(**changes: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda config, _state: config["pretrained_cfg"].update(changes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (extra("reg_token", 1, 4, 12), "reg_token is not part"),
        (extra("dist_token", 1, 1, 12), "dist_token is not part"),
        (extra("blocks.0.ls1.gamma", 12), r"ls1\.gamma is not part"),
        (extra("blocks.1.attn.q_norm.weight", 4), r"q_norm\.weight is not part"),
        (extra("norm_pre.weight", 12), "norm_pre"),
        (extra("fc_norm.weight", 12), "fc_norm"),
        (without("cls_token"), "cls_token is missing"),
        (without("blocks.0.attn.qkv.bias"), r"qkv\.bias is missing"),
        (without("head.weight"), r"head\.weight is missing"),
        (said(global_pool="avg"), "global_pool is 'avg'"),
        (said(architecture="vit_base_patch16_clip_224"), "cannot be converted"),
        (said(architecture="vit_base_patch14_dinov2"), "cannot be converted"),
        (said(architecture="vit_base_patch16_rope_224"), "cannot be converted"),
        (said(architecture="deit_base_patch16_224"), "cannot be converted"),
        (said(architecture="vit_giant_patch14_224"), "cannot be converted"),
        (said(architecture=None), "cannot be converted"),
        (argued(dynamic_img_size=True), "dynamic_img_size makes another model"),
        (argued(act_layer="quick_gelu"), "act_layer makes another model"),
        (evaluated(crop_mode="squash"), "crop_mode is 'squash'"),
        (evaluated(crop_mode="border"), "crop_mode is 'border'"),
        (evaluated(interpolation="random"), "interpolation is 'random'"),
        (evaluated(interpolation=[3]), r"interpolation is \[3\]"),
        (argued(img_size=[16, 24]), "16 x 24 pixels"),
    ],
)
def test_every_other_variant_is_refused(change: Any, message: str, tmp_path: Path) -> None:
    from prunegate.models.timm_vit import convert

    config, state, _, _ = oracle()
    change(config, state)
    with pytest.raises(UnsupportedError, match=message):
        convert(write(tmp_path / "timm", config, state), tmp_path / "converted")
    assert not (tmp_path / "converted").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (said(num_classes=4), "num_classes is 4; the head has 3"),
        (said(model_args=[1]), "model_args"),
        (argued(depth=3), "missing tensors"),
        (argued(embed_dim=24), "shapes do not fit"),
        (argued(num_heads=5), "not a multiple of num_attention_heads"),
        (argued(img_size=24), "shapes do not fit"),
        (said(pretrained_cfg={}), "mean is missing"),
        (evaluated(crop_pct=0), "crop_pct is 0"),
        (evaluated(crop_pct="0.9"), "crop_pct is '0.9'"),
        (said(architectures=["x"]), "not one of timm"),
    ],
)
def test_a_config_that_contradicts_its_tensors_is_refused(
    change: Any, message: str, tmp_path: Path
) -> None:
    from prunegate.models.timm_vit import convert

    config, state, _, _ = oracle()
    change(config, state)
    with pytest.raises(ModelError, match=message):
        convert(write(tmp_path / "timm", config, state), tmp_path / "converted")
    assert not (tmp_path / "converted").exists()


def test_files_and_folders_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    from prunegate.models.timm_vit import convert

    config, state, _, _ = oracle()
    source = write(tmp_path / "timm", config, state)
    with pytest.raises(ModelError, match="not an empty folder"):
        convert(source, source)
    (source / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        convert(source, tmp_path / "new")
