"""Groups of one row are rows; groups that hold too much are told so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.rules import of_rules
from tests.unit.counting import kinds

import prunegate
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

RULES = [
    "{metric: recall, max_drop: 0.05}",
    "{metric: accuracy, slices: kind, max_drop: {relative: 0.05}}",
    "{metric: precision, max_drop: 0.05}",
    "{metric: negative_flip_rate, at_most: 0.1}",
    "{metric: mcc, max_drop: 0.05}",
    "{metric: recall, at_least: 0.5}",
]


def test_groups_of_one_row_are_rows_to_the_last_digit() -> None:
    data = kinds.table("binary", 4, 400).assign(post=range(400))
    by_kind = kinds.sliced("kind")
    alone, grouped = (
        prunegate.judge(kinds.policy("binary", RULES, slices=by_kind, more=more), data)
        for more in ("", "group: post\n")
    )
    assert grouped.findings == alone.findings
    # groups that hold two rows, of which the metric is about one, are single rows to it
    negatives = np.flatnonzero(data["label"] != "unsafe")
    positives = np.flatnonzero(data["label"] == "unsafe")[: len(negatives)]
    paired = data.assign(post=range(400))
    paired.loc[negatives[: len(positives)], "post"] = positives[: len(negatives)]
    single, shared = (
        prunegate.judge(kinds.policy("binary", RULES[:1], slices="", more=more), paired)
        for more in ("", "group: post\n")
    )
    assert of_rules(shared) == of_rules(single)


def _policy(margin: float = 0.02) -> Policy:
    return parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\ngroup: g\n"
        f"rules: [{{metric: accuracy, max_drop: {margin}}}]\n"
    )


def _rows(largest: int, n: int = 2000) -> pd.DataFrame:
    """One group of so many rows, all others of one; 2 % are decided otherwise."""
    rng = np.random.default_rng(1)
    label = rng.random(n) < 0.4
    baseline = label ^ (rng.random(n) < 0.1)
    candidate = baseline ^ (rng.random(n) < 0.02)
    groups = np.where(np.arange(n) < largest, 0, np.arange(n))
    models = {"label": label, "baseline": baseline, "candidate": candidate}
    return pd.DataFrame(
        {"id": range(n), "g": groups, **{k: v.astype(int) for k, v in models.items()}}
    )


@pytest.mark.slow
def test_a_group_of_two_fifths_of_the_rows_is_told_and_no_labels_are_asked_for() -> None:
    verdict = prunegate.judge(_policy(), _rows(800))
    (finding,) = of_rules(verdict)
    assert finding.status == "inconclusive"
    assert (finding.open_because, finding.needed) == ("uneven groups", None)
    assert finding.weight == 6  # 1 / (.4^2 + 1,200 / 2,000^2)
    assert "label rows of others" in finding.note
    second_opinion(_policy(), verdict)
    (finding,) = of_rules(prunegate.judge(_policy(), _rows(8)))
    assert finding.weight is None
    assert finding.open_because != "uneven groups"


@pytest.mark.parametrize("lost", [500, 2000])
def test_harm_is_shown_in_uneven_groups_all_the_same(lost: int) -> None:
    rows = _rows(200)
    worse = rows.assign(
        candidate=rows["baseline"].where(rows.index < 2000 - lost, 1 - rows["label"])
    )
    (finding,) = of_rules(prunegate.judge(_policy(), worse))
    assert (finding.status, finding.open_because, finding.weight) == ("fail", None, None)
    assert replace(finding).note == ""
