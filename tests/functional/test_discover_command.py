"""``prunegate discover`` from the outside: what it prints, its exit codes, nothing written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from prunegate_test_tiny import edit, invoke
from tests.depth import at_length

from prunegate import cli
from prunegate.policy.load import parse_policy

pytestmark = pytest.mark.slow

POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices:
  - {by: kind, expect: [display, video]}
rules:
  - {metric: recall, slices: all, max_drop: 0.02}
"""
ROWS = 6000
SLICE = 'season=a: "b",market=it'


def table() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    unsafe = rng.random(ROWS) < 0.5
    season = rng.choice(["winter", "no", 'a: "b"'], ROWS)
    market = rng.choice(["it", "es", "de"], ROWS)
    hit = (season == 'a: "b"') & (market == "it") & (rng.random(ROWS) < 0.15)
    noise = rng.random(ROWS)
    return pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "label": np.where(unsafe, "unsafe", "safe"),
            "baseline": np.where(unsafe ^ (noise < 0.02), 0.9, 0.1),
            "candidate": np.where(unsafe ^ (hit | (noise > 0.98)), 0.8, 0.2),
            "kind": rng.choice(["display", "video"], ROWS),
            "season": season,
            "market": market,
            "age": rng.integers(18, 80, ROWS),
        }
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    table().to_csv(tmp_path / "t.csv", index=False)
    return tmp_path


def discover(monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    arguments = ["discover", "p.yaml", "--predictions", "t.csv", *more]
    monkeypatch.setattr("sys.argv", ["prunegate", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_a_slice_that_lost_is_shown_with_what_would_declare_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.iterdir())
    assert discover(monkeypatch, "--columns", "kind,season,market") == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    (row,) = [line for line in lines if line.endswith("*")]
    assert row.startswith('season=a: "b",market=it')
    assert "undeclared slices of at least 100 rows in 6,000 rows" in lines[0]
    assert "2 declared slices left out" in lines[0]
    assert "it changes no verdict" in said.out
    assert sorted(folder.iterdir()) == before
    item = next(line for line in lines if line.startswith("  - {name"))
    rule = next(line for line in lines if line.startswith("  - {metric"))
    pasted = POLICY.replace("slices:\n", f"slices:\n{item}\n", 1)
    policy = parse_policy(pasted.replace("rules:\n", f"rules:\n{rule}\n"))
    assert policy.slices[0].where == {"season": 'a: "b"', "market": "it"}
    assert policy.rules[0].max_drop == 0.02


def test_the_slice_is_judged_once_it_is_declared(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    discover(monkeypatch, "--columns", "season,market", "--json")
    (found,) = [one for one in json.loads(capsys.readouterr().out)["slices"] if one["stands_out"]]
    item, rule = (line for line in found["snippet"].splitlines() if line.startswith("  - "))
    pasted = POLICY.replace("slices:\n", f"slices:\n{item}\n", 1)
    (folder / "p.yaml").write_text(pasted.replace("rules:\n", f"rules:\n{rule}\n"))
    import prunegate

    verdict = prunegate.judge(prunegate.load_policy("p.yaml"), "t.csv")
    assert {one.rows for one in verdict.slices if one.name == "a-b-it"} == {found["rows"]}
    assert verdict.outcome == "reject"
    assert discover(monkeypatch, "--columns", "season,market", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert not any(one["stands_out"] for one in again["slices"])
    assert again["declared"] == 1


def test_json_is_the_whole_of_stdout_and_repeats(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--columns", "season,market", "--json", "--depth", "2", "--support", "50")
    assert discover(monkeypatch, *options, "--top", "3", "--flips", "99", "--seed", "5") == 0
    first = capsys.readouterr()
    found = json.loads(first.out)
    assert (found["depth"], found["support"], found["flips"], found["seed"]) == (2, 50, 99, 5)
    assert len(found["slices"]) <= 3
    top = found["slices"][0]
    assert top["name"] == 'season=a: "b",market=it'
    inside = table().query("season == 'a: \"b\"' and market == 'it'")
    assert top["rows"] == len(inside)
    assert discover(monkeypatch, *options, "--top", "3", "--flips", "99", "--seed", "5") == 0
    assert capsys.readouterr().out == first.out


SINGLE, GROUPED = "", "group: post\n"
TASKS = {
    "multiclass": ("{kind: multiclass}", "{metric: recall, max_drop: 0.02, classes: [b, c]}"),
    "score": ("{kind: score}", "{metric: mean_score, max_drop: 0.1}"),
    "language": ("{kind: language}", "{metric: perplexity, max_rise: {relative: 0.05}}"),
}


def other_task(kind: str) -> pd.DataFrame:
    """The same slice gets worse, in the task's own terms."""
    rng = np.random.default_rng(3)
    frame = table().drop(columns="label")
    hit = ((frame.season == 'a: "b"') & (frame.market == "it")).to_numpy()
    if kind == "multiclass":
        label = rng.choice(["a", "b", "c"], ROWS)
        wrong = np.where(hit & (rng.random(ROWS) < 0.2), "a", label)
        return frame.assign(label=label, baseline=label, candidate=wrong)
    noise = rng.normal(0, 0.02, ROWS)
    if kind == "score":
        before = rng.uniform(0.4, 0.6, ROWS)
        return frame.assign(baseline=before, candidate=before + noise - 0.02 * hit)
    before = rng.uniform(40, 60, ROWS)
    return frame.assign(baseline=before, candidate=before + noise + 0.02 * hit, tokens=30)


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        *((SINGLE, "multiclass"), (GROUPED, "score"), (SINGLE, "language")),
        *at_length((GROUPED, "multiclass"), (SINGLE, "score"), (GROUPED, "language")),
    ],
)
def test_every_kind_of_task_finds_its_slice_and_declares_it(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    group: str,
) -> None:
    task, rule = TASKS[kind]
    head = f"prunegate: 1\nname: x\ntask: {task}\n{group}slices:\n  - by: kind\n"
    text = f"{head}rules:\n  - {rule}\n"
    (folder / "p.yaml").write_text(text)
    other_task(kind).assign(post=np.arange(ROWS) // 3).to_csv(folder / "t.csv", index=False)
    assert discover(monkeypatch, "--columns", "season,market", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found["slices"] if one["stands_out"]] == [SLICE]
    item, added = (n for n in found["slices"][0]["snippet"].splitlines() if n.startswith("  - "))
    pasted = text.replace("slices:\n", f"slices:\n{item}\n", 1)
    policy = parse_policy(pasted.replace("rules:\n", f"rules:\n{added}\n"))
    assert policy.rules[0].limits == policy.rules[1].limits
    assert policy.rules[0].classes == policy.rules[1].classes
    assert discover(monkeypatch, "--columns", "season,market") == 0
    assert f"To declare {SLICE}" in capsys.readouterr().out


def test_quiet_is_the_table_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert discover(monkeypatch, "--columns", "season,market", "-q") == 0
    out = capsys.readouterr().out
    assert "a: " in out
    assert "slices:\n" not in out


def test_finding_nothing_is_no_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    same = table().assign(candidate=lambda f: f.baseline)
    same.to_csv(folder / "t.csv", index=False)
    assert discover(monkeypatch, "--columns", "season") == 0
    assert "No undeclared slice lost clearly more" in capsys.readouterr().out


BAD = {
    "unknown column": (("--columns", "saeson"), "did you mean 'season'?"),
    "label": (("--columns", "season,label"), "is the label column"),
    "id": (("--columns", "id"), "is the id column"),
    "numbers": (("--columns", "age"), "bin them in the table"),
    "no column": (("--columns", ""), "name the columns"),
    "depth": (("--columns", "season", "--depth", "4"), "1<=x<=3"),
    "support": (("--columns", "season", "--support", "0"), "x>=1"),
    "flips": (("--columns", "season", "--flips", "5"), "99<=x<=99999"),
    "no columns option": ((), "Missing option '--columns'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    options, words = BAD[case]
    assert discover(monkeypatch, *options) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""
    assert said.err.lower().count("error") == 1


@pytest.mark.parametrize("content", ["", "id,label,baseline,candidate,kind,season\n"])
def test_an_empty_table_is_bad_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (folder / "t.csv").write_text(content)
    assert discover(monkeypatch, "--columns", "season") == 2
    assert capsys.readouterr().err.count("error:") == 1


@pytest.mark.usefixtures("quick")
def test_other_columns_are_looked_through_and_repeated_content_is_a_warning(home: Path) -> None:
    """Sixty rows are too few for a slice of a hundred: looked for, nothing found, nothing said."""
    path = home / "data/labelled.csv"
    lines = path.read_text().splitlines()
    seasons = ["season", *(["winter", "summer"] * len(lines))]
    path.write_text("".join(f"{a},{b}\n" for a, b in zip(lines, seasons, strict=False)))
    shutil.copy(home / "data/images/gate-11.png", home / "data/images/gate-07.png")
    edit(home / "policy.yaml", "at_most: 0.5", "at_most: 0.9")
    result = invoke("run", home / "policy.yaml", "--out", home / "out", "--no-control")
    record = json.loads((home / "out/record.json").read_text())
    page = (home / "out/report.html").read_text()
    assert record["discoveries"] == []
    assert not [w for w in record["warnings"] if "Undeclared" in w]
    assert "Undeclared slices" not in page
    assert "warning: 1 image(s) repeat the content" in result.stdout
    assert "repeat the content" in page
