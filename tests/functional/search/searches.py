"""Searches on the tiny model, in a world in which every neuron that is removed costs a decision."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from prunegate_test_tiny import POLICY, invoke

VARY = "search: {vary: [{step: 2, amount: [0.1, 0.8]}], attempts: 9, tolerance: 0.02"
SEARCH = f"{VARY}, control: {{draws: 3, scope: budget}}}}\n"
ALONE = f"{VARY}, control: false}}\n"
"""Beside nothing, where that is not the point."""
NEURONS = 20
"""Of the whole tiny model, in two layers."""
FLIPS = "{metric: negative_flip_rate, at_most: 0.5, evidence: point}"
RUN_FILES = {
    *("report.html", "record.json", "summary.md", "junit.xml", "findings.csv", "candidate"),
    *("predictions.parquet", "measurements.json"),
}


@dataclass(frozen=True)
class Searched:
    """A finished search."""

    out: Path
    tried: dict[str, Any]
    code: int
    stdout: str
    stderr: str

    @property
    def record(self) -> dict[str, Any]:
        """The gate's record."""
        found: dict[str, Any] = json.loads((self.out / "record.json").read_text())
        return found


def policy(section: str = SEARCH, flips: float = 0.15) -> str:
    """The tiny policy with a limit that pruning breaks somewhere between the ends."""
    return POLICY.replace(FLIPS, FLIPS.replace("0.5", str(flips))) + section


def do_search(home: Path, out: Path, *options: object) -> Searched:
    result = invoke("search", home / "policy.yaml", "--out", out, "--no-control", *options)
    assert result.exception is None, result.exception
    tried = json.loads((out / "attempts.json").read_text())
    return Searched(
        out=out,
        tried=tried,
        code=result.return_value,
        stdout=result.stdout,
        stderr=result.stderr,
    )


def worn(_policy: Any, model: Any, images: Any, **named: Any) -> Any:
    """Scores of a world in which every neuron that is removed costs one right decision.

    The tiny model is not trained, so its own decisions change without rhyme or reason; what it is
    made of is real.
    """
    layers = model.module.vit.layers
    left = sum(len(layer.mlp.fc1.weight) for layer in layers)
    named["progress"]("score", 1, 1)
    numbers = np.array([int(path.stem.rpartition("-")[2]) for path in images.paths])
    right = np.where(numbers % 2, 0.9, 0.1)
    return np.where(numbers < NEURONS - left, 1 - right, right)


def by_number(tried: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {attempt["number"]: attempt for attempt in tried["attempts"]}
