"""The gate split of a labelled table is the gate set that a run of it judges, or there is none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from prunegate.audit.bar_seal import labelled_gate_set
from prunegate.counting.gate_set import read_gate_set
from prunegate.errors import TableError
from prunegate.policy.load import parse_policy

HEAD = "prunegate: 1\nname: x\ntask: {kind: %s}\n%srules: [{metric: %s}]\n"
ROWS = pd.DataFrame(
    {
        "id": [f"r{i}" for i in range(12)],
        "label": ["unsafe", "safe"] * 6,
        "kind": ["a", "a", "b"] * 4,
        "w": [1.0, 2.0] * 6,
        "split": ["gate", "train", "gate"] * 4,
    }
)


@pytest.mark.parametrize("more", ["", "weight: w\n", "slices: [{by: kind}]\n"])
def test_it_is_the_gate_set_of_those_rows_alone(tmp_path: Path, more: str) -> None:
    binary = "binary, positive: unsafe, threshold: 0.5"
    policy = parse_policy(HEAD % (binary, more, "recall, at_least: 0.5"))
    path = tmp_path / "t.csv"
    ROWS.to_csv(path, index=False)
    found = labelled_gate_set(policy, path)
    alone = tmp_path / "alone.csv"
    ROWS[ROWS["split"] == "gate"].to_csv(alone, index=False)
    assert found == read_gate_set(policy, alone)
    assert found.rows == 8
    ROWS.assign(split="train").to_csv(path, index=False)
    with pytest.raises(TableError, match=r"t\.csv: split 'gate' has no rows; add some"):
        labelled_gate_set(policy, path)


@pytest.mark.parametrize(
    ("task", "rule", "told"),
    [
        ("language", "perplexity, max_rise: 1", "a gate set of prompts has no digest before a run"),
        ("multilabel, labels: [a, b], threshold: 0.5", "recall, at_least: 0.5", "several labels"),
    ],
)
def test_what_has_no_gate_set_before_its_predictions_says_how_to_seal_it(
    tmp_path: Path, task: str, rule: str, told: str
) -> None:
    with pytest.raises(TableError, match=f"{told}.*--predictions"):
        labelled_gate_set(parse_policy(HEAD % (task, "", rule)), tmp_path / "t.csv")
