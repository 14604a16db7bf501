"""Agreement beyond chance, against other programs and against every shuffle there is."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from prunegate.stats.agreement import GroupSums, _moments, agreement, kappa_influence

tables = st.tuples(*(st.integers(0, 60) for _ in range(4)))


def _binary(table: tuple[int, ...]) -> dict[tuple[str, str], int]:
    cells = (("0", "0"), ("0", "1"), ("1", "0"), ("1", "1"))
    return dict(zip(cells, table, strict=True))


@settings(max_examples=60)
@given(table=tables)
def test_two_classes_are_fishers_exact_test(table: tuple[int, ...]) -> None:
    a, b, c, d = table
    found = agreement(_binary(table))
    if min(a + b, c + d, a + c, b + d) == 0:
        assert found.p_value == 1
        return
    expected = fisher_exact([[a, b], [c, d]], alternative="greater").pvalue
    assert found.p_value == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert found.exact


@given(table=tables)
@settings(max_examples=40)
def test_names_of_classes_do_not_matter_and_turning_decisions_turns_the_sign(
    table: tuple[int, ...],
) -> None:
    a, b, c, d = table
    found = agreement(_binary(table))
    swapped = agreement(_binary((d, c, b, a)))
    assert (swapped.kappa, swapped.p_value) == pytest.approx((found.kappa, found.p_value))
    turned = agreement(_binary((b, a, d, c)))
    assert turned.score == pytest.approx(-found.score, abs=1e-9)


def test_moments_are_those_of_every_shuffle() -> None:
    labels, decisions = [0, 0, 0, 1, 1, 2], [0, 1, 1, 2, 2, 0]
    right = [sum(map(int.__eq__, order, decisions)) for order in permutations(labels)]
    mean = sum(right) / len(right)
    central = [sum((r - mean) ** k for r in right) / len(right) for k in (2, 3)]
    pairs = [(labels.count(k), decisions.count(k)) for k in range(3)]
    assert _moments(6, tuple(pairs)) == pytest.approx((mean, *central))


def test_the_curve_over_many_classes_lies_close_to_the_shuffles() -> None:
    rng = np.random.default_rng(3)
    labels = rng.choice(6, 60, p=[0.4, 0.3, 0.1, 0.1, 0.05, 0.05])
    decisions = np.where(rng.random(60) < 0.2, labels, rng.permutation(labels))
    found = agreement(
        {(str(y), str(d)): n for (y, d), n in Counter(zip(labels, decisions, strict=True)).items()}
    )
    right = np.array([(rng.permutation(labels) == decisions).sum() for _ in range(20_000)])
    assert found.p_value == pytest.approx(np.mean(right >= found.right), rel=0.2, abs=0.002)
    assert not found.exact


def test_one_decision_or_one_label_shows_nothing() -> None:
    constant = agreement({("a", "a"): 90, ("b", "a"): 10})
    assert (constant.p_value, constant.kappa, constant.single) == (1, 0, True)
    assert agreement({("a", "a"): 90, ("a", "b"): 10}).p_value == 1
    assert agreement({}).p_value == 1


def test_ten_million_rows_are_as_quick_and_as_exact_as_ten() -> None:
    found = agreement(_binary((9_979_950, 20_000, 20, 30)))
    assert found.p_value == pytest.approx(4.98280312590e-68, rel=1e-9)


def test_counts_that_no_data_have_need_no_memory() -> None:
    huge = 2**53
    assert agreement(_binary((huge, huge, huge, huge))).p_value == pytest.approx(0.5, abs=1e-6)
    assert agreement(_binary((huge, 0, 0, huge))).p_value == 0


def test_rows_that_repeat_in_groups_weigh_as_one() -> None:
    cells = _binary((300, 200, 200, 300))
    alone = agreement(cells)
    apart = GroupSums(
        between=lambda u: sum(n * u[cell] ** 2 for cell, n in cells.items()),
        bearing=1000,
        rows_per_group=1.0,
    )
    tens = GroupSums(
        between=lambda u: 10 * sum(n * u[cell] ** 2 for cell, n in cells.items()),
        bearing=100,
        rows_per_group=10.0,
    )
    assert agreement(cells, apart).p_value == pytest.approx(alone.p_value, rel=0.5)
    assert agreement(cells, tens).score == pytest.approx(alone.score / 10**0.5, rel=0.05)
    few = GroupSums(between=lambda _: 0.0, bearing=1, rows_per_group=500.0)
    assert agreement(cells, few).p_value == 1


def test_nothing_pulls_on_an_agreement_that_chance_alone_makes() -> None:
    assert kappa_influence({("a", "a"): 7}) == {}
    assert kappa_influence({}) == {}


confusions = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), st.integers(1, 50), min_size=2
)


def exact_kappa(confusion: dict[tuple[str, str], Fraction]) -> Fraction | None:
    """Cohen's, in exact arithmetic; None: chance alone makes the agreement."""
    n = sum(confusion.values())
    margin = [
        {name: sum(v for cell, v in confusion.items() if cell[side] == name) for name in "abc"}
        for side in (0, 1)
    ]
    chance = sum(margin[0][name] * margin[1][name] for name in "abc") / n**2
    right = sum(v for (y, d), v in confusion.items() if y == d) / n
    return None if chance == 1 else (right - chance) / (1 - chance)


@given(confusions)
def test_a_cells_pull_is_what_a_little_more_of_it_changes(
    confusion: dict[tuple[str, str], int],
) -> None:
    pulls = kappa_influence(confusion)
    shares = {c: Fraction(v, sum(confusion.values())) for c, v in confusion.items()}
    before = exact_kappa(shares)
    assert bool(pulls) == (before is not None)
    little = Fraction(1, 10**9)
    for cell, pull in pulls.items():
        after = exact_kappa({c: (1 - little) * v + little * (c == cell) for c, v in shares.items()})
        assert before is not None
        assert after is not None
        assert pull == pytest.approx(float((after - before) / little), rel=1e-4, abs=1e-4)
    assert sum(v * pulls.get(c, 0) for c, v in shares.items()) == pytest.approx(0, abs=1e-9)
