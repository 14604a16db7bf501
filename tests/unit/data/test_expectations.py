"""Great Expectations as a judge of counts: never vacuous, never silent."""

from __future__ import annotations

import math
from typing import Any

import pytest

from prunegate.data.contract import expectations
from prunegate.data.contract.expectations import CountLimit, judge_counts_limits
from prunegate.errors import InternalError

pytestmark = pytest.mark.slow

LIMITS = [
    CountLimit(value=3, at_least=3),
    CountLimit(value=2, at_least=3),
    CountLimit(value=0, at_least=0, at_most=0),
    CountLimit(value=1, at_least=0, at_most=0),
    CountLimit(value=None, at_least=0),
    CountLimit(value=None),
    CountLimit(value=math.nan, at_least=0),
    CountLimit(value=math.nan),
    CountLimit(value=5),
    CountLimit(value=0.25, at_most=0.25),
]


def test_it_agrees_with_plain_comparison_and_nothing_missing_passes() -> None:
    answers = judge_counts_limits(LIMITS)
    assert answers == tuple(limit.holds for limit in LIMITS)
    assert answers == (True, False, True, False, False, False, False, False, True, True)


def test_nothing_to_judge_is_our_mistake() -> None:
    with pytest.raises(InternalError, match="nothing to judge"):
        judge_counts_limits([])


def test_a_dropped_expectation_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = expectations._validate
    monkeypatch.setattr(expectations, "_validate", lambda limits: whole(limits)[1:])
    with pytest.raises(InternalError, match="2 expectations were given, 1 came back"):
        judge_counts_limits(LIMITS[:2])


def test_an_expectation_that_cannot_run_is_our_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    import great_expectations.expectations as gxe

    def broken(place: int, limit: CountLimit) -> Any:
        return gxe.ExpectColumnMaxToBeBetween(column="none", max_value=1, meta={"place": place})

    monkeypatch.setattr(expectations, "_expect", broken)
    with pytest.raises(InternalError, match="failed to run"):
        judge_counts_limits(LIMITS[:1])


def test_a_contradiction_is_our_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expectations, "answers_in_order", lambda _results, _count: (False,))
    with pytest.raises(InternalError, match="contradicts"):
        judge_counts_limits(LIMITS[:1])
