"""Laws of the bisection: it never takes a failing amount for a passing one, and it ends."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from prunegate.search.bisection import NOT_BEYOND, Edge, State, bisect
from prunegate.search.memo import Memo

STATES = st.sampled_from(["passes", "too_little", "unproven", "too_much"])
ENDS = st.tuples(st.floats(0.001, 0.4), st.floats(0.5, 0.999))
TOLERANCE = st.floats(1e-9, 0.3)


class Oracle:
    """Remembers what it was asked, and answers at most so often."""

    def __init__(self, answer, budget: int = 1000) -> None:  # type: ignore[no-untyped-def]  # any rule
        self.answer = answer
        self.memo: Memo[State] = Memo(lambda amounts: answer(amounts[0]), lambda a: a, budget)
        self.asked: list[float] = []

    def __call__(self, amount: float) -> State | None:
        state = self.memo((amount,))
        if state is not None:
            self.asked.append(amount)
        return state


@given(edge=st.floats(0, 1), ends=ENDS, tolerance=TOLERANCE)
def test_a_monotone_oracle_is_cornered(
    edge: float, ends: tuple[float, float], tolerance: float
) -> None:
    low, high = ends
    found = bisect(
        lambda x: "passes" if x <= edge else "too_much", low=low, high=high, tolerance=tolerance
    )
    if edge < low:
        assert found == Edge(below=None, above=low)
    elif edge >= high:
        assert found == Edge(below=high, above=None)
    else:
        assert found.below is not None
        assert found.above is not None
        assert found.below <= edge < found.above
        assert found.above - found.below <= tolerance


@given(
    answers=st.lists(STATES, min_size=1, max_size=40),
    ends=ENDS,
    tolerance=TOLERANCE,
    budget=st.integers(1, 12),
)
def test_any_oracle_is_believed_and_no_more_is_asked_than_allowed(
    answers: list[State], ends: tuple[float, float], tolerance: float, budget: int
) -> None:
    """Answers that follow no rule: quality allows what is below, and not what is above."""

    def answer(x: float) -> State:
        return answers[hash(x) % len(answers)]

    oracle = Oracle(answer, budget)
    found = bisect(oracle, low=ends[0], high=ends[1], tolerance=tolerance)
    assert len(set(oracle.asked)) <= budget
    if found.below is not None:
        assert found.below in oracle.asked
        assert answer(found.below) in NOT_BEYOND
    if found.above is not None:
        assert found.above in oracle.asked
        assert answer(found.above) not in NOT_BEYOND
        assert found.below is None or found.below < found.above


@given(ends=ENDS)
def test_the_ends_come_first_and_a_failing_low_end_ends_it(ends: tuple[float, float]) -> None:
    asked = Oracle(lambda _: "too_much")
    bisect(asked, low=ends[0], high=ends[1], tolerance=0.01)
    assert asked.asked == [ends[0]]
    asked = Oracle(lambda _: "passes")
    bisect(asked, low=ends[0], high=ends[1], tolerance=0.01)
    assert asked.asked == list(ends)


@given(ends=ENDS, unlucky=st.floats(0, 0.2), edge=st.floats(0, 0.3), tolerance=TOLERANCE)
def test_an_unlucky_smallest_amount_is_no_end(
    ends: tuple[float, float], unlucky: float, edge: float, tolerance: float
) -> None:
    """What was not shown at the smallest amounts passes further up, where it is looked for."""
    low, high = ends

    def answer(x: float) -> State:
        beyond = x > low + 2 * unlucky + tolerance + edge
        return "unproven" if x <= low + unlucky or beyond else "passes"

    oracle = Oracle(answer)
    found = bisect(oracle, low=low, high=high, tolerance=tolerance)
    if low + 2 * unlucky + tolerance < high:
        assert found.below is not None
        assert answer(found.below) == "passes"
    assert len(set(oracle.asked)) < 1000


@given(window=st.tuples(st.floats(0.1, 0.5), st.floats(0.5, 0.9)))
def test_too_little_looks_further_up(window: tuple[float, float]) -> None:
    """Small amounts miss a limit on size only; the edge is where quality ends all the same."""

    def answer(x: float) -> State:
        return "too_little" if x < window[0] else "passes" if x <= window[1] else "too_much"

    found = bisect(answer, low=0.05, high=0.95, tolerance=1e-6)
    assert found.below is not None
    assert math.isclose(found.below, window[1], abs_tol=2e-6)


def test_the_smallest_tolerance_ends_at_neighbouring_numbers() -> None:
    found = bisect(
        lambda x: "passes" if x < 1 / 3 else "too_much", low=0.1, high=0.9, tolerance=5e-324
    )
    assert found.below is not None
    assert found.above == math.nextafter(found.below, 1)


@given(
    units=st.integers(2, 40),
    edge=st.integers(1, 40),
    tolerance=st.floats(0.001, 0.02),
)
def test_amounts_that_remove_the_same_are_tried_once(
    units: int, edge: int, tolerance: float
) -> None:
    """On whole units the two sides of the edge come to be neighbours, without a wasted attempt."""
    tried: list[int] = []

    def answer(amounts: tuple[float, ...]) -> State:
        tried.append(math.floor(amounts[0] * units + 0.5))
        return "passes" if tried[-1] <= edge else "too_much"

    memo = Memo(answer, lambda amounts: math.floor(amounts[0] * units + 0.5), 100)
    found = bisect(lambda x: memo((x,)), low=0.05, high=0.95, tolerance=tolerance)
    assert len(tried) == len(set(tried))
    if found.below is not None and found.above is not None:
        above, below = (math.floor(x * units + 0.5) for x in (found.above, found.below))
        assert below <= edge < above
        assert above - below == 1
