"""``run`` on models that answer with a number: cut, tuned, judged as ``gate`` judges their scores.

The label is what the picture shows (its mean brightness), so that there is something to estimate.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from prunegate_test_tiny import edit, invoke
from tests.functional.foreign import graph_of, save_graph

from prunegate import judge
from prunegate.errors import ContractError, InputError, ModelError
from prunegate.policy.load import read_policy

pytestmark = [pytest.mark.slow, pytest.mark.models, pytest.mark.usefixtures("quick")]

POLICY = """\
prunegate: 1
name: brightness
task: {kind: score, range: [-20, 20]}
slices: [{by: content_type, expect: [display, video]}]
rules:
  - {metric: mae, slices: all, max_rise: 5, evidence: point}
  - {metric: mean_score, max_drop: 5, evidence: point}
  - {metric: rank_correlation, max_drop: 1.5, evidence: point}
  - {metric: model_bytes, max_ratio: 0.99}
model: {baseline: baseline}
data: {table: data/scores.csv}
evidence: {reference: warn}
compress:
  - prune: {what: heads, amount: 0.34}
  - prune: {what: neurons, amount: 0.4, compensate: ridge, scope: budget}
  - finetune: {steps: 6, batch_size: 8, learning_rate: 0.01, teacher: baseline, flips: false}
"""


def write_scores(home: Path) -> None:
    """The tiny model with one output, and a number in the place of each label."""
    from safetensors.numpy import load_file, save_file

    folder = home / "baseline"
    config = json.loads((folder / "config.json").read_text())
    config |= {"problem_type": "regression", "id2label": {"0": "LABEL_0"}}
    config["label2id"] = {"LABEL_0": 0}
    (folder / "config.json").write_text(json.dumps(config))
    state = load_file(folder / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        state[name] = np.ascontiguousarray(state[name][:1])
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with (home / "data/labelled.csv").open() as file:
        rows = list(csv.DictReader(file))
    lines = ["id,image,label,content_type,split"]
    for row in rows:
        pixels = np.asarray(Image.open(home / "data" / row["image"]), dtype=np.float64)
        row["label"] = f"{pixels.mean() / 127.5 - 1:.4f}"
        lines.append(",".join(row[name] for name in lines[0].split(",")))
    (home / "data/scores.csv").write_text("\n".join(lines) + "\n")
    (home / "policy.yaml").write_text(POLICY)


@pytest.fixture
def scores(home: Path) -> Path:
    write_scores(home)
    return home


def rows_of(split: str) -> list[str]:
    """The lines of a split, the heading first."""
    heading, *lines = Path("data/scores.csv").read_text().splitlines()
    return [heading, *(line for line in lines if line.endswith(f",{split}"))]


def test_the_verdict_is_that_of_two_predictions_and_a_gate(scores: Path) -> None:
    """And the numbers are transformers' own; the label is read by nobody but the errors."""
    import torch
    from transformers import ViTForImageClassification, ViTImageProcessorPil

    from prunegate.models.load import read_candidate
    from prunegate.pipeline.context import Settings
    from prunegate.pipeline.predict_table import predict_table
    from prunegate.pipeline.run import run
    from prunegate.pipeline.scoring_job import ScoringJob
    from prunegate.policy.model_source import ModelSource

    source, out = read_policy(Path("policy.yaml")), Path("out")
    out.mkdir()
    record = run(source, out, Settings(seconds=0.02)).record
    assert record.candidate is not None
    assert record.baseline is not None
    assert record.candidate.parameters < record.baseline.parameters
    assert record.control is not None
    assert record.compression is not None
    fitted, taught = record.compression.recipe[-2:]
    assert {"loss_before", "loss_removed", "loss_after"} <= fitted.keys()
    assert {"loss_after", "distance_before", "distance_after"} <= taught.keys()
    assert "mean squared distance" in record.compression.summary[-1]
    assert "temperature" not in taught
    assert "temperature" not in record.compression.summary[-1]
    Path("data/truth.csv").write_text("\n".join(rows_of("gate")) + "\n")
    for name, folder in (("old", Path("baseline")), ("new", out / "candidate")):
        said, answers = ModelSource(folder=str(folder)), Path(f"{name}.csv")
        predict_table(
            ScoringJob(
                model=folder, said=said, table=Path("data/truth.csv"), out=answers, column=name
            )
        )
    files = {"labels": "data/truth.csv", "baseline_predictions": "old.csv"}
    edit(
        scores / "policy.yaml",
        "scores.csv}",
        "scores.csv, columns: {baseline: old, candidate: new}}",
    )
    gated = judge(
        read_policy(Path("policy.yaml")).policy, files | {"candidate_predictions": "new.csv"}
    )
    ours, theirs = (
        [one for one in found if one.metric != "model_bytes"]
        for found in (record.findings, gated.findings)
    )
    assert ours == theirs
    assert {(one.metric, one.slice) for one in ours} >= {("mae", "content_type=video")}
    rows = pq.read_table(out / "predictions.parquet").to_pylist()
    module = ViTForImageClassification.from_pretrained(scores / "baseline")
    processor = ViTImageProcessorPil.from_pretrained(scores / "baseline")
    images = {line.split(",")[0]: line.split(",")[1] for line in rows_of("gate")}
    for row in (rows[0], rows[-1]):
        pixels = processor([Image.open(scores / "data" / images[row["id"]])], return_tensors="pt")
        with torch.inference_mode():
            number = float(module(**pixels).logits[0, 0])
        assert row["baseline"] == pytest.approx(number, abs=1e-5)
    assert read_candidate(out / "candidate").config["problem_type"] == "regression"


def of_graphs(_: Path) -> None:
    """Two graphs, one of which says that it is a regressor and one of which lies alone."""
    weights = np.array([[5.0], [-10.0], [3.0]])
    for name, config in (("old", {"problem_type": "regression", "num_labels": 1}), ("new", None)):
        folder = Path(name)
        folder.mkdir()
        save_graph(graph_of(weights + (name == "new"), end=None, opset=17), folder / "m.onnx")
        plain = {"do_resize": False, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
        (folder / "preprocessor_config.json").write_text(json.dumps(plain))
        if config:
            (folder / "config.json").write_text(json.dumps(config))
    text = Path("policy.yaml").read_text()
    named = "model: {baseline: {onnx: old/m.onnx}, candidate: {onnx: new/m.onnx}}"
    text = text.partition("compress:")[0].replace("model: {baseline: baseline}", named)
    Path("policy.yaml").write_text(text)


@pytest.mark.usefixtures("quick")
def test_graphs_are_judged_by_their_numbers_and_rows_may_lack_a_label_that_nobody_reads(
    scores: Path,
) -> None:
    """Means need no labels: the table has none, and neither have the predictions."""
    of_graphs(scores)
    by_hand = scores / "policy.yaml"
    edit(by_hand, "  - {metric: mae, slices: all, max_rise: 5, evidence: point}\n", "")
    edit(by_hand, "  - {metric: rank_correlation, max_drop: 1.5, evidence: point}\n", "")
    edit(scores / "data/scores.csv", "id,image,label,", "id,image,unread,")
    ran = invoke("run", "policy.yaml", "--out", "out", "-q", "--seconds", 1)
    assert ran.exception is None, ran.exception
    rows = pq.read_table("out/predictions.parquet").to_pylist()
    assert set(rows[0]) == {"id", "baseline", "candidate", "content_type"}
    images = {line.split(",")[0]: line.split(",")[1] for line in rows_of("gate")}
    for row in rows[:3]:
        pixels = np.asarray(Image.open(scores / "data" / images[row["id"]])) / 255.0 * 2 - 1
        mean = pixels.mean(axis=(0, 1))
        assert row["baseline"] == pytest.approx(mean @ [5, -10, 3], abs=1e-5)
        assert row["candidate"] == pytest.approx(mean @ [6, -9, 4], abs=1e-5)


@pytest.mark.parametrize("constant", ["labels", "baseline"])
@pytest.mark.usefixtures("quick")
def test_nothing_is_approved_where_nothing_varies(scores: Path, constant: str) -> None:
    """Agreement with one label for all rows, or of one answer to all, is none beyond chance."""
    of_graphs(scores)
    edit(scores / "policy.yaml", "{reference: warn}", "{reference: required}")
    table = scores / "data/scores.csv"
    if constant == "labels":
        lines = [line.split(",") for line in table.read_text().splitlines()]
        rows = [[*line[:2], "0.5", *line[3:]] for line in lines[1:]]
        table.write_text("\n".join(map(",".join, [lines[0], *rows])) + "\n")
    else:
        save_graph(graph_of(np.zeros((3, 1)), end=None, opset=17), Path("old/m.onnx"))
    ran = invoke("run", "policy.yaml", "--out", "out", "-q", "--seconds", 1)
    assert ran.return_value in (3, 4)
    found = json.loads(Path("out/record.json").read_text())["findings"]
    shown = [one for one in found if one["metric"] == "reference"]
    assert shown
    assert all(one["status"] != "pass" for one in shown)


def a_classifier(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["problem_type"] = "single_label_classification"
    (folder / "config.json").write_text(json.dumps(config))


def several_outputs(folder: Path) -> None:
    edit(folder / "config.json", '{"0": "LABEL_0"}', '{"0": "clear", "1": "kind", "2": "true"}')


def several_classes(folder: Path) -> None:
    several_outputs(folder)
    edit(folder / "config.json", '"problem_type": "regression"', '"problem_type": null')


def unsaid(folder: Path) -> None:
    edit(folder / "config.json", '"problem_type": "regression"', '"problem_type": null')


def asked_for_classes(_: Path) -> None:
    edit(Path("policy.yaml"), "{kind: score, range: [-20, 20]}", "{kind: multiclass}")
    text = Path("policy.yaml").read_text()
    start, end = text.index("  - {metric: mae"), text.index("  - {metric: model_bytes")
    Path("policy.yaml").write_text(text[:start] + text[end:])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (a_classifier, "a classifier .problem_type 'single_label_classification'"),
        (several_classes, "a classifier .outputs 'clear', 'kind', 'true'."),
        (several_outputs, "answers a row with 3 numbers .outputs 'clear', .*one of them"),
        (unsaid, 'does not say .* write "problem_type": "regression"'),
        (asked_for_classes, "its numbers are scores, not classes; judge it with .task: .kind: sco"),
    ],
)
def test_other_models_are_refused_by_name_before_data_are_read(
    scores: Path,
    spoil: Callable[[Path], None],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil(scores / "baseline")
    monkeypatch.setattr(import_module("prunegate.pipeline.context"), "check_rows", None)
    before = sorted(scores.rglob("*"))
    with pytest.raises(InputError, match=message):
        raise invoke("run", "policy.yaml", "-q").exception or AssertionError
    assert sorted(scores.rglob("*")) == before


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "rows without a number in column 'label' .calibration, gate, train.: 1"),
        ("nan", "rows without a number in column 'label' .calibration, gate, train.: 1"),
        ("inf", "labels that are infinite: 1"),
        ("bright", "labels that are no numbers: 1 .'bright'"),
        ("21", "labels that do not lie between -20 and 20: 1 .'21'"),
    ],
)
def test_a_label_that_is_no_target_breaks_the_contract(
    scores: Path, value: str, message: str
) -> None:
    table = scores / "data/scores.csv"
    first = rows_of("gate")[1].split(",")
    edit(table, ",".join(first), ",".join([*first[:2], value, *first[3:]]))
    before = sorted(scores.rglob("*"))
    for command in ("run", "check"):
        with pytest.raises(ContractError, match=message):
            raise invoke(command, "policy.yaml", "-q").exception or AssertionError
    assert sorted(scores.rglob("*")) == before


def test_a_number_beyond_the_range_is_told_before_anything_is_made(
    scores: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(scores / "policy.yaml", "range: [-20, 20]", "range: [-1, 1]")
    monkeypatch.setattr(import_module("prunegate.pipeline.context"), "compress", None)
    before = sorted(scores.rglob("*"))
    with pytest.raises(ModelError, match=r"baseline: \d+ of 60 numbers do not lie between -1 and"):
        raise invoke("run", "policy.yaml", "-q").exception or AssertionError
    assert sorted(scores.rglob("*")) == before


def test_a_search_judges_numbers_and_its_control_is_drawn_at_random(
    scores: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the memory, which takes a process of its own for each model."""
    measuring: Any = import_module("prunegate.pipeline.measure_folders")
    monkeypatch.setattr(measuring, "peak_memory", lambda *_: {1: 1})
    section = "search: {vary: [{step: 1, amount: [0.1, 0.6]}], attempts: 2, control: {draws: 1}}\n"
    edit(scores / "policy.yaml", "compress:", section + "compress:")
    edit(scores / "policy.yaml", ", compensate: ridge, scope: budget", "")
    searched = invoke("search", "policy.yaml", "--out", "out", "-q")
    assert searched.exception is None, searched.exception
    record = json.loads(Path("out/record.json").read_text())
    assert record["search"]["attempts"]
    assert record["search"]["control"]["criterion"] == "random"
    measured = invoke("measure", "baseline", "out/candidate", "--seconds", 0.05, "-o", "m.json")
    assert measured.exception is None, measured.exception
    invoke("gate", "policy.yaml", "--predictions", "out/predictions.parquet",
           "--measurements", "m.json", "--out", "gated", "-q")  # fmt: skip
    assert json.loads(Path("gated/record.json").read_text())["findings"] == record["findings"]
