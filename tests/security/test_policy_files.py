"""Hostile policy files: each is one clean refusal with file and line, whatever it tries."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from prunegate.errors import InputError, PolicyError
from prunegate.policy.load import load_policy, parse_policy

HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: unsafe}\n"
RULES = "rules: [{metric: recall, at_least: 0.5}]\n"
GOOD = HEAD + RULES
LAUGHS = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 12))
MIB = 1024 * 1024


def refused(text: str) -> tuple[str, ...]:
    with pytest.raises(PolicyError) as error:
        parse_policy(text, source="p")
    mistakes = error.value.mistakes
    assert mistakes
    assert all(line.startswith("p:") and line.isprintable() for line in mistakes)
    return mistakes


HOSTILE = {
    "billion laughs": (HEAD + "l0: &l0 [lol]\n" + LAUGHS + RULES, "references (*l0)"),
    "a reference to itself": (GOOD + "owner: &a [*a]\n", "references (*a)"),
    "python object": (GOOD + "owner: !!python/object/apply:os.system ['id']\n", "tags ("),
    "python name": (GOOD + "owner: !!python/name:os.system\n", "tags ("),
    "binary": (GOOD + "owner: !!binary aGk=\n", "tags ("),
    "set": (GOOD + "group: !!set {a}\n", "tags ("),
    "merge key": (GOOD + "data: {<<: {table: /etc/passwd}}\n", "merge keys"),
    "duplicate rule list": (GOOD + RULES, "duplicate key; it is on line 4 already"),
    "duplicate limit": (
        HEAD + "rules: [{metric: recall, at_least: 0.9, at_least: 0.1}]\n",
        "rules[0].at_least: duplicate key",
    ),
    "duplicate by escape": (
        HEAD + 'rules: [{metric: recall, at_least: 0.9, "\\x61t_least": 0.1}]\n',
        "rules[0].at_least: duplicate key",
    ),
    "NaN limit": (HEAD + "rules: [{metric: recall, at_least: .nan}]\n", "must be finite"),
    "infinite limit": (HEAD + "rules: [{metric: recall, at_most: .inf}]\n", "must be finite"),
    "huge limit": (HEAD + "rules: [{metric: mae, at_most: 1e999}]\n", "must be finite"),
    "NaN as a word": (HEAD + "rules: [{metric: recall, at_least: nan}]\n", 'got "nan"'),
    "empty limit": (HEAD + "rules: [{metric: recall, at_least: }]\n", "no value"),
    "octal": (HEAD + "rules: [{metric: latency_p50_ms, at_most: 010}]\n", "010 is ambiguous"),
    "base 60": (HEAD + "rules: [{metric: latency_p50_ms, at_most: 1:30}]\n", 'got "1:30"'),
    "no as a number": (HEAD + "rules: [{metric: recall, at_least: no}]\n", "reads no as text"),
    "no rules": (HEAD + "rules: []\n", "rules: got []"),
    "rules that only warn": (
        HEAD + "rules: [{metric: recall, at_least: 0.5, severity: warn}]\n",
        "every rule only warns",
    ),
    "a rule without a limit": (HEAD + "rules: [{metric: recall}]\n", "a rule needs a limit"),
    "a rule on no slice": (
        HEAD + "rules: [{metric: recall, at_least: 0.5, slices: []}]\n",
        "rules[0].slices: got []",
    ),
    "a slice of no value": (
        GOOD + "slices: [{name: a, where: {b: []}}]\n",
        "slices[0].where.b: got []",
    ),
    "two documents": (GOOD + "---\n" + GOOD, "a second document starts here"),
    "100,000 levels of lists": ("a: " + "[" * 100_000, "a line of more than"),
    "100,000 levels over lines": (
        "a:\n" + "".join(" " + "[" * 1000 + "\n" for _ in range(100)),
        "more than 64 levels of nesting",
    ),
    "levels of mappings": (
        "".join(" " * depth + "a:\n" for depth in range(1400)),
        "more than 64 levels of nesting",
    ),
    "too long": ("# " + "x" * 60 + "\n" + "#\n" * MIB, "more than 1 MiB"),
    "a tag as long as the file": ("!" * MIB, "a line of more than"),
    "too many values": ("a:\n" + "- 1\n" * 20_000, "more than 10000 keys and values"),
    "a very long number": (GOOD + "group: " + "9" * 60_000 + "\n", "quote it if it is text"),
    "NUL": (GOOD + "owner: a\0b\n", "control character U+0000"),
    "escape sequence": (GOOD + "owner: \x1b[2K\n", "control character U+001B"),
    "half of a surrogate pair": (GOOD + "owner: \ud800\n", "control character U+D800"),
    "two looks of one value": (
        GOOD + 'slices: [{by: a, expect: ["\u00e9", "e\u0301"]}]\n',
        "names the same slice",
    ),
    "a message that rewrites itself": (
        GOOD + '"\\u202eneutral\\u001b[2K\\n::error::": 1\n',
        "unknown key '\\u202eneutral\\u001b[2K\\n::error::'",
    ),
    "an anchor that rewrites the message": (GOOD + "owner: &\u202ea b\n", "anchors (&a)"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("text", "words"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_in_words(text: str, words: str) -> None:
    assert any(words in line for line in refused(text))


@pytest.mark.slow
def test_deep_nesting_is_one_message() -> None:
    assert len(refused("a:\n" + (" " + "[" * 1000 + "\n") * 100)) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (GOOD.encode() + b"owner: caf\xe9\n", "5: not UTF-8; save the file as UTF-8"),
        (GOOD.encode("utf-16"), "1: not UTF-8; save the file as UTF-8"),
        (b"#" * (MIB + 1), "1: more than 1 MiB; a policy is a page or two: put data in a table"),
        (b"", "1: the file is empty; 'prunegate policy new' writes a policy to start from"),
    ],
)
def test_hostile_bytes_are_one_message(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(data)
    with pytest.raises(PolicyError) as error:
        load_policy(path)
    assert error.value.mistakes == (f"{path}:{message}",)


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(GOOD.encode("utf-8-sig"))
    assert load_policy(path).name == "x"


def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    os.mkfifo(path)
    with pytest.raises(InputError, match="not a regular file"):
        load_policy(path)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_devices_are_refused(device: str) -> None:
    with pytest.raises(InputError, match="not a regular file"):
        load_policy(device)


def test_a_dangling_link_is_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").symlink_to("nowhere")
    with pytest.raises(InputError, match="no such file"):
        load_policy(tmp_path / "p.yaml")


def test_a_hostile_file_name_is_inert(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        load_policy(tmp_path / "a\n\u202eb.yaml")
    assert str(error.value).isprintable()


def test_refusing_leaves_no_file_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with pytest.raises(InputError):
            load_policy(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.slow
def test_loading_a_policy_loads_no_heavy_library(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(GOOD)
    heavy = "torch transformers great_expectations pandas scipy sklearn duckdb narwhals rich"
    code = (
        "import sys; from prunegate.policy.load import load_policy; load_policy(sys.argv[1]); "
        f"print(sorted(set('{heavy}'.split()) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
