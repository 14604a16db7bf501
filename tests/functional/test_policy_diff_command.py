from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from prunegate.audit.loosening import LONGEST_REASON, MOST_CHANGES, loosening_statement
from prunegate.audit.signing.dsse import parse_envelope
from prunegate.audit.signing.statement import parse_statement
from prunegate.cli.policy import command
from prunegate.errors import InputError, PolicyError
from prunegate.policy.change import Change

OLD = """\
prunegate: 1
name: x
task: {kind: binary, positive: unsafe}
slices: [{by: content_type}]
rules: [{metric: recall, at_least: 0.5}, {metric: precision, slices: all, max_drop: 0.02}]
"""
LOOSER = OLD.replace("0.5", "0.4").replace("name: x", "name: y").replace("0.02", "0.01")
TIGHTER = OLD.replace("0.5", "0.6")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("old", OLD), ("looser", LOOSER), ("tighter", TIGHTER)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def diff(*arguments: str) -> Result:
    """Run as main() does: errors come through, the return value is the exit code."""
    return CliRunner().invoke(command, ("diff", *arguments), standalone_mode=False)


def test_loosened_changes_come_first(folder: Path) -> None:
    result = diff("old.yaml", "looser.yaml")
    assert (result.exception, result.return_value) == (None, 0)
    assert result.stdout == (
        "1 loosened, 1 tightened, 1 neutral\n"
        "\n"
        "LOOSENED\n"
        "  recall on overall: the limit was at least 50 % and is at least 40 %; less is demanded.\n"
        "\n"
        "TIGHTENED\n"
        "  precision on overall and content_type: the limit was drop of at most 2 points and is "
        "drop of at most 1 point; more is demanded.\n"
        "\n"
        "NEUTRAL\n"
        '  name was "x" and is "y"; it names or explains and judges nothing.\n'
    )
    assert list(folder.glob("audit*")) == []


def test_no_difference(folder: Path) -> None:
    (folder / "same.yaml").write_text("# a comment\n" + OLD)
    result = diff("old.yaml", "same.yaml", "--fail-on", "loosened")
    assert result.return_value == 0
    assert result.stdout == "no difference: the two policies demand the same in the same words\n"


def test_json_holds_fields_and_sentences(folder: Path) -> None:
    said = json.loads(diff("old.yaml", "looser.yaml", "--json").stdout)
    assert said["old"] == {"file": "old.yaml", "sha256": hashlib.sha256(OLD.encode()).hexdigest()}
    assert [change["kind"] for change in said["changes"]] == ["loosened", "tightened", "neutral"]
    first = said["changes"][0]
    assert (first["where"], first["old"], first["new"]) == ("rules.at_least", 0.5, 0.4)
    assert (first["told"], first["about"]["metric"]) == (True, "recall")
    assert first["sentence"].startswith("recall on overall")
    assert (said["entry"], said["exit_code"]) == (None, 0)


def test_a_loosening_without_a_reason_is_exit_3(folder: Path) -> None:
    result = diff("old.yaml", "looser.yaml", "--fail-on", "loosened")
    assert (result.exception, result.return_value) == (None, 3)
    assert "the bar was loosened: give --reason 'WHY', which is logged\n" in result.stderr
    assert diff("old.yaml", "tighter.yaml", "--fail-on", "loosened").return_value == 0
    found = diff("old.yaml", "looser.yaml", "--fail-on", "loosened", "--json")
    assert (found.return_value, json.loads(found.stdout)["exit_code"]) == (3, 3)
    assert list(folder.glob("audit*")) == []


def test_the_reason_of_a_loosening_is_pending_in_the_audit_trail(folder: Path) -> None:
    arguments = ("old.yaml", "looser.yaml", "--fail-on", "loosened", "--reason", " a new brief ")
    result = diff(*arguments, "--audit", "trail")
    assert (result.exception, result.return_value) == (None, 0)
    (place,) = (folder / "trail" / "pending").iterdir()
    assert f"pending in the audit trail, unsigned: {place.relative_to(folder)}" in result.stderr
    content = place.read_bytes()
    assert place.name == hashlib.sha256(content).hexdigest()
    envelope = parse_envelope(content)
    assert envelope.signatures == ()
    statement = parse_statement(envelope.payload)
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in (OLD, LOOSER)]
    assert [(s.name, s.sha256) for s in statement.subjects] == [
        ("old policy", digests[0]),
        ("new policy", digests[1]),
    ]
    assert statement.predicate_type == "urn:prunegate:loosening:v1"
    created = statement.predicate["created"]
    assert created.endswith("Z")
    assert statement.predicate == {
        "created": created,
        "reason": "a new brief",
        "old": {"sha256": digests[0]},
        "new": {"sha256": digests[1]},
        "changes": {"loosened": 1, "tightened": 1, "neutral": 1},
        "loosened": [
            {
                "where": "rules.at_least",
                "told": True,
                "sentence": "recall on overall: the limit was at least 50 % and is at least 40 %; "
                "less is demanded.",
            }
        ],
        "loosened_not_named": 0,
    }


def test_a_reason_for_nothing_is_not_logged(folder: Path) -> None:
    result = diff("old.yaml", "tighter.yaml", "--fail-on", "loosened", "--reason", "why")
    assert result.return_value == 0
    assert "nothing was loosened, so the reason was not logged" in result.stderr
    assert list(folder.glob("audit*")) == []


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("", "says nothing"),
        (" \t\n", "says nothing"),
        ("x" * (LONGEST_REASON + 1), "has 1,001 characters"),
    ],
)
def test_a_reason_has_to_say_something(folder: Path, reason: str, message: str) -> None:
    result = diff("old.yaml", "looser.yaml", "--fail-on", "loosened", "--reason", reason)
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_code == 2
    assert message in str(result.exception)
    assert list(folder.glob("audit*")) == []


def test_usage(folder: Path) -> None:
    alone = diff("old.yaml", "looser.yaml", "--reason", "why")
    assert isinstance(alone.exception, InputError)
    assert "--reason answers --fail-on loosened" in str(alone.exception)
    assert isinstance(diff("old.yaml").exception, click.UsageError)
    assert isinstance(
        diff("old.yaml", "looser.yaml", "--fail-on", "tightened").exception, click.UsageError
    )


def test_every_mistake_of_both_files_is_listed(folder: Path) -> None:
    (folder / "a.yaml").write_text(OLD.replace("recall", "recal"))
    (folder / "b.yaml").write_text(OLD.replace("0.02", "2%"))
    result = diff("a.yaml", "b.yaml", "--fail-on", "loosened", "--reason", "why")
    assert isinstance(result.exception, PolicyError)
    assert result.exception.exit_code == 2
    first, second = result.exception.mistakes
    assert first.startswith('a.yaml:5: rules[0].metric: unknown metric "recal"')
    assert second.startswith('b.yaml:5: rules[1].max_drop: got "2%"')
    absent = diff("old.yaml", "c.yaml")
    assert isinstance(absent.exception, PolicyError)
    assert absent.exception.mistakes[0].startswith("c.yaml: no such file")
    assert list(folder.glob("audit*")) == []


def test_an_entry_stays_small_whatever_the_policies_say() -> None:
    """An entry is at most 65,535 bytes: base64 of the payload, and the envelope around it."""
    long = "\U0001f600" * 2000
    changes = [
        Change(kind="loosened", where=f"{number}{long}", old=long, new=None, because="removed")
        for number in range(500)
    ]
    predicate = loosening_statement("0" * 64, "1" * 64, changes, "\U0001f600" * 1000, "2026")
    assert len(predicate["loosened"]) == MOST_CHANGES
    assert predicate["loosened_not_named"] == 500 - MOST_CHANGES
    payload = json.dumps(predicate, ensure_ascii=False).encode()
    assert len(base64.b64encode(payload)) < 65_535 - 1000
