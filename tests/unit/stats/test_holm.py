"""Holm's adjustment against its definition as a closed test."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.stats import result

p_lists = st.lists(st.floats(0, 1), max_size=6)


@settings(deadline=None)
@given(p_lists)
def test_it_is_the_closed_bonferroni_test(p_values):
    # adjusted p = the largest Bonferroni p over every set of hypotheses that contains this one
    count = len(p_values)
    for index, adjusted in enumerate(result.adjust(p_values)):
        sets = (
            chosen
            for size in range(1, count + 1)
            for chosen in itertools.combinations(range(count), size)
            if index in chosen
        )
        closed = max(min(1.0, len(s) * min(p_values[i] for i in s)) for s in sets)
        assert adjusted == pytest.approx(closed)


@settings(deadline=None)
@given(p_lists, st.randoms())
def test_the_order_of_the_checks_does_not_matter(p_values, random):
    order = list(range(len(p_values)))
    random.shuffle(order)
    shuffled = result.adjust([p_values[i] for i in order])
    assert list(shuffled) == [result.adjust(p_values)[i] for i in order]


def test_nothing_to_adjust():
    assert result.adjust([]) == ()
    assert result.adjust([0.03]) == (0.03,)


@pytest.mark.parametrize("bad", [float("nan"), -0.1, 1.1])
def test_what_is_no_p_value_is_refused(bad):
    with pytest.raises(ValueError, match="from 0 to 1"):
        result.adjust([0.01, bad])
