"""The table of a discovery: which columns can be looked through, and what to do about others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prunegate.discovery.discover import DiscoveryRequest, discover
from prunegate.discovery.open_table import MOST_COLUMNS, named_columns, open_for_discovery
from prunegate.errors import InputError, TableError
from prunegate.policy.load import parse_policy

TEXT = """\
prunegate: 1
name: x
task: {kind: binary, positive: 1, threshold: 0.5}
slices: [{by: kind}]
rules: [{metric: recall, slices: all, max_drop: 0.02}]
"""
POLICY = parse_policy(TEXT)


def frame(**more: Any) -> pd.DataFrame:
    rows = 3000
    label = np.arange(rows) % 2
    score = np.where(label == 1, 0.9, 0.1)
    models = {"label": label, "baseline": score, "candidate": score}
    base = {"id": np.arange(rows), **models, "kind": "a", "market": "it"}
    return pd.DataFrame({**base, **more})


@pytest.mark.parametrize("role", ["id", "label", "baseline", "candidate"])
def test_a_column_with_another_use_is_refused(role: str) -> None:
    with pytest.raises(InputError, match=f"'{role}' is the {role} column"):
        open_for_discovery(POLICY, frame(), ["market", role])


def test_the_group_is_no_slice() -> None:
    grouped = parse_policy(TEXT + "group: post\n")
    with pytest.raises(InputError, match="each slice would be one group"):
        named_columns(grouped, ["post"])


def test_every_unusable_column_is_told_at_once() -> None:
    with pytest.raises(InputError, match=r"'label'.*'a=b'.*separate slice names"):
        named_columns(POLICY, ["label", "a=b"])


def test_a_missing_column_is_told_with_the_nearest() -> None:
    with pytest.raises(TableError, match=r"did you mean 'market'\?"):
        open_for_discovery(POLICY, frame(), ["markt"])


@pytest.mark.parametrize("columns", [[], [""], ["market", " "]])
def test_no_column_is_refused(columns: list[str]) -> None:
    with pytest.raises(InputError, match="--columns region,season"):
        named_columns(POLICY, columns)


def test_names_are_stripped_normalised_and_taken_once() -> None:
    assert named_columns(POLICY, [" cafe\u0301", "caf\u00e9 ", "kind"]) == ("caf\u00e9", "kind")
    with pytest.raises(InputError, match="too many to cross"):
        named_columns(POLICY, [f"c{n}" for n in range(MOST_COLUMNS + 1)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.arange(3000) / 7, "bin them in the table"),
        (np.arange(3000) % 21, "bin them in the table"),
        ([f"post-{n}" for n in range(3000)], "as ids have"),
    ],
)
def test_columns_with_too_many_values_say_what_to_do(values: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        open_for_discovery(POLICY, frame(market=values), ["kind", "market"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "values",
    [
        np.arange(3000) % 20,
        [f"c{n % 1000}" for n in range(3000)],
        np.arange(3000) % 2 == 0,
        [None] * 3000,
    ],
)
def test_columns_with_few_values_are_fine(values: Any) -> None:
    table = open_for_discovery(POLICY, frame(market=values), ["market"])
    assert table.kinds["market"] == "text"
    assert discover(POLICY, table, DiscoveryRequest(columns=("market",))).slices == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoiled", "words"),
    [
        ({"id": np.zeros(3000)}, "another row has already"),
        ({"candidate": np.full(3000, 2.0)}, "no score between 0 and 1"),
        ({"label": np.arange(3000) % 3}, "a binary task has two labels"),
    ],
)
def test_what_the_gate_refuses_is_refused(spoiled: dict[str, Any], words: str) -> None:
    with pytest.raises(TableError, match=words):
        open_for_discovery(POLICY, frame(**spoiled), ["market"])
