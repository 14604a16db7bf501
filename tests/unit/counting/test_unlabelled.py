"""A table whose labels are missing: who has none is told how to have few."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import prunegate
from prunegate.errors import TableError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

TASKS = {"binary": "{kind: binary, positive: unsafe}", "multiclass": "{kind: multiclass}"}
ROWS = {"id": ["a", "b"], "baseline": ["safe", "unsafe"], "candidate": ["safe", "unsafe"]}


def policy(task: str, more: str = "") -> Policy:
    rules = "rules: [{metric: accuracy, max_drop: 0.1}]\n"
    return parse_policy(f"prunegate: 1\nname: case\ntask: {TASKS[task]}\n{rules}{more}")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("label", [{}, {"label": ["", ""]}])
def test_the_command_that_draws_few_rows_is_named(task: str, label: dict[str, list[str]]) -> None:
    with pytest.raises(TableError, match="'prunegate label' draws the few rows"):
        prunegate.judge(policy(task), pd.DataFrame({**ROWS, **label}))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("label", [{}, {"label": ["", ""]}])
def test_it_is_not_named_where_it_would_refuse(task: str, label: dict[str, list[str]]) -> None:
    rows = pd.DataFrame({**ROWS, **label, "w": [1.0, 2.0]})
    with pytest.raises(TableError) as caught:
        prunegate.judge(policy(task, "weight: w\n"), rows)
    assert "prunegate label" not in str(caught.value)


def test_labels_of_some_rows_ask_for_their_list() -> None:
    some = pd.DataFrame({"id": ["a"], "label": ["safe"]})
    with pytest.raises(TableError, match=r"1 id is in .* and not in .*: --labelling"):
        prunegate.judge(policy("binary"), {"predictions": pd.DataFrame(ROWS), "labels": some})


def test_line_ends_of_two_kinds_are_named(tmp_path: Path) -> None:
    rows = [f"r{i},safe,safe,safe" for i in range(40)]
    path = tmp_path / "mixed.csv"
    path.write_bytes("\r\n".join(["id,label,baseline,candidate", *rows[:20]]).encode() + b"\n")
    path.write_bytes(path.read_bytes() + "\n".join(rows[20:]).encode())
    with pytest.raises(TableError, match="lines end in different ways"):
        prunegate.judge(policy("binary"), path)
