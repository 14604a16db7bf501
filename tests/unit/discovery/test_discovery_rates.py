"""How often discovery is wrong, and how often it finds what is there, by seeded simulation.

2,400 rows, three columns of four values (124 slices), 25 tables each (100 where thorough). The
guard is exact, so among 25 null tables at most 4, and among 100 at most 13, may show a guarded p of
.05 or less (a binomial count with share .05 exceeds 4 of 25 seven times in 1,000, and 13 of 100
once in 2,000).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest
from tests.depth import THOROUGH, times

from prunegate.counting import change_cells
from prunegate.data.predictions.open_table import open_table
from prunegate.discovery.discover import DiscoveryRequest, discover
from prunegate.discovery.discovered import Discovery
from prunegate.policy.load import parse_policy

pytestmark = pytest.mark.slow
ROWS = 2400
TABLES, MOST_FALSE = (100, 13) if THOROUGH else (25, 4)
COLUMNS = ("a", "b", "c")
MODELS = ("label", "baseline", "candidate")
Made = Callable[[np.random.Generator, pd.DataFrame], pd.DataFrame]


def look(seed: int, made: Made, *, score: bool = False, group: bool = False) -> Discovery:
    rng = np.random.default_rng(seed)
    frame = made(rng, pd.DataFrame({c: rng.choice(list("wxyz"), ROWS) for c in COLUMNS}))
    task = "{kind: score}" if score else "{kind: binary, positive: 1}"
    metric = "mean_score" if score else "recall"
    policy = parse_policy(
        f"prunegate: 1\nname: x\ntask: {task}\n{'group: g' if group else ''}\n"
        f"rules: [{{metric: {metric}, max_drop: 0.02}}]\n"
    )
    extra = (*COLUMNS, *(["g"] if group else []))
    table = open_table(frame, (*MODELS, *extra), text_columns=extra, numeric_columns=MODELS)
    return discover(
        policy, table, DiscoveryRequest(columns=COLUMNS, support=30, flips=199, seed=seed)
    )


@cache
def looks(made: Made, *, score: bool, group: bool) -> tuple[Discovery, ...]:
    """What is found in each of the tables, which several laws are about."""
    return tuple(look(seed, made, score=score, group=group) for seed in range(TABLES))


def decided(frame: pd.DataFrame, lost: object, gained: object) -> pd.DataFrame:
    return frame.assign(
        label=1, baseline=1 - np.asarray(gained, int), candidate=1 - np.asarray(lost, int)
    )


def by_rows(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    side = rng.random(ROWS)
    return decided(frame, side < 0.03, side > 0.97)


def by_groups(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Groups of twelve rows of one kind that all go one way."""
    g = np.repeat(np.arange(ROWS // 12), 12)
    frame = frame.iloc[g * 12].reset_index(drop=True)
    lost = rng.random(ROWS // 12)[g] < 0.5
    moved = rng.random(ROWS) < 0.2
    return decided(frame, moved & lost, moved & ~lost).assign(g=g)


def by_scores(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Heavy tails: t with three degrees of freedom."""
    return frame.assign(label=0.0, baseline=rng.standard_t(3, ROWS), candidate=0.0)


def evenly(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return decided(frame, rng.random(ROWS) < 0.03, np.zeros(ROWS))


def one_slice(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """a=x,b=y (150 rows) loses 15 points; elsewhere as many are lost as gained."""
    side = rng.random(ROWS)
    hit = (frame.a == "x") & (frame.b == "y") & (rng.random(ROWS) < 0.15)
    return decided(frame, hit | (side < 0.03), ~hit & (side > 0.97))


def beyond_chance(found: Discovery) -> bool:
    return any(one.guarded_p <= 0.05 for one in found.slices)


@pytest.mark.parametrize(
    ("made", "score", "group"),
    [(by_rows, False, False), (by_groups, False, True), (by_scores, True, False)],
)
def test_null_tables_show_something_in_one_of_twenty(made: Made, score: bool, group: bool) -> None:
    found = looks(made, score=score, group=group)
    assert sum(map(beyond_chance, found)) <= MOST_FALSE
    assert sum(any(s.stands_out for s in one.slices) for one in found) <= MOST_FALSE
    # Unguarded, a one-sided 5 % test of each slice would call nearly every table harmful.
    assert sum((one.largest_z or 0) > 1.645 for one in found) > 0.9 * TABLES


def test_a_normal_sum_a_cell_errs_on_the_safe_side(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = looks(by_scores, score=True, group=False)
    monkeypatch.setattr(change_cells, "MOST_UNITS", 0)
    normal = [look(seed, by_scores, score=True) for seed in range(TABLES)]
    assert all("normal" in one.method for one in normal)
    assert sum(map(beyond_chance, normal)) <= MOST_FALSE
    pairs = [
        (one.slices[0].guarded_p, other.slices[0].guarded_p)
        for one, other in zip(exact, normal, strict=True)
        if one.slices
    ]
    # On average not smaller; the standard error of a p over 199 flips is .03, of the mean .004.
    assert np.mean([n - e for e, n in pairs]) > -0.01


def test_rows_of_groups_taken_for_independent_would_mislead() -> None:
    found = [look(seed, by_groups) for seed in range(times(20, thorough=40))]
    assert sum(map(beyond_chance, found)) > len(found) / 2


def test_an_even_loss_is_no_slice() -> None:
    found = [look(seed, evenly) for seed in range(TABLES)]
    assert sum(map(beyond_chance, found)) > MOST_FALSE  # they did lose, as everything did
    assert sum(any(s.stands_out for s in one.slices) for one in found) <= MOST_FALSE


def test_a_planted_slice_is_found_most_of_the_time() -> None:
    found = [look(seed, one_slice) for seed in range(TABLES)]
    names = [{s.name for s in one.slices if s.stands_out} for one in found]
    assert sum("a=x,b=y" in one for one in names) > 0.8 * TABLES
