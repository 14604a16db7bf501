"""Numbers printed in papers, which every estimator has to reproduce.

Paired tables are (a, b, c, d): both, first only, second only, neither; the difference is first
minus second, so the first rater stands for the candidate, b is gained and c is lost.
"""

from __future__ import annotations

import pytest

from prunegate.stats import (
    clopper_pearson,
    joint,
    newcombe,
    normal,
    paired_exact,
    power,
    sample_size,
    tango,
    wilson,
)

TANGO = [
    # table, confidence, low, high, decimals, source
    ((4, 9, 3, 16), 0.95, -0.027090, 0.389697, 6, "Tango 1998, table VII"),
    ((43, 0, 1, 0), 0.90, -0.095662, 0.036517, 6, "Tango 1998, table V"),
    ((53, 16, 8, 9), 0.95, -0.019659, 0.206911, 6, "Agresti & Min 2005"),
    ((1, 1, 7, 12), 0.95, -0.517, -0.026, 3, "Fagerland et al. 2014"),
    ((8, 3, 1, 2), 0.95, -0.1670, 0.4327, 4, "Tang ML et al. 2010"),
]
METHOD_10 = [
    ((1, 1, 7, 12), -0.507, -0.026, 3, "Fagerland et al. 2014"),
    ((20, 12, 2, 16), 0.0562, 0.3292, 4, "Newcombe 1998"),
    ((8, 3, 1, 2), -0.1574, 0.4136, 4, "Tang ML et al. 2010"),
    ((1, 0, 0, 1), -0.5734, 0.5734, 4, "R package contingencytables"),
]
EXACT = [(0, 0, 149, 0.02, 0.049282), (3, 2, 300, 0.02, 0.046987), (1, 0, 200, 0.02, 0.089375)]


@pytest.mark.parametrize(("table", "confidence", "low", "high", "digits", "source"), TANGO)
def test_tango_interval(table, confidence, low, high, digits, source):
    _, gained, lost, _ = table
    found = tango.interval(lost, gained, sum(table), confidence)
    assert (round(found.low, digits), round(found.high, digits)) == (low, high), source


@pytest.mark.parametrize(("table", "low", "high", "digits", "source"), METHOD_10)
def test_newcombe_method_10(table, low, high, digits, source):
    found = newcombe.interval(*table)
    assert (round(found.low, digits), round(found.high, digits)) == (low, high), source


def test_tango_statistic_of_the_1998_example():
    z = tango.statistic(1, 0, 44, 0.1)
    assert round(z, 4) == 1.7086
    assert round(normal.upper_tail(z), 4) == 0.0438


@pytest.mark.parametrize(("lost", "gained", "n", "margin", "p"), EXACT)
def test_exact_p_over_every_nuisance_rate(lost, gained, n, margin, p):
    found = paired_exact.test(lost, gained, n, margin, beta=0.0)
    assert found.p_value == pytest.approx(p, abs=1e-6)


@pytest.mark.parametrize(
    ("estimator", "x", "n", "low", "high"),
    [
        (wilson.interval, 15, 148, 0.0624, 0.1605),
        (wilson.interval, 0, 20, 0.0, 0.1611),
        (clopper_pearson.interval, 15, 148, 0.0578, 0.1617),
        (clopper_pearson.interval, 0, 20, 0.0, 0.1684),
        (clopper_pearson.interval, 1, 29, 0.0009, 0.1776),
    ],
)
def test_single_proportions_of_newcombe_1998(estimator, x, n, low, high):
    found = estimator(x, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_predictive_values_of_dtcompair_paired1():
    # DTComPair, data set Paired1: y1 is the baseline here, y2 the candidate
    cells = [155, 22, 53, 31, 32, 22, 78, 319]
    values = []
    for model in joint.MODELS:
        top, bottom = joint.weights("precision", model).totals(cells)
        values.append(round(top / bottom, 8))
    assert values == [0.82536383, 0.86548223]


def test_mcnemar_is_the_score_at_no_margin():
    # DTComPair, Paired1, sensitivity: 31.36 = (78 - 22)^2 / (78 + 22)
    assert tango.statistic(78, 22, 451, 0.0) ** 2 == pytest.approx(31.36, abs=1e-9)


@pytest.mark.parametrize(
    ("margin", "discordance", "rows", "reached"),
    [(0.01, 0.02, 1901, 0.910), (0.02, 0.04, 947, 0.910), (0.05, 0.04, 192, 0.911)],
)
def test_planning(margin, discordance, rows, reached):
    # exact power at the planned n, from an independent enumeration of the exact test
    assert sample_size.paired(discordance, 0.0, margin, 0.05, 0.9) == rows
    assert round(power.exact_power(rows, discordance, 0.0, margin, 0.05), 3) == reached
