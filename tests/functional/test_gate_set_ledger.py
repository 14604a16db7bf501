"""Attempts on one gate set and bars sealed before a run, from the outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tests.functional import tiny

from prunegate.audit.read import read_record
from prunegate.audit.recompute import differences
from prunegate.audit.record import DecisionRecord
from prunegate.errors import PrunegateError

pytestmark = pytest.mark.slow

POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [display, video]}]
rules: [{metric: recall, slices: all, max_drop: 0.02}]
"""


def table(lost: int, positives: int = 400) -> str:
    """Of the second kind's positives the candidate loses some."""
    lines = ["id,label,baseline,candidate,kind"]
    for kind, misses in (("display", 0), ("video", lost)):
        for i in range(positives):
            lines.append(f"{kind[0]}{i},unsafe,0.9,{0.1 if i < misses else 0.8},{kind}")
            lines.append(f"{kind[0]}n{i},safe,0.1,0.2,{kind}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    for lost in range(4):
        (tmp_path / f"t{lost}.csv").write_text(table(lost), encoding="utf-8")
    return tmp_path


def call(*arguments: str) -> Result:
    return tiny.invoke(*arguments)


def code(found: Result) -> int:
    if isinstance(found.exception, PrunegateError):
        return found.exception.exit_code
    assert found.exception is None, found.exception
    return int(found.return_value)


def gate(name: str, policy: str = "p.yaml", *more: str) -> DecisionRecord:
    found = call("gate", policy, "--predictions", name, "--json", *more)
    (folder,) = [
        line.split("report: ")[1] for line in found.stderr.splitlines() if "report: " in line
    ]
    record, _ = read_record(Path(folder).with_name("record.json"))
    assert list(differences(record)) == []
    assert json.loads(found.stdout)["statement"] == record.statement
    return record


def attempt(record: DecisionRecord) -> tuple[int, float]:
    assert record.attempt is not None
    return record.attempt.number, record.attempt.alpha


def test_trying_on_costs_and_repeating_does_not(folder: Path) -> None:
    first = gate("t3.csv")
    assert attempt(first) == (1, 0.05)
    assert first.statement.endswith(
        "at most 5 % of the time (independent rows, fresh data). This is attempt 1 on this gate "
        "set, as far as the audit folder knows. Of all attempts on it, chosen without looking at "
        "its rows, at most 7 % of the time is any approved wrongly."
    )
    (folder / "t3.csv").rename(folder / "renamed.csv")
    (folder / "q.yaml").write_text(f"# other words\nowner: me\n{POLICY}", encoding="utf-8")
    assert attempt(gate("renamed.csv", "q.yaml")) == (1, 0.05)

    lines = (folder / "t2.csv").read_text().splitlines(keepends=True)
    (folder / "t2.csv").write_text("".join([lines[0], *reversed(lines[1:])]))
    second = gate("t2.csv")
    number, alpha = attempt(second)
    assert (number, round(alpha, 5)) == (2, 0.0076)
    assert "this gate approves at most 0.76 % of the time" in second.statement
    assert "its tests are at 0.76 % in place of 5 %" in second.statement
    assert "about 1.6 times the rows" in second.statement
    tested = [f for f in second.findings if f.p_value is not None]
    assert all((f.status == "pass") == (f.p_value <= alpha) for f in tested)
    assert any(alpha < f.p_value <= 0.05 for f in tested)  # the first attempt would have passed it
    assert second.outcome == "inconclusive"
    fresh = gate("t2.csv", "p.yaml", "--audit", "elsewhere")
    assert (attempt(fresh), fresh.outcome) == ((1, 0.05), "approve")

    (folder / "wider.yaml").write_text(POLICY.replace("0.02", "0.03"), encoding="utf-8")
    assert attempt(gate("t2.csv", "wider.yaml"))[0] == 3  # other rules, same candidate


@pytest.mark.parametrize(
    ("reuse", "level", "words"),
    [
        ("strict", 0.0304, "at most 5 % of the time is any approved wrongly"),
        ("none", 0.05, "the policy does not reckon with reuse"),
    ],
)
def test_the_policy_says_what_reuse_costs(
    folder: Path, reuse: str, level: float, words: str
) -> None:
    policy = f"{POLICY}evidence: {{reuse: {reuse}}}\n"
    (folder / "p.yaml").write_text(policy, encoding="utf-8")
    record = gate("t0.csv")
    assert round(attempt(record)[1], 4) == level
    assert words in record.statement


def test_a_record_that_understates_its_attempt_does_not_verify(folder: Path) -> None:
    gate("t3.csv")
    gate("t0.csv")
    (path,) = [
        p
        for p in folder.glob("reports/small/*/record.json")
        if json.loads(p.read_bytes())["attempt"]["number"] == 2
    ]
    record: dict[str, Any] = json.loads(path.read_bytes())
    record["attempt"]["number"] = 1
    path.write_text(json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    found = call("verify", str(path))
    assert code(found) == 6
    assert "attempt.alpha is 0.0075" in found.output


def test_a_bar_that_was_sealed_is_held_against_the_verdict(folder: Path) -> None:
    sealed = call("policy", "seal", "p.yaml", "--predictions", "t0.csv", "--json")
    assert code(sealed) == 0
    facts = json.loads(sealed.stdout)
    assert [p.name for p in (folder / "audit" / "pending").iterdir()] == [facts["entry"]]
    record = gate("t0.csv")
    assert record.bar is not None
    assert record.attempt is not None
    assert (record.bar.entry, record.bar.before_predictions) == (facts["entry"], None)
    assert record.bar.rules == record.attempt.rules == facts["rules"]
    assert not any("bar sealed" in warning for warning in record.warnings)

    (folder / "wider.yaml").write_text(POLICY.replace("0.02", "0.03"), encoding="utf-8")
    other = gate("t1.csv", "wider.yaml")
    assert any("other rules were sealed" in warning for warning in other.warnings)
    moved = (folder / "t0.csv").read_text().replace("0.8,video", "0.8,display", 1)
    (folder / "moved.csv").write_text(moved)
    assert any("slicing values" in warning for warning in gate("moved.csv").warnings)


def test_sealing_needs_one_gate_set(folder: Path) -> None:
    both = ("--predictions", "t0.csv", "--data", "t0.csv")
    for given, words in (((), "names no labelled table"), (both, "not both")):
        found = call("policy", "seal", "p.yaml", *given)
        assert code(found) == 2
        assert words in str(found.exception)
    assert not (folder / "audit").exists()


@pytest.mark.usefixtures("quick")
def test_run_is_held_to_a_bar_sealed_on_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny.write_baseline(tmp_path / "baseline")
    tiny.write_data(tmp_path / "data")
    (tmp_path / "p.yaml").write_text(tiny.POLICY, encoding="utf-8")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert code(call("policy", "seal", "p.yaml")) == 0
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000060")
    found = call("run", "p.yaml", "--out", "out", "--seconds", "1", "--no-control")
    assert code(found) in (0, 3, 4)
    record, _ = read_record(tmp_path / "out" / "record.json")
    assert record.bar is not None
    assert record.attempt is not None
    assert record.candidate is not None
    assert (record.bar.before_predictions, record.bar.contents) == (True, record.attempt.contents)
    assert record.candidate.digest in record.attempt.candidate
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "yes: sealed at 2023-11-14T22:13:20Z" in page
    again = gate("out/predictions.parquet")  # what the run left behind is no new attempt
    assert attempt(again)[0] == 1
    assert again.bar is not None
    assert again.bar.before_predictions is True
