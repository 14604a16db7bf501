"""Where nothing varies, nothing is there or nothing can be fitted: no method shows anything."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, norm

from prunegate.stats import (
    clusters,
    constrained_mle,
    empirical_likelihood,
    mean,
    paired_exact,
    ratio_many,
    ratio_score,
    roots,
    sample_size,
    unconditional,
    unknown_rows,
    weighted,
)
from prunegate.stats.acceptance import PairedAcceptance
from prunegate.stats.agreement import agreement
from prunegate.stats.clusters import Grouped, Roles
from prunegate.stats.constrained_mle import RatioLimit
from prunegate.stats.delong import Area
from prunegate.stats.margin_line import Boundary
from prunegate.stats.unknown_rows import PossibleRows

LINE = Boundary(intercept=0.05)
FAR = (50, 1000, 0, 0, 5, 0, 2, 0)
"""A table of precision whose fit to a far limit needs more than one start."""


def test_no_row_accepts_nothing_at_any_level() -> None:
    fast = PairedAcceptance(boundary=LINE, beta=paired_exact.BETA)
    none = np.array([0])
    assert fast.p(0, 0, 0) == 1
    for level in (0.05, 0.5, 0.99):
        assert not fast.at_most(none, none, none, level).any()


def test_no_row_is_an_exact_answer() -> None:
    found = paired_exact.test(0, 0, 0, 0.02)
    assert (found.p_value, found.p_harm, found.exact) == (1, 1, True)


def test_decisions_of_other_classes_than_the_labels_agree_in_nothing() -> None:
    found = agreement({("a", "c"): 500, ("b", "d"): 500})
    assert (found.p_value, found.kappa, found.right) == (1, 0, 0)


def test_no_row_of_the_base_is_no_evidence_of_a_ratio() -> None:
    recall = Roles(base=(4, 5, 6, 7), lost=(6,), gained=(5,))
    negatives = [9.0, 0, 0, 0, 0, 0, 0, 0]
    data = Grouped(
        totals=negatives, cross=np.diag(negatives).tolist(), discordant_groups=0, groups=9
    )
    found = clusters.test_ratio(data, recall, 0.98)
    assert (found.p_value, found.p_harm) == (1, 1)


def test_a_limit_that_no_table_can_keep_is_not_fitted() -> None:
    beyond = RatioLimit(kind="precision", k=0.01, margin=0.3)  # of at most 0.01, 0.3 cannot go
    assert constrained_mle.fit_cells((0, 1, 0, 0, 2, 0, 1, 0), beyond) is None


@pytest.mark.parametrize(
    ("cells", "margin", "k"),
    [
        ((1000, 0, 10**6, 0, 5, 1, 0, 1), 0.0, 1.0),
        ((1, 1000, 0, 1, 10**6, 5, 1000, 0), 0.0, 1.5),
    ],
)
def test_a_fit_that_leaves_a_model_nothing_to_call_positive_gives_way_to_a_nearer_one(
    cells: tuple[int, ...], margin: float, k: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit, left = RatioLimit(kind="precision", k=k, margin=margin), []

    def alive(totals: Any, known: Any = constrained_mle._alive) -> bool:
        left.append(not known(totals))
        return not left[-1]

    monkeypatch.setattr(constrained_mle, "_alive", alive)
    found = constrained_mle.fit_cells(cells, limit)
    assert any(left)
    if found is not None:
        assert math.fsum(found.probabilities) == pytest.approx(1, abs=1e-9)
        nearest = RatioLimit(kind="precision", k=k, margin=found.margin)
        assert nearest.contrast(found.probabilities) == pytest.approx(-found.margin, abs=1e-6)
    alone = ratio_score.test_precision(cells, k, margin)
    assert min(alone.p_value, alone.p_harm) >= 0
    assert alone.p_value + alone.p_harm >= 1 - 1e-9


@pytest.mark.parametrize("turns", [1, 2, 60])
@pytest.mark.parametrize("cells", [8, 80])
def test_however_few_turns_a_fit_takes_it_is_one_of_probabilities(
    turns: int, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(empirical_likelihood, "_ITERATIONS", turns)
    random = np.random.default_rng(cells)
    for _ in range(5):
        shares = random.dirichlet([0.3] * cells).tolist()
        g = (random.random(cells) - 0.2).tolist()
        p = empirical_likelihood.fit_shares(shares, g, empirical_likelihood.extreme(shares, g))
        assert min(p) >= 0
        if turns == 60:
            assert math.fsum(p) == pytest.approx(1, abs=1e-9)
            assert math.fsum(a * b for a, b in zip(p, g, strict=True)) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("turns", [1, 2])
def test_tables_that_few_turns_do_not_settle_get_the_p_values_of_the_single_fit(
    turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratio_many, "_NEWTON", turns)
    tables = np.array([FAR, (40, 1, 1, 2, 3, 2, 2, 40), (90, 9, 3, 8, 3, 7, 2, 60)])
    claim = ratio_many.Claim(kind="precision", k=1.0, margin=0.05)
    found = ratio_many.test(tables, claim)
    for place, cells in enumerate(tables.tolist()):
        alone = ratio_score.test_precision(cells, 1.0, 0.05)
        assert found[0][place] == pytest.approx(alone.p_value, abs=1e-6)
        assert found[1][place] == pytest.approx(alone.p_harm, abs=1e-6)


def test_rows_beyond_counting_are_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"rate": 0.9, "limit": 0.88, "alpha": 0.05, "power": 0.9}
    rows = sample_size.proportion_at_least(**asked)
    monkeypatch.setattr(sample_size, "_MOST", rows // 8)
    with pytest.raises(ValueError, match="rows needed: expect a rate further above the limit"):
        sample_size.proportion_at_least(**asked)


def test_a_step_that_led_nowhere_teaches_nothing() -> None:
    known = ((-1.0, 0.25), (0.5, -1.0))
    assert constrained_mle._broyden(known, (0.0, 0.0), (0.1, 0.2)) == known


def test_without_a_fit_a_ratio_is_neither_shown_nor_planned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constrained_mle, "_fixed_point", lambda *_: None)
    found = ratio_score.test_precision(FAR, 0.01, 0.009)
    assert (found.p_value, found.p_harm) == (1, 1)
    with pytest.raises(ValueError, match="use a pilot sample"):
        sample_size.ratio_rows((40, 1, 1, 2, 3, 2, 2, 40), "precision", 0.1, 0.05, 0.8)


def test_tables_that_only_the_single_fit_settles_get_its_p_values() -> None:
    claim = ratio_many.Claim(kind="precision", k=0.01, margin=-0.5)
    found = ratio_many.test(np.array([FAR]), claim)
    alone = ratio_score.test_precision(FAR, 0.01, -0.5)
    assert (found[0][0], found[1][0]) == (alone.p_value, alone.p_harm)


def test_an_area_of_one_unit_of_a_class_has_no_variance() -> None:
    one = {"value": 0.9, "lowest": 0.8, "highest": 1.0, "spread": (1.0, 1.0, 0.0), "units": 9}
    assert Area(**one, holding=(1, 8), weighing=(8.0, 8.0)).variance == 0
    assert Area(**one, holding=(8, 8), weighing=(1.5, 8.0)).variance == 0
    assert Area(**one, holding=(8, 8), weighing=(8.0, 8.0)).variance > 0


@pytest.mark.parametrize("cells", [10, 80])
def test_shares_that_keep_the_constraint_stay_as_they_are(cells: int) -> None:
    shares, g = [1 / cells] * cells, [1.0, -1.0] * (cells // 2)
    assert empirical_likelihood.fit_shares(shares, g, 0) == shares


@pytest.mark.parametrize("cells", [10, 80])
def test_an_unseen_cell_alone_can_keep_the_constraint(cells: int) -> None:
    shares, g = [1 / cells] * cells + [0.0], [1 + i / cells for i in range(cells)] + [-1.0]
    p = empirical_likelihood.fit_shares(shares, g, cells)
    assert sum(p) == pytest.approx(1, abs=1e-12)
    assert sum(a * b for a, b in zip(p, g, strict=True)) == pytest.approx(0, abs=1e-9)


def test_a_narrow_bracket_is_left_to_the_loop() -> None:
    cell = np.ones((3, 1))
    assert empirical_likelihood._halvings(cell, (0.0, 1.0), 2, 1e-13, rising=True) == []


def test_a_margin_is_finite_and_rows_that_all_lose_the_most_show_nothing() -> None:
    with pytest.raises(ValueError, match="pass a finite number"):
        mean.test(300, 1.0, 1.0, 1.0, math.inf)
    assert mean.test_bounded(300, (-300, 300, -300), 0.5, 1.0).p_value == 1


def test_a_crossing_in_a_wide_bracket_is_as_near_as_sixty_halvings_bring_it() -> None:
    assert roots.crossing(lambda x: 314159.2 - x, 0, 1e8) == pytest.approx(314159.2, abs=1e-9)


def test_a_jump_is_found_too() -> None:
    found = roots.first_crossing(lambda x: 1.0 if x < 314159.2 else -1.0, (0.0, 1.0), 1e9, 1e6)
    assert found == pytest.approx(314159.2, abs=0.01)


def test_rows_for_a_normal_contrast_are_those_of_the_formula() -> None:
    z = norm.ppf(0.95) + norm.ppf(0.8)
    assert sample_size.normal_rows((0.3, 0.3), 0.02, 0.05, 0.8) == math.ceil(0.3 * (z / 0.02) ** 2)


@pytest.mark.parametrize("guess", [-1.0, 0.0, 1000.0])
@pytest.mark.parametrize(("z", "most_gained"), [(1.3, 60), (6.0, 60), (6.0, 4)])
def test_the_most_losses_admitted_are_found_from_any_guess(
    guess: float, z: float, most_gained: int
) -> None:
    n, gained = 500, np.arange(0.0, most_gained, 7 if most_gained > 7 else 1)
    settled = unconditional._settle(np.minimum(guess, n - gained), n, LINE, gained, z)
    for c, most in zip(gained, settled, strict=True):
        losses = np.arange(0, n - c + 1)
        good = losses[LINE.score(losses, np.full_like(losses, c), n) >= z]
        assert most == (good.max() if good.size else -1)


def test_where_no_table_in_reach_is_as_good_only_the_gains_beyond_count() -> None:
    found = unconditional.probability(0, 100, 100, LINE, 0.001)
    assert 0 <= found < 1e-30
    beyond = binom.sf(np.arange(100), 100, 0.001)  # of more gains than so many
    assert np.isclose(found, beyond, rtol=1e-9, atol=0).any()


def test_no_possible_row_is_no_evidence_and_many_flips_are_normal() -> None:
    none = unknown_rows.test_unknown(0, 0, PossibleRows(fewest=0, most=0, likely=0), 0.02)
    assert (none.p_value, none.p_harm) == (1, 1)
    many = PossibleRows(fewest=1_000_000, most=1_000_000, likely=1_000_000)
    known = paired_exact.test(120_000, 120_000, 1_000_000, 0.0005)
    found = unknown_rows.test_unknown(120_000, 120_000, many, 0.0005)
    assert found.p_value == pytest.approx(known.p_value, rel=1e-9)


def test_the_tail_at_the_limit_itself_is_even() -> None:
    assert weighted._below_zero([5.0, 5.0], [1.0, -1.0], 0.0) == 0.5
