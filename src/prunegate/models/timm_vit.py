"""Vision Transformers of timm, converted to those of transformers, without timm.

timm cannot be imported beside transformers where torchvision is missing, and it need not be: its
plain ViT computes the same as ``ViTForImageClassification`` with other names and with query, key
and value in one matrix. Every variant that is not exactly that (register tokens, LayerScale,
normalised queries, pooling over patches, distillation, other activations) is refused by the names
and shapes of its tensors, or by what its config asks for.

``convert`` writes a folder that is loaded, pruned and audited like any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from prunegate.errors import ModelError, UnsupportedError
from prunegate.io.atomic import write_folder
from prunegate.models.config_json import parse_object
from prunegate.models.load import PREPROCESSOR_FILE
from prunegate.models.refusals import CONFIG_FILE
from prunegate.models.surgery import WEIGHTS_FILE
from prunegate.models.timm_preprocessor import preprocessor
from prunegate.models.vit import FAMILY
from prunegate.models.weights import load_into, read_weights

_PLAIN = re.compile(r"vit_(tiny|small|base|large|huge)_patch(\d+)_(\d+)")
_HEADS = {"tiny": (192, 12, 3), "small": (384, 12, 6), "base": (768, 12, 12)}
_HEADS |= {"large": (1024, 24, 16), "huge": (1280, 32, 16)}  # width, layers, heads
_ARGUMENTS = {"img_size", "patch_size", "embed_dim", "depth", "num_heads", "mlp_ratio"}
_ARGUMENTS |= {"num_classes", "in_chans"}
_OUTSIDE = {
    "cls_token": "vit.embeddings.cls_token",
    "pos_embed": "vit.embeddings.position_embeddings",
    "patch_embed.proj.weight": "vit.embeddings.patch_embeddings.projection.weight",
    "patch_embed.proj.bias": "vit.embeddings.patch_embeddings.projection.bias",
    "norm.weight": "vit.layernorm.weight",
    "norm.bias": "vit.layernorm.bias",
    "head.weight": "classifier.weight",
    "head.bias": "classifier.bias",
}
_BLOCK = {
    "norm1": "layernorm_before",
    "attn.proj": "attention.output.dense",
    "norm2": "layernorm_after",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}
_FUSED = "attn.qkv"
_PARTS = ("query", "key", "value")


@dataclass(frozen=True, kw_only=True)
class Converted:
    """A model as transformers stores it."""

    config: dict[str, Any]
    preprocessor: dict[str, Any]
    state: dict[str, Tensor]


def is_timm(config: Mapping[str, Any]) -> bool:
    """Tell whether a config.json is timm's."""
    return "architecture" in config and "architectures" not in config


def convert(source: Path, target: Path) -> None:
    """Write a timm folder as a transformers folder.

    Args:
        source: config.json and model.safetensors, as timm's hub stores them.
        target: A new or empty folder.

    Raises:
        UnsupportedError: another model than a plain ViT.
        ModelError: files that cannot be read or do not fit each other, or a target that is taken.
    """
    config = parse_object(_read(source / CONFIG_FILE), str(source / CONFIG_FILE))
    place = str(source / WEIGHTS_FILE)
    made = converted(config, read_weights(_read(source / WEIGHTS_FILE), place))
    module = FAMILY.skeleton(made.config, FAMILY.whole(made.config))
    load_into(module, FAMILY.rename(made.state), place)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ModelError(f"{target}: exists and is not an empty folder; choose another one.")
    content = {
        CONFIG_FILE: json.dumps(made.config, indent=1).encode(),
        PREPROCESSOR_FILE: json.dumps(made.preprocessor, indent=1).encode(),
        WEIGHTS_FILE: safetensors.torch.save(made.state, metadata={"format": "pt"}),
    }
    try:
        write_folder(target, content)
    except OSError as error:
        raise ModelError(f"{target}: cannot be written ({error}).") from error


def converted(config: Mapping[str, Any], state: Mapping[str, Tensor]) -> Converted:
    """Give a plain ViT of timm the config and the names of transformers.

    Args:
        config: The content of timm's config.json.
        state: Its tensors.

    Raises:
        UnsupportedError: another model than a plain ViT.
        ModelError: config and tensors contradict each other.
    """
    if not is_timm(config):
        raise ModelError("config: not one of timm, which names its architecture.")
    arguments = _object(config, "model_args")
    stored = _object(config, "pretrained_cfg")
    _refuse_variants(config, arguments, stored, state)
    renamed = dict(_renamed(state))
    made = _config(config, arguments, stored, state)
    return Converted(
        config=made,
        preprocessor=preprocessor(stored, made["image_size"]),
        state=renamed,
    )


def _refuse_variants(
    config: Mapping[str, Any],
    arguments: Mapping[str, Any],
    stored: Mapping[str, Any],
    state: Mapping[str, Tensor],
) -> None:
    architecture = config["architecture"]
    if not isinstance(architecture, str) or not _PLAIN.fullmatch(architecture):
        raise UnsupportedError(
            f"timm's {architecture!r} cannot be converted; plain ViTs can: "
            "vit_{tiny,small,base,large,huge}_patchN_SIZE."
        )
    unknown = sorted(set(arguments) - _ARGUMENTS)
    if unknown:
        raise UnsupportedError(f"config: model_args: {unknown[0]} makes another model; plain ViTs.")
    for place in (config, stored):
        if place.get("global_pool", "token") != "token":
            raise UnsupportedError(
                f"config: global_pool is {place['global_pool']!r}; only ViTs that classify by "
                "their class token can be converted."
            )
    expected = {*_OUTSIDE, *(name for names in _of_blocks(state) for name in names)}
    odd = sorted(expected ^ set(state))
    if odd:
        problem = "is missing" if odd[0] in expected else "is not part of a plain ViT"
        raise UnsupportedError(
            f"timm's {architecture}: {odd[0]} {problem}; only plain ViTs with a class token and a "
            "head can be converted."
        )


def _of_blocks(state: Mapping[str, Tensor]) -> Iterator[list[str]]:
    """Yield the names that each block has to have."""
    numbers = {int(found[1]) for name in state if (found := re.match(r"blocks\.(\d+)\.", name))}
    for number in range(len(numbers)):
        yield [
            f"blocks.{number}.{part}.{kind}"
            for part in (*_BLOCK, _FUSED)
            for kind in ("weight", "bias")
        ]


def _renamed(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in state.items():
        if name in _OUTSIDE:
            yield _OUTSIDE[name], tensor
            continue
        _, number, rest = name.split(".", 2)
        part, kind = rest.rsplit(".", 1)
        layer = f"vit.encoder.layer.{number}"
        if part != _FUSED:
            yield f"{layer}.{_BLOCK[part]}.{kind}", tensor
            continue
        if len(tensor) % 3:
            raise ModelError(f"{name} has {len(tensor)} rows; expected three equal parts.")
        for third, piece in zip(_PARTS, tensor.chunk(3), strict=True):
            yield f"{layer}.attention.attention.{third}.{kind}", piece.contiguous()


def _config(
    config: Mapping[str, Any],
    arguments: Mapping[str, Any],
    stored: Mapping[str, Any],
    state: Mapping[str, Tensor],
) -> dict[str, Any]:
    found = _PLAIN.fullmatch(config["architecture"])
    width, layers, heads = _HEADS[found[1]] if found else (0, 0, 0)
    patches = state["patch_embed.proj.weight"]
    size = arguments.get("img_size", stored.get("input_size", [3, 0, 0])[1:])
    made = {
        "architectures": [FAMILY.architecture],
        "model_type": "vit",
        "hidden_size": arguments.get("embed_dim", width),
        "num_hidden_layers": arguments.get("depth", layers),
        "num_attention_heads": arguments.get("num_heads", heads),
        "intermediate_size": len(state["blocks.0.mlp.fc1.weight"]),
        "image_size": size,
        "patch_size": list(patches.shape[2:]),
        "num_channels": patches.shape[1],
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-6,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "qkv_bias": True,
    }
    names = _labels(config, len(state["head.weight"]))
    made["id2label"] = {str(number): name for number, name in enumerate(names)}
    made["label2id"] = {name: number for number, name in enumerate(names)}
    return made


def _labels(config: Mapping[str, Any], classes: int) -> list[str]:
    if config.get("num_classes", classes) != classes:
        raise ModelError(
            f"config: num_classes is {config['num_classes']!r}; the head has {classes} classes."
        )
    names = config.get("label_names")
    distinct = isinstance(names, list) and len(set(map(str, names))) == classes == len(names)
    return (
        [str(name) for name in names or []] if distinct else [f"LABEL_{i}" for i in range(classes)]
    )


def _object(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = config.get(name) or {}
    if not isinstance(value, dict):
        raise ModelError(f"config: {name} is {value!r}; expected an object.")
    return value


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}).") from error
