"""``prunegate compress`` and ``prunegate importance``: the candidate alone, and why."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

import prunegate
from prunegate.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]

ALL_STEPS = """
compress:
  - prune: {what: layers, criterion: activation, amount: {keep: 1}}
  - prune: {what: heads, criterion: taylor, amount: 0.34, cycles: 1}
  - prune: {what: neurons, amount: 0.5, compensate: ridge, scope: budget}
  - finetune: {steps: 2, learning_rate: 0.001, batch_size: 4, split: train, teacher: baseline}
  - prune: {what: weights, criterion: magnitude, amount: 0.5}
"""


@pytest.fixture
def start(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command in ``home``: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["prunegate", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        assert isinstance(stop.value.code, int)
        return (stop.value.code, *capsys.readouterr())

    assert (home / "policy.yaml").exists()
    return run


def with_steps(home: Path, steps: str) -> None:
    text = (home / "policy.yaml").read_text()
    before, _, after = text.partition("compress:\n")
    rest = after[after.index("\n\n") :] if "\n\n" in after else "\n"
    (home / "policy.yaml").write_text(before + steps.lstrip("\n") + rest)


def test_a_candidate_of_every_kind_of_step(home: Path, start: Callable[..., Any]) -> None:
    with_steps(home, ALL_STEPS)
    code, out, err = start("compress", "policy.yaml", "-o", "candidate")
    assert code == 0, err
    assert "layers: 2 -> 1 (−50.0 %)" in out
    assert "zeros:" in out
    assert "candidate: candidate" in out
    assert "rank layers (step 1 of 5)" in err
    assert not (home / ".checkpoints").exists()
    surgery = json.loads((home / "candidate/surgery.json").read_text())
    assert [len(row) for row in surgery["kept"]["heads"]].count(0) == 1
    assert surgery["zeros"] > 0
    module: Any = prunegate.load_candidate("candidate")
    assert len(module.vit.layers) == 1


def test_the_same_seed_is_the_same_candidate_bit_for_bit(
    home: Path, start: Callable[..., Any]
) -> None:
    with_steps(home, ALL_STEPS)
    for name in ("one", "two"):
        assert start("compress", "policy.yaml", "-o", name, "--seed", "5", "-q")[:2] == (0, "")
    for path in (home / "one").iterdir():
        assert (home / "two" / path.name).read_bytes() == path.read_bytes()


def test_killed_work_is_taken_up_again(
    home: Path, start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_steps(home, ALL_STEPS)
    assert start("compress", "policy.yaml", "-o", "whole", "-q")[0] == 0
    work: Any = import_module("prunegate.compress.work")
    with monkeypatch.context() as patch:

        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(work, "finetune", killed)
        code, _, err = start("compress", "policy.yaml", "-o", "candidate")
    assert code == 130
    assert "aborted" in err
    assert not (home / "candidate").exists()
    assert len(list((home / ".checkpoints").iterdir())) == 1
    code, _, err = start("compress", "policy.yaml", "-o", "candidate")
    assert code == 0
    assert "rank" not in err, "what was ranked before is not ranked again"
    assert not (home / ".checkpoints").exists()
    for path in (home / "whole").iterdir():
        assert (home / "candidate" / path.name).read_bytes() == path.read_bytes()


def test_the_unit_table_is_printed_and_saved(home: Path, start: Callable[..., Any]) -> None:
    with_steps(home, ALL_STEPS)
    code, out, err = start("importance", "policy.yaml", "-o", "units.csv")
    assert code == 0, err
    assert "step 1: 2 layers ranked by activation, 1 would stay" in out
    assert "step 2: 6 heads ranked by taylor, 4 would stay" in out
    with (home / "units.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 + 6 + 20  # layers, heads, neurons
    heads = [row for row in rows if row["kind"] == "heads"]
    for layer in ("1", "2"):
        shares = [float(row["share"]) for row in heads if row["layer"] == layer]
        assert sum(shares) == pytest.approx(1)
    assert sorted(int(row["rank"]) for row in heads) == [1, 2, 3, 4, 5, 6]
    assert sum(row["kept"] == "yes" for row in heads) == 4
    assert start("importance", "policy.yaml", "-o", "units.csv")[0] == 2
    assert start("importance", "policy.yaml", "-o", "units.csv", "--force", "-q")[:2] == (0, "")


def test_what_importance_would_keep_is_what_compress_keeps(
    home: Path, start: Callable[..., Any]
) -> None:
    with_steps(home, "compress:\n  - prune: {what: neurons, amount: 0.4, scope: per_layer}\n")
    assert start("importance", "policy.yaml", "-q")[0] == 0
    assert start("compress", "policy.yaml", "-o", "candidate", "-q")[0] == 0
    (table,) = (home / "reports").glob("*/importance.csv")
    with table.open() as file:
        kept = [[], []]  # type: list[list[int]]
        for row in csv.DictReader(file):
            if row["kept"] == "yes":
                kept[int(row["layer"]) - 1].append(int(row["unit"]) - 1)
    assert json.loads((home / "candidate/surgery.json").read_text())["kept"]["neurons"] == kept


@pytest.mark.slow
@pytest.mark.parametrize(
    ("last", "stored", "engine"),
    [
        ("- quantize: {engine: torch}", "model.safetensors", "torch"),
        ("- quantize: {engine: torch, kind: weight_only}", "model.safetensors", "torch"),
        ("- export: onnx", "model.onnx", "onnxruntime"),
        ("- quantize: {to: int8}\n  - export: onnx", "model.onnx", "onnxruntime"),
        ("- quantize: {kind: static, data: {split: calibration}}", "model.onnx", "onnxruntime"),
    ],
)
def test_what_is_deployed_is_what_is_judged(
    last: str, stored: str, engine: str, home: Path, start: Callable[..., Any]
) -> None:
    with_steps(home, f"compress:\n  - prune: {{what: heads, amount: 0.34}}\n  {last}\n")
    code, _, err = start("run", "policy.yaml", "--out", "out", "--batch", "2")
    assert code in (0, 3, 4), err
    assert {path.name for path in (home / "out/candidate").iterdir()} == {
        *(stored, "surgery.json", "preprocessor_config.json", "README.md")
    }
    record = json.loads((home / "out/record.json").read_text())
    assert record["measurements"]["engine"].startswith(f"{engine} ")
    assert "against" not in record["measurements"]["engine"]
    assert record["compression"]["storage"] == ("onnx" if engine == "onnxruntime" else "int8")
    module: Any = prunegate.load_candidate("out/candidate")
    table = pq.read_table(home / "out/predictions.parquet").to_pydict()
    with (home / "data/labelled.csv").open() as file:
        (image,) = (r["image"] for r in csv.DictReader(file) if r["id"] == str(table["id"][0]))
    pixels = np.asarray(Image.open(home / "data" / image))
    values = torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float().div(127.5).sub(1)
    with torch.inference_mode():
        alone = float(module(pixel_values=values[None]).logits.double().softmax(-1)[0, 1])
    assert table["candidate"][0] == pytest.approx(alone, abs=5e-3)
    prunegate.save_candidate(module, home / "again")
    for path in (home / "again").iterdir():
        if path.name == "README.md":  # an approved candidate's is a model card
            continue
        assert path.read_bytes() == (home / "out/candidate" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("compress:\n  - prune: {what: filters, amount: 0.5}\n", "has no filters"),
        ("compress:\n  - prune: {what: heads, amount: {keep: 1}}\n", "at most 4 can"),
        ("compress:\n  - prune: {what: layers, amount: {keep: 3}}\n", "there are not so many"),
        ("compress:\n  - prune: {what: '2:4', criterion: magnitude}\n", "multiple of 4"),
        ("compress:\n  - prune: {what: toes, amount: 0.5}\n", "what"),
        ("compress:\n  - prune: {what: heads, amount: 0.5, cycles: 2}\n", "finetune step right"),
        (
            (
                "compress:\n  - prune: {what: heads, amount: 0.5, rewind: early}\n"
                "  - finetune: {steps: 1}\n"
            ),
            "model: {early: FOLDER}",
        ),
        (
            "compress:\n  - prune: {what: heads, amount: {share_below: 0.0001}}\n",
            "nothing would go",
        ),
        ("compress:\n  - prune: {what: heads, amount: {keep: 6}}\n", "nothing would go"),
        ("compress:\n  - finetune: {steps: 3, learning_rate: 1.0e+38}\n", "learning_rate"),
        (
            "compress:\n  - finetune: {steps: 3, learning_rate: 1.0e+30}\n",
            "finite|infinite or NaN",
        ),
    ],
)
def test_what_cannot_be_done_is_one_error_and_nothing_written(
    steps: str, message: str, home: Path, start: Callable[..., Any]
) -> None:
    with_steps(home, steps)
    before = sorted(home.rglob("*"))
    code, out, err = start("compress", "policy.yaml", "-o", "candidate", "-q")
    assert (code, out) == (2, "")
    assert err.count("error:") == 1
    assert re.search(message, err)
    assert sorted(home.rglob("*")) == before


def test_a_taken_folder_is_known_before_anything_is_read(
    home: Path, start: Callable[..., Any]
) -> None:
    code, _, err = start("compress", "policy.yaml", "-o", "data")
    assert (code, err.count("not an empty folder")) == (2, 1)
    assert start("importance", "policy.yaml", "-o", "data")[0] == 2
    (home / "data/labelled.csv").unlink()
    assert start("importance", "policy.yaml")[0] == 2
    assert not (home / "reports").exists()
    with_steps(home, "")
    assert "no 'compress' section" in start("compress", "policy.yaml", "-o", "new")[2]
