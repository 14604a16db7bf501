"""A policy that judges models from elsewhere, and what ``run`` has in hand to do so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from prunegate.models.load import LoadedModel
from prunegate.pipeline.context import Context, Settings, set_up
from prunegate.policy.load import read_policy

POLICY = """\
prunegate: 1
name: elsewhere
task: {{kind: binary, positive: unsafe, threshold: {threshold}}}
evidence: {{reference: "off"}}
rules:
  - {{metric: recall, max_drop: 0.5, evidence: point}}
  - {{metric: model_bytes, max_ratio: 2}}
model: {{baseline: {baseline}, candidate: {candidate}}}
data: {{table: data/labelled.csv}}
"""
PLAIN = {"do_resize": False, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}


def describe(folder: Path, **preprocessor: Any) -> None:
    (folder / "preprocessor_config.json").write_text(json.dumps({**PLAIN, **preprocessor}))


def written(
    home: Path, baseline: str = "baseline", candidate: str = "x", threshold: str = "0.5"
) -> Any:
    path = home / "policy.yaml"
    path.write_text(POLICY.format(baseline=baseline, candidate=candidate, threshold=threshold))
    return read_policy(path)


def bench_of(home: Path, candidate: str) -> tuple[Context, LoadedModel]:
    bench = set_up(written(home, candidate=candidate), Settings(seconds=0.02))
    return bench, bench.found()


def pixels_of(bench: Context, rows: int) -> Any:
    return bench.material.split("gate").inputs(np.arange(rows))["pixel_values"]
