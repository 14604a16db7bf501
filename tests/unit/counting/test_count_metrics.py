"""Counting: every metric on every slice is scikit-learn's on the filtered rows, from any source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from tests.depth import times
from tests.rules import of_rules

import prunegate
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Verdict

pytestmark = pytest.mark.slow

NAMES = (
    *("recall", "precision", "specificity", "f1", "accuracy"),
    *("false_positive_rate", "negative_flip_rate", "churn"),
)
SLICINGS = "slices: [{by: kind}, {by: [kind, region]}, {name: night, where: {region: [x, z]}}]\n"


def policy(slices: str = SLICINGS, task: str = "positive: unsafe, threshold: 0.5") -> Policy:
    rules = ", ".join(
        f"{{metric: {name}, slices: all, at_most: 1.0, evidence: point}}" for name in NAMES
    )
    text = f"prunegate: 1\nname: x\ntask: {{kind: binary, {task}}}\n{slices}rules: [{rules}]\n"
    return parse_policy(text)


def table(seed: int, rows: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(rows)],
            "label": random.choice(["unsafe", "safe"], rows),
            "baseline": random.integers(0, 101, rows) / 100,  # 0.5 itself occurs
            "candidate": random.integers(0, 101, rows) / 100,
            "kind": random.choice(["a", "b", "c,d=e"], rows),
            "region": random.choice(["x", "y", "z"], rows),
            "not needed": "?",
        }
    )


def oracle(rows: pd.DataFrame, name: str) -> tuple[float | None, float | None]:
    """The metric of both models by scikit-learn; None where it is not defined."""
    truth = (rows["label"] == "unsafe").to_numpy()
    before, after = ((rows[c] >= 0.5).to_numpy() for c in ("baseline", "candidate"))
    if name == "churn":
        return None, float(np.mean(before != after))
    if name == "negative_flip_rate":
        return None, float(np.mean((before == truth) & (after != truth)))
    found = [_one(truth, decided, name) for decided in (before, after)]
    return found[0], found[1]


def _one(truth: Any, decided: Any, name: str) -> float | None:
    score: Callable[..., float] = {
        "recall": lambda: sk.recall_score(truth, decided, zero_division=np.nan),
        "precision": lambda: sk.precision_score(truth, decided, zero_division=np.nan),
        "f1": lambda: sk.f1_score(truth, decided, zero_division=np.nan),
        "accuracy": lambda: sk.accuracy_score(truth, decided),
        "specificity": lambda: sk.recall_score(~truth, ~decided, zero_division=np.nan),
        "false_positive_rate": lambda: 1 - sk.recall_score(~truth, ~decided, zero_division=np.nan),
    }[name]
    value = float(score())
    return None if np.isnan(value) else value


def masks(rows: pd.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = {"overall": np.ones(len(rows), bool)}
    found["night"] = rows["region"].isin(["x", "z"])
    for kind in rows["kind"].unique():
        name = "kind=" + kind.replace(",", "\\,").replace("=", "\\=")
        found[name] = rows["kind"] == kind
        for region in rows["region"].unique():
            found[f"{name},region={region}"] = (rows["kind"] == kind) & (rows["region"] == region)
    return found


@given(seed=st.integers(0, 10**6), rows=st.integers(12, 200))
@settings(max_examples=times(2, thorough=15))
def test_every_metric_on_every_slice_is_scikit_learns(seed: int, rows: int) -> None:
    data = table(seed, rows)
    verdict = prunegate.judge(policy(), data)
    judged = {s.name: s for s in verdict.slices}
    for name, mask in masks(data).items():
        assert judged[name].rows == mask.sum() if mask.any() else name not in judged
    assert {f.metric for f in of_rules(verdict)} == set(NAMES)
    for finding in of_rules(verdict):
        baseline, candidate = oracle(data[masks(data)[finding.slice]], finding.metric)
        assert finding.candidate == (candidate if candidate is None else pytest.approx(candidate))
        assert finding.baseline == (baseline if baseline is None else pytest.approx(baseline))


def view(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.outcome, verdict.findings, verdict.slices, verdict.reasons


def joint_counts(data: pd.DataFrame) -> pd.DataFrame:
    flags = data.assign(
        label=(data["label"] == "unsafe").astype(int),
        baseline=(data["baseline"] >= 0.5).astype(int),
        candidate=(data["candidate"] >= 0.5).astype(int),
    )
    keys = ["kind", "region", "label", "baseline", "candidate"]
    return flags.groupby(keys).size().reset_index(name="n")


def test_every_source_says_exactly_the_same(tmp_path: Path) -> None:
    data = table(7, 300)
    expected = view(prunegate.judge(policy(), data))
    data.to_csv(tmp_path / "t.csv", index=False)
    data.to_parquet(tmp_path / "t.parquet")
    for start in range(0, 300, 30):
        data[start : start + 30].to_csv(tmp_path / f"part-{start:03}.csv", index=False)
        data[start : start + 30].to_parquet(tmp_path / f"part-{start:03}.parquet")
    with duckdb.connect() as connection:
        sources: list[Any] = [
            *(tmp_path / "t.csv", str(tmp_path / "t.parquet")),
            *(str(tmp_path / "part-*.csv"), str(tmp_path / "part-*.parquet")),
            sorted(tmp_path.glob("part-*.csv")),
            *(pl.from_pandas(data), pl.from_pandas(data).lazy(), pa.Table.from_pandas(data)),
            connection.from_arrow(pa.Table.from_pandas(data)),
            data.sample(frac=1, random_state=1),
        ]
        for source in sources:
            assert view(prunegate.judge(policy(), source)) == expected
    counts = joint_counts(data)
    for frame in (counts, pl.from_pandas(counts), pa.Table.from_pandas(counts)):
        assert view(prunegate.judge_counts(policy(), frame)) == expected


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        ("positive: unsafe", ("unsafe", "safe")),
        ("positive: 1", (1, 0)),
        ("positive: 1", (1.0, 2.0)),
        ("positive: true", (True, False)),
        ("positive: false", (False, True)),
        ("positive: 1", (True, False)),
    ],
)
def test_label_columns_of_every_type_read_alike(task: str, labels: tuple[Any, Any]) -> None:
    data = table(3, 120)
    expected = prunegate.judge(policy(), data)
    flags = data.assign(
        label=np.where(data["label"] == "unsafe", *labels),
        baseline=np.where(data["baseline"] >= 0.5, *labels),
        candidate=np.where(data["candidate"] >= 0.5, *labels),
    )
    assert view(prunegate.judge(policy(task=task), flags)) == view(expected)


def test_numbers_in_a_csv_compare_as_numbers_and_text_verbatim(tmp_path: Path) -> None:
    data = table(5, 80)
    data["label"] = np.where(data["label"] == "unsafe", 1, 0)
    expected = prunegate.judge(policy(task="positive: 1, threshold: 0.5"), data)
    spelled = data.assign(label=data["label"].map({1: "1.0", 0: "00"}))
    spelled.to_csv(tmp_path / "t.csv", index=False)
    found = prunegate.judge(policy(task="positive: 1, threshold: 0.5"), tmp_path / "t.csv")
    assert view(found) == view(expected)
    data["label"] = data["label"].map({1: "yes", 0: "0"})
    data.to_csv(tmp_path / "u.csv", index=False)
    text = prunegate.judge(policy(task="positive: 'yes', threshold: 0.5"), tmp_path / "u.csv")
    assert view(text) == view(expected)


def test_scores_in_narrow_unsigned_columns() -> None:
    data = table(11, 60)
    flags = data.assign(
        baseline=(data["baseline"] >= 0.5).astype("uint8"),
        candidate=(data["candidate"] >= 0.5).astype("uint8"),
    )
    assert view(prunegate.judge(policy(), flags)) == view(prunegate.judge(policy(), data))


@given(seed=st.integers(0, 10**6))
@settings(max_examples=times(3, thorough=25))
def test_exchanging_the_models_turns_the_sign_and_swaps_lost_with_gained(seed: int) -> None:
    data = table(seed, 90)
    exchanged = data.rename(columns={"baseline": "candidate", "candidate": "baseline"})
    there = of_rules(prunegate.judge(policy(), data))
    back = of_rules(prunegate.judge(policy(), exchanged))
    for one, other in zip(there, back, strict=True):
        if one.candidate is None or other.candidate is None:
            continue
        assert (one.lost, one.gained) == (other.gained, other.lost)
        if one.difference is not None and other.difference is not None:
            assert one.difference == -other.difference
            assert (one.baseline, one.candidate) == (other.candidate, other.baseline)
