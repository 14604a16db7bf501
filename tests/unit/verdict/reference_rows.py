"""Rows of a baseline that knows something, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prunegate.policy.schema import Policy
from prunegate.policy.validation import validate_values
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, Verdict

CASES = Path(__file__).parents[2] / "cases"


def _policy(**more: Any) -> Policy:
    values: dict[str, Any] = {
        "prunegate": 1,
        "name": "case",
        "task": {"kind": "binary", "positive": "unsafe", "threshold": 0.5},
        "rules": [{"metric": "accuracy", "slices": "all", "max_drop": 0.1}],
        **more,
    }
    policy, mistakes = validate_values(values)
    assert policy is not None, mistakes
    return policy


def _rows(n: int = 600, right: float = 0.9, prevalence: float = 0.3, seed: int = 1) -> pd.DataFrame:
    """A baseline that is right so often, and a candidate that hardly differs."""
    rng = np.random.default_rng(seed)
    unsafe = rng.random(n) < prevalence
    says = unsafe ^ (rng.random(n) >= right)
    score = np.where(says, 0.7, 0.3) + rng.uniform(-0.15, 0.15, n)
    return pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(n)],
            "label": np.where(unsafe, "unsafe", "safe"),
            "baseline": score,
            "candidate": np.clip(score + rng.normal(0, 0.01, n), 0, 1),
        }
    )


def _reference(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.findings if f.check == BEATS_CONSTANT]
