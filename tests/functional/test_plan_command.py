"""``prunegate plan`` from the outside: its table, its JSON, its refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prunegate import cli

pytestmark = pytest.mark.slow

POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [display, video]}]
rules:
  - {metric: recall, slices: all, max_drop: 0.02, at_least: 0.99}
  - {metric: precision, slices: overall, max_drop: {relative: 0.05}, severity: warn}
  - {metric: model_bytes, max_ratio: 0.9}
"""
FAST = ("--simulations", "40")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["prunegate", "plan", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    rng = np.random.default_rng(0)
    rows = 3000
    unsafe = rng.random(rows) < 0.5
    baseline, candidate = (np.where(rng.random(rows) < 0.96, unsafe, ~unsafe) for _ in range(2))
    table = pd.DataFrame(
        {
            "id": np.arange(rows),
            "label": np.where(unsafe, "unsafe", "safe"),
            "baseline": np.where(baseline, 0.9, 0.1),
            "candidate": np.where(candidate, 0.8, 0.2),
            "kind": rng.choice(["display", "video"], rows),
        }
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    flags = {"label": unsafe, "baseline": baseline, "candidate": candidate}
    counts = table.assign(**{name: flag.astype(int) for name, flag in flags.items()})
    counts = counts.groupby(["kind", *flags]).size().reset_index(name="n")
    counts.to_csv(tmp_path / "c.csv", index=False)
    counts.to_parquet(tmp_path / "c.parquet")
    return tmp_path


def test_a_plan_without_a_pilot_says_what_it_assumes(folder, monkeypatch, capsys):
    assert run(monkeypatch, "p.yaml", *FAST) == 0
    said = capsys.readouterr().out
    assert "small: 6 blocking tests at alpha 5 %, all proven together with 90 % power" in said
    assert "no pilot: assumes that the models differ on 4 % of rows" in said
    assert (
        "cannot be proven at any size: recall is expected to be 95.0 %, and the limit is 99 %"
        in said
    )
    assert "3 blocking limits cannot be proven" in said
    assert "need no rows, and are taken as met below: model_bytes" in said
    assert "drop of at most 5 % of the baseline's value (warns)" in said
    assert "nothing changed" in said
    assert "at the margin" in said
    assert sorted(p.name for p in folder.iterdir()) == ["c.csv", "c.parquet", "p.yaml", "t.csv"]


def test_quiet_leaves_the_table_and_the_progress_out(folder, monkeypatch, capsys):
    assert run(monkeypatch, "p.yaml", *FAST, "-q") == 0
    said = capsys.readouterr()
    assert not said.err
    assert "at_least" not in said.out.replace("(at_least)", "")
    assert "nothing changed" in said.out


def test_the_json_has_stable_names(folder, monkeypatch, capsys):
    assert run(monkeypatch, "p.yaml", "--counts", "c.csv", *FAST, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == [
        *("policy", "basis", "assumed", "expects", "alpha", "power", "tests", "power_each"),
        *("needs", "operational", "notes", "slices", "scenarios", "simulations", "seed"),
    ]
    assert list(found["needs"][0]) == [
        *("rule", "metric", "slice", "check", "limit", "limit_kind", "severity", "unit"),
        *("needed", "has", "missing", "rows", "rows_missing", "discordance", "note"),
        "unplanned",
    ]
    first = found["scenarios"][0]
    assert list(first) == ["name", "slice", "metric", "check", "chances"]
    assert list(first["chances"]) == [
        *("approve", "reject", "inconclusive", "approve_error", "reject_error"),
    ]
    assert list(found["slices"][0]) == ["name", "rows", "positives", "declared"]
    assert (found["basis"], found["assumed"]) == ("pilot", None)
    assert (first["name"], first["slice"]) == ("nothing changed", None)


def test_every_form_of_a_pilot_gives_the_same_plan(folder, monkeypatch, capsys):
    plans = []
    for pilot in (("--counts", "c.csv"), ("--counts", "c.parquet"), ("--predictions", "t.csv")):
        assert run(monkeypatch, "p.yaml", *pilot, *FAST, "--json", "-q") == 0
        plans.append(json.loads(capsys.readouterr().out))
    assert plans[0] == plans[1] == plans[2]
    assert plans[0]["slices"][0]["rows"] == 3000


def test_a_pilot_says_what_is_missing(folder, monkeypatch, capsys):
    assert run(monkeypatch, "p.yaml", "--counts", "c.csv", *FAST) == 0
    said = capsys.readouterr().out
    assert "discordance is shrunk, (lost + gained + 1) / (n + 2)" in said
    assert "still to be labelled, in rows of each slice's mix: " in said
    assert "rows to label" in said


COUNTS = "kind,label,baseline,candidate,n\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--counts", "c.csv", "--discordance", "0.04"), "for a plan without a pilot"),
        (("--counts", "c.csv", "--rows", "100"), "for a plan without a pilot"),
        (("--counts", "c.csv", "--predictions", "t.csv"), "either --counts or --predictions"),
        (("--as-seen",), "--as-seen expects what a pilot shows"),
        (("--discordance", "0"), "--discordance"),
        (("--discordance", "1.5"), "--discordance"),
        (("--discordance", "0.3"), "can differ on at most 0.1"),
        (("--power", "1"), "--power"),
        (("--power", "nan"), "--power"),
        (("--simulations", "0"), "--simulations"),
        (("--rows", "0"), "--rows"),
        (("--counts", "none.csv"), "none.csv"),
        (("--counts", "lacks.csv"), "candidate"),
        (("--counts", "empty.csv"), "no rows"),
        (("--counts", "zero.csv"), "no rows"),
        (("--counts", "negative.csv"), "whole number"),
        (("--counts", "flag.csv"), "it must be 1 or 0"),
        (("--predictions", "twice.csv"), "an id that another row has already"),
    ],
)
def test_bad_input_is_one_clear_error(folder, monkeypatch, capsys, arguments, words):
    files = {
        "lacks.csv": "kind,label,baseline,n\ndisplay,1,1,5\n",
        "empty.csv": COUNTS,
        "zero.csv": f"{COUNTS}display,1,1,1,0\n",
        "negative.csv": f"{COUNTS}display,1,1,1,-3\n",
        "flag.csv": f"{COUNTS}display,1,2,1,3\n",
        "twice.csv": "id,label,baseline,candidate,kind\n" + "1,unsafe,0.9,0.9,display\n" * 2,
    }
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    assert run(monkeypatch, "p.yaml", *FAST, *arguments) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.lower().count("error:") == 1
    assert words in said.err


def test_other_tasks_are_refused_by_name(folder, monkeypatch, capsys):
    (folder / "s.yaml").write_text(
        "prunegate: 1\nname: s\ntask: {kind: score}\nrules: [{metric: mae, max_rise: 0.1}]\n",
        encoding="utf-8",
    )
    assert run(monkeypatch, "s.yaml") == 2
    assert "task kind 'score' is not planned by this version" in capsys.readouterr().err
