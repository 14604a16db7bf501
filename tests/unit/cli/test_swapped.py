"""A table in the policy's place, or without its option, gets the word that helps."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from prunegate.cli.gate import command
from prunegate.errors import InputError
from prunegate.outputs.public_reason import why


def refused(*given: str) -> str:
    with pytest.raises((click.UsageError, InputError)) as found:
        command.main(list(given), standalone_mode=False)
    return why(found.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            ["t.csv", "--predictions", "p.yaml"],
            "swapped; try: prunegate gate p.yaml --predictions t.csv",
        ),
        (["t.parquet", "--predictions", "u.csv"], "t.parquet is a table, but POLICY is a YAML"),
        (["p.yaml", "--predictions", "q.yml"], "q.yml is a policy, no table"),
        (["p.yaml", "t.csv"], "try: prunegate gate p.yaml --predictions t.csv"),
        (
            ["p.yaml", "my t.csv", "u.jsonl"],
            "prunegate gate p.yaml --predictions 'my t.csv' --predictions u.jsonl",
        ),
        (["t.csv"], "try: prunegate gate POLICY.yaml --predictions t.csv"),
        (["p.yaml"], "p.yaml: no such file"),
    ],
)
def test_the_right_word(given: list[str], words: str, tmp_path: Path) -> None:
    assert words in refused(*given)
    assert not list(tmp_path.iterdir())
