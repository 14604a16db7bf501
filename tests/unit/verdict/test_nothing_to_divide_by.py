"""Zero denominators, one class, a baseline of nothing or without errors: never a pass, any kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.depth import THOROUGH
from tests.rules import of_rules
from tests.unit.counting import kinds

import prunegate
from prunegate.counting.count import count_table, open_predictions
from prunegate.errors import InputError
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import Finding

pytestmark = pytest.mark.slow

Change = Callable[[pd.DataFrame], pd.DataFrame]
GROUPS = ("", "group: post\n")
BY_KIND = "slices: [{by: kind, expect: [a, b]}]\n"


def constant(kind: str, name: str) -> Change:
    """A model that flags nothing."""
    return lambda data: data.assign(**{name: 0.1 if kind == "binary" else "safe"})


def always(kind: str, *, right: bool) -> Change:
    """A baseline that is right (or wrong) on every row."""

    def changed(data: pd.DataFrame) -> pd.DataFrame:
        if kind == "multiclass":
            wrong = data["label"].map({"u": "v", "v": "w", "w": "u"})
            return data.assign(baseline=data["label"] if right else wrong)
        unsafe = (data["label"] == "unsafe") == right
        yes, no = (0.9, 0.1) if kind == "binary" else ("unsafe", "safe")
        return data.assign(baseline=np.where(unsafe, yes, no))

    return changed


def only(label: str, slices: str = "abc") -> Change:
    """Every row of some slices has the one label."""
    return lambda data: data.assign(
        label=data["label"].mask(data["kind"].isin(list(slices)), label)
    )


def never(name: str, label: str, instead: str) -> Change:
    return lambda data: data.assign(**{name: data[name].replace(label, instead)})


def baseline(value: Any) -> Change:
    """The baseline's number is the same everywhere, or that of another column."""
    return lambda data: data.assign(baseline=data[value] if isinstance(value, str) else value)


RELATIVE, ERRORS = "max_drop: {relative: 0.9}", "max_drop: {error_ratio: 9}"
RATES = ("recall", "precision", "f1", "accuracy")
CASES: list[tuple[str, str, Change, list[str]]] = [
    *[
        case
        for kind in ("binary", "labels")
        for case in (
            (
                kind,
                "only positives",
                only("unsafe"),
                ["specificity, at_least: 0", "false_positive_rate, at_most: 1"],
            ),
            (
                kind,
                "the candidate flags nothing",
                constant(kind, "candidate"),
                ["precision, at_least: 0", "precision, max_drop: 0.9"],
            ),
            (
                kind,
                "the baseline flags nothing",
                constant(kind, "baseline"),
                ["precision, max_drop: 0.9", f"recall, {RELATIVE}", "f1, max_ratio: 9"],
            ),
            (
                kind,
                "a slice of one class",
                only("unsafe", "a"),
                [f"{name}, slices: kind=a, max_drop: 0.9" for name in ("accuracy", "recall")],
            ),
        )
    ],
    *[
        case
        for kind in ("binary", "labels", "multiclass")
        for case in (
            (
                kind,
                "a baseline that is never right",
                always(kind, right=False),
                [f"{name}, {limit}" for name in RATES for limit in (RELATIVE, "max_ratio: 9")],
            ),
            (
                kind,
                "a baseline without errors",
                always(kind, right=True),
                [f"{name}, {ERRORS}" for name in RATES],
            ),
        )
    ],
    (
        "multiclass",
        "a class that the candidate never chooses",
        never("candidate", "w", "u"),
        ["precision, at_least: 0", "precision, classes: [w], at_least: 0"],
    ),
    (
        "multiclass",
        "a class that the baseline never chooses",
        never("baseline", "w", "u"),
        ["precision, max_drop: 0.9", "precision, classes: [w], max_drop: 0.9"],
    ),
    (
        "multiclass",
        "a class that no row is of",
        never("label", "w", "u"),
        ["recall, classes: [w], at_least: 0", "recall, classes: [w], max_drop: 0.9"],
    ),
    (
        "multiclass",
        "a slice of one class",
        only("u", "a"),
        [f"{name}, slices: kind=a, at_least: 0" for name in ("recall", "accuracy")],
    ),
    ("multiclass", "one class", only("u"), ["accuracy, max_drop: 0.9", "recall, at_least: 0"]),
    *[
        (
            "score",
            f"a baseline of {value}",
            baseline(value),
            [f"mean_score, {limit}" for limit in (RELATIVE, "max_ratio: 9")],
        )
        for value in (0.0, -0.5)
    ],
    (
        "score",
        "a baseline without errors",
        baseline("label"),
        ["mae, max_ratio: 9", "mae, max_rise: {relative: 0.9}"],
    ),
    (
        "language",
        "a baseline of nothing",
        baseline(0.0),
        ["nll_per_token, max_ratio: 9", "nll_per_token, max_rise: {relative: 0.9}"],
    ),
]
EVIDENCE = ("proven", "point")


def shown_harm(finding: Finding) -> bool:
    """Whether a limit is shown to be broken, although its ratio is not defined."""
    harm = finding.p_harm_adjusted
    return finding.evidence == "proven" and harm is not None and harm <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "change", "rules", "group"),
    [
        pytest.param(kind, change, rules, group, id=f"{kind}: {what}{': grouped' * bool(group)}")
        for place, (kind, what, change, rules) in enumerate(CASES)
        for grouped, group in enumerate(GROUPS)
        if THOROUGH or (place + (kind == "labels")) % 2 == grouped  # each case in one way by day
    ],
)
def test_what_cannot_be_computed_is_never_a_pass(
    kind: str, change: Change, rules: list[str], group: str
) -> None:
    asked = [f"{{metric: {rule}, evidence: {how}}}" for rule in rules for how in EVIDENCE]
    failing = [rule[:-1] + ", on_undefined: fail}" for rule in asked]
    declared = BY_KIND if any("kind=" in rule for rule in rules) else ""
    policies = [
        kinds.policy(kind, listed, slices=declared, more=group) for listed in (asked, failing)
    ]
    data = change(kinds.table(kind, 3, 600))
    counted = count_table(policies[0], open_predictions(policies[0], data)).slices  # once for both
    verdict, failed = (decide(policy, counted) for policy in policies)
    assert len(of_rules(verdict)) == len(asked)
    grown = [f for f in of_rules(verdict) if f.status == "fail"]  # errors where there were none
    assert all(f.limit_kind == "error_ratio" and shown_harm(f) for f in grown)
    left = [f for f in of_rules(verdict) if f not in grown]
    assert {f.status for f in left} <= {"inconclusive"}
    assert verdict.outcome == ("reject" if grown else "inconclusive")
    assert all(f.note for f in left)
    assert "pass" not in {f.status for f in of_rules(failed)}


@pytest.mark.parametrize("kind", kinds.KINDS)
@pytest.mark.parametrize("group", GROUPS, ids=["single", "grouped"])
def test_a_column_of_nothing_is_refused(kind: str, group: str) -> None:
    name = kinds.METRICS[kind][-1] if kind in ("score", "language") else "accuracy"
    limit = "at_most: 0.9" if name in kinds.LOWER else "at_least: 0"
    policy = kinds.policy(kind, [f"{{metric: {name}, {limit}}}"], slices="", more=group)
    data = kinds.table(kind, 3, 40)
    needed = ["baseline", "candidate", "tokens" if kind == "language" else "label"]
    for column in needed + ["post"] * bool(group):
        with pytest.raises(InputError, match=f"column '{column}': 40 rows with no"):
            prunegate.judge(policy, data.assign(**{column: np.nan}))


def test_a_table_without_a_positive_is_refused() -> None:
    for kind in ("binary", "labels"):
        data = only("safe")(kinds.table(kind, 3, 40))
        policy = kinds.policy(kind, ["{metric: recall, at_least: 0}"])
        with pytest.raises(InputError, match="no row of column 'label' has the positive label"):
            prunegate.judge(policy, data)
