"""Folders that are no model of ours, or say what is not so, are refused by name."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch as safetensors_torch
import torch
from tests.unit.models.stored import MakeCandidate

from prunegate.errors import ModelError, UnsupportedError

pytestmark = pytest.mark.slow


def change_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_weights(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "model.safetensors"
    state = safetensors_torch.load(path.read_bytes())
    change(state)
    path.write_bytes(safetensors_torch.save(state))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(baseline_folder: Path, value: float) -> None:
    from prunegate.models.load import load_baseline

    def poison(state: dict[str, Any]) -> None:
        state["classifier.bias"][0] = value

    change_weights(baseline_folder, poison)
    with pytest.raises(ModelError, match=r"NaN or infinite weights in classifier\.bias"):
        load_baseline(baseline_folder)


def header(raw: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def with_header(raw: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    described, data = header(raw)
    change(described)
    text = json.dumps(described).encode()
    return struct.pack("<Q", len(text)) + text + data


def overlap(described: dict[str, Any]) -> None:
    described["vit.layernorm.bias"]["data_offsets"] = described["vit.layernorm.weight"][
        "data_offsets"
    ]


def overflow(described: dict[str, Any]) -> None:
    described["vit.layernorm.bias"]["shape"] = [2**40, 2**40]


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:0],
        lambda raw: raw[:-10],
        lambda raw: raw[:100],
        lambda raw: raw + b"trailing",
        lambda raw: struct.pack("<Q", 2**62) + raw[8:],
        lambda raw: with_header(raw, overlap),
        lambda raw: with_header(raw, overflow),
        lambda raw: b"\x80\x04" + raw,
    ],
    ids=["empty", "truncated", "cut", "trailing", "huge header", "overlap", "overflow", "pickle"],
)
def test_damaged_safetensors_are_refused(
    baseline_folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    from prunegate.models.load import load_baseline

    path = baseline_folder / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=r"model\.safetensors: not a whole safetensors file"):
        load_baseline(baseline_folder)


def test_a_tensor_that_is_named_twice_is_refused(baseline_folder: Path) -> None:
    from prunegate.models.load import load_baseline

    path = baseline_folder / "model.safetensors"
    described, data = header(path.read_bytes())
    name, entry = list(described.items())[-1]
    text = json.dumps(described)[:-1] + f', "{name}": {json.dumps(entry)}}}'
    path.write_bytes(struct.pack("<Q", len(text)) + text.encode() + data)
    with pytest.raises(ModelError, match="named twice"):
        load_baseline(baseline_folder)


def test_missing_unknown_and_doubled_tensors_are_refused(baseline_folder: Path) -> None:
    from prunegate.models.load import load_baseline

    path = baseline_folder / "model.safetensors"
    good = path.read_bytes()
    change_weights(baseline_folder, lambda state: state.pop("classifier.bias"))
    with pytest.raises(ModelError, match=r"missing tensors: classifier\.bias"):
        load_baseline(baseline_folder)
    path.write_bytes(good)
    change_weights(baseline_folder, lambda state: state.update(extra=torch.zeros(1)))
    with pytest.raises(ModelError, match="unknown tensors: extra"):
        load_baseline(baseline_folder)
    path.write_bytes(good)
    old = "vit.encoder.layer.0.intermediate.dense.bias"
    change_weights(baseline_folder, lambda state: state.update({old: torch.zeros(10)}))
    with pytest.raises(ModelError, match="stored twice"):
        load_baseline(baseline_folder)


def test_half_precision_is_refused_not_widened(baseline_folder: Path) -> None:
    from prunegate.models.load import load_baseline

    def halve(state: dict[str, Any]) -> None:
        state["classifier.bias"] = state["classifier.bias"].half()

    change_weights(baseline_folder, halve)
    with pytest.raises(UnsupportedError, match=r"classifier\.bias is torch\.float16.*float\(\)"):
        load_baseline(baseline_folder)


def test_a_pruned_model_saved_with_save_pretrained_is_recognised(
    make_candidate: MakeCandidate, tmp_path: Path
) -> None:
    from transformers.utils import logging

    from prunegate.models.load import load_model

    folder, module = make_candidate()
    lost = tmp_path / "lost"
    logging.disable_progress_bar()
    module.save_pretrained(lost)
    logging.enable_progress_bar()
    (lost / "preprocessor_config.json").write_bytes(
        (folder / "preprocessor_config.json").read_bytes()
    )
    with pytest.raises(ModelError, match=r"shapes do not fit the config.*prunegate compress"):
        load_model(lost)


def test_pickles_and_shards_are_refused_with_what_to_do(baseline_folder: Path) -> None:
    from prunegate.models.load import load_baseline

    (baseline_folder / "model.safetensors").rename(baseline_folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin is a pickle.*save_pretrained"):
        load_baseline(baseline_folder)
    (baseline_folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(ModelError, match="names shards that are not in the folder"):
        load_baseline(baseline_folder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "preprocessor_config.json"])
def test_a_missing_file_is_named(baseline_folder: Path, name: str) -> None:
    from prunegate.models.load import load_baseline

    (baseline_folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        load_baseline(baseline_folder)


@pytest.mark.parametrize("names", [None, [], ["A", "B"], "ViTForImageClassification"])
def test_a_config_has_to_name_one_class(baseline_folder: Path, names: object) -> None:
    from prunegate.models.load import load_baseline

    change_json(baseline_folder / "config.json", architectures=names)
    with pytest.raises(ModelError, match="architectures"):
        load_baseline(baseline_folder)


def test_a_class_that_is_not_supported_is_refused(baseline_folder: Path) -> None:
    from prunegate.models.load import load_baseline

    change_json(baseline_folder / "config.json", architectures=["BertForMaskedLM"])
    with pytest.raises(UnsupportedError, match="BertForMaskedLM"):
        load_baseline(baseline_folder)


def test_a_config_cannot_choose_code_or_kernels(baseline_folder: Path) -> None:
    from prunegate.models.load import load_baseline

    change_json(
        baseline_folder / "config.json",
        auto_map={"AutoModel": "evil.Model"},
        _attn_implementation="someone/kernel",
        attn_implementation="someone/kernel",
    )
    module = load_baseline(baseline_folder).module
    assert module.config._attn_implementation == "sdpa"


def test_a_config_that_would_fill_the_memory_is_refused(baseline_folder: Path) -> None:
    from prunegate.models.load import load_baseline

    change_json(baseline_folder / "config.json", hidden_size=999_999)
    with pytest.raises(UnsupportedError, match="more than"):
        load_baseline(baseline_folder)


def test_tampered_candidate_weights_are_refused(make_candidate: MakeCandidate) -> None:
    from prunegate.models.load import read_candidate

    folder, _ = make_candidate()
    path = folder / "model.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ModelError, match=r"not the weights that surgery\.json describes"):
        read_candidate(folder)


def kept(**changes: Any) -> dict[str, Any]:
    return {"heads": [[0, 2], [1]], "neurons": [[0, 3, 9], [0]], "layers": [[0, 1]], **changes}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"parameters": 5}, ModelError, "states 5 parameters"),
        ({"kept": kept(heads=[[0, 3], [1]])}, ModelError, "index 3; there are 3"),
        (
            {"kept": kept(heads=[[0]] * 3, neurons=[[0]] * 3, layers=[[0, 1, 2]])},
            ModelError,
            "heads of 3 rows; the config has 2",
        ),
        ({"kept": {"filters": [[0]]}}, ModelError, "keeps filters; this architecture has heads"),
        ({"zeros": 3}, ModelError, "states 3 zeros among the weights; there are 0"),
        ({"architecture": "os.system"}, UnsupportedError, "not supported"),
        (
            {"config": {"architectures": ["ViTModel"]}},
            ModelError,
            "a ViTForImageClassification, but its config is a ViTModel's",
        ),
        (
            {"importance": {"heads": {"criterion": "taylor", "shares": [[0.5, 0.5], [1]]}}},
            ModelError,
            "not one share for each of the heads",
        ),
        (
            {"storage": {"format": "float32", "quantized": {"kind": "dynamic"}}},
            ModelError,
            "said to be quantized",
        ),
    ],
)
def test_a_manifest_that_lies_is_refused(
    make_candidate: MakeCandidate, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    from prunegate.models.load import read_candidate

    folder, _ = make_candidate()
    change_json(folder / "surgery.json", **{"importance": {}, **changes})
    with pytest.raises(error, match=message):
        read_candidate(folder)


def test_a_config_beside_a_candidate_is_refused(make_candidate: MakeCandidate) -> None:
    from prunegate.models.load import read_candidate

    folder, _ = make_candidate()
    (folder / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="leave what was removed random"):
        read_candidate(folder)


@pytest.mark.parametrize(
    ("given", "operator", "message"),
    [
        ("rows", "Identity", "takes rows; the model of surgery.json takes pixel_values"),
        ("pixel_values", "DynamicQuantizeLinear", "surgery.json does not say 'dynamic'"),
    ],
)
def test_a_graph_that_is_not_what_the_manifest_says_is_refused(
    make_candidate: MakeCandidate, given: str, operator: str, message: str
) -> None:
    onnx = pytest.importorskip("onnx")
    from prunegate.models.load import read_candidate

    folder, _ = make_candidate()
    helper, outputs = onnx.helper, ["logits", "scale", "zero"][: 1 if operator == "Identity" else 3]
    types = [onnx.TensorProto.FLOAT, onnx.TensorProto.UINT8]
    graph = helper.make_graph(
        [helper.make_node(operator, [given], outputs)],
        "graph",
        [helper.make_tensor_value_info(given, types[0], ["batch", 3])],
        [helper.make_tensor_value_info("logits", types[len(outputs) > 1], ["batch", 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    raw = model.SerializeToString()
    (folder / "model.onnx").write_bytes(raw)
    change_json(
        folder / "surgery.json",
        storage={"format": "onnx", "quantized": {"kind": "static"}},
        weights_sha256=hashlib.sha256(raw).hexdigest(),
    )
    with pytest.raises(ModelError, match=message):
        read_candidate(folder)


def test_a_file_that_changes_between_hash_and_load_is_refused(
    baseline_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prunegate.models import load, snapshot

    hash_tree = snapshot.tree_files

    def hash_then_change(folder: Path) -> Any:
        files = hash_tree(folder)
        change_weights(folder, lambda state: state["classifier.bias"].add_(1))
        return files

    monkeypatch.setattr(snapshot, "tree_files", hash_then_change)
    with pytest.raises(ModelError, match="changed while it was being loaded"):
        load.load_baseline(baseline_folder)


def test_a_symbolic_link_is_refused(baseline_folder: Path) -> None:
    from prunegate.models.load import load_baseline

    path = baseline_folder / "model.safetensors"
    path.rename(baseline_folder.parent / "blob")
    path.symlink_to(baseline_folder.parent / "blob")
    with pytest.raises(ModelError, match="symbolic link"):
        load_baseline(baseline_folder)


def test_a_file_without_tensors_is_refused(baseline_folder: Path) -> None:
    from prunegate.models.load import load_baseline

    (baseline_folder / "model.safetensors").write_bytes(safetensors_torch.save({}))
    with pytest.raises(ModelError, match="holds no tensors"):
        load_baseline(baseline_folder)


@pytest.mark.parametrize(("more", "words"), [(0, "not a whole"), (3, "more than 100,000 tensors")])
def test_more_tensors_than_a_model_has_are_refused_unread(more: int, words: str) -> None:
    from prunegate.models import weights

    header = b"{" * (weights.MOST_TENSORS + more)
    with pytest.raises(ModelError, match=words):
        weights.read_weights(len(header).to_bytes(8, "little") + header)
