"""A wide range of scores that alone keeps a limit open is named, and no other cause is."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement
from math import prod
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.counting.feature_sums import FeatureSums
from prunegate.evidence.mean_value import MeanValue
from prunegate.metrics.hypothesis import Difference, Level
from prunegate.verdict.finding import Finding
from prunegate.verdict.unseen_range import with_unseen_range

CLAIM = Difference(margin=Fraction(1, 2))


def evidence(changes: list[int], span: int | None) -> MeanValue:
    """Rows of baseline 1 that change by so many hundredths."""
    rows = [(Fraction(change, 100), Fraction(1), Fraction(1)) for change in changes]

    def sums(power: int) -> tuple[Fraction, ...]:
        places = combinations_with_replacement(range(3), power)
        return tuple(sum((prod(r[p] for p in at) for r in rows), Fraction(0)) for at in places)  # type: ignore[misc]  # exact

    moments = FeatureSums(
        units=len(rows), first=sums(1), rough=sums(1), second=sums(2), third=sums(3)
    )
    wide = None if span is None else Fraction(span)
    return MeanValue(n=len(rows), moments=moments, span=wide)


def told(about: MeanValue, within: tuple[float, float] | None) -> Finding:
    policy: Any = SimpleNamespace(
        task=SimpleNamespace(range=within), evidence=SimpleNamespace(alpha=0.05)
    )
    finding = Finding(
        rule=0, metric="mean_score", slice="overall", check="max_drop", status="inconclusive",
        severity="block", evidence="proven", baseline=1.0, candidate=1.0, difference=0.0,
        ci_low=None, ci_high=None, limit=0.5, p_value=0.3, p_harm=1.0, n=about.n, method="t",
    )  # fmt: skip
    return with_unseen_range(policy, finding, about, CLAIM)


CALM = [-1, 0, 1, 2] * 100


def test_the_range_is_named_where_it_alone_decides() -> None:
    wide = evidence(CALM, 900)
    assert wide.test(CLAIM).p_value > 0.05
    finding = told(wide, (-300.0, 600.0))
    assert finding.unseen_range == (-300.0, 600.0)
    assert "'task: range: [-300, 600]'" in finding.note
    assert evidence(CALM, 2).test(CLAIM).p_value < 0.05  # as the remedy says


@pytest.mark.parametrize("within", [None, (-300.0, 600.0)])
def test_another_cause_is_not_laid_on_the_range(within: tuple[float, float] | None) -> None:
    changes = CALM if within is None else [-400, 300] * 200
    finding = told(evidence(changes, 900), within)
    assert finding.unseen_range is None
    assert finding.note == ""


@given(changes=st.lists(st.integers(-90, 90), min_size=3, max_size=60))
def test_what_is_seen_alone_is_the_test_without_a_bound(changes: list[int]) -> None:
    """Against the same evidence whose values have none; rows that all say one thing are sure."""
    bounded, free = evidence(changes, 7), evidence(changes, None)
    for at_least in (True, False):
        level = Level(limit=Fraction(1), at_least=at_least)
        held = all(change >= 0 if at_least else change <= 0 for change in changes)
        alone = float(not held) if len({*changes}) == 1 and changes[0] else None
        wanted = free.test(level).p_value if alone is None else alone
        if changes[0] or len({*changes}) > 1:  # not all of them on the limit
            assert bounded.seen_alone(level).p_value == wanted
    wanted = free.test(CLAIM).p_value if len({*changes}) > 1 else float(changes[0] <= -50)
    assert bounded.seen_alone(CLAIM).p_value == wanted


def test_the_range_is_named_where_rows_do_not_differ_at_all() -> None:
    finding = told(evidence([0] * 400, 900), (-300.0, 600.0))
    assert finding.unseen_range == (-300.0, 600.0)
