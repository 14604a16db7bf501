"""Tables as people have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import prunegate
from prunegate.errors import TableError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

BINARY = "{kind: binary, positive: unsafe, threshold: 0.5}"


def policy(task: str = BINARY, more: str = "", rule: str = "recall") -> Policy:
    rules = f"rules: [{{metric: {rule}, slices: all, max_drop: 0.1}}]\n"
    return parse_policy(f"prunegate: 1\nname: case\ntask: {task}\n{more}{rules}")


def frame(rows: int = 400, **columns: Any) -> pd.DataFrame:
    """Two models that agree, right on every row."""
    labels = ["unsafe" if i % 2 == 0 else "safe" for i in range(rows)]
    scores = [0.9 if label == "unsafe" else 0.1 for label in labels]
    table = {"id": [f"r{i}" for i in range(rows)], "label": labels}
    return pd.DataFrame({**table, "baseline": scores, "candidate": scores, **columns})


def refused(by: Policy, table: Any) -> str:
    with pytest.raises(TableError) as error:
        prunegate.judge(by, table)
    return str(error.value)


def as_csv(table: pd.DataFrame, folder: Path) -> Path:
    table.to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"
