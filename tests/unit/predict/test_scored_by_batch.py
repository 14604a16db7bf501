"""Dynamic int8 in onnxruntime takes one scale for a batch: what is scored is what was asked for."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.functional.foreign import graph_of, save_graph

from prunegate.errors import ModelError
from prunegate.models.open_model import open_model

pytestmark = pytest.mark.models

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

WEIGHTS = np.array([[0.5, -1.0], [-1.0, 0.7], [0.3, 2.0]])
ROWS = 12


def scaled(means: str, out: str) -> list[Any]:
    """Values rounded to eight bits by one scale of all, and made numbers again."""
    make = onnx.helper.make_node
    return [
        make("DynamicQuantizeLinear", [means], ["q", "scale", "zero"]),
        make("DequantizeLinear", ["q", "scale", "zero"], [out]),
    ]


def in_the_graph() -> Any:
    model = graph_of(WEIGHTS, opset=17, end=None)
    model.graph.node[1].input[0] = "rounded"
    model.graph.node.insert(1, scaled("means", "rounded")[1])
    model.graph.node.insert(1, scaled("means", "rounded")[0])
    return model


def in_a_branch() -> Any:
    model = graph_of(WEIGHTS, opset=17, end=None)
    helper, values = onnx.helper, onnx.TensorProto.FLOAT
    branches = {}
    for name in ("then_branch", "else_branch"):
        out = helper.make_tensor_value_info(f"of_{name}", values, None)
        branches[name] = helper.make_graph(scaled("means", f"of_{name}"), name, [], [out])
    yes = onnx.numpy_helper.from_array(np.array(True), "yes")
    model.graph.initializer.append(yes)
    model.graph.node[1].input[0] = "rounded"
    model.graph.node.insert(1, helper.make_node("If", ["yes"], ["rounded"], **branches))
    return model


def in_one_operator() -> Any:
    """As onnxruntime stores a graph that it has optimised."""
    model = graph_of(WEIGHTS, opset=17, end=None)
    weights = np.round(WEIGHTS * 60 + 128).astype(np.uint8)
    stored = {"w8": weights, "w_scale": np.float32(1 / 60), "w_zero": np.uint8(128)}
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.array(value), name) for name, value in stored.items()
    )
    del model.graph.node[1]
    model.graph.node.append(
        onnx.helper.make_node(
            "DynamicQuantizeMatMul", ["means", *stored], ["scores"], domain="com.microsoft"
        )
    )
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    return model


GRAPHS = {"graph": in_the_graph, "branch": in_a_branch, "operator": in_one_operator}


def scorer(folder: Path, make: Any, batch: int | None = None) -> Any:
    scoring = import_module("prunegate.pipeline.scoring_job")
    save_graph(make(), folder / "m.onnx")
    asked = scoring.ScoringJob(
        model=folder / "m.onnx",
        said=scoring.ModelSource(onnx="m.onnx", classes=("no", "yes")),
        table=folder / "t.csv",
        out=folder / "o.csv",
        batch=batch,
    )
    return scoring.Scorer(asked, "images")


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    from PIL import Image

    said = {"image_processor_type": "ViTImageProcessor", "do_resize": False}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    rng = np.random.default_rng(0)
    for row in range(ROWS):
        pixels = rng.integers(0, 40 + 18 * row, (16, 16, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{row}.png")
    return [f"{row}.png" for row in range(ROWS)]


@pytest.mark.parametrize("where", GRAPHS)
def test_a_row_is_scored_by_itself_unless_a_batch_is_asked_for(
    tmp_path: Path, images: list[str], where: str
) -> None:
    make = GRAPHS[where]
    model = open_model(save_graph(make(), tmp_path / "m.onnx"))
    assert model.storage.quantized.get("kind") == "dynamic"
    usual = scorer(tmp_path, make).scores(images)["p_yes"]
    alone = [scorer(tmp_path, make, 5).scores([one])["p_yes"][0] for one in images]
    assert np.array_equal(usual, alone)
    assert np.array_equal(scorer(tmp_path, make, 1).scores(images)["p_yes"], usual)
    together = scorer(tmp_path, make, 4).scores(images)["p_yes"]
    assert np.abs(together - usual).max() > 1e-5  # else nothing is tried here
    by_four = [
        one
        for start in range(0, ROWS, 4)
        for one in scorer(tmp_path, make, 4).scores(images[start : start + 4])["p_yes"]
    ]
    assert np.array_equal(together, by_four)


def test_a_batch_that_does_not_fit_is_told_and_not_made_smaller(
    tmp_path: Path, images: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = scorer(tmp_path, in_the_graph, 4)

    def full(*_: Any, **__: Any) -> torch.Tensor:
        raise MemoryError

    monkeypatch.setattr(type(found.model.module), "forward", full)
    with pytest.raises(ModelError, match=r"fails on 4 rows at a time .*give a smaller --batch"):
        found.scores(images)
