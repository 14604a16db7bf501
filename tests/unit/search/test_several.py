"""The optimiser: seeded, bounded, starts at the corners, learns what passes."""

from __future__ import annotations

import sys

import pytest

from prunegate.errors import UnsupportedError
from prunegate.search.memo import Amounts, Memo
from prunegate.search.several import PATIENCE, Outcome, explore

RANGES = [(0.1, 0.9), (0.2, 0.8)]


def tried(seed: int, budget: int, *, passes_below: float = 0.9) -> list[tuple[Amounts, Outcome]]:
    """What a search of a linear world tries: it passes while the weighted sum is small."""
    made: list[tuple[Amounts, Outcome]] = []

    def answer(amounts: Amounts) -> Outcome:
        harm = amounts[0] + 0.5 * amounts[1] - passes_below
        outcome = Outcome(
            number=len(made) + 1,
            state="passes" if harm <= 0 else "too_much",
            objective=3 - sum(amounts),
            violation=max(harm, 0.0),
        )
        made.append((amounts, outcome))
        return outcome

    memo = Memo(answer, lambda amounts: amounts, budget)
    explore(memo, RANGES, seed=seed)
    return made


def test_the_same_seed_asks_the_same() -> None:
    assert tried(3, 12) == tried(3, 12)
    assert tried(3, 12) != tried(4, 12)


def test_both_corners_come_first_and_the_budget_holds() -> None:
    made = tried(0, 12)
    assert [amounts for amounts, _ in made[:2]] == [(0.1, 0.2), (0.9, 0.8)]
    assert len(made) == 12
    assert all(
        low <= a <= high
        for amounts, _ in made
        for a, (low, high) in zip(amounts, RANGES, strict=True)
    )


def test_nothing_else_is_tried_where_the_least_is_too_much() -> None:
    assert [amounts for amounts, _ in tried(0, 12, passes_below=0.0)] == [(0.1, 0.2)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_it_comes_near_the_best_that_passes(seed: int) -> None:
    """The best is (0.5, 0.8), worth 1.7; forty attempts come within 0.15 of it."""
    passing = [outcome.objective for _, outcome in tried(seed, 40) if outcome.state == "passes"]
    assert 1.7 - 1e-9 <= min(passing) < 1.85


def test_a_world_with_few_candidates_ends_by_itself() -> None:
    made: list[Amounts] = []

    def answer(amounts: Amounts) -> Outcome:
        made.append(amounts)
        return Outcome(number=len(made), state="passes", objective=1.0, violation=0.0)

    explore(Memo(answer, lambda amounts: round(amounts[0]), 1000), RANGES, seed=0)
    assert len(made) == 2
    assert PATIENCE < 1000


def test_the_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'prunegate\[search\]'"):
        tried(0, 3)
