"""A table and a policy for every kind of task, to state laws about all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prunegate.metrics import catalogue
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.stats import macro
from prunegate.stats.result import Interval

KINDS = ("binary", "labels", "multiclass", "score", "language")
_TASKS = {
    "binary": "{kind: binary, positive: unsafe, threshold: 0.5}",
    "labels": "{kind: binary, positive: unsafe}",
    "multiclass": "{kind: multiclass}",
    "score": "{kind: score, range: [-1, 4]}",
    "language": "{kind: language}",
}
_TASK_KINDS = {"labels": "binary"}
METRICS = {
    kind: tuple(
        name
        for name, metric in catalogue.METRICS.items()
        if (task := _TASK_KINDS.get(kind, kind)) in metric.tasks
        and not metric.at
        and (kind in ("binary", "score") or not metric.from_scores(task))
    )
    for kind in KINDS
}
"""From the catalogue, so that no metric escapes the laws; those that take scores, where there are
scores (of several classes, and at a fixed rate: ``test_scored_rows.py``)."""
FROM_SCORES = {n for n, m in catalogue.METRICS.items() if m.from_scores("binary")}
FLIPS = tuple(name for name, metric in catalogue.METRICS.items() if metric.kind == "flips")
LOWER = {n for n, m in catalogue.METRICS.items() if m.lower_is_better and m.kind != "flips"}
_SLICINGS = {
    "kind": "{by: kind, expect: [a, b]}",
    "both": "{by: [kind, region]}",
    "far": "{name: far, where: {region: [x, z]}}",
}


def sliced(*names: str) -> str:
    """Some of the slicings: each that is declared is counted, whether judged or not."""
    return f"slices: [{', '.join(_SLICINGS[name] for name in names)}]\n" if names else ""


SLICES = sliced(*_SLICINGS)


def policy(
    kind: str, rules: list[str] | None = None, *, slices: str = SLICES, more: str = ""
) -> Policy:
    """A policy with a level and a change rule for every metric that the task has."""
    lines = "\n".join(f"  - {rule}" for rule in (all_rules(kind) if rules is None else rules))
    rated = "quality: {}\n" if "mean_quality" in lines else ""
    head = f"prunegate: 1\nname: x\ntask: {_TASKS[kind]}\n{slices}{rated}{more}"
    return parse_policy(f"{head}rules:\n{lines}\n")


@contextmanager
def without_intervals() -> Iterator[None]:
    """Macro averages without their intervals, nine tenths of the time, for laws that read none."""
    everything = Interval(low=-1.0, high=1.0, method=macro.METHOD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(macro, "interval", lambda *_: everything)
        yield


def all_rules(kind: str) -> list[str]:
    """A level of every metric, and a change where the metric has a baseline."""
    rules = []
    for name in METRICS[kind]:
        rules.append(f"{{metric: {name}, slices: all, at_most: 0.9}}")
        if name not in FLIPS:
            change = "max_rise" if name in LOWER else "max_drop"
            rules.append(f"{{metric: {name}, slices: all, {change}: 0.05}}")
    if kind == "multiclass":
        rules.append("{metric: recall, slices: all, classes: each, max_drop: 0.05}")
        rules.append("{metric: precision, slices: kind, classes: [u, v], at_least: 0.3}")
    return rules


def table(kind: str, seed: int, rows: int) -> pd.DataFrame:
    """Rows of two models that mostly agree."""
    random = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(rows)],
            "kind": random.choice(["a", "b", "c"], rows),
            "region": random.choice(["x", "y", "z"], rows),
            "post": random.integers(0, max(rows // 4, 2), rows),
        }
    )
    for name, values in _models(kind, random, rows).items():
        data[name] = values
    return data


def _models(kind: str, random: Any, rows: int) -> dict[str, Any]:
    if kind == "score":
        return _scores(random, rows)
    if kind == "language":
        return _likelihoods(random, rows)
    names = np.array(["u", "v", "w"] if kind == "multiclass" else ["unsafe", "safe"])
    label = random.integers(0, len(names), rows)
    label[: len(names)] = range(len(names))  # every class occurs
    baseline = np.where(random.random(rows) < 0.8, label, random.integers(0, len(names), rows))
    candidate = np.where(random.random(rows) < 0.9, baseline, random.integers(0, len(names), rows))
    if kind != "binary":
        return {"label": names[label], "baseline": names[baseline], "candidate": names[candidate]}
    spread = [random.integers(0, 50, rows) / 100 for _ in range(2)]
    scores = [
        0.5 * (made == 0) + more for made, more in zip((baseline, candidate), spread, strict=True)
    ]
    return {"label": names[label], "baseline": scores[0], "candidate": scores[1]}


def _scores(random: Any, rows: int) -> dict[str, Any]:
    label = random.uniform(-1, 4, rows)
    baseline = np.clip(label + random.normal(0, 0.5, rows), -1, 4)
    candidate = np.clip(baseline + random.normal(-0.01, 0.1, rows), -1, 4)
    return {"label": label, "baseline": baseline, "candidate": candidate}


def _likelihoods(random: Any, rows: int) -> dict[str, Any]:
    tokens = random.integers(1, 300, rows)
    baseline = tokens * random.gamma(20, 0.1, rows)
    candidate = np.maximum(baseline + tokens * random.normal(0.01, 0.1, rows), 0)
    before = random.uniform(0, 1, rows)
    after = np.clip(before + random.normal(-0.01, 0.1, rows), 0, 1)
    quality = {"baseline_quality": before, "candidate_quality": after}
    return {"tokens": tokens, "baseline": baseline, "candidate": candidate, **quality}


def slices_of(data: pd.DataFrame) -> dict[str, Any]:
    """The rows of every slice, by name."""
    found = {"overall": np.ones(len(data), bool), "far": data["region"].isin(["x", "z"])}
    for kind in data["kind"].unique():
        found[f"kind={kind}"] = data["kind"] == kind
        for region in data["region"].unique():
            both = (data["kind"] == kind) & (data["region"] == region)
            found[f"kind={kind},region={region}"] = both
    return found
