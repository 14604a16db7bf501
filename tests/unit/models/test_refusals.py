"""What can be known of a model without loading it is told without loading it, with what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prunegate.errors import InputError
from prunegate.models.refusals import graph_in, refuse_early
from prunegate.pipeline.early_refusals import refuse_models, refuse_place
from prunegate.policy.load import read_policy

CONFIG = {"architectures": ["ViTForImageClassification"], "model_type": "vit"}


def folder_of(
    root: Path, config: dict[str, Any] | None = CONFIG, *others: str, **tensors: str
) -> Path:
    """A model folder whose weights are a header: names and number formats, no values."""
    root.mkdir(exist_ok=True)
    if config is not None:
        (root / "config.json").write_text(json.dumps(config))
    for name in others:
        (root / name).write_bytes(b"x")
    header = {
        name: {"dtype": dtype, "shape": [0], "data_offsets": [0, 0]}
        for name, dtype in tensors.items()
    }
    if tensors:
        raw = json.dumps(header).encode()
        (root / "model.safetensors").write_bytes(len(raw).to_bytes(8, "little") + raw)
    return root


def of_class(name: str, **more: Any) -> dict[str, Any]:
    return {"architectures": [name], "model_type": "x", **more}


SOUND = {"w": "F32"}


@pytest.mark.parametrize(
    ("config", "others", "tensors", "told"),
    [
        pytest.param(
            None, ("adapter_config.json",), {}, r"adapter of PEFT.*merge_and_unload", id="peft"
        ),
        pytest.param(
            CONFIG, ("pytorch_model.bin",), {}, r"pickle.*python -c .*save_pretrained", id="pickle"
        ),
        pytest.param(CONFIG, (), {}, "model.safetensors is missing", id="no weights"),
        pytest.param(None, (), SOUND, "config.json is missing", id="no config"),
        pytest.param(
            CONFIG | {"quantization_config": {"quant_method": "gptq"}},
            (),
            SOUND,
            "quantization_config",
            id="quantized weights of a class that can be pruned",
        ),
        pytest.param(
            CONFIG,
            (),
            {"a.weight_orig": "F32", "a.weight_mask": "F32"},
            r"prune\.remove\(module, 'weight'\)",
            id="masks of torch",
        ),
        pytest.param(
            CONFIG,
            (),
            {"module.a.weight": "F32", "module.b.weight": "F32"},
            r"begin with 'module\.'.*removeprefix\('module\.'\)",
            id="saved within DataParallel",
        ),
        pytest.param(CONFIG, (), {"w": "F8_E4M3"}, "stored as F8_E4M3", id="eight-bit floats"),
        pytest.param(
            of_class("BertForMaskedLM"), (), SOUND, "BertForMaskedLM.*ForSequence", id="other task"
        ),
        pytest.param(
            of_class("T5ForConditionalGeneration"), (), SOUND, "not supported", id="a translator"
        ),
        pytest.param(
            of_class("BeitForImageClassification", quantization_config={}),
            (),
            SOUND,
            "quantization_config",
            id="quantized for other kernels",
        ),
        pytest.param(
            of_class("FooForSequenceClassification", problem_type="regression"),
            (),
            SOUND,
            "kind: score",
            id="regressor",
        ),
        pytest.param(
            CONFIG | {"problem_type": "regression"},
            (),
            SOUND,
            "scores, not classes.*kind: score",
            id="regressor of a class that can be pruned",
        ),
        pytest.param({"architecture": "vit_tiny"}, (), SOUND, "model of timm", id="timm"),
        pytest.param({"architectures": []}, (), SOUND, "one class name", id="no class"),
    ],
)
def test_the_cause_is_named(
    tmp_path: Path,
    config: dict[str, Any] | None,
    others: tuple[str, ...],
    tensors: dict[str, str],
    told: str,
) -> None:
    with pytest.raises(InputError, match=f"(?s){told}"):
        refuse_early(folder_of(tmp_path / "m", config, *others, **tensors))


@pytest.mark.parametrize(
    ("config", "tensors", "told"),
    [
        (of_class("BeitForImageClassification"), SOUND, "judged, not pruned"),
        (CONFIG, {"w": "F16"}, r"float16.*model\.float\(\)"),
    ],
)
def test_what_can_be_judged_may_not_be_pruned(
    tmp_path: Path, config: dict[str, Any], tensors: dict[str, str], told: str
) -> None:
    folder = folder_of(tmp_path / "m", config, **tensors)
    refuse_early(folder)
    with pytest.raises(InputError, match=told):
        refuse_early(folder, prune=True)


def test_a_folder_with_one_graph_is_that_graph_and_several_are_a_question(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "m", None, "model_quantized.onnx")
    refuse_early(folder)
    assert graph_in(folder) == folder / "model_quantized.onnx"
    with pytest.raises(InputError, match="judged, not pruned"):
        refuse_early(folder, prune=True)
    (folder / "model.onnx").write_bytes(b"")
    with pytest.raises(InputError, match="name one file"):
        refuse_early(folder)


def test_texts_that_a_model_cannot_take_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    folder_of(tmp_path / "m", of_class("GPT2LMHeadModel", n_positions=64), **SOUND)
    text = (
        "prunegate: 1\nname: x\ntask: {kind: language}\nmodel: {baseline: m, candidate: m}\n"
        "data: {table: nowhere.csv}\ngenerate: {new_tokens: 100000}\n"
        "rules: [{metric: perplexity, max_ratio: 1.1}]\n"
    )
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(InputError, match="takes 64 tokens, and 1 of a prompt with 100,000 new"):
        refuse_models(read_policy(tmp_path / "p.yaml"))


@pytest.mark.parametrize("what", ["shard", "graph", "graph by itself"])
def test_weights_called_like_a_paper_are_told_before_anything_is_loaded(
    tmp_path: Path, what: str
) -> None:
    folder = folder_of(tmp_path / "m", CONFIG if what == "shard" else None)
    name = "license.safetensors" if what == "shard" else "license.onnx"
    (folder / name).write_bytes(b"x")
    if what == "shard":
        index = {"weight_map": {"a": name}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="called like a paper, which the model's digest leaves"):
        refuse_place(folder / name if what == "graph by itself" else folder)


def test_a_shard_that_is_missing_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "m")
    places = {"a": "model-1.safetensors", "b": "../model-2.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    (folder / "model-1.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"names shards that are not in the folder \(\.\./model-2"):
        refuse_early(folder)


JUDGED = """\
prunegate: 1
name: x
task: {kind: KIND}
model: {baseline: {folder: m, classes: [safe, unsafe]}, candidate: CANDIDATE}
data: {table: nowhere.csv}
rules: [{metric: METRIC, max_ratio: 1.1}]
"""


@pytest.mark.parametrize(
    ("config", "candidate", "told"),
    [
        pytest.param(CONFIG, "m", "m: the model's classes are not named", id="no names"),
        pytest.param(
            CONFIG | {"id2label": {"0": "fine", "1": "bad"}}, "m", "0: fine, 1: bad", id="others"
        ),
        pytest.param(
            of_class("GPT2LMHeadModel"),
            "{folder: m, classes: [safe, unsafe]}",
            "a GPT2LMHeadModel is a language model, and the policy asks for classifiers",
            id="language model",
        ),
        pytest.param(
            CONFIG, "{onnx: c.onnx}", "c.onnx: the model's classes are not named", id="graph"
        ),
        pytest.param(
            CONFIG | {"problem_type": "regression"}, "{onnx: m/c.onnx}", "kind: score", id="numbers"
        ),
    ],
)
def test_other_answers_than_the_policys_are_told_before_anything_is_read(
    tmp_path: Path, config: dict[str, Any], candidate: str, told: str
) -> None:
    folder_of(tmp_path / "m", config, "c.onnx", **SOUND)
    (tmp_path / "c.onnx").write_bytes(b"")
    text = JUDGED.replace("KIND", "binary, positive: unsafe, threshold: 0.5")
    text = text.replace("CANDIDATE", candidate).replace("METRIC", "model_bytes")
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(InputError, match=told):
        refuse_models(read_policy(tmp_path / "p.yaml"))


@pytest.mark.parametrize(
    ("kind", "config", "told"),
    [
        ("binary, positive: unsafe, threshold: 0.5", {"problem_type": "regression"}, "not classes"),
        ("multiclass", {"id2label": {"0": "a"}}, "classes are 0: a"),
        ("score", {"id2label": {"0": "a", "1": "b"}}, "p: a classifier .outputs 'a', 'b'"),
        ("score", {"architectures": ["GPT2LMHeadModel"]}, "policy asks for regressors"),
    ],
)
def test_what_was_pruned_before_is_told_by_its_manifest(
    tmp_path: Path, kind: str, config: dict[str, Any], told: str
) -> None:
    one = {"id2label": {"0": "safe"}} if kind == "score" else {}
    folder_of(tmp_path / "m", CONFIG | one, **SOUND)
    (tmp_path / "p").mkdir()
    (tmp_path / "p/surgery.json").write_text(json.dumps({"config": CONFIG | config}))
    text = JUDGED.replace("KIND", kind).replace("CANDIDATE", "p").replace("METRIC", "model_bytes")
    text = text.replace(", classes: [safe, unsafe]", "") if kind == "score" else text
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(InputError, match=told):
        refuse_models(read_policy(tmp_path / "p.yaml"))


def test_a_classifier_is_no_language_model(tmp_path: Path) -> None:
    folder_of(tmp_path / "m", **SOUND)
    text = JUDGED.replace("KIND", "language").replace("CANDIDATE", "m")
    (tmp_path / "p.yaml").write_text(text.replace("METRIC", "perplexity"))
    with pytest.raises(InputError, match="is a classifier, and the policy asks for language"):
        refuse_models(read_policy(tmp_path / "p.yaml"))


@pytest.mark.parametrize("name", ["model.safetensors", "papers/notes.md"])
def test_a_link_out_of_a_folder_is_told_before_anything_is_read(tmp_path: Path, name: str) -> None:
    folder = folder_of(tmp_path / "m", **SOUND)
    (tmp_path / "elsewhere").write_bytes(b"x")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"symbolic link.*cp -rL"):
        refuse_early(folder)
