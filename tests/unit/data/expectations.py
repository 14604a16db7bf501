"""Expectations on a table, judged by the gate and by the library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from prunegate.counting.expected_predictions import judge_predictions_expected
from prunegate.data.contract.expected import JudgedExpectations
from prunegate.policy.schema import Policy

RULES = [{"metric": "recall", "max_drop": 0.02}]

TASK = {"kind": "binary", "positive": "unsafe", "threshold": 0.5}


def policy(*entries: Mapping[str, Any], **more: Any) -> Policy:
    document = {"prunegate": 1, "name": "p", "task": TASK, "rules": RULES}
    return Policy.model_validate({**document, "data": {"expect": list(entries)}, **more})


def table(**columns: Any) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    return pd.DataFrame({"id": [f"r{n}" for n in range(size)], **columns})


def judged(frame: pd.DataFrame, *entries: Mapping[str, Any]) -> JudgedExpectations:
    return judge_predictions_expected(policy(*entries), frame)


FRAME = table(
    width=[10.0, 20.0, None, 4000.0, 5.0, 20.0, 7.5, 8.0],
    height=[10.0, 30.0, 5.0, 4000.0, 6.0, 20.0, None, 9.0],
    source=["a", "b", "b", "a", None, "ä", "a", "b"],
    count=[1, 2, 3, 4, 5, 6, 7, 8],
    empty=pd.Series([None] * 8, dtype="float64"),
)
