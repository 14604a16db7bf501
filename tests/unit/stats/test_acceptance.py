"""Many tables at once are decided exactly as one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.depth import THOROUGH, times

from prunegate.stats import clopper_pearson, paired_exact, ratio_many, ratio_score
from prunegate.stats.acceptance import (
    PairedAcceptance,
    _same_gains,
    tail_at_least,
    tail_at_most,
)
from prunegate.stats.margin_line import Boundary

LINES = [
    *(Boundary(intercept=m) for m in (0.01, 0.05, 0.3, -0.05, 0.0)),
    *(Boundary(intercept=1 - k, slope=k) for k in (0.5, 0.97, 1 / 1.5, 1.1)),
]
LINES = list(dict.fromkeys([*LINES, *(line.reversed for line in LINES)]))  # each line once
TAILS = [
    (line, beta)
    for place, line in enumerate(LINES)
    for number, beta in enumerate((paired_exact.BETA, paired_exact.BETA_HARM))
    if THOROUGH or (place % 3 == 2) == (number == 1)  # by day each line at one of both
]


def every_table(n: int, most: int) -> np.ndarray:
    return np.array(
        [(b, c, n) for c in range(min(n, most) + 1) for b in range(min(n - c, most) + 1)]
    )


@pytest.mark.slow
@pytest.mark.parametrize(("line", "beta"), TAILS, ids=str)
def test_every_small_table_is_accepted_exactly_where_its_p_is_small(line, beta):
    most = {1: 1, 2: 2, 7: 7, 30: times(7, thorough=14), 90: times(4, thorough=14)}
    tables = np.concatenate([every_table(n, many) for n, many in most.items()])
    fast = PairedAcceptance(boundary=line, beta=beta)
    p = np.array([fast.p(*table) for table in tables.tolist()])  # remembered: each solved once
    for level in (0.2, 0.05, 0.01, 0.001, 1e-5):
        assert np.array_equal(fast.at_most(*tables.T, level), p <= level)


@pytest.mark.slow
def test_large_tables_near_the_border_too():
    rng = np.random.default_rng(4)
    for n, m in ((400, 0.05), (3000, 0.02), (20_000, 0.01)):
        gained = rng.binomial(n, m, 60)
        lost = gained + np.rint(m * n - rng.uniform(0, 4, 60) * np.sqrt(3 * m * n)).astype(int)
        tables = np.stack([np.maximum(lost, 0), gained, np.full(60, n)])
        line = Boundary(intercept=m)
        p = [paired_exact.tail_of_holding(b, c, n, line) for b, c, _ in tables.T.tolist()]
        fast = PairedAcceptance(boundary=line, beta=paired_exact.BETA)
        assert np.array_equal(fast.at_most(*tables, 0.05), np.array(p) <= 0.05)


def test_with_many_flips_the_normal_tail_decides_as_in_the_test():
    table = np.array([120_000]), np.array([120_000]), np.array([1_000_000])
    p = paired_exact.test(120_000, 120_000, 1_000_000, 0.0005).p_value
    fast = PairedAcceptance(boundary=Boundary(intercept=0.0005), beta=paired_exact.BETA)
    assert fast.p(120_000, 120_000, 1_000_000) == pytest.approx(p, rel=1e-9)
    assert fast.at_most(*table, p * 1.01)
    assert not fast.at_most(*table, p * 0.99)


def test_no_row_is_no_evidence():
    none = np.array([0])
    fast = PairedAcceptance(boundary=Boundary(intercept=0.1), beta=paired_exact.BETA)
    assert not fast.at_most(none, none, none, 0.2)


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.5, 1.0])
def test_binomial_tails_are_those_of_one_table(rate):
    from scipy.stats import binom

    x, n = np.array([(x, n) for n in (1, 5, 40) for x in range(n + 1)]).T
    least, most = tail_at_least(x, n, rate), tail_at_most(x, n, rate)
    assert least == pytest.approx(binom.sf(x - 1, n, rate), abs=1e-12)
    assert most == pytest.approx(binom.cdf(x, n, rate), abs=1e-12)
    if 0 < rate < 1:
        pairs = list(zip(x.tolist(), n.tolist(), strict=True))
        assert least.tolist() == [clopper_pearson.tail_at_least(*p, rate) for p in pairs]
        assert most.tolist() == [clopper_pearson.tail_at_most(*p, rate) for p in pairs]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["precision", "f1"])
@pytest.mark.parametrize(("k", "margin"), [(1.0, 0.03), (0.95, 0.0), (1.3, 0.3), (1.0, -0.05)])
def test_ratios_of_many_tables_are_those_of_one(kind, k, margin):
    rng = np.random.default_rng(7)
    shares = [0.4, 0.01, 0.02, 0.05, 0.05, 0.01, 0.02, 0.44]
    tables = np.concatenate([rng.multinomial(n, shares, size=60) for n in (12, 60, 900)])
    test = ratio_score.test_f1 if kind == "f1" else ratio_score.test_precision
    flagged = tables[:, [[1, 3, 5, 7], [2, 3, 6, 7]]].sum(axis=2).min(axis=1) > 0
    tables = tables[flagged]
    one = [test(table, k, margin) for table in tables.tolist()]
    p_value, p_harm = ratio_many.test(tables, ratio_many.Claim(kind=kind, k=k, margin=margin))
    assert p_value == pytest.approx([r.p_value for r in one], rel=1e-6, abs=1e-7)
    assert p_harm == pytest.approx([r.p_harm for r in one], rel=1e-6, abs=1e-7)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.booleans()), max_size=12))
def test_a_block_is_all_of_one_number_of_gains_and_rows(
    tables: list[tuple[int, int, bool]],
) -> None:
    gained, n, asked = np.array(tables, dtype=int).reshape(-1, 3).T
    index = np.flatnonzero(asked)
    blocks = _same_gains(gained, n, index)
    assert sorted(np.concatenate([*blocks, index[:0]]).tolist()) == index.tolist()
    kinds = [{(int(gained[i]), int(n[i])) for i in block} for block in blocks]
    assert all(len(kind) == 1 for kind in kinds)
    assert len(set().union(*kinds)) == len(kinds)
