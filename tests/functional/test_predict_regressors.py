"""Models that answer with numbers are scored as they stand, and judged as scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from prunegate_test_tiny import invoke
from tests.functional.foreign import graph_of, random_model, save_graph, save_quietly

from prunegate.errors import InputError, ModelError

pytestmark = [pytest.mark.slow, pytest.mark.models]

PLAIN = {"do_resize": False, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
WEIGHTS = np.array([[5.0], [-10.0], [3.0]])
POLICY = """\
prunegate: 1
name: scores
task: {kind: score, range: [-100, 100]}
rules: [{metric: mean_score, max_drop: 1}]
"""


def regressor(folder: Path, outputs: int) -> torch.nn.Module:
    from transformers import ViTConfig

    config = ViTConfig(
        image_size=16,
        patch_size=8,
        hidden_size=12,
        num_hidden_layers=1,
        num_attention_heads=3,
        intermediate_size=8,
        num_labels=outputs,
        problem_type="regression",
    )
    module = random_model("ViTForImageClassification", config)
    save_quietly(module, folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PLAIN))
    return module


def drawn(home: Path, graph: Any) -> None:
    save_graph(graph, home / "m.onnx")
    (home / "preprocessor_config.json").write_text(json.dumps(PLAIN))


def written(model: Path, *options: object, column: str = "score") -> dict[str, float]:
    given = ["predict", model, "--data", "data/labelled.csv", "--column", column, "-q", "--force"]
    result = invoke(*given, *options, "-o", f"{column}.parquet")
    if result.exception is not None:
        raise result.exception
    found = pq.read_table(f"{column}.parquet").to_pydict()
    assert list(found) == ["id", column]
    return dict(zip(found["id"], found[column], strict=True))


def pixels_of(home: Path, ids: list[str]) -> torch.Tensor:
    from PIL import Image

    lines = (home / "data" / "labelled.csv").read_text().splitlines()[1:]
    paths = dict(line.split(",")[:2] for line in lines)
    images = [np.asarray(Image.open(home / "data" / paths[one])) for one in ids]
    return torch.tensor(np.stack(images)).permute(0, 3, 1, 2).float() / 255 * 2 - 1


def test_its_numbers_are_written_as_they_stand_and_gated_as_scores(home: Path) -> None:
    """A sigmoid of them would keep their order, and nothing else."""
    module = regressor(home / "m", outputs=1)
    found = written(home / "m", column="baseline")
    pixels = pixels_of(home, list(found))
    with torch.inference_mode():
        expected = module(pixel_values=pixels).logits[:, 0]
    assert expected.min() < 0
    assert np.allclose(list(found.values()), expected, atol=1e-5)
    drawn(home, graph_of(WEIGHTS, end=None, opset=17))
    other = written(home / "m.onnx", "--numbers", column="candidate")
    by_hand = pixels.numpy().mean(axis=(2, 3)) @ WEIGHTS
    assert np.allclose(list(other.values()), by_hand[:, 0], atol=1e-5)
    (home / "scores.yaml").write_text(POLICY)
    judged = invoke(
        *("gate", "scores.yaml", "--labels", "data/labelled.csv", "--out", "judged", "-q"),
        *("--baseline-predictions", "baseline.parquet"),
        *("--candidate-predictions", "candidate.parquet"),
    )
    assert judged.return_value in (0, 3, 4)


def test_of_several_outputs_one_is_named(home: Path) -> None:
    module = regressor(home / "m", outputs=3)
    with pytest.raises(ModelError, match=r"outputs are LABEL_0, LABEL_1, LABEL_2; name one"):
        written(home / "m")
    found = written(home / "m", "--positive", "LABEL_2")
    with torch.inference_mode():
        expected = module(pixel_values=pixels_of(home, list(found))).logits[:, 2]
    assert np.allclose(list(found.values()), expected, atol=1e-5)


def test_a_graph_says_what_it_leaves_open_on_the_command_line(home: Path) -> None:
    graph = graph_of(WEIGHTS, end=None, opset=17, size="side", layout="NHWC")
    graph.graph.input[0].type.tensor_type.shape.dim[3].dim_param = "channels"
    drawn(home, graph)
    open_ones = ["--classes", "unsafe", "--positive", "unsafe"]
    with pytest.raises(InputError, match="--layout"):
        written(home / "m.onnx", *open_ones)
    with pytest.raises(InputError, match="expected ROLE=NAME"):
        written(home / "m.onnx", *open_ones, "--input-name", "pixels")
    with pytest.raises(InputError, match="no output 'other' of numbers"):
        written(home / "m.onnx", *open_ones, "--layout", "NHWC", "--output-name", "other")
    named = ["--layout", "NHWC", "--input-name", "pixel_values=input:0"]
    found = written(home / "m.onnx", *open_ones, *named, "--output-name", "scores")
    by_hand = pixels_of(home, list(found)).numpy().mean(axis=(2, 3)) @ WEIGHTS
    assert np.allclose(list(found.values()), 1 / (1 + np.exp(-by_hand[:, 0])), atol=1e-6)


def test_one_name_is_not_taken_for_one_of_two_outputs(home: Path) -> None:
    drawn(home, graph_of(np.hstack([WEIGHTS, -WEIGHTS]), opset=17))
    with pytest.raises(ModelError, match="answers with 2 numbers for 1 classes"):
        written(home / "m.onnx", "--classes", "unsafe")
