"""A table that can never be judged: ``check`` says so of every metric, as the gate does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import prunegate
from prunegate.cli.check import command
from prunegate.counting.count import count_table, open_predictions
from prunegate.metrics.catalogue import METRICS
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.unjudged import unjudged_counts

HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: u, threshold: 0.5}\n"
NAMES = [n for n, m in METRICS.items() if "binary" in m.tasks and m.paired]


def rule_of(name: str, more: str = "") -> str:
    """A limit that any two models keep."""
    metric = METRICS[name]
    at = "at: 0.5, " if metric.at else ""
    return (
        f"{{metric: {name}, {at}{more}{'max_rise' if metric.lower_is_better else 'max_drop'}: .9}}"
    )


def policy_of(rules: list[str], more: str = "") -> Policy:
    return parse_policy(f"{HEAD}{more}rules: [{', '.join(rules)}]\n")


def rows_of(label: Any, rows: int = 800) -> pd.DataFrame:
    random = np.random.default_rng(3)
    truth = np.broadcast_to(label, rows)
    score = np.clip(random.normal(0.35 + 0.3 * truth, 0.15), 0, 1)
    after = np.clip(score + random.normal(0, 0.02, rows), 0, 1)
    names = np.where(truth, "u", "s")
    table = {"id": range(rows), "label": names, "baseline": score, "candidate": after}
    return pd.DataFrame(table)


def lacking(policy: Policy, data: pd.DataFrame) -> list[str]:
    counted = count_table(policy, open_predictions(policy, data))
    return [count.words for count in unjudged_counts(policy, counted.slices)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["recall_at_fpr", "auc", "specificity", "log_loss"])
def test_what_has_no_value_without_negatives_is_said_where_the_gate_is_open(name: str) -> None:
    policy = policy_of([rule_of(name)])
    alone = rows_of(label=True)
    never = lacking(policy, alone)
    assert bool(never) == (prunegate.judge(policy, alone).outcome == "inconclusive")
    assert METRICS[name].phrase in " ".join(never) or not never
    both = rows_of(np.arange(800) % 2 == 0)
    assert not lacking(policy, both)


@pytest.mark.slow
def test_the_metrics_that_need_negatives_are_these() -> None:
    every = policy_of([rule_of(name) for name in NAMES])
    said = " ".join(lacking(every, rows_of(label=True)))
    named = {name for name in NAMES if f"which {METRICS[name].phrase} can" in said}
    assert {"auc", "recall_at_fpr", "precision_at_recall", "specificity", "mcc"} <= named
    assert not named & {"recall", "precision", "log_loss", "brier", "accuracy"}


def test_too_few_for_a_method_and_one_class_on_a_slice_are_said_too() -> None:
    data = rows_of(np.arange(800) % 2 == 0)
    data["k"] = np.where(data["label"] == "u", "a", "b")
    slices = "slices: [{by: k, expect: [a, b]}]\n"
    policy = policy_of([rule_of("recall", "slices: all, ")], slices)
    assert [w.split(" can ")[1] for w in lacking(policy, data)] == [
        "be judged on k=a",
        "be judged on k=b",
    ]
    few = "{metric: recall_at_fpr, at: 0.01, max_drop: 0.1}"
    assert lacking(policy_of([few]), data)
    warned = few.replace("max_drop", "severity: warn, max_drop")
    assert not lacking(policy_of([warned, rule_of("recall")]), data)


@pytest.mark.slow
def test_check_ends_as_the_gate_does(tmp_path: Path) -> None:
    path, table = tmp_path / "p.yaml", tmp_path / "t.parquet"
    path.write_text(f"{HEAD}rules: [{rule_of('recall_at_fpr')}]\n")
    for label, code in ((True, 4), (np.arange(800) % 2 == 0, 0)):
        rows_of(label).to_parquet(table)
        given = [str(path), "--predictions", str(table)]
        found = CliRunner().invoke(command, given, standalone_mode=False)
        assert found.return_value == code
        assert ("the slice has only positive rows" in found.output) is (code == 4)
