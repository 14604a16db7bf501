"""Graphs of other tools: what their answers are, however graph and description put it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.functional.foreign import graph_of, save_graph, text_graph

from prunegate.errors import ModelError
from prunegate.models.open_model import open_model
from prunegate.policy.model_source import ModelSource

pytestmark = pytest.mark.models

onnx = pytest.importorskip("onnx")

WEIGHTS = np.array([[0.5, -1.0], [-1.0, 0.7], [0.3, 2.0]])


def ended(nodes: list[tuple[str, list[str], str]], *, opset: int = 17, **stored: Any) -> Any:
    """The classifier of ``graph_of`` with further operators, the last of which answers."""
    model = graph_of(WEIGHTS, end=None, opset=opset)
    made = [onnx.helper.make_node(kind, given, [name]) for kind, given, name in nodes]
    model.graph.node.extend(made)
    stored = {name: np.array(value) for name, value in stored.items()}
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(value, name) for name, value in stored.items()
    )
    del model.graph.output[:]
    shape = ["batch", None]
    model.graph.output.append(
        onnx.helper.make_tensor_value_info(nodes[-1][2], onnx.TensorProto.FLOAT, shape)
    )
    return model


SOFTMAX = ("Softmax", ["scores"], "shares")
PARTS = [
    ("Exp", ["scores"], "powers"),
    ("ReduceSum", ["powers", "axis"], "sum"),
    ("Div", ["powers", "sum"], "shares"),
]
OF_ONE = [
    ("Gather", ["scores", "second"], "one"),
    ("Neg", ["one"], "less"),
    ("Exp", ["less"], "power"),
    ("Add", ["power", "unit"], "more"),
    ("Reciprocal", ["more"], "share"),
]


@pytest.mark.parametrize(
    "nodes",
    [
        [SOFTMAX, ("Clip", ["shares"], "clipped")],
        [SOFTMAX, ("Gather", ["shares", "both"], "taken")],
        [SOFTMAX, ("Unsqueeze", ["shares", "places"], "as_a_convolution")],
        [("LogSoftmax", ["scores"], "logarithms")],
        [("Identity", ["scores"], "logits")],
    ],
    ids=lambda nodes: nodes[-1][0],
)
def test_probabilities_are_those_that_the_graph_means(tmp_path: Path, nodes: Any) -> None:
    gather_columns = [onnx.helper.make_attribute("axis", 1)]
    model = ended(nodes, both=[0, 1], places=[2, 3])
    for node in model.graph.node:
        if node.op_type == "Gather":
            node.attribute.extend(gather_columns)
    found = open_model(save_graph(model, tmp_path / "m.onnx"))
    pixels = torch.randn(3, 3, 16, 16)
    logits = torch.tensor(pixels.numpy().mean(axis=(2, 3)) @ WEIGHTS)
    answers = found.module(pixel_values=pixels).logits.double()
    shares = answers if found.activation == "none" else answers.softmax(dim=-1)
    assert torch.allclose(shares, logits.softmax(dim=-1), atol=1e-6)


@pytest.mark.parametrize("nodes", [PARTS, OF_ONE], ids=["softmax", "sigmoid"])
def test_probabilities_without_a_sign_of_it_are_asked_about(tmp_path: Path, nodes: Any) -> None:
    """Taken for logits, they would all come to lie between .27 and .73."""
    model = ended(nodes, axis=[1], second=[1], unit=np.float32(1))
    for node in model.graph.node:
        if node.op_type == "Gather":
            node.attribute.append(onnx.helper.make_attribute("axis", 1))
    path = save_graph(model, tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="say what they are: 'activation: none'"):
        open_model(path)
    assert open_model(path, classes=False).graph == path  # to be timed
    said = ModelSource(onnx=str(path), activation="none")
    assert open_model(path, said).activation == "none"


def test_a_description_beside_a_graph_says_that_rows_have_several_labels(tmp_path: Path) -> None:
    path = save_graph(graph_of(WEIGHTS, end=None), tmp_path / "m.onnx")
    several = {"problem_type": "multi_label_classification"}
    assert open_model(path).activation == "softmax"
    (tmp_path / "config.json").write_text(json.dumps(several))
    assert open_model(path).activation == "sigmoid"


def test_texts_without_a_mask_are_answered_as_each_is_alone(tmp_path: Path) -> None:
    """Padding would be read like any other word."""
    model = text_graph(9, inputs=("input_ids", "attention_mask"))
    ones = [
        onnx.helper.make_node("Shape", ["input_ids"], ["form"]),
        onnx.helper.make_node(
            "ConstantOfShape",
            ["form"],
            ["attention_mask"],
            value=onnx.numpy_helper.from_array(np.array([1], np.int64)),
        ),
    ]
    nodes = [*ones, *model.graph.node]
    del model.graph.node[:], model.graph.input[1]
    model.graph.node.extend(nodes)
    found = open_model(save_graph(model, tmp_path / "m.onnx"))
    texts = [[1, 2, 3, 4], [5, 6], [7], [8, 1]]
    ids = torch.tensor([[*text, *[0] * (4 - len(text))] for text in texts])
    together = found.module(input_ids=ids, attention_mask=(ids > 0).long()).logits
    alone = [
        found.module(input_ids=one, attention_mask=torch.ones_like(one)).logits
        for one in (torch.tensor([text]) for text in texts)
    ]
    assert torch.allclose(together, torch.cat(alone), atol=1e-6)


def test_a_place_of_external_data_that_is_no_number_is_an_error_of_the_file(tmp_path: Path) -> None:
    model = graph_of(WEIGHTS, opset=17)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "m.onnx.data"), ("offset", "soon")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    (tmp_path / "m.onnx.data").write_bytes(b"\0" * 64)
    with pytest.raises(ModelError, match="is no number"):
        open_model(save_graph(model, tmp_path / "m.onnx"))
    (tmp_path / "m.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match="not an ONNX model"):
        open_model(tmp_path / "m.onnx")
