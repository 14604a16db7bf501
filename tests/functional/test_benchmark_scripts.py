"""Scripts whose tables stand in the documentation, or will: they run, at the smallest size."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.models]

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return monkeypatch


def printed(script: Any, capsys: pytest.CaptureFixture[str], *words: object) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", [script.__name__, *map(str, words)])
        script.main()
    return capsys.readouterr().out.splitlines()


def test_the_gpus_script_times_every_model_in_every_kind_of_numbers(
    scripts: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--device", "cpu", "--tiny", "--batch", 2, "--seconds", 0.01, "--per-hour", 3.6)
    lines = printed(import_module("accelerator"), capsys, *words)
    rows = [line.strip("| ").split(" | ") for line in lines[4:]]
    assert [row[:2] for row in rows] == [
        [name, numbers]
        for name in ("unpruned", "64 heads", "61 M")
        for numbers in ("float32", "float16", "int8")
    ]
    counts = [int(row[2].replace(",", "")) for row in rows]
    assert counts == sorted(counts, reverse=True)
    for row in rows:
        milliseconds, cost = float(row[4]), float(row[7].removeprefix("$"))
        assert cost == pytest.approx(milliseconds / 2000, abs=1e-5)  # 0.001 dollars a second


def approving(last: float) -> Any:
    """Up to a level; what is made has as many parameters as are left of the units."""
    approved = import_module("scoreboard").Approved

    def at(climb: Any, level: float) -> Any:
        latency = 1 - level / 2 if climb.timed else None
        return approved(1 - level, latency) if level <= last else None

    return at


@pytest.mark.parametrize("last", [0.05, 0.33, 0.71, 0.95])
def test_the_edge_is_that_of_the_smallest_candidate_that_is_approved(
    last: float, scripts: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = import_module("scoreboard")
    bench = import_module("trained.benches").Bench
    asked: list[int] = []

    def made(seed: int, _quick: bool) -> Any:
        asked.append(seed)
        return bench(None, (), (), (), None, None)

    scripts.setitem(board.MODELS, "vit", made)
    scripts.setattr(board.Climb, "at", approving(last))
    words = ("--models", "vit", "--seeds", 0, 1, "--recipes", "taylor", "random")
    lines = printed(board, capsys, *words, "--keep", tmp_path, "--fastest")
    known = json.loads((tmp_path / "vit-1.json").read_text())["taylor"]
    steps = [one for one in board.MODELS["vit"](9, False).levels if one > last]
    widest = 0.1 / 2**3 if steps else 0
    assert 1 - last <= known["share"] <= 1 - last + widest + 1e-9
    assert known["latency"] == pytest.approx((1 + known["share"]) / 2)
    assert lines[-1].startswith(f"| random | {100 * known['share']:.1f} ± 0.0 |")
    asked.clear()
    assert printed(board, capsys, *words, "--keep", tmp_path)[-4:] == lines[-4:]
    assert not asked  # nothing is trained for what is kept


def test_what_earlier_runs_kept_is_taken_up(
    scripts: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They kept a share, and null where a recipe is not for a model."""
    board = import_module("scoreboard")
    (tmp_path / "vit-0.json").write_text('{"taylor": 0.5, "random": 0.6, "magnitude": null}')
    words = ("--models", "vit", "--seeds", 0, "--keep", tmp_path, "--recipes")
    lines = printed(board, capsys, *words, "taylor", "random", "magnitude")
    assert lines[-3:] == [
        "| taylor | 50.0 | 50.0 | 0.0 |  |",
        "| random | 60.0 | 60.0 | -20.0 |  |",
        "| magnitude | not for this model | | | |",
    ]


def test_the_scoreboard_runs_on_a_model_that_is_hardly_trained(
    scripts: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = "taylor + ridge + teacher + budgets"
    words = ("--quick", "--models", "vit", "--seeds", 0, "--recipes", recipe)
    last = printed(import_module("scoreboard"), capsys, *words)[-1]
    assert last.startswith(f"| {recipe} | ")
    share = float(last.split(" | ")[1])
    assert 50 < share <= 100
