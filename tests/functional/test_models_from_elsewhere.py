"""Models that other tools made are judged as they are: each kind with its right outcome."""

from __future__ import annotations

import csv
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from prunegate_test_tiny import invoke
from tests.functional.elsewhere import bench_of, describe, pixels_of, written
from tests.functional.foreign import (
    graph_of,
    save_graph,
    text_graph,
)

from prunegate.audit.read import read_record
from prunegate.data.labelled.rows import is_positive, select_rows
from prunegate.errors import InputError, ModelError
from prunegate.models.open_model import open_model
from prunegate.pipeline.context import Context, Settings, set_up
from prunegate.pipeline.run import run
from prunegate.policy.model_source import ModelSource
from prunegate.predict.tuned_threshold import tuned_threshold

pytestmark = [pytest.mark.slow, pytest.mark.models]

WEIGHTS = np.array([[0.5, -1.0], [-1.0, 0.7], [0.3, 2.0]])
OTHER = WEIGHTS + np.array([[0.1, 0.0], [0.0, -0.2], [0.0, 0.0]])
CLASSES = "classes: [safe, unsafe]"


@pytest.fixture
def graphs(home: Path) -> Path:
    """Two graphs in folders of their own, each with a preprocessor; the policy judges them."""
    for name, weights, how in (
        ("old", WEIGHTS, {}),
        ("new", OTHER, {"layout": "NHWC", "batch": 1, "end": None, "opset": 17}),
    ):
        save_graph(graph_of(weights, **how), home / name / "model.onnx")
        describe(home / name)
    return home


TUNED = "{baseline: 0.5, candidate: tuned}"


def by_hand(pixels: Any, weights: np.ndarray) -> np.ndarray:
    """What ``graph_of`` computes, in numpy: the unsafe class's probability."""
    raw = pixels.numpy().astype(np.float64).mean(axis=(2, 3)) @ weights
    shares = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    return shares[:, 1]


def test_two_graphs_are_judged_measured_and_recorded(graphs: Path, quick: None) -> None:
    old, new = (f"{{onnx: {name}/model.onnx, {CLASSES}}}" for name in ("old", "new"))
    (graphs / "out").mkdir()
    source = written(graphs, old, new, TUNED)
    decision = run(source, graphs / "out", Settings(seconds=0.05))
    record = decision.record
    _require_tuned(record, set_up(source, Settings()))
    assert record.candidate is not None
    assert (record.candidate.architecture, record.candidate.active_heads) == ("ONNX", None)
    assert record.measurements is not None
    assert record.measurements.engine.startswith("onnxruntime")
    assert record.measurements.candidate.latency_p50_ms is not None
    sizes = [record.baseline.model_bytes, record.candidate.model_bytes]  # type: ignore[union-attr]  # there
    assert sizes == [(graphs / n / "model.onnx").stat().st_size for n in ("old", "new")]
    bench = set_up(written(graphs, old, new), Settings())
    pixels = pixels_of(bench, 60)
    table = pq.read_table(graphs / "out" / "predictions.parquet").to_pydict()
    for name, weights in (("baseline", WEIGHTS), ("candidate", OTHER)):
        assert np.allclose(table[name], by_hand(pixels, weights), atol=1e-6)


def _require_tuned(record: Any, bench: Context) -> None:
    """The threshold was chosen on the calibration rows, and stands in the record."""
    scores = {
        name: by_hand(pixels, weights)
        for name, weights in (("baseline", WEIGHTS), ("candidate", OTHER))
        for pixels in [bench.material.split("calibration").inputs(np.arange(12))["pixel_values"]]
    }
    chosen = select_rows(bench.rows, "calibration")
    positive = is_positive(bench.rows, bench.policy)[chosen]
    found = tuned_threshold("recall", positive, scores["baseline"] >= 0.5, scores["candidate"])
    assert record.tuned.threshold == found.threshold
    assert record.policy.document["task"]["threshold"]["found"] == found.threshold
    assert any(f"threshold, {found.threshold:g}, was chosen" in one for one in record.known_limits)


def test_predictions_of_both_feed_gate_and_are_those_of_run(graphs: Path) -> None:
    for name, column in (("old", "baseline"), ("new", "candidate")):
        result = invoke(
            *("predict", f"{name}/model.onnx", "--data", "data/labelled.csv", "--batch", 7),
            *("--classes", "safe,unsafe", "--positive", "unsafe", "--column", column),
            *("-o", f"{column}.parquet", "-q"),
        )
        assert result.exception is None
    old, new = (f"{{onnx: {name}/model.onnx, {CLASSES}}}" for name in ("old", "new"))
    bench = set_up(written(graphs, old, new), Settings())
    found = pq.read_table("candidate.parquet").to_pydict()
    scores = dict(zip(found["id"], found["candidate"], strict=True))
    rows = [name for name in bench.rows.ids if str(name).startswith("gate")]
    assert np.allclose([scores[name] for name in rows], bench.score(bench.found(), "candidate"))
    judged = invoke(
        *("gate", "policy.yaml", "--labels", "data/labelled.csv", "-q"),
        *("--baseline-predictions", "baseline.parquet"),
        *("--candidate-predictions", "candidate.parquet", "--out", "judged"),
    )
    assert judged.return_value in (0, 4)
    assert (graphs / "judged" / "record.json").exists()
    assert not list(graphs.glob(".partial-*"))


SEVERAL = """\
prunegate: 1
name: several
task: {kind: multilabel, labels: [violence, hate], threshold: 0.5}
slices: [{by: content_type}]
rules: [{metric: recall, classes: each, max_drop: 0.5, evidence: point}]
data: {scores: {prefix: p_}}
"""


def test_a_model_of_several_labels_predicts_what_gate_reads(home: Path) -> None:
    """A column for each label, each a sigmoid of its own, on a table with the truth."""
    from transformers import ViTForImageClassification, ViTImageProcessorPil

    config = json.loads((home / "baseline" / "config.json").read_text())
    config |= {"problem_type": "multi_label_classification"}
    config |= {"id2label": {"0": "violence", "1": "hate"}, "label2id": {"violence": 0, "hate": 1}}
    (home / "baseline" / "config.json").write_text(json.dumps(config))
    with (home / "data" / "labelled.csv").open() as file:
        rows = list(csv.DictReader(file))
    truth = [(r["id"], i % 3 == 0, i % 2, r["content_type"]) for i, r in enumerate(rows)]
    lines = [",".join(map(str, line)) for line in truth]
    (home / "truth.csv").write_text(
        "\n".join(["id,label_violence,label_hate,content_type", *lines])
    )
    (home / "several.yaml").write_text(SEVERAL)
    result = invoke("predict", "baseline", "--data", "data/labelled.csv", "-o", "p.parquet", "-q")
    assert result.exception is None
    found = pq.read_table("p.parquet").to_pylist()
    images = [Image.open(home / "data" / rows[0]["image"])]
    pixels = ViTImageProcessorPil.from_pretrained(home / "baseline")(images, return_tensors="pt")
    with torch.inference_mode():
        logits = ViTForImageClassification.from_pretrained(home / "baseline")(**pixels).logits
    scores = next(row for row in found if row["id"] == rows[0]["id"])
    assert np.allclose([scores["p_violence"], scores["p_hate"]], logits[0].sigmoid(), atol=1e-5)
    judged = invoke(
        *("gate", "several.yaml", "--labels", "truth.csv", "--baseline-predictions", "p.parquet"),
        *("--candidate-predictions", "p.parquet", "--out", "judged", "-q"),
    )
    assert judged.return_value in (0, 4)
    metrics = {
        finding.class_label for finding in read_record(Path("judged/record.json"))[0].findings
    }
    assert {"violence", "hate"} <= metrics


def test_a_prediction_that_was_killed_goes_on_and_halves_its_batch(
    graphs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = import_module("prunegate.pipeline.predict_table")
    scoring: Any = import_module("prunegate.pipeline.scoring_job")
    monkeypatch.setattr(module, "PART", 50)
    real, sizes = scoring.probabilities, []

    def scarce(*args: Any, **given: Any) -> Any:
        sizes.append(given["batch_size"])
        if len(sizes) == 4:
            raise KeyboardInterrupt
        if given["batch_size"] > 16:
            raise MemoryError
        return real(*args, **given)

    monkeypatch.setattr(scoring, "probabilities", scarce)
    asked = scoring.ScoringJob(
        model=graphs / "old",
        said=scoring.ModelSource(folder="old", classes=("safe", "unsafe")),
        table=graphs / "data" / "labelled.csv",
        out=graphs / "scores.csv",
        batch=64,
    )
    with pytest.raises(KeyboardInterrupt):
        module.predict_table(asked)
    assert sizes == [64, 32, 16, 16]
    assert not asked.out.exists()
    assert module.predict_table(asked) == 162
    assert sizes[4:] == [64, 32, 16, 16, 16]
    lines = asked.out.read_text().splitlines()
    assert lines[0] == '"id","p_safe","p_unsafe"'
    assert len(lines) == 163


@pytest.mark.parametrize(
    ("how", "said", "told"),
    [
        ({}, "", "classes"),
        ({"size": "s"}, f"{CLASSES}, layout: NHWC", "not NHWC"),
        ({"size": 3}, CLASSES, "does not say where its channels are"),
        ({}, f"{CLASSES}, inputs: {{pixel_values: pixels}}", "no input 'pixels'"),
        ({}, f"{CLASSES}, activation: none, output: other", "no output 'other'"),
        ({"size": 8}, CLASSES, "takes images of 8 x 8"),
        ({"end": None}, f"{CLASSES}, activation: none", "no probabilities"),
    ],
)
def test_what_a_graph_and_its_policy_do_not_tell_is_asked_for(
    home: Path, how: dict[str, Any], said: str, told: str
) -> None:
    save_graph(graph_of(WEIGHTS * 9, **how), home / "c.onnx")
    source = written(home, candidate=f"{{onnx: c.onnx, {said}}}")
    with pytest.raises(InputError, match=told):
        _scored(source)


def _scored(source: Any) -> Any:
    bench = set_up(source, Settings())
    return bench.score(bench.found(), "candidate")


def test_one_output_with_a_sigmoid_or_without_is_the_positive_class(home: Path) -> None:
    scores = []
    for end in (None, "Sigmoid"):
        save_graph(graph_of(WEIGHTS[:, 1:], end=end), home / "c.onnx")
        bench, found = bench_of(home, "{onnx: c.onnx, classes: [unsafe]}")
        scores.append(bench.score(found, "candidate"))
    raw = pixels_of(bench, 60).numpy().mean(axis=(2, 3)) @ WEIGHTS[:, 1]
    assert np.allclose(scores[0], 1 / (1 + np.exp(-raw)), atol=1e-6)
    assert np.allclose(scores[0], scores[1], atol=1e-6)


def test_texts_are_padded_to_a_fixed_length_and_told_their_segments(tmp_path: Path) -> None:
    names = ("ids:0", "input_mask", "segment_ids")
    free = save_graph(text_graph(9, inputs=("input_ids", "attention_mask")), tmp_path / "a.onnx")
    fixed = save_graph(text_graph(9, inputs=names, length=6), tmp_path / "b.onnx")
    with pytest.raises(InputError, match=r"what its input 'ids:0' .* takes is not known"):
        open_model(fixed)
    said = ModelSource(onnx="b.onnx", inputs={"input_ids": "ids:0"})
    ids = torch.tensor([[1, 2, 3, 0], [4, 5, 0, 0]])
    given = {"input_ids": ids, "attention_mask": (ids > 0).long()}
    one, other = open_model(free), open_model(fixed, said)
    assert (one.family.reads, one.activation) == ("texts", "sigmoid")
    assert torch.allclose(one.module(**given).logits, other.module(**given).logits)
    with pytest.raises(ModelError, match="takes texts of 6 tokens; got 7"):
        other.module(input_ids=torch.ones(1, 7, dtype=torch.int64))


def test_external_data_are_read_inside_the_folder_only(tmp_path: Path) -> None:
    import onnx

    weights = np.tile(WEIGHTS, (1, 200))
    for name in ("w.onnx.data", "../outside"):
        folder = tmp_path / ("out" if name.startswith("..") else "in")
        save_graph(graph_of(weights, opset=17), folder / "w.onnx")
        model = onnx.load(folder / "w.onnx")
        inside = "w.onnx.data"
        onnx.save_model(
            model, folder / "w.onnx", save_as_external_data=True, location=inside, size_threshold=0
        )
        if name != inside:
            model = onnx.load(folder / "w.onnx", load_external_data=False)
            for tensor in model.graph.initializer:
                next(e for e in tensor.external_data if e.key == "location").value = name
            (folder / inside).rename(tmp_path / "outside")
            (folder / "w.onnx").write_bytes(model.SerializeToString())
            with pytest.raises(InputError, match="outside the model's folder"):
                open_model(folder / "w.onnx")
            continue
        found = open_model(folder / "w.onnx")
        assert found.model_bytes == sum(path.stat().st_size for path in folder.iterdir())
        pixels = torch.randn(2, 3, 16, 16)
        raw = pixels.numpy().mean(axis=(2, 3)) @ weights
        shares = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
        assert np.allclose(found.module(pixel_values=pixels).logits, shares, atol=1e-6)


def test_a_tensor_that_is_stored_twice_counts_once(tmp_path: Path) -> None:
    path = save_graph(graph_of(WEIGHTS, doubled=True, opset=17), tmp_path / "m.onnx")
    found = open_model(path)
    assert found.bytes_found == path.stat().st_size
    assert found.bytes_found - found.model_bytes == 4096
