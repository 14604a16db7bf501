"""The least number that is enough, beside counting up to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prunegate.stats.least_rows import least_rows


@given(st.integers(1, 300), st.integers(1, 300))
def test_it_is_the_first_that_is_enough(first: int, most: int) -> None:
    found = least_rows(lambda rows: rows >= first, most)
    largest_power = 1 << (most.bit_length() - 1)
    assert found == (first if first <= largest_power else None)
