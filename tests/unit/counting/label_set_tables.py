"""Tables of rows with several labels, in every shape that people have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

LABELS = ("violence", "adult", "hate")
SCORED = "{kind: multilabel, labels: [violence, adult, hate], threshold: 0.5}"
DECIDED = "{kind: multilabel, labels: [violence, adult, hate]}"
ROLES = ("label", "baseline", "candidate")


def policy(*rules: str, task: str = SCORED, more: str = "") -> Policy:
    """A policy with two slices."""
    lines = "\n".join(f"  - {rule}" for rule in rules)
    slices = "slices: [{by: kind, expect: [a, b]}]\n"
    return parse_policy(f"prunegate: 1\nname: x\ntask: {task}\n{slices}{more}rules:\n{lines}\n")


def scores(seed: int, rows: int, noise: float = 0.05) -> pd.DataFrame:
    """Scores of two models that mostly agree; the labels of a row are hard together."""
    random = np.random.default_rng(seed)
    data = pd.DataFrame(
        {"id": [f"r{i}" for i in range(rows)], "kind": random.choice(["a", "b"], rows)}
    )
    hard = random.normal(0, 0.1, rows)
    for label, share in zip(LABELS, (0.4, 0.3, 0.2), strict=True):
        truth = random.random(rows) < share
        truth[:2] = True, False
        side = np.where(truth, 1, -1)
        data[f"label_{label}"] = truth.astype(int)
        before = 0.5 + side * 0.2 + hard * side + random.normal(0, 0.15, rows)
        after = before + random.normal(0, noise, rows)
        data[f"baseline_{label}"] = before.clip(0, 1).round(4)
        data[f"candidate_{label}"] = after.clip(0, 1).round(4)
    return data


def decisions(data: pd.DataFrame) -> dict[str, np.ndarray]:
    """[rows, labels] of the truth and of both models."""
    found = {"label": data[[f"label_{label}" for label in LABELS]].to_numpy() == 1}
    for role in ROLES[1:]:
        found[role] = data[[f"{role}_{label}" for label in LABELS]].to_numpy() >= 0.5
    return found


def named(data: pd.DataFrame) -> pd.DataFrame:
    """The same decisions as lists of names."""
    lists = {
        role: [[n for n, yes in zip(LABELS, row, strict=True) if yes] for row in flags]
        for role, flags in decisions(data).items()
    }
    return data[["id", "kind"]].assign(**lists)


def listed(data: pd.DataFrame) -> pd.DataFrame:
    """Labels as lists of names, scores as lists."""
    found = named(data)
    for role in ROLES[1:]:
        found[role] = data[[f"{role}_{label}" for label in LABELS]].to_numpy().tolist()
    return found


def of_scores(data: pd.DataFrame, folder: Path) -> Iterator[Any]:
    """The same scores in other shapes and files."""
    columns = [f"label_{label}" for label in LABELS]
    told = data.assign(**{name: data[name].map({1: "Yes", 0: "no"}) for name in columns})
    flags = data.assign(**{name: data[name] == 1 for name in columns})
    yield told
    yield listed(data)
    for number, frame in enumerate((told, flags)):
        frame.to_csv(folder / f"{number}.csv", index=False)
        yield folder / f"{number}.csv"
    for number, frame in enumerate((listed(data), structured(data))):
        frame.to_parquet(folder / f"{number}.parquet", index=False)
        yield folder / f"{number}.parquet"
    structured(data).to_json(folder / "structured.jsonl", orient="records", lines=True)
    yield folder / "structured.jsonl"


def structured(data: pd.DataFrame) -> pd.DataFrame:
    """Scores as a structure, in another order of the labels."""
    found = named(data)
    for role in ROLES[1:]:
        columns = {label: data[f"{role}_{label}"] for label in reversed(LABELS)}
        found[role] = pd.DataFrame(columns).to_dict("records")
    return found


def of_decisions(data: pd.DataFrame, folder: Path) -> Iterator[Any]:
    """The same decisions as names in other shapes and files."""
    lists = named(data)
    yield lists
    lists.to_csv(folder / "lists.csv", index=False)  # as pandas writes them: ['violence', 'hate']
    yield folder / "lists.csv"
    told = {role: lists[role].map(lambda names: "|".join(names) or "none") for role in ROLES}
    texts = lists.assign(**told)
    texts.to_csv(folder / "texts.csv", index=False)
    yield folder / "texts.csv"
    lists.to_json(folder / "lists.jsonl", orient="records", lines=True)
    yield folder / "lists.jsonl"
    flags = data[["id", "kind"]].copy()
    for role, found in decisions(data).items():
        flags[[f"{role}_{label}" for label in LABELS]] = found
    yield flags
