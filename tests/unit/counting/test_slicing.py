"""Slices: their names, who belongs to them, and that they add up."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import prunegate
from prunegate.counting import slices
from prunegate.counting.slices import Piece, slice_counts
from prunegate.counting.tallies import JointCounts
from prunegate.errors import InternalError, TableError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

RULES = "rules: [{metric: accuracy, slices: all, at_least: 0.0, evidence: point}]\n"


def policy(slicing: str, rest: str = RULES) -> Policy:
    head = "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
    return parse_policy(f"{head}slices: [{slicing}]\n{rest}")


def table(**columns: Any) -> pd.DataFrame:
    rows = len(next(iter(columns.values())))
    label = [i % 2 for i in range(rows)]
    models = {"label": label, "baseline": label, "candidate": label}
    return pd.DataFrame({"id": range(rows), **models, **columns})


def names(policy: Policy, data: pd.DataFrame) -> dict[str, int]:
    return {s.name: s.rows for s in prunegate.judge(policy, data).slices}


def test_values_with_separators_are_escaped() -> None:
    data = table(k=["a,b", "a,b", "c=d", "e\\f"])
    assert names(policy("{by: k}"), data) == {
        "overall": 4,
        "k=a\\,b": 2,
        "k=c\\=d": 1,
        "k=e\\\\f": 1,
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, False, True], {"k=true": 2, "k=false": 1}),
        ([1, 2, 1], {"k=1": 2, "k=2": 1}),
        ([1.0, 2.5, 1.0], {"k=1": 2, "k=2.5": 1}),
        (["1", "01", "1"], {"k=1": 2, "k=01": 1}),
    ],
)
def test_keys_of_every_type_have_one_name(values: list[Any], expected: dict[str, int]) -> None:
    found = names(policy("{by: k}"), table(k=values))
    assert found == {"overall": 3, **expected}
    counts = pd.DataFrame({"k": values, "label": 1, "baseline": 1, "candidate": 1, "n": 1})
    judged = prunegate.judge_counts(policy("{by: k}"), counts)
    assert {s.name: s.rows for s in judged.slices} == found


def test_an_expected_number_or_flag_meets_its_column() -> None:
    verdict = prunegate.judge(policy("{by: k, expect: [true]}"), table(k=[True, True, False, True]))
    assert {s.name: s.declared for s in verdict.slices} == {
        "overall": True,
        "k=true": True,
        "k=false": False,
    }
    assert any("k=false is not declared" in warning for warning in verdict.warnings)


def test_a_cross_follows_the_policys_order_and_a_named_slice_takes_lists() -> None:
    data = table(a=["x", "x", "y", "y"], b=[1, 2, 1, 2])
    slicing = "{by: [b, a], expect: [[1, x], [3, x]]}, {name: some, where: {a: x, b: [2, 7]}}"
    assert names(policy(slicing), data) == {
        "overall": 4,
        "b=1,a=x": 1,
        "b=3,a=x": 0,
        "b=1,a=y": 1,
        "b=2,a=x": 1,
        "b=2,a=y": 1,
        "some": 1,
    }


@pytest.mark.slow
def test_names_that_differ_only_in_unicode_form_are_refused_not_merged() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    alone = names(policy("{by: k}"), table(k=[decomposed, decomposed]))
    assert alone == {"overall": 2, f"k={composed}": 2}
    with pytest.raises(TableError, match="spells one value in two ways"):
        prunegate.judge(policy("{by: k}"), table(k=[composed, decomposed]))
    counts = pd.DataFrame({"k": [composed, decomposed], "label": 1, "baseline": 1, "candidate": 1})
    with pytest.raises(TableError, match="spells one value in two ways"):
        prunegate.judge_counts(policy("{by: k}"), counts.assign(n=1))


@pytest.mark.slow
@pytest.mark.parametrize("empty", [None, float("nan"), ""])
@pytest.mark.parametrize("slicing", ["{by: k}", "{by: [other, k]}", "{name: s, where: {k: a}}"])
def test_a_row_without_a_slicing_value_is_bad_input(empty: Any, slicing: str) -> None:
    data = table(k=["a", "b", empty], other=["x", "x", "x"])
    with pytest.raises(TableError, match="column 'k': 1 row with no value"):
        prunegate.judge(policy(slicing), data)
    counts = data.drop(columns="id").assign(n=1)
    with pytest.raises(TableError, match="column 'k' has rows without a value"):
        prunegate.judge_counts(policy(slicing), counts)


MINIMUM = "evidence: {minimum: {rows: 4, positives: 2}}\n" + RULES


def test_undeclared_values_are_judged_from_the_minimum_up_and_only_reported_below() -> None:
    data = table(k=["big"] * 6 + ["small"] * 2)
    verdict = prunegate.judge(policy("{by: k}", MINIMUM), data)
    assert {s.name: s.judged for s in verdict.slices} == {
        "overall": True,
        "k=big": True,
        "k=small": False,
    }
    assert {f.slice for f in verdict.findings} == {"overall", "k=big"}
    assert verdict.outcome == "approve"


def test_declared_values_below_the_minimum_or_absent_are_never_passed() -> None:
    data = table(k=["big"] * 6 + ["small"] * 2)
    for missing in ("small", "absent"):
        slicing = f"{{by: k, expect: [big, {missing}]}}"
        verdict = prunegate.judge(policy(slicing, MINIMUM), data)
        found = {f.slice: f for f in verdict.findings}
        assert found[f"k={missing}"].status == "inconclusive"
        assert found[f"k={missing}"].needed
        assert (verdict.outcome, verdict.exit_code) == ("inconclusive", 4)


def test_slices_that_do_not_add_up_are_our_mistake() -> None:
    three, two = (JointCounts(cells=(n, *(0,) * 7)) for n in (3, 2))
    pieces = [Piece(values=("a",), tally=three), Piece(values=("b",), tally=two)]
    assert [s.rows for s in slice_counts(policy("{by: k}"), pieces)] == [5, 3, 2]
    spec = policy("{by: k}").slices[0]
    with pytest.raises(InternalError, match="do not add up"):
        slices._by_keys(policy("{by: k}"), spec, {("a",): three}, two)
