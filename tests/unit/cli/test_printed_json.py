"""What ``--json`` prints turns nothing around on a terminal, and parses to the same values."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tests.functional.gate.tables import table
from tests.functional.pages import ROOT

from prunegate.cli import audit_read, cli
from prunegate.text.escape import ascii_json

SOURCES = ROOT / "src/prunegate/cli"
TURNED = "safe\u202eexe\x7f\u2066\U000e0001\ud800"
"""A name with an override, a control character, an isolate, a tag and half a character."""
WRITERS = {"echo_json", "echo_record", "ascii_json", "show_decision"}
"""What prints JSON; ``show_decision`` prints a record by ``echo_record``."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def plain(text: str) -> bool:
    return all(" " <= char <= "~" or char == "\n" for char in text)


@given(VALUES, st.sampled_from([None, 2]))
def test_any_value_is_printable_ascii_and_the_same(value: Any, indent: int | None) -> None:
    for raw in (json.dumps(value, ensure_ascii=ascii_, indent=indent) for ascii_ in (False, True)):
        shown = ascii_json(raw)
        assert plain(shown)
        assert json.loads(shown) == value
        assert ascii_json(shown) == shown
        assert shown.count("\n") == raw.count("\n")


def _commands(group: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, click.Command]]:
    if not isinstance(group, click.Group):
        return [(" ".join(path), group)]
    context = click.Context(group)
    found = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    return [x for name, one in found if one for x in _commands(one, (*path, name))]


def _names(source: Path) -> set[str]:
    tree = ast.walk(ast.parse(source.read_text(encoding="utf-8")))
    return {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in tree
        if isinstance(node, ast.Attribute | ast.Name)
    }


def test_every_command_with_json_prints_it_in_the_one_way() -> None:
    with_json = {
        name: Path(sys.modules[one.callback.__module__].__file__ or "")
        for name, one in _commands(cli)
        if one.callback and any("--json" in option.opts for option in one.params)
    }
    assert {"gate", "claims", "audit log", "policy explain", "verify"} <= with_json.keys()
    assert {name for name, source in with_json.items() if not WRITERS & _names(source)} == set()
    dumping = {source.name for source in SOURCES.glob("*.py") if "dumps" in _names(source)}
    assert dumping == {"printed_json.py", "audit_schema.py"}  # the second prints no one's names


def policy(margin: float = 0.5) -> str:
    return f"""\
prunegate: 1
name: small
task: {{kind: binary, positive: unsafe, threshold: 0.5}}
slices: [{{by: kind, expect: ["safe\\u202eexe\\u2066"]}}]
rules: [{{metric: recall, slices: all, at_least: {margin}}}]
"""


def printed(*words: str) -> str:
    return CliRunner().invoke(cli, words, standalone_mode=False).stdout


def test_names_of_policies_and_claims_are_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(policy(), encoding="utf-8")
    Path("n\u202e.yaml").write_text(policy(0.6), encoding="utf-8")
    claims = 'claims: 1\nabout: "a\\u202eb"\nprice: {before: $2, after: $1, change: -50 %}\n'
    Path("c\u202e.yaml").write_text(claims, encoding="utf-8")
    for words in (
        ("policy", "validate", "p.yaml", "c\u202e.yaml"),
        ("policy", "diff", "p.yaml", "n\u202e.yaml"),
        ("claims", "c\u202e.yaml"),
    ):
        shown = printed(*words, "--json")
        assert plain(shown), words
        values = json.dumps(json.loads(shown), ensure_ascii=False)
        assert "\u202e" in values, words


def test_names_of_entries_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"number": 0, "subject": TURNED}, {"number": 1, "subject": "ä"}]
    monkeypatch.setattr(audit_read, "_rows", lambda _: iter(rows))
    lines = printed("audit", "log", "--json").splitlines()
    assert all(map(plain, lines))
    assert [json.loads(line) for line in lines] == rows


def test_a_record_is_its_bytes_but_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(policy(), encoding="utf-8")
    Path("t.csv").write_text(table(0))
    shown = {}
    for terminal in (False, True):
        monkeypatch.setattr(sys.stdout, "isatty", lambda answer=terminal: answer)
        out = f"o{terminal}"
        words = ("gate", "p.yaml", "--predictions", "t.csv", "--json", "-q", "--out", out)
        cli.main(words, standalone_mode=False)
        shown[terminal] = capsys.readouterr().out
        record = Path(out, "record.json").read_text(encoding="utf-8")
        assert json.loads(shown[terminal]) == json.loads(record)
        assert (shown[terminal] == record + "\n") is not terminal
        assert plain(shown[terminal]) is terminal
