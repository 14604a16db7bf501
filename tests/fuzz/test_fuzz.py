"""No reader of a stranger's file breaks on the corpus, nor on what is one change away from it."""

from __future__ import annotations

import random

import pytest
from tests.fuzz.fuzz import fuzz
from tests.fuzz.hostile_json import mutated
from tests.fuzz.targets import CORPUS, TARGETS, Target

MODELS = frozenset({"weights", "onnx"})
"""Targets that load a model library."""
SLOW = frozenset(
    (
        "record", "csv-table", "json-lines-table", "parquet-table", "counts", "label-list",
        "labelled-table",
    )
)  # fmt: skip
"""Targets that take milliseconds for each input."""


def _marked(target: Target) -> object:
    marks = [pytest.mark.models] if target.name in MODELS else []
    marks += [pytest.mark.slow] if target.name in SLOW else []
    return pytest.param(target, id=target.name, marks=marks)


def _byte_changed(content: bytes, seed: int) -> bytes:
    draw = random.Random(seed)  # noqa: S311  # no secrets
    at = draw.randrange(len(content) + 1)
    drop = draw.choice((0, 1, 1, 8, 400))
    return (
        content[:at]
        + draw.choice((b"", b"\0", b"\xff", b'"', b"\n", b"9" * 30))
        + content[at + drop :]
    )


@pytest.mark.parametrize("target", [_marked(target) for target in TARGETS])
def test_a_reader_takes_or_refuses(target: Target) -> None:
    taken = 0
    for file in target.corpus():
        content = file.read_bytes()
        taken += target.try_on(content)
        for seed in range(8):
            target.try_on(_byte_changed(content, seed))
            target.try_on(mutated(content, seed) or content[: seed * 7])
    assert taken, "no file of the corpus is taken: nothing behind the first check is tried"


def test_each_target_has_its_corpus_and_no_other_is_kept() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == {target.name for target in TARGETS}


def test_an_error_that_is_no_refusal_is_a_finding() -> None:
    def broken(content: bytes) -> None:
        raise KeyError(content)

    with pytest.raises(KeyError):
        Target(name="broken", read=broken).try_on(b"x")


@pytest.mark.slow
def test_a_short_guided_run_ends_without_a_finding() -> None:
    pytest.importorskip("atheris")
    outcome = fuzz("statement", "-runs=300")
    assert outcome.executions >= 300
    assert not outcome.finding
