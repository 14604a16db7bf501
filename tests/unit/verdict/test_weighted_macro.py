"""Macro averages and coefficients of rows with design weights: scikit-learn's values, and laws."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as oracle
from tests.rules import of_rules

import prunegate
from prunegate.policy.load import parse_policy
from prunegate.verdict.finding import Finding

pytestmark = pytest.mark.slow

CLASSES = ("a", "b", "c")
HEAD = "prunegate: 1\nname: x\ntask: {kind: %s}\nweight: w\nrules: [{metric: %s}]\n"
MANY, TWO = "multiclass", "binary, positive: a, threshold: 0.5"
SCORES: dict[str, Any] = {
    "recall": lambda y, says, w: oracle.recall_score(y, says, average="macro", sample_weight=w),
    "precision": lambda y, says, w: oracle.precision_score(
        y, says, average="macro", sample_weight=w
    ),
    "f1": lambda y, says, w: oracle.f1_score(y, says, average="macro", sample_weight=w),
    "balanced_accuracy": lambda y, says, w: oracle.balanced_accuracy_score(
        y, says, sample_weight=w
    ),
    "mcc": lambda y, says, w: oracle.matthews_corrcoef(y, says, sample_weight=w),
}


@cache
def table(rows: int = 450, two: bool = False) -> pd.DataFrame:
    """Right in some nine of ten rows; the candidate a little worse where rows weigh more."""
    random = np.random.default_rng(7)
    names = np.array(CLASSES[:2] if two else CLASSES)
    label = np.arange(rows) % len(names)
    weight = random.choice([0.5, 1.0, 1.5, 2.0], rows)
    before = np.where(random.random(rows) < 0.9, label, random.integers(len(names), size=rows))
    worse = random.random(rows) < 0.02 * weight
    after = np.where(worse, random.integers(len(names), size=rows), before)
    data = pd.DataFrame({"id": range(rows), "label": names[label], "w": weight})
    if two:  # scores of "a", the first
        return data.assign(baseline=0.9 - 0.8 * before, candidate=0.9 - 0.8 * after)
    return data.assign(baseline=names[before], candidate=names[after])


def findings(metric: str, limits: str, data: pd.DataFrame | None = None) -> dict[str, Finding]:
    """What one rule's limits find, by check."""
    two = metric == "mcc"
    rows = table(two=two) if data is None else data
    policy = parse_policy(HEAD % (TWO if two else MANY, f"{metric}, {limits}"))
    return {found.check: found for found in of_rules(prunegate.judge(policy, rows))}


def finding(metric: str, limit: str, data: pd.DataFrame | None = None) -> Finding:
    (found,) = findings(metric, limit, data).values()
    return found


@pytest.mark.parametrize("metric", SCORES)
def test_values_are_scikit_learns_with_these_weights(metric: str) -> None:
    data, found = table(two=metric == "mcc"), finding(metric, "max_drop: 0.1")
    for role, value in (("baseline", found.baseline), ("candidate", found.candidate)):
        says = data[role]
        if metric == "mcc":
            says = np.where(says >= 0.5, "a", "b")
        assert value == pytest.approx(SCORES[metric](data["label"], says, data["w"]), abs=1e-12)
    assert found.difference == pytest.approx(found.candidate - found.baseline, abs=1e-12)  # type: ignore[operator]  # defined
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.ci_low < found.difference < found.ci_high  # type: ignore[operator]  # defined
    assert found.n == len(data)
    total, squares = data["w"].sum(), (data["w"] ** 2).sum()
    assert found.effective == int(total**2 / squares)  # Kish


@pytest.mark.parametrize("metric", ["recall", "f1", "mcc"])
def test_a_wider_margin_is_shown_more_easily_and_harm_less(metric: str) -> None:
    margins, limits = (0.0, 0.05, 0.2), (0.5, 0.8, 0.99)
    pairs = [
        findings(metric, f"max_drop: {margin}, at_least: {limit}")
        for margin, limit in zip(margins, limits, strict=True)
    ]
    found, floors = ([one[check] for one in pairs] for check in ("max_drop", "at_least"))
    p_values, p_harms = [f.p_value for f in found], [f.p_harm for f in found]
    assert p_values == sorted(p_values, reverse=True)  # type: ignore[type-var]  # defined
    assert p_harms == sorted(p_harms)  # type: ignore[type-var]  # defined
    assert found[-1].status == "pass"
    assert [f.status for f in floors][::2] == ["pass", "fail"]
    assert floors[0].p_value < floors[1].p_value < floors[2].p_value  # type: ignore[operator]  # defined
    level = floors[0]
    assert level.ci_low < level.candidate < level.ci_high  # type: ignore[operator]  # defined


@pytest.mark.parametrize("metric", ["recall", "mcc"])
def test_only_the_ratios_of_weights_count(metric: str) -> None:
    data = table(two=metric == "mcc")
    one = finding(metric, "max_drop: 0.05")
    other = finding(metric, "max_drop: 0.05", data.assign(w=data["w"] * 4))
    for name in ("baseline", "candidate", "p_value", "p_harm", "ci_low", "ci_high"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-9), name


@pytest.mark.parametrize("metric", ["recall", "mcc"])
def test_what_the_models_swap_a_gain_swaps_back(metric: str) -> None:
    """A capped gain of the candidate is a capped loss of the baseline: the same test."""
    data = table(two=metric == "mcc")
    swapped = data.rename(columns={"baseline": "candidate", "candidate": "baseline"})
    loss = finding(metric, "max_drop: 0.06")
    gain = finding(metric, "max_gain: 0.06", swapped)
    assert gain.p_value == pytest.approx(loss.p_value, abs=1e-12)
    assert gain.p_harm == pytest.approx(loss.p_harm, abs=1e-12)


def test_rows_that_weigh_so_unlike_that_they_are_worth_few_prove_nothing() -> None:
    data = table(300)
    heavy = data.assign(w=np.where(np.arange(300) < 3, 1e5, 1.0))
    found = finding("recall", "max_drop: 0.5", heavy)
    assert (found.status, found.open_because) == ("inconclusive", "method")
    assert "the rows weigh so unlike that they are worth 3" in found.note
    assert finding("recall", "max_drop: 0.5", data.assign(w=1.0)).status == "pass"
