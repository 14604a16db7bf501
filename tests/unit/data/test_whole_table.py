"""Laws over a whole table: never vacuous, never silent, and asked of Great Expectations quietly."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from prunegate.data.contract import great_expectations, whole_table
from prunegate.data.contract.whole_table import FINITE, Inside, Law, TableSize, Unique, broken
from prunegate.errors import InternalError

pytestmark = pytest.mark.slow

ALPHA = 0.05
LAWS: tuple[Law, ...] = (
    TableSize(name="three", rows=3),
    Unique(name="once", columns=("a", "b")),
    Inside(name="p", column="p", at_least=0, at_most=ALPHA),
    Inside(name="finite", column="x"),
)
GOOD: dict[str, list[float]] = {
    "a": [0, 0, 1],
    "b": [0, 1, 0],
    "p": [0.0, ALPHA, 1e-300],
    "x": [-FINITE, 0.0, FINITE],
}


def names(columns: dict[str, list[float]]) -> dict[str, tuple[int, ...]]:
    return {item.law.name: item.rows for item in broken(columns, LAWS)}


def test_a_table_that_keeps_every_law() -> None:
    assert names(GOOD) == {}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"p": [0.0, math.nextafter(ALPHA, 1), 0.0]}, {"p": (1,)}),
        ({"p": [-5e-324, 0.0, 0.0]}, {"p": (0,)}),
        ({"p": [math.nan, 0.0, math.nan]}, {"p": (0, 2)}),
        ({"p": [None, 0.0, 0.0]}, {"p": (0,)}),
        ({"x": [math.inf, -math.inf, math.nan]}, {"finite": (0, 1, 2)}),
        ({"b": [0, 0, 0]}, {"once": (0, 1)}),
        ({"a": [math.nan, math.nan, 0], "b": [1, 1, 1]}, {"once": (0, 1)}),
    ],
)
def test_a_broken_law_names_its_rows(change: Any, found: dict[str, tuple[int, ...]]) -> None:
    assert names(GOOD | change) == found


def test_a_lost_row_is_a_wrong_size() -> None:
    assert names({name: values[:2] for name, values in GOOD.items()}) == {"three": ()}


def test_nothing_is_no_agreement() -> None:
    for columns, laws in ((dict.fromkeys(GOOD, ()), LAWS), ({}, LAWS), (GOOD, ())):
        with pytest.raises(InternalError, match="nothing to judge"):
            broken(columns, laws)  # type: ignore[arg-type]  # empty ones on purpose


def test_a_missing_column_is_our_mistake() -> None:
    lacking = {name: values for name, values in GOOD.items() if name != "p"}
    with pytest.raises(InternalError, match="failed to run"):
        broken(lacking, LAWS)


@pytest.mark.parametrize(
    "lost", [lambda r: r[1:], lambda r: [*r[:-1], r[0]], lambda r: [*r, r[0]], lambda _r: []]
)
def test_a_lost_answer_is_noticed(monkeypatch: pytest.MonkeyPatch, lost: Any) -> None:
    whole = great_expectations.run_suite
    monkeypatch.setattr(whole_table, "run_suite", lambda *given: lost(whole(*given)))
    with pytest.raises(InternalError, match="expectations"):
        broken(GOOD, LAWS)


def test_a_contradiction_is_our_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_table, "answers_in_order", lambda _results, count: (False,) * count)
    with pytest.raises(InternalError, match="contradicts plain comparison on: three"):
        broken(GOOD, LAWS)


PROGRAM = """\
from prunegate.data.contract.whole_table import Inside, broken
print(len(broken({"x": [1.0, 3.0]}, [Inside(name="x", column="x", at_most=2)])))
import os, sys
print(sorted({"pyspark", "torch", "transformers"} & set(sys.modules)))
print(os.environ["GX_ANALYTICS_ENABLED"])
"""


def test_it_is_quiet_keeps_nothing_and_loads_no_spark(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1\n[]\nfalse\n", "")
    assert not list(tmp_path.iterdir())


def test_an_import_that_ends_the_process_is_an_error_and_no_approval(tmp_path: Path) -> None:
    (tmp_path / "great_expectations.py").write_text("raise SystemExit(0)\n")
    home = "prunegate.data.contract.great_expectations"
    program = f"from {home} import load_great_expectations; load_great_expectations()"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "tried to end the process" in done.stderr
