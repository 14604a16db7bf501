"""``run`` on models that decide several labels a row: cut, tuned, judged as ``gate`` judges.

The model names its outputs in another order than the policy does: nothing may depend on it.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from prunegate_test_tiny import edit, invoke

from prunegate import judge
from prunegate.policy.load import read_policy

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]

POLICY = """\
prunegate: 1
name: several
task: {kind: multilabel, labels: [violence, hate], threshold: {violence: 0.4, hate: 0.6}}
slices: [{by: content_type, expect: [display, video]}]
rules:
  - {metric: recall, classes: each, slices: all, max_drop: 0.9, evidence: point}
  - {metric: subset_accuracy, max_drop: 0.9, evidence: point}
  - {metric: model_bytes, max_ratio: 0.99}
model: {baseline: baseline}
data: {table: data/several.csv}
compress:
  - prune: {what: heads, amount: 0.34}
  - prune: {what: neurons, amount: 0.4, compensate: ridge}
  - finetune: {steps: 6, batch_size: 8, learning_rate: 0.01, teacher: baseline}
"""
IN_FILES = "data: {table: data/several.csv, scores: {prefix: p_}}"


def write_several(home: Path) -> None:
    """The tiny model and table, with two labels a row."""
    config = json.loads((home / "baseline/config.json").read_text())
    config |= {"problem_type": "multi_label_classification"}
    config |= {"id2label": {"0": "hate", "1": "violence"}, "label2id": {"hate": 0, "violence": 1}}
    (home / "baseline/config.json").write_text(json.dumps(config))
    with (home / "data/labelled.csv").open() as file:
        rows = list(csv.DictReader(file))
    lines = ["id,image,label_hate,label_violence,content_type,split"]
    for n, row in enumerate(rows):
        kept = (row["id"], row["image"], n % 2, "yn"[n % 3 > 0], row["content_type"], row["split"])
        lines.append(",".join(map(str, kept)))
    (home / "data/several.csv").write_text("\n".join(lines) + "\n")
    (home / "policy.yaml").write_text(POLICY)


@pytest.fixture
def several(home: Path) -> Path:
    write_several(home)
    return home


def test_the_verdict_is_that_of_two_predictions_and_a_gate(several: Path) -> None:
    """And the scores are a sigmoid of each of transformers' own logits."""
    import torch
    from transformers import ViTForImageClassification, ViTImageProcessorPil

    from prunegate.pipeline.context import Settings
    from prunegate.pipeline.predict_table import predict_table
    from prunegate.pipeline.run import run
    from prunegate.pipeline.scoring_job import ScoringJob
    from prunegate.policy.model_source import ModelSource

    edit(several / "policy.yaml", "data: {table: data/several.csv}", IN_FILES)
    source, table, out = read_policy(Path("policy.yaml")), Path("data/several.csv"), Path("out")
    out.mkdir()
    record = run(source, out, Settings(seconds=0.02)).record
    assert record.candidate is not None
    assert record.baseline is not None
    assert record.candidate.parameters < record.baseline.parameters
    assert record.control is not None
    taught = record.compression.recipe[-1] if record.compression else {}
    assert {"loss_after", "divergence_after"} <= taught.keys()
    assert record.flips, "the labels change that the models decide, each told by itself"
    lines = table.read_text().splitlines()
    gate = [line for line in lines[1:] if line.endswith(",gate")]
    Path("data/truth.csv").write_text("\n".join([lines[0], *gate]) + "\n")
    for name, folder in (("old", Path("baseline")), ("new", out / "candidate")):
        said = ModelSource(folder=str(folder))
        answers = Path(f"{name}.csv")
        predict_table(
            ScoringJob(model=folder, said=said, table=Path("data/truth.csv"), out=answers)
        )
    files = {"labels": "data/truth.csv", "baseline_predictions": "old.csv"}
    verdict = judge(source.policy, files | {"candidate_predictions": "new.csv"})
    ours, theirs = (
        [one for one in found if one.metric != "model_bytes"]
        for found in (record.findings, verdict.findings)
    )
    assert ours == theirs
    assert {one.class_label for one in ours} >= {"violence", "hate"}
    rows = pq.read_table(out / "predictions.parquet").to_pylist()
    module = ViTForImageClassification.from_pretrained(several / "baseline")
    processor = ViTImageProcessorPil.from_pretrained(several / "baseline")
    images = {line.split(",")[0]: line.split(",")[1] for line in gate}
    for row in (rows[0], rows[-1]):
        pixels = processor([Image.open(several / "data" / images[row["id"]])], return_tensors="pt")
        with torch.inference_mode():
            shares = module(**pixels).logits[0].sigmoid().tolist()
        found = [row["baseline_p_hate"], row["baseline_p_violence"]]
        assert np.allclose(found, shares, atol=1e-6)


def test_a_search_judges_label_by_label_and_its_candidate_is_measured_like_any(
    several: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the memory, which takes a process of its own for each model."""
    measuring: Any = import_module("prunegate.pipeline.measure_folders")
    monkeypatch.setattr(measuring, "peak_memory", lambda *_: {1: 1})
    section = "search: {vary: [{step: 2, amount: [0.1, 0.8]}], attempts: 2}\n"
    edit(several / "policy.yaml", "compress:", section + "compress:")
    searched = invoke("search", "policy.yaml", "--out", "out", "--no-control", "-q")
    assert searched.exception is None, searched.exception
    record = json.loads(Path("out/record.json").read_text())
    assert record["search"]["attempts"]
    measured = invoke("measure", "baseline", "out/candidate", "--seconds", 0.05, "-o", "m.json")
    assert measured.exception is None, measured.exception
    invoke("gate", "policy.yaml", "--predictions", "out/predictions.parquet",
           "--measurements", "m.json", "--out", "gated", "-q")  # fmt: skip
    found = json.loads(Path("gated/record.json").read_text())["findings"]
    assert {one["class_label"] for one in found} >= {"violence", "hate", None}
    assert found == record["findings"]


def columns_missing(home: Path) -> None:
    shutil.copy(home / "data/labelled.csv", home / "data/several.csv")
    edit(home / "data/several.csv", "id,image,label,", "id,image,kind,")


def other_names(home: Path) -> None:
    edit(home / "baseline/config.json", '"1": "violence"', '"1": "weapons"')


def of_one_class(home: Path) -> None:
    edit(home / "baseline/config.json", "multi_label_classification", "single_label_classification")


def logits_in_the_table(home: Path) -> None:
    edit(home / "policy.yaml", "several.csv}", "several.csv, scores: {activation: sigmoid}}")


def no_threshold(home: Path) -> None:
    edit(home / "policy.yaml", ", threshold: {violence: 0.4, hate: 0.6}", "")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (columns_missing, ["'label_violence'", "'label_hate'", "Add the column"]),
        (other_names, ["0: hate, 1: weapons", "'hate', 'violence'", "Correct 'task: labels:'"]),
        (of_one_class, ["answers with a softmax", "multi_label_classification"]),
        (logits_in_the_table, ["'run' makes probabilities by itself"]),
        (no_threshold, ["task: {threshold: 0.5}"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_does_not_fit_is_told_before_libraries_are_loaded(
    several: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None], told: list[str]
) -> None:
    spoil(several)
    before = sorted(several.rglob("*"))
    monkeypatch.setitem(sys.modules, "prunegate.pipeline.context", None)
    refused = invoke("run", "policy.yaml", "-q")
    assert getattr(refused.exception, "exit_code", None) == 2, refused.exception
    for part in told:
        assert part in str(refused.exception)
    assert sorted(several.rglob("*")) == before
