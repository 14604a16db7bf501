"""Ratings of what language models write: a bounded mean beside likelihoods that have no bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prunegate
from prunegate.errors import TableError
from prunegate.policy.schema import Policy

LANGUAGE = {
    "prunegate": 1,
    "name": "writing",
    "task": {"kind": "language"},
    "quality": {"range": [1, 5]},
    "slices": [{"by": "kind"}],
    "rules": [{"metric": "mean_quality", "slices": "all", "max_drop": 0.25}],
}
SCORE = {
    **LANGUAGE,
    "task": {"kind": "score", "range": [1, 5]},
    "rules": [{"metric": "mean_score", "slices": "all", "max_drop": 0.25}],
}
SCORE.pop("quality")
NAMES = {"baseline_quality": "baseline", "candidate_quality": "candidate"}


def ratings(rows: int, lost: float, seed: int) -> pl.DataFrame:
    """Ratings from 1 to 5, a share of the candidate's lower by one; likelihoods at random."""
    rng = np.random.default_rng(seed)
    before = rng.integers(2, 6, rows).astype(float)
    return pl.DataFrame(
        {
            "id": np.arange(rows),
            "kind": rng.choice(["headline", "e-mail"], rows),
            "post": np.arange(rows) // 2,
            "baseline": rng.random(rows) * 9,
            "candidate": rng.random(rows) * 9,
            "tokens": rng.integers(1, 30, rows),
            "baseline_quality": before,
            "candidate_quality": before - (rng.random(rows) < lost),
        }
    )


def judged(policy: dict[str, Any], table: pl.DataFrame) -> Any:
    return prunegate.judge(Policy.model_validate(policy), table)


def as_scores(table: pl.DataFrame) -> pl.DataFrame:
    return table.drop("baseline", "candidate", "tokens").rename(NAMES)


@pytest.mark.slow
@given(lost=st.floats(0, 1), seed=st.integers(0, 9), more=st.sampled_from([{}, {"group": "post"}]))
@settings(max_examples=6, deadline=None)
def test_ratings_are_judged_as_scores_are(lost: float, seed: int, more: dict[str, str]) -> None:
    table = ratings(700, lost, seed)
    found = judged({**LANGUAGE, **more}, table)
    plain = judged({**SCORE, **more}, as_scores(table))
    numbers = ("slice", "status", "baseline", "candidate", "p_value", "p_harm", "ci_low", "method")
    assert [[getattr(one, name) for name in numbers] for one in found.findings] == [
        [getattr(one, name) for name in numbers] for one in plain.findings
    ]
    assert found.outcome == plain.outcome


def test_the_same_texts_lose_nothing_and_worse_ones_are_rejected() -> None:
    same = judged(LANGUAGE, ratings(700, 0.0, 1))
    assert (same.outcome, {one.difference for one in same.findings}) == ("approve", {0.0})
    assert judged(LANGUAGE, ratings(700, 0.6, 1)).outcome == "reject"


def test_likelihoods_beside_ratings_stay_without_a_bound() -> None:
    table = ratings(700, 0.1, 2)
    nll = {"metric": "nll_per_token", "max_rise": 0.5}
    both = judged({**LANGUAGE, "rules": [*LANGUAGE["rules"], nll]}, table)  # type: ignore[misc]
    alone = {**LANGUAGE, "rules": [nll]}
    alone.pop("quality")
    assert both.findings[-1].p_value == judged(alone, table).findings[0].p_value


@pytest.mark.parametrize("rating", [0.5, 5.5, float("nan"), None])
def test_a_rating_outside_the_range_is_bad_input(rating: float | None) -> None:
    table = ratings(400, 0.1, 3).with_columns(
        candidate_quality=pl.when(pl.col("id") == 7).then(rating).otherwise("candidate_quality")
    )
    with pytest.raises(TableError, match=r"candidate_quality.*no quality between 1 and 5"):
        judged(LANGUAGE, table)


def test_a_table_without_ratings_is_bad_input() -> None:
    with pytest.raises(TableError, match="candidate_quality"):
        judged(LANGUAGE, ratings(400, 0.1, 3).drop("candidate_quality"))
