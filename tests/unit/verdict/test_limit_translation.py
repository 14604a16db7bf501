"""A limit in the policy's words and its hypothesis about turned values say the same, exactly."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS
from prunegate.metrics.hypothesis import Hypothesis, exact_fraction, holds
from prunegate.metrics.metric import Metric
from prunegate.policy.schema import ErrorRatio, Limit, Relative, bound_of

pytestmark = pytest.mark.slow

Plain = Callable[[Fraction, Fraction, Fraction], bool]
"""(baseline, candidate, limit) of the metric itself -> whether the policy's sentence is true."""

COUNTS = st.integers(1, 40).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n))
)
LIMITS = st.integers(1, 99).map(lambda percent: percent / 100)

HIGHER: dict[tuple[str, str], Plain] = {
    ("at_least", "number"): lambda _b, c, m: c >= m,
    ("at_most", "number"): lambda _b, c, m: c <= m,
    ("max_drop", "number"): lambda b, c, m: b - c <= m,
    ("min_gain", "number"): lambda b, c, m: c - b >= m,
    ("max_gain", "number"): lambda b, c, m: c - b <= m,
    ("max_ratio", "number"): lambda b, c, m: c <= m * b,
    ("max_drop", "relative"): lambda b, c, m: b - c <= m * b,
    ("min_gain", "relative"): lambda b, c, m: c - b >= m * b,
    ("max_gain", "relative"): lambda b, c, m: c - b <= m * b,
    ("max_drop", "error_ratio"): lambda b, c, m: 1 - c <= (1 + m) * (1 - b),
}
LOWER: dict[tuple[str, str], Plain] = {
    ("at_least", "number"): lambda _b, c, m: c >= m,
    ("at_most", "number"): lambda _b, c, m: c <= m,
    ("max_rise", "number"): lambda b, c, m: c - b <= m,
    ("min_gain", "number"): lambda b, c, m: b - c >= m,
    ("max_gain", "number"): lambda b, c, m: b - c <= m,
    ("max_ratio", "number"): lambda b, c, m: c <= m * b,
    ("max_rise", "relative"): lambda b, c, m: c - b <= m * b,
    ("min_gain", "relative"): lambda b, c, m: b - c >= m * b,
    ("max_gain", "relative"): lambda b, c, m: b - c <= m * b,
    ("max_rise", "error_ratio"): lambda b, c, m: c <= (1 + m) * b,
}


def hypothesis(check: str, limit: Limit, metric: Metric) -> Hypothesis:
    return CHECKS[check].claim(bound_of(limit), metric)


def limit_of(kind: str, value: float) -> Limit:
    if kind == "relative":
        return Relative(relative=value)
    return ErrorRatio(error_ratio=value) if kind == "error_ratio" else value


@pytest.mark.parametrize("case", [*((k, False) for k in HIGHER), *((k, True) for k in LOWER)])
@given(counts=COUNTS, limit=LIMITS)
@settings(max_examples=times(24, thorough=120))
def test_every_limit_means_what_it_says(
    case: tuple[tuple[str, str], bool], counts: tuple[int, int, int], limit: float
) -> None:
    (check, kind), lower = case
    before, after, n = counts
    baseline, candidate = Fraction(before, n), Fraction(after, n)
    said = (LOWER if lower else HIGHER)[check, kind](baseline, candidate, exact_fraction(limit))
    metric = METRICS["false_positive_rate" if lower else "recall"]
    claim = hypothesis(check, limit_of(kind, limit), metric)
    found = holds(claim, metric.turned(baseline), metric.turned(candidate), metric.whole)
    errors = kind == "error_ratio" and not lower
    referred = 1 - baseline if errors else baseline
    ratio = check == "max_ratio" or kind != "number"
    assert found is (None if ratio and referred == 0 else said)


@pytest.mark.parametrize("case", [*((k, False) for k in HIGHER), *((k, True) for k in LOWER)])
@given(
    before=st.fractions(-5, 5, max_denominator=40),
    after=st.fractions(-5, 5, max_denominator=40),
    limit=LIMITS,
)
@settings(max_examples=times(24, thorough=120))
def test_the_same_of_means(
    case: tuple[tuple[str, str], bool], before: Fraction, after: Fraction, limit: float
) -> None:
    (check, kind), lower = case
    if kind == "error_ratio":
        return  # means have no error rate; the policy refuses it
    said = (LOWER if lower else HIGHER)[check, kind](before, after, exact_fraction(limit))
    metric = METRICS["mae" if lower else "mean_score"]
    claim = hypothesis(check, limit_of(kind, limit), metric)
    found = holds(claim, metric.turned(before), metric.turned(after), metric.whole)
    ratio = check == "max_ratio" or kind != "number"
    assert found is (None if ratio and before <= 0 else said)


def test_limits_are_exact_where_floats_are_not() -> None:
    assert 0.91 - 0.89 > 0.02  # what arithmetic on doubles would decide
    claim = hypothesis("max_drop", 0.02, METRICS["recall"])
    assert holds(claim, Fraction(91, 100), Fraction(89, 100))
    assert not holds(claim, Fraction(91, 100), Fraction(8899, 10000))
    assert exact_fraction(0.1) + exact_fraction(0.2) == exact_fraction(0.3)


def test_a_change_of_a_metric_without_a_baseline_is_undefined() -> None:
    assert holds(hypothesis("max_drop", 0.1, METRICS["recall"]), None, Fraction(1)) is None
    assert holds(hypothesis("at_least", 0.9, METRICS["recall"]), None, Fraction(1)) is True
