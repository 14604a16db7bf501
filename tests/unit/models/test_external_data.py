"""Weights that lie beside a graph are counted as they are stored there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.functional.foreign import graph_of, save_graph

pytestmark = pytest.mark.models
pytest.importorskip("onnx")

from prunegate.models.open_model import open_model  # noqa: E402

WEIGHTS = np.array([[1.0, -1.0], [0.5, 0.2], [-0.3, 0.4]])


def test_a_tensor_that_is_kept_once_beside_the_graph_is_counted_once(tmp_path: Path) -> None:
    import onnx

    path = save_graph(graph_of(WEIGHTS, doubled=True, opset=17), tmp_path / "m.onnx")
    how = {"save_as_external_data": True, "location": "m.onnx.data", "size_threshold": 1024}
    onnx.save_model(onnx.load(path), path, **how)
    model = onnx.load(path, load_external_data=False)
    one, other = (
        next(entry for entry in tensor.external_data if entry.key == "offset")
        for tensor in model.graph.initializer
        if tensor.name.startswith("again")
    )
    apart = open_model(path)
    other.value = one.value
    data = tmp_path / "m.onnx.data"
    data.write_bytes(data.read_bytes()[:4096])
    save_graph(model, path)
    together = open_model(path)
    assert apart.bytes_found - apart.model_bytes == 4096
    assert together.bytes_found == together.model_bytes == path.stat().st_size + 4096
    assert abs(apart.model_bytes - together.model_bytes) < 16  # of how offsets are spelled
