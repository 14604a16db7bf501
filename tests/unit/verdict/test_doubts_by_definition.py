"""What is said of a doubted model are facts of its rows, worked out here by scikit-learn."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix
from tests.depth import times

import prunegate
from prunegate.policy.load import parse_policy
from prunegate.text.numbers import plain, share
from prunegate.verdict.finding import ReferenceDoubt
from prunegate.verdict.reference_doubts import CLEAR, SURE, _best_names, _meant, _renamed

POLICY = """prunegate: 1
name: x
task: {%s}
slices: [{by: kind}]
rules: [{metric: accuracy, slices: all, max_drop: 0.1}]
"""
TASKS = {"ab": "kind: binary, positive: b", "abcd": "kind: multiclass"}
WRONG = ("one decision", "exchanged", "weaker", "unrelated")


def decided(labels: Any, names: str, wrong: str, rng: Any) -> Any:
    """Decisions of a model with one thing wrong."""
    noisy = np.where(rng.random(len(labels)) < 0.9, labels, rng.choice(list(names), len(labels)))
    if wrong == "one decision":
        return np.full(len(labels), names[1])
    if wrong == "exchanged":
        other = {**dict(zip(names, names, strict=True)), "a": "b", "b": "a"}
        return np.array([other[one] for one in noisy])
    if wrong == "weaker":
        return np.where(rng.random(len(labels)) < 0.3, noisy, rng.permutation(noisy))
    return rng.permutation(noisy)


def rows(names: str, model: str, wrong: str) -> pd.DataFrame:
    rng = np.random.default_rng(len(names))
    shares = np.arange(1, len(names) + 1) / sum(range(1, len(names) + 1))
    labels = rng.choice(list(names), 900, p=shares)
    columns = {
        one: decided(labels, names, wrong, rng)
        if one == model
        else np.where(rng.random(900) < 0.95, labels, names[0])
        for one in ("baseline", "candidate")
    }
    kind = np.where(rng.random(900) < 0.3, "video", "text")
    return pd.DataFrame({"id": range(900), "label": labels, "kind": kind, **columns})


def told_of(doubt: ReferenceDoubt) -> list[float]:
    """The shares that its sentence tells."""
    often = [] if doubt.decided is None else [doubt.decided / doubt.rows]
    known = (doubt.right, doubt.right_if, doubt.chance)
    if doubt.kind in ("one decision", "weaker"):
        known = ()
    return [*(one for one in known if one is not None), *often]


def hold(doubt: ReferenceDoubt, labels: Any, models: dict[str, Any]) -> None:
    """Each fact of a doubt, by its definition."""
    decisions = models[doubt.model]
    often = Counter(decisions).most_common(1)[0]
    assert doubt.rows == len(labels)
    assert doubt.right == pytest.approx(accuracy_score(labels, decisions))
    match doubt.kind:
        case "one decision":
            assert {doubt.decision} == set(decisions)
        case "reversed":
            assert doubt.right_if == pytest.approx(1 - doubt.right)
        case "permuted":
            names = {**{one: one for one in set(decisions)}, **dict(doubt.names)}
            assert all(decision != label for decision, label in doubt.names)
            righted = [names[one] for one in decisions]
            assert doubt.right_if == pytest.approx(accuracy_score(labels, righted))
        case "unrelated":
            table = confusion_matrix(labels, decisions) / len(labels)
            assert doubt.chance == pytest.approx(table.sum(0) @ table.sum(1))
            assert (doubt.decision, doubt.decided) == often
        case "weaker":
            kappas = [cohen_kappa_score(labels, models[m]) for m in ("baseline", "candidate")]
            assert doubt.kappas == pytest.approx(kappas)
            assert kappas[1] < kappas[0] / 2
            assert (doubt.decision, doubt.decided) == often


KINDS = {"exchanged": {"ab": "reversed", "abcd": "permuted"}}


@pytest.mark.parametrize("names", TASKS)
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("model", ["baseline", "candidate"])
def test_a_doubt_tells_what_its_rows_hold(names: str, model: str, wrong: str) -> None:
    frame = rows(names, model, wrong)
    verdict = prunegate.judge(parse_policy(POLICY % TASKS[names]), frame)
    parts = {"overall": frame} | {f"kind={kind}": part for kind, part in frame.groupby("kind")}
    kind = KINDS.get(wrong, {}).get(names, wrong)
    expected = {"overall"} if kind in ("unrelated", "permuted") else {*parts}
    if model == "baseline" and wrong in ("unrelated", "weaker"):
        expected = set()  # that is the reference's own finding
    assert {d.slice for d in verdict.doubts if (d.kind, d.model) == (kind, model)} == expected
    for doubt in verdict.doubts:
        part = parts[doubt.slice]
        hold(doubt, part["label"], {m: part[m] for m in ("baseline", "candidate")})
        where = f"On {doubt.slice} the {doubt.model} "
        sentence = next(one for one in verdict.warnings if one.startswith(where))
        assert all(plain(share(one)) in sentence for one in told_of(doubt))
        assert f"{doubt.rows:,} rows" in sentence


CELLS = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), st.integers(1, 40), min_size=1
)


@given(CELLS)
def test_the_best_names_put_most_rows_right(cells: dict[tuple[str, str], int]) -> None:
    names = sorted({name for cell in cells for name in cell})

    def right(order: Any) -> int:
        renamed = dict(zip(names, order, strict=True))
        return sum(n for (label, decision), n in cells.items() if renamed[decision] == label)

    found = _best_names(cells)
    assert right([found[name] for name in names]) == max(map(right, itertools.permutations(names)))
    renamed = _renamed(cells, found)
    assert sum(renamed.values()) == sum(cells.values())
    assert sum(n for (a, b), n in renamed.items() if a == b) == right([found[n] for n in names])


@example({("a", "b"): 22, ("c", "c"): 1}, "bac")  # one row short of the level
@example({("a", "b"): 23, ("c", "c"): 1}, "bac")
@given(CELLS, st.sampled_from(["bac", "bca", "acb", "cba"]))
@settings(max_examples=times(60, thorough=600))
def test_names_are_exchanged_for_good_by_a_sign_test(
    cells: dict[tuple[str, str], int], order: str
) -> None:
    names = dict(zip("abc", order, strict=True))
    rows = [cell for cell, n in cells.items() for _ in range(n)]
    touched = [(label, decision) for label, decision in rows if names[decision] != decision]
    right = sum(label == names[decision] for label, decision in touched)
    wrong = sum(label == decision for label, decision in touched)
    clear = right - wrong >= max(1, CLEAR * len(touched))
    moved = sum(a != b for a, b in names.items())
    level = SURE / math.perm(len(names), moved)
    sign = right and binomtest(right, right + wrong, alternative="greater").pvalue <= level
    assert _meant(cells, names) == bool(clear and sign)
