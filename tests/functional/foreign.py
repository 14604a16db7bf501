"""Models as other tools leave them: graphs by onnx.helper, folders in every layout of weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch


def graph_of(
    weights: np.ndarray,
    *,
    layout: str = "NCHW",
    end: str | None = "Softmax",
    batch: object = "batch",
    size: object = 16,
    name: str = "input:0",
    opset: int = 9,
    doubled: bool = False,
) -> Any:
    """An image classifier: the mean of each channel (3), times weights [3, classes]."""
    from onnx import TensorProto, helper, numpy_helper

    image = [batch, 3, size, size] if layout == "NCHW" else [batch, size, size, 3]
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    nodes = [
        helper.make_node("ReduceMean", [name], ["means"], axes=axes, keepdims=0),
        helper.make_node("MatMul", ["means", "w"], ["raw" if end else "scores"]),
    ]
    if end:
        nodes.append(helper.make_node(end, ["raw"], ["scores"]))
    columns = weights.shape[1]
    stored = [numpy_helper.from_array(weights.astype(np.float32), "w")]
    if doubled:
        filler = np.arange(1024, dtype=np.float32).reshape(32, 32)
        stored += [numpy_helper.from_array(filler, f"again{n}") for n in (1, 2)]
        nodes[1].output[0] = "product"  # and nothing added: the two are the same
        nodes[2:2] = [
            helper.make_node("Sub", ["again1", "again2"], ["apart"]),
            helper.make_node("ReduceMean", ["apart"], ["nothing"], keepdims=0),
            helper.make_node("Add", ["product", "nothing"], ["raw" if end else "scores"]),
        ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, columns])],
        stored,
    )
    ir = 3 if opset < 10 else 8
    if ir == 3:  # files of that age list their weights among the inputs
        graph.input.append(
            helper.make_tensor_value_info("w", TensorProto.FLOAT, list(weights.shape))
        )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def save_graph(model: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def text_graph(words: int, *, inputs: tuple[str, ...], length: object = "sequence") -> Any:
    """A text classifier: the mean of the words' embeddings where the mask is 1; one logit."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    table = rng.normal(size=(words, 4)).astype(np.float32)
    values = rng.normal(size=(4, 1)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", inputs[0]], ["embedded"]),
        helper.make_node("Cast", [inputs[1]], ["weights"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["weights", "last"], ["column"]),
        helper.make_node("Mul", ["embedded", "column"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "places"], ["summed"], keepdims=0),
        helper.make_node("MatMul", ["summed", "values"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", length])
            for name in inputs
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(values, "values"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "places"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def save_quietly(module: Any, folder: Path, **how: Any) -> Path:
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        module.save_pretrained(folder, **how)
    finally:
        logging.enable_progress_bar()
    return folder


def random_model(name: str, config: Any, *, scale: float = 0.3) -> Any:
    """A model of transformers with every weight random."""
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = getattr(transformers, name)(config).eval()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(scale * torch.randn_like(parameter))
    return module


def as_hub_cache(folder: Path, cache: Path) -> Path:
    """A repository in the hub's cache: files are links into its blobs; returns the repository."""
    repository = cache / "models--org--name"
    snapshot = repository / "snapshots" / "abc123"
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    for number, path in enumerate(sorted(folder.iterdir())):
        shutil.copy(path, repository / "blobs" / f"blob{number}")
        (snapshot / path.name).symlink_to(f"../../blobs/blob{number}")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc123")
    return repository


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    found = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in found.items() if value is not None}))
