"""Why an open finding asks for no number of rows, and rules whose order changes nothing."""

from __future__ import annotations

import math
from itertools import count, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import prunegate
from prunegate.counting.count import count_table, open_predictions
from prunegate.policy.load import parse_policy
from prunegate.stats.agreement import agreement
from prunegate.verdict.advice import ALIKE, TOO_CLOSE, UNFORETOLD, WOULD_BREAK
from prunegate.verdict.reference import reference_demands
from prunegate.verdict.reference_evaluated import Evaluated

HEAD = "prunegate: 1\nname: x\ntask: {kind: %s}\nrules: [%s]\n"
BINARY = "binary, positive: 1, threshold: 0.5"


def scored(rows: int = 1200) -> pd.DataFrame:
    random = np.random.default_rng(3)
    label = np.arange(rows) % 2
    before = np.clip(0.5 * label + random.random(rows) * 0.6, 0, 1)
    after = np.clip(before + random.normal(0, 0.03, rows), 0, 1)
    return pd.DataFrame({"id": range(rows), "label": label, "baseline": before, "candidate": after})


@pytest.mark.parametrize(
    ("rule", "other", "same"),
    [
        ("recall_at_fpr, at: 0.1, max_drop: 0.001", UNFORETOLD, UNFORETOLD),
        ("precision_at_recall, at: 0.5, max_drop: 0.001", UNFORETOLD, UNFORETOLD),
        ("auc, max_drop: 0.0001", WOULD_BREAK, ALIKE),
        ("recall, max_drop: 0.0", "", TOO_CLOSE),
    ],
)
def test_an_open_finding_without_a_number_says_why(rule: str, other: str, same: str) -> None:
    """``other``: of two models that differ; ``same``: of a model against itself."""
    policy, data = parse_policy(HEAD % (BINARY, f"{{metric: {rule}}}")), scored()
    for rows, told in ((data, other), (data.assign(candidate=data["baseline"]), same)):
        finding = prunegate.judge(policy, rows).findings[0]
        assert finding.needed is None
        assert finding.note == told


@pytest.mark.slow
def test_what_is_asked_of_the_reference_hangs_on_no_order_of_rules() -> None:
    """A rule that holds nobody against labels asks nothing, wherever it stands."""
    rules = (
        "{metric: mean_score, at_least: 0.1}",
        "{metric: mae, at_most: 5, severity: warn}",
        "{metric: rmse, slices: k, at_most: 5, evidence: point}",
    )
    rows = pd.DataFrame({"id": range(40), "k": ["a", "b"] * 20, "label": [1.0, 2.0] * 20})
    rows = rows.assign(baseline=rows["label"], candidate=rows["label"])
    found = []
    for order in permutations(rules):
        head = HEAD % ("score, range: [0, 3]", ", ".join(order))
        policy = parse_policy(f"{head}slices: [{{by: k}}]\nevidence: {{reference: required}}\n")
        slices = count_table(policy, open_predictions(policy, rows)).slices
        found.append(reference_demands(policy, slices))
    assert all(one == found[0] for one in found)
    demands = {name: (one.severity, one.evidence) for name, one in found[0].items()}
    assert demands == {
        "overall": ("block", "proven"),
        "k=a": ("block", "point"),
        "k=b": ("block", "point"),
    }
    alone = parse_policy(HEAD % ("score, range: [0, 3]", rules[0]))
    slices = count_table(alone, open_predictions(alone, rows)).slices
    assert reference_demands(alone, slices) == {}


@given(rarest=st.integers(1, 6), others=st.integers(0, 12), exponent=st.integers(1, 40))
def test_so_many_rows_all_right_could_show_that_a_model_knows_something_and_no_fewer(
    rarest: int, others: int, exponent: int
) -> None:
    """By chance all are right once in as many times as there are ways to place a class."""
    rows, alpha = 2 * rarest + others, 0.7 * 2.0**-exponent  # never exactly one in so many
    nothing = agreement({("a", "b"): rarest, ("b", "a"): rows - rarest})
    assert nothing.score <= 0
    found = Evaluated(here=nothing, candidate=nothing, rarest=rarest).further(alpha)
    times = next(t for t in count(1) if 1 / math.comb(rows * t, rarest * t) <= alpha)
    assert (found or 0) == rows * (times - 1)
