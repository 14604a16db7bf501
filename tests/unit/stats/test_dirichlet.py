"""Strict mode: never bolder than its level where few rows differ, nor much than the score test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.stats import dirichlet, joint_counts, ratio_score

STRICT = {"precision": dirichlet.test_precision, "f1": dirichlet.test_f1}
PLAIN = {"precision": ratio_score.test_precision, "f1": ratio_score.test_f1}
KINDS = tuple(STRICT)
MARGINS = (0.02, 0.05)


def contrast(kind, p):
    (ub, vb), (uc, vc) = (
        joint_counts.weights(kind, model).totals(list(p)) for model in joint_counts.MODELS
    )
    return uc / vc - ub / vb


def at_the_margin(kind, margin, way, rate=0.9):
    """Two models alike, then rows moved (or, from nowhere, added) until the limit is reached."""

    from scipy.optimize import brentq

    source, target = way
    start = np.zeros(8)
    start[7], start[3], start[4] = rate, 1 - rate, 0.05 if kind == "f1" else 0.0

    def moved(amount):
        p = start.copy()
        p[target] += amount
        if source is not None:
            p[source] -= amount
        return p

    amount = brentq(lambda a: contrast(kind, moved(a)) + margin, 0, 0.9 * rate)
    p = moved(amount)
    return p / p.sum()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [50, 100, 300])
@pytest.mark.parametrize("margin", MARGINS)
def test_the_size_holds(kind, n, margin, monkeypatch):
    monkeypatch.setattr(dirichlet, "DRAWS", 2000)  # its own noise is .005 at a p-value of .05
    repeats = times(150, thorough=400)
    for way in ((None, 1), (7, 6)):
        p = at_the_margin(kind, margin, way)
        drawn = np.random.default_rng(5).multinomial(n, p, size=repeats)
        tables, counts = np.unique(drawn, axis=0, return_counts=True)
        approved = sum(
            count * (STRICT[kind](table, 1.0, margin, seed=1).p_value <= 0.05)
            for table, count in zip(tables.tolist(), counts.tolist(), strict=True)
        )
        assert approved / repeats <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repeats)


CELLS = st.tuples(
    st.integers(0, 50), *[st.integers(0, 12)] * 2, st.integers(5, 40), st.integers(0, 40),
    *[st.integers(0, 12)] * 2, st.integers(40, 300),
)  # fmt: skip


@pytest.mark.slow
@given(cells=CELLS, kind=st.sampled_from(KINDS), margin=st.sampled_from([-0.02, 0.0, 0.02, 0.05]))
@settings(max_examples=times(24, thorough=120))
def test_strict_is_hardly_anywhere_bolder_than_the_score_test(cells, kind, margin):
    strict = STRICT[kind](cells, 1.0, margin, seed=2)
    plain = PLAIN[kind](cells, 1.0, margin)
    assert strict.p_value >= plain.p_value - 0.03
    assert strict.p_harm >= plain.p_harm - 0.03


@pytest.mark.slow
@given(cells=CELLS, kind=st.sampled_from(KINDS))
@settings(max_examples=5)
def test_strict_repeats_itself_and_is_a_probability(cells, kind):
    one, other = (STRICT[kind](cells, 1.0, 0.02, seed=3) for _ in range(2))
    assert one == other
    assert 0 < one.p_value <= 1
    assert 0 < one.p_harm <= 1
    exchanged = tuple(cells[i] for i in (0, 2, 1, 3, 4, 6, 5, 7))
    mirror = STRICT[kind](exchanged, 1.0, -0.02, seed=4)
    assert one.p_value == pytest.approx(mirror.p_harm, abs=0.015)
