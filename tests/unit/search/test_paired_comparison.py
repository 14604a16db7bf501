"""A control is said to lose more only where a paired test on the same rows shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from prunegate.policy.load import parse_policy
from prunegate.policy.task import Task
from prunegate.search.paired_comparison import lost_more, task_of_pair
from prunegate.verdict.losses import LEVEL

ROWS = 203
BINARY = """
prunegate: 1
name: t
task: {kind: binary, positive: 1, threshold: 0.5}
evidence: {minimum: {rows: 1, positives: 1}}
rules:
  - {metric: recall, max_drop: 0.05}
  - {metric: accuracy, at_least: 0.5}
  - {metric: specificity, max_drop: 0.01, severity: warn}
"""
SCORES = """
prunegate: 1
name: t
task: {kind: score, range: [0, 5]}
rules: [{metric: mae, max_rise: 0.5}]
"""


def rows(label: Any, chosen: Any, control: Any) -> pa.Table:
    names = [str(row) for row in range(len(label))]
    return pa.table({"id": names, "label": label, "baseline": chosen, "candidate": control})


def answers(label: Any, wrong: Any) -> Any:
    return np.where(wrong, 1 - label, label).astype(float)


def test_one_row_more_of_two_hundred_is_not_shown() -> None:
    label = np.arange(ROWS) % 2
    few, more = (np.arange(ROWS) // 2 < count for count in (3, 4))
    found = lost_more(
        parse_policy(BINARY, source="p"),
        rows(label, answers(label, few & (label == 1)), answers(label, more & (label == 1))),
    )
    assert found.p_value > LEVEL


def test_a_loss_that_is_real_is_shown_with_its_place_and_what_only_warns_is_not_looked_at() -> None:
    label = np.arange(ROWS) % 2
    policy = parse_policy(BINARY, source="p")
    missed = (label == 1) & (np.arange(ROWS) < 60)
    found = lost_more(policy, rows(label, answers(label, label < 0), answers(label, missed)))
    assert found.p_value < 1e-5
    assert (found.metric, found.slice) == ("recall", "overall")
    assert found.more == pytest.approx(missed.sum() / label.sum())
    won = lost_more(policy, rows(label, answers(label, missed), answers(label, label < 0)))
    assert won.p_value == 1.0
    bare = BINARY.replace("{metric: recall, max_drop: 0.05}", "{metric: model_bytes, max_ratio: 1}")
    pair = (answers(label, label < 0), answers(label, missed))
    only = lost_more(parse_policy(bare, source="p"), rows(label, *pair))
    assert only.metric == "accuracy", "a floor says where to look, too"


def test_means_are_compared_row_by_row() -> None:
    rng = np.random.default_rng(0)
    label = rng.uniform(1, 4, 400)
    chosen = label + rng.normal(0, 0.5, 400)
    worse = chosen + 0.05 * np.sign(chosen - label)
    policy = parse_policy(SCORES, source="p")
    clipped = [np.clip(one, 0, 5) for one in (chosen, worse)]
    assert lost_more(policy, rows(label, *clipped)).p_value < 0.01
    assert lost_more(policy, rows(label, *reversed(clipped))).p_value == 1.0


def test_draws_as_good_as_the_choice_are_seldom_shown_to_be_worse() -> None:
    """Errors of equal rate, drawn apart, at the level that is told."""
    rng, policy, draws = np.random.default_rng(5), parse_policy(BINARY, source="p"), 40
    label = np.arange(ROWS) % 2
    shown = 0
    for _ in range(draws):
        pair = (answers(label, rng.random(ROWS) < 0.05) for _ in range(2))
        shown += lost_more(policy, rows(label, *pair)).p_value <= LEVEL
    assert shown <= stats.binom.ppf(0.999, draws, LEVEL)


def test_each_candidate_keeps_its_own_threshold() -> None:
    base = {"kind": "binary", "positive": 1}
    one, other = (
        Task.model_validate({**base, "threshold": {"baseline": 0.5, "candidate": at}})
        for at in (0.3, 0.4)
    )
    task = task_of_pair(one, other)
    assert (task.threshold_of("baseline"), task.threshold_of("candidate")) == (0.3, 0.4)
    plain = Task.model_validate({**base, "threshold": 0.5})
    assert task_of_pair(plain, plain) == plain
