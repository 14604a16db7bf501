"""Causes of knowing nothing: a shift of any length, a wrong join of one model, exchanged names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prunegate
from prunegate.audit.recompute import differences
from prunegate.counting.misaligned import _best_offset
from prunegate.gate import gate
from prunegate.policy.load import parse_policy, read_policy
from prunegate.stats.agreement import agreement
from prunegate.verdict.reference_evaluated import Evaluated

COIN = Path(__file__).parents[2] / "cases" / "coin" / "policy.yaml"
CLASSES = parse_policy(
    "prunegate: 1\nname: x\ntask: {kind: multiclass}\nrules: [{metric: accuracy, max_drop: 0.1}]\n"
)


WORDS = {
    "shifted": "On overall the candidate seems to be off against the labels",
    "reordered": "On overall the candidate seems to be joined to the labels in the wrong order",
    "unrelated": "On overall the candidate is not shown to know anything",
}


def _rows() -> pd.DataFrame:
    """A baseline that is right on nine rows of ten, and the candidate alike."""
    rng = np.random.default_rng(1)
    unsafe = rng.random(600) < 0.3
    score = np.where(unsafe ^ (rng.random(600) < 0.1), 0.7, 0.3)
    label = np.where(unsafe, "unsafe", "safe")
    ids = [f"r{i}" for i in range(600)]
    return pd.DataFrame({"id": ids, "label": label, "baseline": score, "candidate": score})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["shifted", "reordered", "unrelated"])
def test_a_candidate_that_alone_is_joined_wrongly_is_told_first(kind: str) -> None:
    good = _rows()
    answers = good["candidate"].to_numpy()
    wrong = {
        "shifted": np.roll(answers, -7),
        "reordered": answers[sorted(range(len(good)), key=lambda i: good["id"][i])],
        "unrelated": np.random.default_rng(1).permutation(answers),
    }
    decided = gate(read_policy(COIN), good.assign(candidate=wrong[kind]))
    assert decided.verdict.outcome == "reject"
    first, told = decided.verdict.doubts[0], decided.verdict.warnings[0]
    assert (first.kind, first.model) == (kind, "candidate")
    assert told.startswith(WORDS[kind])
    assert not list(differences(decided.record))


@given(
    rows=st.integers(60, 400),
    names=st.integers(2, 30),
    offset=st.integers(-30, 30),
    seed=st.integers(0, 9),
)
@settings(max_examples=25)
def test_the_best_offset_is_the_one_that_was_made(
    rows: int, names: int, offset: int, seed: int
) -> None:
    decisions = np.random.default_rng(seed).integers(0, names, rows)
    assert _best_offset(np.roll(decisions, offset), decisions, names) == offset


@pytest.mark.parametrize("classes", [5, 40])
def test_two_of_many_classes_under_each_others_names_are_named_where_the_others_are_right(
    classes: int,
) -> None:
    rng = np.random.default_rng(classes)
    label = rng.integers(0, classes, 100 * classes)
    says = np.where(rng.random(len(label)) < 0.6, label, rng.integers(0, classes, len(label)))
    names = np.arange(classes)
    names[[1, 2]] = [2, 1]
    for found, expected in ((says, []), (names[says], ["permuted", "permuted"])):
        data = {"id": range(len(label)), "label": label, "baseline": found, "candidate": found}
        verdict = prunegate.judge(CLASSES, pd.DataFrame(data))
        assert [doubt.kind for doubt in verdict.doubts] == expected
        assert all(set(d.names) == {("1", "2"), ("2", "1")} for d in verdict.doubts)


def test_few_rows_of_many_classes_are_not_called_permuted() -> None:
    """The best of all ways to exchange 200 names puts a quarter of the rows right by chance."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 200, 400)
    says = np.where(rng.random(400) < 0.3, label, rng.integers(0, 200, 400))
    data = {"id": range(400), "label": label, "baseline": says, "candidate": says}
    assert prunegate.judge(CLASSES, pd.DataFrame(data)).doubts == ()


def test_what_scatter_cannot_be_told_asks_for_no_rows() -> None:
    found = agreement({("a", "a"): 30, ("a", "b"): 10, ("b", "a"): 10, ("b", "b"): 30})
    flat = replace(found, chance=float(found.right))
    assert Evaluated(here=flat, candidate=flat, rarest=40).if_little_better(0.05) is None
