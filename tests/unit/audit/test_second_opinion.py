"""The second opinion: silent on every honest verdict, and loud on every kind of wrong one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times
from tests.rules import of_rules
from tests.unit.audit.wrong_verdicts import ONE, WHOLE, Judged, mutated

import prunegate
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.data.contract.whole_table import Broken, Law
from prunegate.errors import InternalError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Verdict

pytestmark = pytest.mark.slow

Source = Callable[[int], Judged]

LAWS = 12
"""Expectations, however many findings."""


@given(seed=st.integers(0, 10**9))
@settings(max_examples=times(4, thorough=48))
def test_an_honest_verdict_is_agreed_with(random_verdict: Source, seed: int) -> None:
    agreed(*random_verdict(seed))


@pytest.mark.parametrize("kind", ["grouped", "multiclass", "score", "language"])
def test_honest_verdicts_of_every_kind_are_agreed_with(
    other_verdict: Callable[[str, int], Judged], kind: str
) -> None:
    for seed in range(times(2, thorough=13)):
        agreed(*other_verdict(kind, seed))


def test_a_class_that_no_slice_has_is_asked_for_all_the_same() -> None:
    policy = parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: multiclass}\nslices: [{by: kind}]\n"
        "rules: [{metric: recall, slices: kind, classes: [c], at_least: 0.5}]\n"
    )
    counts = {"kind": ["k", "k"], "label": ["a", "b"], "n": [50, 50]}
    frame = pd.DataFrame(counts).assign(baseline=["a", "b"], candidate=["a", "b"])
    verdict = prunegate.judge_counts(policy, frame)
    assert [(f.slice, f.class_label) for f in of_rules(verdict)] == [("kind", "c")]
    assert verdict.outcome == "inconclusive"
    assert "no slice of 'kind' has a row of this class" in verdict.reasons[0]
    agreed(policy, verdict)
    for wrong in (replace(verdict, findings=()), replace(verdict, outcome="approve")):
        with pytest.raises(InternalError):
            second_opinion(policy, wrong)


def agreed(policy: Policy, verdict: Verdict) -> None:
    opinion = second_opinion(policy, verdict)
    assert (opinion.expectations, opinion.findings) == (LAWS, len(verdict.findings))
    assert opinion.engine.startswith("great_expectations 1.")


def assert_all_caught(
    kind: str, source: Source, seeds: Sequence[int], *, enough: int | None = None
) -> None:
    """Every wrong verdict is caught, of all seeds or of the first ones that can be wrong so."""
    caught = 0
    for seed in seeds:
        policy, verdict = source(seed)
        wrong = mutated(kind, (policy, verdict), seed)
        if wrong is None:
            continue
        with pytest.raises(InternalError, match=r"second opinion disagrees|nothing to judge"):
            second_opinion(policy, wrong)
        caught += 1
        if caught == enough:
            break
    assert caught, f"no verdict here can be wrong in this way: {kind}"


SEEDS = (31, 47)
"""Small verdicts that together can be wrong in every way."""


@pytest.fixture(scope="module")
def remembered(random_verdict: Source) -> Source:
    return cache(random_verdict)


@pytest.mark.parametrize("kind", [*ONE, *WHOLE])
def test_a_wrong_verdict_is_caught(kind: str, remembered: Source) -> None:
    """By the engine itself, of which each kind of mistake needs one answer by day."""
    assert_all_caught(kind, remembered, SEEDS, enough=times(1, thorough=len(SEEDS)))


def by_plain_comparison(columns: Mapping[str, Sequence[float]], laws: Sequence[Law]) -> Any:
    """`whole_table.broken` without the engine, which may only agree with plain comparison.

    Where the two differ `broken` raises, so a law that plain comparison finds broken ends in an
    error whatever the engine says: many verdicts of each kind do not need as many answers of it.
    """
    table = pd.DataFrame(columns).astype("float64")
    if table.empty or not laws:
        raise InternalError("there is nothing to judge")
    return tuple(
        Broken(law=law, rows=tuple(law.outside(table))) for law in laws if not law.holds(table)
    )


@pytest.mark.parametrize("kind", [*ONE, *WHOLE])
def test_wrong_verdicts_are_caught_whatever_the_seed(
    kind: str, remembered: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    opinion: Any = import_module("prunegate.audit.opinion.second_opinion")
    monkeypatch.setattr(opinion, "broken", by_plain_comparison)
    few = times(2, thorough=20)  # of those that can be wrong so, which are not all of the seeds
    assert_all_caught(kind, remembered, range(100, 100 + times(12, thorough=20)), enough=few)
