"""What a merge request is told of a run without a verdict: nothing of the data or the machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from prunegate.cli import cli
from prunegate.errors import (
    ContractError,
    EvidenceError,
    InputError,
    InternalError,
    PolicyError,
    TableError,
)
from prunegate.outputs.public_reason import public_reason
from prunegate.policy.load import stated_name

POLICY = """\
prunegate: 1
name: brand
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.05}]
report: {examples: none, redact: [id, label]}
"""
SECRETS = ("jane.doe@example.com", "s3cret row", "0042-17")


@given(
    value=st.text("abcxyz019@._- '\"", min_size=6).filter(lambda text: text not in POLICY),
    kind=st.sampled_from([TableError, ContractError, EvidenceError, InputError]),
)
def test_no_value_of_a_table_is_told(value: str, kind: type[Exception]) -> None:
    secret = f"Q{value}Q"
    told = [
        f"t.csv: column 'id': 2 rows are there twice (for example {secret!r}, {secret}); keep one",
        f"t.csv: column 'label' holds {secret!r}; correct it",
        f'mixes types (text, number; for example "{secret}")',
    ]
    for message in told:
        shown = public_reason(kind(message), POLICY)
        assert secret not in shown
        assert "Q" not in shown
        assert ("'id'" in message) == ("'id'" in shown)


def test_what_a_library_said_of_the_data_is_not_told() -> None:
    cause = ValueError("Original Line: s3cret row\nat 0042-17")
    error = TableError(f"t.csv: not CSV ({' '.join(str(cause).split())})")
    error.__cause__ = cause
    shown = public_reason(error, POLICY)
    assert "t.csv: not CSV" in shown
    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize(
    "hint",
    [
        *("data: expect:", "data: tolerance:", "data: scores: activation: softmax"),
        *("data: {table: FILE}", "evidence: minimum: positives:", "task: {kind: multilabel}"),
        *("prunegate run", "prunegate label --more", "prunegate measure BASELINE CANDIDATE"),
        "group: brand",  # with a word of the policy
    ],
)
def test_a_hint_is_told_whole(hint: str) -> None:
    told = f"rows that break it: 800; correct the data, or '{hint}' in the policy"
    assert public_reason(ContractError(told), POLICY) == told


def test_a_hint_may_end_in_a_file_that_was_given() -> None:
    told = "pol.yaml: no such file; 'prunegate policy new pol.yaml' writes one to start from"
    assert public_reason(TableError(told), "", [Path("/w/pol.yaml")]) == told
    assert "new pol" not in public_reason(TableError(told), "", [Path("/w/other.yaml")])


@pytest.mark.parametrize(
    "value",
    [
        *("data: jane", "jane: data", "label: 0042", "prunegate s3cret-row"),
        *("prunegate run jane", "prunegate run /home/jane", "group: jane@example.com", "FILE: x"),
    ],
)
def test_what_only_looks_like_a_hint_is_not_told(value: str) -> None:
    told = f"column 'label' holds '{value}' in row 3"
    assert public_reason(TableError(told), POLICY).startswith("column 'label' holds … in row 3")


@pytest.mark.parametrize("error", [InternalError("s3cret row"), KeyError("s3cret row")])
def test_our_own_mistakes_are_told_by_their_kind(error: Exception) -> None:
    assert public_reason(error).startswith(f"It ended in {type(error).__name__}.")
    assert "s3cret" not in public_reason(error)


@pytest.mark.parametrize("place", ["/home/jane/my data/t.csv", "/home/jane/t.csv"])
def test_paths_are_told_by_their_names(place: str) -> None:
    for error in (TableError(f"{place}: no rows"), PolicyError([f"{place}:3: wrong"])):
        shown = public_reason(error, POLICY, [Path(place)])
        assert "t.csv" in shown
        assert "home" not in shown
        assert "jane" not in shown


BAD = {
    "twice": "id,label,baseline,candidate\n{0},safe,0.1,0.1\n{0},safe,0.1,0.1\n",
    "ragged": "id,label,baseline,candidate\n{0},safe,0.1,0.1,{1}\n{2},safe\n",
    "words": "id,label,baseline,candidate\n1,safe,{1},0.1\n2,unsafe,0.2,{0}\n",
    "gaps": "id,label,baseline,candidate\n{0},,0.1,0.1\n{1},safe,,0.1\n{2},safe,7,0.1\n",
    "lacks": "{0},label,baseline\n1,safe,{1}\n",
    "cases": "id,label,baseline,candidate\n{0},Unsafe,0.1,0.1\n{1},{2},0.1,0.1\n",
}


@pytest.mark.parametrize("kind", BAD)
def test_summary_step_and_annotation_keep_what_the_console_says(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "t.csv").write_text(BAD[kind].format(*SECRETS))
    step, out = tmp_path / "step.md", tmp_path / "out"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    asked = ["gate", str(tmp_path / "policy.yaml"), "--predictions", str(tmp_path / "t.csv")]
    asked += ["--audit", str(tmp_path / "a"), "--out", str(out), "--force"]
    done = CliRunner().invoke(cli, asked, standalone_mode=False)
    assert isinstance(done.exception, InputError), done.exception
    public = (out / "summary.md").read_text() + step.read_text() + done.stderr
    assert public.count("NOTHING WAS JUDGED** `brand`") == 2
    assert "::error title=" in public
    assert not [secret for secret in (*SECRETS, str(tmp_path)) if secret in public]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (POLICY, "brand"),
        (POLICY.replace("recall", "recal"), "brand"),
        (POLICY.replace("rules: [", "rules: ["[:-1] + "[["), "brand"),
        ('prunegate: 1\nname: "my brand"  # ours\nrules: oops\n', "my brand"),
        ("prunegate: 1\nrules: [{name: inner}]\n", ""),
        ("id,label,name: x\n1,2,3\n", ""),
    ],
)
def test_a_policy_keeps_its_name_whatever_else_is_wrong(
    text: str, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    assert stated_name(path) == name


def test_a_command_without_its_policy_is_not_told_as_the_demo(tmp_path: Path) -> None:
    asked = ["gate", "--predictions", "t.csv", "--out", str(tmp_path / "o"), "--force"]
    CliRunner().invoke(cli, asked, standalone_mode=False)
    told = (tmp_path / "o" / "summary.md").read_text()
    assert "NOTHING WAS JUDGED** `gate`" in told
    assert "demo" not in told
