"""Advice after a run: keys and what else the labelled table says, and nothing that costs a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prunegate.discovery.advice import advice
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

ROWS = 4000


def policy(slices: str = "{by: kind}") -> Policy:
    return parse_policy(
        f"prunegate: 1\nname: x\ntask: {{kind: binary, positive: unsafe, threshold: 0.5}}\n"
        f"slices: [{slices}]\nrules: [{{metric: recall, slices: all, max_drop: 0.02}}]\n"
    )


def written(folder: Path, suffix: str = "csv", **more: Any) -> tuple[Path, Path]:
    """A labelled table and the predictions of its gate split; season=winter,market=it lost."""
    rng = np.random.default_rng(0)
    base = {
        "id": [f"r{n}" for n in range(ROWS)],
        "image": [f"{n}.png" for n in range(ROWS)],
        "label": np.where(rng.random(ROWS) < 0.5, "unsafe", "safe"),
        "split": np.where(np.arange(ROWS) % 10 == 0, "train", "gate"),
        "kind": rng.choice(["a", "b"], ROWS),
        "season": rng.choice(["winter", "summer"], ROWS),
        "market": rng.choice(["it", "es", "de"], ROWS),
        "age": rng.integers(18, 80, ROWS),
        "constant": "same",
    }
    frame = pd.DataFrame({**base, **more})
    labelled = folder / f"labelled.{suffix}"
    if suffix == "csv":
        frame.to_csv(labelled, index=False)
    elif suffix == "parquet":
        frame.to_parquet(labelled)
    else:
        frame.to_feather(labelled, compression="uncompressed")
    gate = frame[frame.split == "gate"].sample(frac=1, random_state=1)
    right = np.where(gate.label == "unsafe", 0.9, 0.1)
    hit = (base["season"] == "winter") & (base["market"] == "it") & (rng.random(ROWS) < 0.2)
    candidate = np.where(hit[gate.index], 1 - right, right)
    table = gate[["id", "label", "kind"]].assign(baseline=right, candidate=candidate)
    table.to_parquet(folder / "predictions.parquet", index=False)
    return labelled, folder / "predictions.parquet"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "parquet", "feather"])
def test_other_columns_of_the_labelled_table_are_looked_through(
    tmp_path: Path, suffix: str
) -> None:
    told = advice(policy(), *written(tmp_path, suffix))
    assert [set(one.columns) for one in told.slices] == [{"season", "market"}]
    assert told.slices[0].snippet is not None
    assert told.warnings == ()


@pytest.mark.slow
def test_undeclared_crosses_of_slicing_keys_are_looked_through(tmp_path: Path) -> None:
    labelled, predictions = written(tmp_path)
    table = pd.read_parquet(predictions)
    known = pd.read_csv(labelled).set_index("id")
    for key in ("season", "market"):
        table[key] = known.loc[table.id, key].to_numpy()
    table.to_parquet(predictions)
    apart = advice(policy("{by: season}, {by: market}"), labelled, predictions)
    assert [one.name for one in apart.slices] == ["season=winter,market=it"]
    crossed = "{by: season}, {by: market}, {by: [market, season]}"
    assert advice(policy(crossed), labelled, predictions).slices == ()


def test_nothing_to_look_through_is_no_advice(tmp_path: Path) -> None:
    labelled, predictions = written(tmp_path)
    pd.read_csv(labelled)[["id", "image", "label", "split"]].to_csv(labelled, index=False)
    told = advice(policy(""), labelled, predictions)
    assert (told.slices, told.warnings) == ((), ())


def test_a_column_that_cannot_be_looked_through_is_a_warning(tmp_path: Path) -> None:
    twice = np.where(np.arange(ROWS) % 2 == 0, "caf\u00e9", "cafe\u0301")
    told = advice(policy(), *written(tmp_path, place=twice))
    assert told.slices == ()
    assert len(told.warnings) == 1
    assert told.warnings[0].startswith("Undeclared slices were not looked for: column 'place'")
