"""The page's JavaScript feeds a graph and reads its answer as Python does; a stub stands for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RUNTIME = """
export const env = { wasm: {} };
export class Tensor {
  constructor(type, data, dims) {
    Object.assign(this, { type, data: Array.from(data, Number), dims });
  }
}
"""
PROGRAM = """
import { readFileSync } from "node:fs";
import { Scorer } from "./scorer.js";
const found = [];
for (const { about, ids, picture, logits } of JSON.parse(readFileSync("jobs.json", "utf8"))) {
  const given = {};
  const run = async (feeds) => (Object.assign(given, feeds), { out: { data: logits } });
  const scorer = new Scorer({ output: "out", ...about }, { run }, null);
  try {
    const done = ids ? scorer.ofText(ids) : scorer.ofPicture(new Float32Array(6), ...picture);
    found.push({ given, shares: (await done).shares });
  } catch (error) {
    found.push({ given, error: error.message });
  }
}
process.stdout.write(JSON.stringify(found));
"""
TEXTS = {"names": {"input_ids": "a", "attention_mask": "b"}, "type": "int64", "length": None}
PICTURES = {"name": "x", "layout": "NCHW"}


def asked(tmp_path: Path, *jobs: dict[str, Any]) -> list[dict[str, Any]]:
    if shutil.which("node") is None:
        message = "not installed: node; see .ci/run"
        if os.environ.get("PRUNEGATE_CI"):
            pytest.fail(message)
        pytest.skip(message)
    page = resources.files("prunegate.edge") / "page"
    for name in ("scorer.js", "pixels.js"):
        (tmp_path / name).write_bytes((page / name).read_bytes())
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "ort.js").write_text(RUNTIME)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "work.js").write_text(PROGRAM)
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    done = subprocess.run(
        ["node", "work.js"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def job(given: dict[str, Any], logits: list[float], activation: str = "softmax") -> dict[str, Any]:
    about = {
        "input": given,
        "activation": activation,
        "classes": ["no", "yes"],
        "processing": {"pad": 7},
    }
    return {"about": about, "logits": logits, "picture": [1, 2], "ids": None}


def test_graphs_are_fed_in_their_own_form(tmp_path: Path) -> None:
    fixed = {**TEXTS, "type": "int32", "length": 5}
    fixed["names"] = {"input_ids": "a", "attention_mask": "b", "token_type_ids": "c"}
    free, padded, long, first, last = asked(
        tmp_path,
        {**job(TEXTS, [0, 1]), "ids": [2, 9, 3]},
        {**job(fixed, [0, 1]), "ids": [2, 9, 3]},
        {**job(fixed, [0, 1]), "ids": [2, 9, 9, 9, 9, 3]},
        job(PICTURES, [0, 1]),
        job({**PICTURES, "layout": "NHWC"}, [0, 1]),
    )
    assert free["given"] == {
        "a": {"type": "int64", "data": [2, 9, 3], "dims": [1, 3]},
        "b": {"type": "int64", "data": [1, 1, 1], "dims": [1, 3]},
    }
    assert [padded["given"][name]["data"] for name in "abc"] == [
        [2, 9, 3, 7, 7],
        [1, 1, 1, 0, 0],
        [0] * 5,
    ]
    assert padded["given"]["a"]["type"] == "int32"
    assert "takes 5 tokens" in long["error"]
    assert first["given"]["x"]["dims"] == [1, 3, 1, 2]
    assert last["given"]["x"]["dims"] == [1, 1, 2, 3]


def test_answers_become_the_probabilities_that_python_makes(tmp_path: Path) -> None:
    soft, large, each, one, bare, high, few, lost = asked(
        tmp_path,
        job(PICTURES, [0.25, -1.5]),
        job(PICTURES, [800.0, 790.0]),
        job(PICTURES, [0.25, -1.5], "sigmoid"),
        job(PICTURES, [0.25], "sigmoid"),
        job(PICTURES, [0.25, 0.5], "none"),
        job(PICTURES, [0.25, 1.5], "none"),
        job(PICTURES, [0.1, 0.2, 0.3]),
        job(PICTURES, [None, 1.0]),  # null, which is no number
    )
    assert np.allclose(soft["shares"], [0.85195280, 0.14804720])
    assert np.allclose(large["shares"], [0.99995460, 4.5397868e-05])
    assert np.allclose(each["shares"], [0.56217650, 0.18242552])
    assert np.allclose(one["shares"], [0.43782350, 0.56217650])
    assert bare["shares"] == [0.25, 0.5]
    assert "no probability" in high["error"]
    assert "3 numbers for 2 classes" in few["error"]
    assert "NaN or infinite" in lost["error"]
