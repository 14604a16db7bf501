"""``prunegate gate`` from the outside: exit codes, refusals, second opinions, repetitions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.functional.gate.tables import FILES, POLICY, gate, run, table, written
from tests.rules import of_rules

from prunegate import gate as verdict_of
from prunegate.audit.read import read_record
from prunegate.audit.signing.dsse import parse_envelope, verify_envelope
from prunegate.audit.signing.keys import generate, key_id, write_key_pair
from prunegate.audit.signing.statement import parse_statement
from prunegate.verdict.finding import Verdict

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (table(0), 0, "APPROVE"),
        (table(60), 3, "REJECT"),
        (table(1, positives=50), 4, "INCONCLUSIVE"),
        (table(0, kinds=("display", "story")), 4, "INCONCLUSIVE"),
    ],
)
def test_the_exit_code_is_the_verdict(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: str,
    code: int,
    word: str,
) -> None:
    (folder / "t.csv").write_text(content, encoding="utf-8")
    assert gate(monkeypatch) == code
    assert capsys.readouterr().out.startswith(f"{word}  small\n")
    (place,) = (folder / "reports" / "small").iterdir()
    assert {p.name for p in place.iterdir()} == FILES
    record, digest = read_record(place / "record.json")
    assert (record.exit_code, place.name) == (code, digest[:12])
    (pending,) = (folder / "audit" / "pending").iterdir()
    entry = pending.read_bytes()
    assert pending.name == hashlib.sha256(entry).hexdigest()
    statement = parse_statement(parse_envelope(entry).payload)
    assert (statement.predicate["record"], statement.predicate["outcome"]) == (digest, word.lower())
    kept = {p.name: p.read_bytes() for p in (folder / "audit" / "evidence").iterdir()}
    assert {hashlib.sha256(content).hexdigest() for content in kept.values()} == kept.keys()
    assert {one["digest"]["sha256"] for one in statement.predicate["evidence"]} == kept.keys()
    for name in ("record.json", "report.html"):
        assert (place / name).read_bytes() in kept.values()


def test_a_key_signs_the_decision_and_a_wrong_one_is_known_before_anything_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = generate()
    write_key_pair(key, folder / "gate.key")
    assert gate(monkeypatch, "--key", "gate.key") == 0
    (pending,) = (folder / "audit" / "pending").iterdir()
    envelope = parse_envelope(pending.read_bytes())
    assert verify_envelope(envelope, [key.public_key()]) == {key_id(key.public_key())}
    capsys.readouterr()
    assert gate(monkeypatch, "--key", "gate.key.pub", "--out", "other") == 2
    assert "error: gate.key.pub: " in capsys.readouterr().err
    assert not (folder / "other").exists()


GOOD = table(0)

HONEST = verdict_of.decide

WRONG: dict[str, Callable[[Verdict], Verdict]] = {
    "an approval of what failed": lambda v: replace(v, outcome="approve"),
    "a fail that passes": lambda v: replace(
        v, outcome="approve", findings=tuple(replace(f, status="pass") for f in v.findings)
    ),
    "a lost finding": lambda v: replace(
        v, findings=tuple(f for f in v.findings if f is not of_rules(v)[-1])
    ),
    "no findings": lambda v: replace(v, outcome="approve", findings=()),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_verdict_that_the_second_opinion_denies_is_no_verdict(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    (folder / "t.csv").write_text(table(60), encoding="utf-8")
    monkeypatch.setattr(verdict_of, "decide", lambda *given: WRONG[case](HONEST(*given)))
    assert gate(monkeypatch) == 1
    said = capsys.readouterr()
    assert not said.out
    assert said.err.startswith(("error: the second opinion disagrees", "error: there is nothing"))
    assert not written(folder)


def test_a_hostile_slice_is_named_inertly_where_opinions_differ(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "t.csv").write_text(table(0, kinds=("display", "v\u202e\u0007")), encoding="utf-8")
    lost = WRONG["a lost finding"]
    monkeypatch.setattr(verdict_of, "decide", lambda *given: lost(HONEST(*given)))
    assert gate(monkeypatch) == 1
    said = capsys.readouterr().err
    assert "missing rule 0 max_drop on kind=v\\u202e\\x07)" in said
    assert said.isascii()


def test_the_record_says_that_the_second_opinion_agreed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gate(monkeypatch, "--out", "o") == 0
    record, _ = read_record(folder / "o" / "record.json")
    opinion = record.second_opinion
    assert opinion is not None
    assert (opinion.findings, opinion.expectations) == (len(record.findings), 12)
    assert opinion.engine.split() == [
        "great_expectations",
        record.tool.packages["great-expectations"],
    ]
    assert "agrees." in (folder / "o" / "report.html").read_text(encoding="utf-8")


BAD = {
    "NaN": GOOD.replace("v0,unsafe,0.9,0.8", "v0,unsafe,0.9,nan"),
    "score": GOOD.replace("v0,unsafe,0.9,0.8", "v0,unsafe,0.9,80"),
    "third label": GOOD.replace("v0,unsafe", "v0,unsure"),
    "empty slice": GOOD.replace('v0,unsafe,0.9,0.8,"video"', "v0,unsafe,0.9,0.8,"),
    "duplicate id": GOOD.replace("v0,", "v1,"),
    "missing column": GOOD.replace("candidate", "other"),
    "labels for scores": GOOD.replace("0.9", "unsafe").replace("0.1", "safe"),
    "no rows": GOOD.partition("\n")[0] + "\n",
    "empty": "",
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_message_and_nothing_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    (folder / "t.csv").write_text(BAD[case], encoding="utf-8")
    assert gate(monkeypatch) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("error:") == 1
    assert "Traceback" not in said.err
    assert not written(folder)


@pytest.mark.parametrize(
    "arguments",
    [
        ("gate", "none.yaml", "--predictions", "t.csv"),
        ("gate", "p.yaml", "--predictions", "none.csv"),
        ("gate", "p.yaml", "--predictions", "t.csv", "--measurements", "none.json"),
        ("gate", "p.yaml", "--predictions", "t.csv", "--out", "t.csv"),
        ("gate", "p.yaml", "--predictions", "t.csv", "--audit", "t.csv"),
        ("gate", "p.yaml", "--predictions", "t.csv", "--out", "t.csv/deeper"),
        ("gate", "p.yaml"),
        ("gate", "p.yaml", "--predictions", "t.csv", "--unknown"),
        ("nonsense",),
    ],
)
def test_wrong_usage_is_exit_2_and_nothing_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    assert run(monkeypatch, *arguments) == 2
    assert not written(folder)


def test_the_same_verdict_in_the_same_second_is_no_mistake(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert gate(monkeypatch) == 0
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert gate(monkeypatch) == 0
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_a_refused_repetition_leaves_the_first_verdict_pending(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert gate(monkeypatch) == 0
    (place,) = (folder / "reports" / "small").iterdir()
    (pending,) = (folder / "audit" / "pending").iterdir()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("prunegate.outputs.staging.move_over", full)
    assert gate(monkeypatch) == 2
    assert pending.is_file()
    assert {p.name for p in place.iterdir()} == FILES


RULE = "rules: [{metric: recall, slices: all, max_drop: 0.02}]"


def test_an_expected_slice_that_no_rule_looks_at_has_to_be_there_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only_overall = POLICY.replace(RULE, "rules: [{metric: recall, max_drop: 0.02}]")
    (folder / "p.yaml").write_text(only_overall, encoding="utf-8")
    assert gate(monkeypatch) == 0
    (folder / "t.csv").write_text(table(0, kinds=("display", "story")), encoding="utf-8")
    assert gate(monkeypatch, "--out", "o") == 4
    assert "kind=video: the policy expects this slice" in capsys.readouterr().out
    assert {p.name for p in (folder / "o").iterdir()} == FILES


@pytest.mark.parametrize(
    ("spelled", "code"), [("1234567890123456789", 2), ("'12345678901234567890'", 4)]
)
def test_a_number_that_no_record_can_hold_is_bad_input(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spelled: str,
    code: int,
) -> None:
    (folder / "p.yaml").write_text(POLICY.replace("video", spelled), encoding="utf-8")
    assert gate(monkeypatch) == code
    assert ("write it in quotes" in capsys.readouterr().err) == (code == 2)
