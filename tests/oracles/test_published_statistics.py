"""Numbers printed in papers, which every estimator has to reproduce.

Paired tables are (a, b, c, d): both, first only, second only, neither; the difference is first
minus second, so the first rater stands for the candidate, b is gained and c is lost.

Left out because they answer another question: intervals with a continuity correction, mid-P
intervals, skewness- or bias-corrected scores (the defaults of R's ratesci), Wald's, Bonett and
Price's, Agresti and Min's, and the MOVER ratio interval, whose limits Tang's score replaces here.
"""

from __future__ import annotations

import pytest
from tests.oracles import newcombe, wilson

from prunegate.stats import (
    clopper_pearson,
    constrained_mle,
    joint_counts,
    normal,
    paired_exact,
    power,
    result,
    sample_size,
    tango,
)
from prunegate.stats.margin_line import Boundary

TANGO = [
    # table, confidence, low, high, decimals, source
    ((4, 9, 3, 16), 0.95, -0.027090, 0.389697, 6, "Tango 1998, table VII"),
    ((43, 0, 1, 0), 0.90, -0.095662, 0.036517, 6, "Tango 1998, table V"),
    ((53, 16, 8, 9), 0.95, -0.019659, 0.206911, 6, "Agresti & Min 2005"),
    ((1, 1, 7, 12), 0.95, -0.517, -0.026, 3, "Fagerland et al. 2014"),
    ((8, 3, 1, 2), 0.95, -0.1670, 0.4327, 4, "Tang ML et al. 2010"),
    ((59, 6, 16, 80), 0.95, -0.1240, -0.0054, 4, "contingencytables, Cavo et al. 2012"),
    ((0, 3, 0, 0), 0.95, -0.1230, 1.0, 4, "contingencytables, every pair gained"),
    ((0, 0, 3, 0), 0.95, -1.0, 0.1230, 4, "contingencytables, every pair lost"),
    ((7, 25, 2, 68), 0.95, 0.139, 0.321, 3, "Chang et al. 2024"),
    # DTComPair, sesp.diff.ci: sensitivities of 18, 14, 0, 18 and specificities of 18, 12, 2, 18;
    # it stops within 1e-6 of the root
    ((18, 14, 0, 18), 0.95, 0.174742, 0.416651, 6, "DTComPair, sensitivity"),
    ((18, 2, 12, 18), 0.95, -0.344709, -0.061112, 6, "DTComPair, specificity"),
]
METHOD_10 = [
    ((1, 1, 7, 12), -0.507, -0.026, 3, "Fagerland et al. 2014"),
    ((20, 12, 2, 16), 0.0562, 0.3292, 4, "Newcombe 1998"),
    ((8, 3, 1, 2), -0.1574, 0.4136, 4, "Tang ML et al. 2010"),
    ((1, 0, 0, 1), -0.5734, 0.5734, 4, "R package contingencytables"),
    ((59, 6, 16, 80), -0.1186, -0.0046, 4, "contingencytables, Cavo et al. 2012"),
    ((7, 25, 2, 68), 0.133, 0.318, 3, "Chang et al. 2024"),
]
RATIO = [
    # the ratio of the first rate to the second, by Tang's (= Nam and Blackwelder's) score
    ((446, 5, 16, 690), 0.90, 0.958, 0.992, 3, "Tang, Tang & Chan 2003, table II, by ratesci"),
    ((43, 0, 1, 0), 0.90, 0.904, 1.039, 3, "Tang, Tang & Chan 2003, by ratesci"),
    ((8, 3, 1, 2), 0.95, 0.776, 2.033, 3, "Tang ML et al. 2010, by ratesci"),
    ((1, 1, 7, 12), 0.95, 0.0653, 0.9069, 4, "DelRocco et al. 2022"),
    ((59, 6, 16, 80), 0.95, 0.7476, 0.9876, 4, "contingencytables, Cavo et al. 2012"),
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


@pytest.mark.parametrize(("table", "confidence", "low", "high", "digits", "source"), RATIO)
def test_the_score_that_orders_ratios(table, confidence, low, high, digits, source):
    from scipy.optimize import brentq

    both, gained, lost, _ = table
    n, z = both + gained + lost, normal.two_sided_z(confidence)

    def score(ratio):
        return Boundary(intercept=1 - ratio, slope=ratio).score_of(lost, gained, n)

    estimate = (both + gained) / (both + lost)
    found = (
        brentq(lambda ratio: score(ratio) - z, 1e-6, estimate, xtol=1e-12),
        brentq(lambda ratio: score(ratio) + z, estimate, 100, xtol=1e-12),
    )
    assert tuple(round(limit, digits) for limit in found) == (low, high), source


def test_tango_statistic_of_the_1998_example():
    z = tango.statistic(1, 0, 44, 0.1)
    assert round(z, 4) == 1.7086
    assert round(normal.upper_tail(z), 4) == 0.0438


def test_the_exact_p_of_the_1998_example_is_the_larger():
    # Hsueh, Liu & Chen 2001 on these data: the exact p generally exceeds the asymptotic one
    assert paired_exact.test(1, 0, 44, 0.1, beta=0.0).p_value > 0.0438


@pytest.mark.parametrize(("lost", "gained", "n", "margin", "p"), EXACT)
def test_exact_p_over_every_nuisance_rate(lost, gained, n, margin, p):
    found = paired_exact.test(lost, gained, n, margin, beta=0.0)
    assert found.p_value == pytest.approx(p, abs=1e-6)


def test_the_two_sided_exact_unconditional_mcnemar_test():
    # contingencytables: .542071 for 0 and 1 of 14, Berger-Boos gamma 1e-4; both tails alike
    one_sided = paired_exact.test(0, 1, 14, 0.0, beta=0.0).p_value
    assert 2 * one_sided + 1e-4 == pytest.approx(0.542071, abs=1e-6)


@pytest.mark.parametrize(
    ("estimator", "x", "n", "low", "high"),
    [
        (wilson.interval, 15, 148, 0.0624, 0.1605),
        (wilson.interval, 0, 20, 0.0, 0.1611),
        (clopper_pearson.interval, 15, 148, 0.0578, 0.1617),
        (clopper_pearson.interval, 0, 20, 0.0, 0.1684),
        (wilson.interval, 1, 29, 0.0061, 0.1718),
        (clopper_pearson.interval, 1, 29, 0.0009, 0.1776),
        # contingencytables: Ligarden et al. 2010, and the ends
        (wilson.interval, 13, 16, 0.5699, 0.9341),
        (clopper_pearson.interval, 13, 16, 0.5435, 0.9595),
        (clopper_pearson.interval, 0, 1, 0.0, 0.9750),
        (clopper_pearson.interval, 1, 1, 0.0250, 1.0),
        (clopper_pearson.interval, 10, 10, 0.6915, 1.0),
        (clopper_pearson.interval, 0, 10, 0.0, 0.3085),
    ],
)
def test_single_proportions_of_newcombe_1998_and_contingencytables(estimator, x, n, low, high):
    found = estimator(x, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [
        (397, 451, 0.8466745, 0.9087592),
        (177, 261, 0.6177792, 0.7344406),
        (397, 481, 0.7884240, 0.8582440),
        (177, 231, 0.7062587, 0.8192389),
    ],
)
def test_exact_intervals_of_dtcompair_paired1(x, n, low, high):
    # acc.1test(method="exactci"); its example asks for 99 % and prints the 95 % limits
    found = clopper_pearson.interval(x, n)
    assert (round(found.low, 7), round(found.high, 7)) == (low, high)


def test_a_two_sided_exact_binomial_test():
    # contingencytables: 13 of 16 against one half, P = .02127, twice the smaller tail
    assert round(2 * clopper_pearson.test_at_least(13, 16, 0.5).p_value, 5) == 0.02127


# DTComPair, data set Paired1: y1 is the baseline here, y2 the candidate
PAIRED1 = [155, 22, 53, 31, 32, 22, 78, 319]


def test_predictive_values_of_dtcompair_paired1():
    values = []
    for model in joint_counts.MODELS:
        top, bottom = joint_counts.weights("precision", model).totals(PAIRED1)
        values.append(round(top / bottom, 8))
    assert values == [0.82536383, 0.86548223]


def test_precision_lies_among_dtcompairs_three_tests():
    # Equal PPVs, chi-squared: weighted generalised score 5.466 (Kosinski), generalised score 5.711
    # (Leisenring), relative PPV 2.38356^2 = 5.681 (Moskowitz & Pepe). Ours is a fourth test of the
    # same hypothesis, so it has to agree with them, not equal one.
    found = constrained_mle.fit_cells(
        PAIRED1, constrained_mle.RatioLimit(kind="precision", k=1.0, margin=0.0)
    )
    assert found is not None
    assert 5.4658 < found.score**2 < found.root**2 < 5.7113


@pytest.mark.parametrize(
    ("lost", "gained", "n", "chi_squared", "p", "source"),
    [
        (78, 22, 451, 31.36, 2.143518e-08, "DTComPair, Paired1, sensitivity"),
        (22, 53, 261, 12.81333, 3.441579e-04, "DTComPair, Paired1, specificity"),
        (6, 16, 161, 2.132**2, 0.033006, "contingencytables, Cavo et al. 2012"),
    ],
)
def test_mcnemar_is_the_score_at_no_margin(lost, gained, n, chi_squared, p, source):
    z = tango.statistic(lost, gained, n, 0.0)
    assert z**2 == pytest.approx(chi_squared, rel=1e-5), source
    assert 2 * normal.upper_tail(abs(z)) == pytest.approx(p, rel=1e-5), source


def test_mcnemar_of_both_classes_by_lachenbruch_and_lynch():
    # DTComPair, sesp.gen.mcnemar: 6.50 in all
    both = tango.statistic(60, 40, 1000, 0.0) ** 2 + tango.statistic(15, 25, 1000, 0.0) ** 2
    assert both == pytest.approx(6.50, abs=1e-9)


@pytest.mark.parametrize(
    ("p_values", "adjusted", "source"),
    [
        ([0.319, 0.201, 0.4, 0.374, 0.113], [0.957, 0.804, 0.957, 0.957, 0.565], "stdlib padjust"),
        ([0.001, 0.01, 0.05, 0.1, 0.5, 0.9], [0.006, 0.05, 0.2, 0.3, 1.0, 1.0], "R 4.5 p.adjust"),
    ],
)
def test_holm(p_values, adjusted, source):
    assert list(result.adjust(p_values)) == pytest.approx(adjusted, abs=1e-12), source


@pytest.mark.parametrize(("alpha", "wanted", "rows"), [(0.025, 0.8, 23), (0.05, 0.9, 23)])
def test_planning_without_a_margin_is_connors_formula(monkeypatch, alpha, wanted, rows):
    # powersamplesize.com after Connor 1987: p01 = .45, p10 = .05; no raise to the exact power here
    monkeypatch.setattr(sample_size, "EXACT_BELOW", 0)
    assert sample_size.paired(0.5, 0.4, 0.0, alpha, wanted) == rows


@pytest.mark.slow
def test_exact_power_is_at_least_that_of_the_conditional_test():
    # R package MESS: 144 pairs, .25 and .45 discordant, one-sided .025: power .80
    assert power.exact_power(144, 0.7, 0.2, 0.0, 0.025) >= 0.80


@pytest.mark.slow
@pytest.mark.parametrize(
    ("margin", "discordance", "rows", "reached"),
    [(0.01, 0.02, 1901, 0.910), (0.02, 0.04, 947, 0.910), (0.05, 0.04, 192, 0.911)],
)
def test_planning(margin, discordance, rows, reached):
    # exact power at the planned n, from an independent enumeration of the exact test
    assert sample_size.paired(discordance, 0.0, margin, 0.05, 0.9) == rows
    assert round(power.exact_power(rows, discordance, 0.0, margin, 0.05), 3) == reached
