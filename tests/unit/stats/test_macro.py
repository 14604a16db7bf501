"""Macro averages: a general optimiser as the oracle, Tango's statistic as a special case, size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import at_length, times
from threadpoolctl import threadpool_limits

from prunegate.stats import empirical_likelihood, macro

KINDS = ("recall", "precision", "f1")


def table(kind, counts):
    """A table of K x K x K counts over label, baseline and candidate."""
    counts = np.asarray(counts, dtype=float)
    label, baseline, candidate = np.nonzero(counts)
    return macro.ConfusionCounts(
        kind=kind,
        classes=counts.shape[0],
        label=label,
        baseline=baseline,
        candidate=candidate,
        count=counts[counts > 0],
    )


def average(kind, p, model):
    """The metric's definition, from a K x K x K array; model 1 is the baseline, 2 the candidate."""
    both = p.sum(axis=3 - model)
    hits, labelled, called = np.diag(both), both.sum(1), both.sum(0)
    values = {
        "recall": lambda: hits / labelled,
        "precision": lambda: hits / called,
        "f1": lambda: 2 * hits / (labelled + called),
    }
    return float(values[kind]().mean())


def contrast(kind, p, k):
    return average(kind, p, 2) - k * average(kind, p, 1)


def agreeing(classes, weights=None, differing=0.06):
    """Shares of two good models: most rows right under both, every kind of error somewhere."""
    p = np.full((classes,) * 3, 0.02)
    for i in range(classes):
        p[i, i, i] = 1.0
        p[i, i, (i + 1) % classes] = p[i, (i + 1) % classes, i] = differing
    p *= np.asarray(weights or [1.0] * classes)[:, None, None]
    return p / p.sum()


def most_likely(kind, counts, k, margin):
    """Cell probabilities at the limit by sequential quadratic programming over every cell."""

    from scipy.optimize import minimize

    shares, shape = (counts / counts.sum()).ravel(), counts.shape
    seen = shares > 0

    def loss(q):
        return -float(shares[seen] @ np.log(np.maximum(q[seen], 1e-300)))

    def slope(q):
        return np.where(seen, -shares / np.maximum(q, 1e-300), 0.0)

    limits = (
        {"type": "eq", "fun": lambda q: q.sum() - 1},
        {"type": "eq", "fun": lambda q: contrast(kind, q.reshape(shape), k) + margin},
    )
    with threadpool_limits(1):  # threads only wait for each other in matrices this small
        found = [
            minimize(
                loss,
                0.95 * shares + 0.05 * start,
                jac=slope,
                bounds=[(1e-14, 1)] * shares.size,
                constraints=limits,
                method="SLSQP",
                options={"maxiter": 1000, "ftol": 1e-14},
            )
            for start in (
                np.full(shares.size, 1 / shares.size),
                np.ones(shares.size) * seen / seen.sum(),
            )
        ]
    best = min((one for one in found if one.success), key=lambda one: one.fun)
    return best.x.reshape(shape)


def by_definition(kind, counts, k, margin):
    """Score and signed root of the likelihood ratio, from probabilities and numeric slopes."""
    q, n = most_likely(kind, counts, k, margin), counts.sum()
    shares = counts / n
    seen = shares > 0
    steps = np.zeros_like(q)
    for cell in np.ndindex(*q.shape):
        step = np.zeros_like(q)
        step[cell] = 1e-6
        # a share of a row added everywhere: the contrast does not depend on the sum
        steps[cell] = (contrast(kind, q + step, k) - contrast(kind, q - step, k)) / 2e-6
    weights = steps - (q * steps).sum()
    excess = float((shares * weights).sum())
    score = excess * math.sqrt(n / float((q * weights**2).sum()))
    ratio = 2 * n * float((shares[seen] * np.log(shares[seen] / q[seen])).sum())
    return score, math.copysign(math.sqrt(max(ratio, 0.0)), excess)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("k", "margin"), [(1.0, 0.02), (0.95, 0.0), (1.2, 0.25)])
def test_p_values_are_those_of_the_most_likely_probabilities(kind, k, margin):
    from scipy.stats import norm

    rng = np.random.default_rng(3)
    for n in (80, *at_length(500)):
        counts = rng.multinomial(n, agreeing(3, [1, 1, 0.4]).ravel()).reshape(3, 3, 3) * 1.0
        score, root = by_definition(kind, counts, k, margin)
        found = macro.test(table(kind, counts), k, margin)
        assert found.p_value == pytest.approx(max(norm.sf(score), norm.sf(root)), rel=1e-2)
        assert found.p_harm == pytest.approx(max(norm.cdf(score), norm.cdf(root)), rel=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_floor_is_tested_at_its_most_likely_probabilities_too(kind):
    from scipy.stats import norm

    counts = np.random.default_rng(4).multinomial(200, agreeing(3).ravel()).reshape(3, 3, 3) * 1.0
    for floor in (0.9, *at_length(0.7)):
        score, root = by_definition(kind, counts, 0.0, -floor)
        found = macro.test(table(kind, counts), 0.0, -floor)
        assert found.p_value == pytest.approx(max(norm.sf(score), norm.sf(root)), rel=1e-2)


def tango(lost, gained, n, margin):
    """Tango 1998, equations 12 to 15, with theta = -margin."""
    theta = -margin
    a, c = 2 * n, -lost * theta * (1 - theta)
    b = -lost - gained + (2 * n - gained + lost) * theta
    p = (-b + math.sqrt(max(b * b - 4 * a * c, 0.0))) / (2 * a)
    return (gained - lost - n * theta) / math.sqrt(n * (2 * p + theta * (1 - theta)))


@pytest.mark.slow
@given(
    classes=st.integers(1, 4),
    parts=st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(20, 90), st.integers(0, 9)),
    margin=st.sampled_from([0.01, 0.05, 0.1]),
)
@settings(max_examples=times(16, thorough=100))
def test_classes_that_are_alike_are_tangos_test_of_all_rows(classes, parts, margin):
    from scipy.stats import norm

    lost, gained, both, neither = parts
    cells = [
        (i, decision)
        for i in range(classes)
        for decision in (
            (i, i, both),
            (i, i + 1, lost),
            (i + 1, i, gained),
            (i + 1, i + 1, neither),
        )
    ]
    cells = [(i, b, c, n) for i, (b, c, n) in cells if n]
    around = max(classes, 2)  # of one class, the only other decision is that for none
    label, baseline, candidate = np.array([(i, b % around, c % around) for i, b, c, _ in cells]).T
    count = np.array([n for *_, n in cells], dtype=float)
    made = macro.ConfusionCounts(
        kind="recall",
        classes=classes,
        label=label,
        baseline=baseline,
        candidate=candidate,
        count=count,
    )
    z = tango(classes * lost, classes * gained, classes * (lost + gained + both + neither), margin)
    found = macro.test(made, 1.0, margin)
    # the larger of two p-values, one of which is the score's
    assert found.p_value >= norm.sf(z) * (1 - 5e-3) - 1e-9
    assert found.p_harm >= norm.cdf(z) * (1 - 5e-3) - 1e-9
    assert macro._fit(made, 1.0, margin)[0] == pytest.approx(z, rel=1e-3, abs=1e-6)


@pytest.mark.slow
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(KINDS))
@settings(max_examples=10)
def test_exchanging_the_models_mirrors_p_values_and_interval(seed, kind):
    counts = np.random.default_rng(seed).multinomial(300, agreeing(3).ravel()).reshape(3, 3, 3)
    one, other = table(kind, counts), table(kind, counts).swapped
    found, mirror = macro.interval(one), macro.interval(other)
    assert (found.low, found.high) == pytest.approx((-mirror.high, -mirror.low), abs=1e-5)
    value = contrast(kind, counts / 300, 1.0)
    assert found.low < value < found.high
    p, q = macro.test(one, 1.0, 0.03), macro.test(other, 1.0, -0.03)
    assert p.p_value == pytest.approx(q.p_harm, rel=1e-4)
    assert p.p_harm == pytest.approx(q.p_value, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_is_where_the_score_is_two_standard_errors(kind):
    counts = np.random.default_rng(9).multinomial(300, agreeing(3).ravel()).reshape(3, 3, 3)
    found = macro.interval(table(kind, counts))
    for end, z in ((found.low, 1.959964), (found.high, -1.959964)):
        assert macro._fit(table(kind, counts), 1.0, -end)[0] == pytest.approx(z, abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", [0, 1])
def test_few_identical_decisions_are_no_proof(kind, wrong):
    counts = np.zeros((3, 3, 3))
    for i, n in enumerate((20, 20, 10)):
        counts[i, i, i] = n - wrong
        counts[i, (i + 1) % 3, (i + 1) % 3] = wrong
    assert macro.test(table(kind, counts), 1.0, 0.02).p_value > 0.05
    assert macro.test(table(kind, 100 * counts), 1.0, 0.02).p_value < 0.01


@given(seed=st.integers(0, 10**6), kind=st.sampled_from(KINDS), n=st.integers(6, 60))
@settings(max_examples=times(10, thorough=60))
def test_p_values_are_cautious_and_within_0_and_1(seed, kind, n):
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(n, rng.dirichlet(np.full(27, 0.3))).reshape(3, 3, 3)
    for i in range(3):
        counts[i, i, i] += 1  # every class has a value
    for margin in (-0.3, 0.0, 0.02, 0.4):
        found = macro.test(table(kind, counts), 1.0, margin)
        assert 0 <= found.p_value <= 1
        assert found.p_value + found.p_harm >= 1 - 1e-6


def test_a_class_without_a_value_is_refused():
    counts = np.zeros((3, 3, 3))
    counts[0, 0, 0] = counts[1, 1, 1] = counts[2, 1, 2] = 9
    with pytest.raises(ValueError, match="its value is undefined"):
        macro.test(table("precision", counts), 1.0, 0.02)


def at_the_margin(kind, weights, margin, classes):
    """A state in which some classes lose rows, each to the next, just so many that it matters."""

    from scipy.optimize import brentq

    start = agreeing(len(weights), weights, 0.01)

    def moved(share):
        p = start.copy()
        for i in classes:
            p[i, i, (i + 1) % len(weights)] += share * p[i, i, i]
            p[i, i, i] *= 1 - share
        return p

    share = brentq(lambda s: contrast(kind, moved(s), 1.0) + margin, 0, 0.9)
    return moved(share)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [100, 300])
@pytest.mark.parametrize(("weights", "losing"), [((1, 1, 1), (0, 1, 2)), ((4, 3, 1), (2,))])
def test_the_size_is_about_alpha(kind, n, weights, losing):
    p = at_the_margin(kind, weights, 0.05, losing)
    repeats, approved = times(120, thorough=1000), 0
    for counts in np.random.default_rng(7).multinomial(n, p.ravel(), size=repeats):
        cells = counts.reshape(p.shape)
        defined = all(np.all(cells.sum(axis=axes) > 0) for axes in ((1, 2), (0, 2), (0, 1)))
        approved += defined and macro.test(table(kind, cells), 1.0, 0.05).p_value <= 0.05
    assert approved / repeats <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repeats) + 0.015


def test_many_cells_are_fitted_to_the_same_bits_as_few() -> None:
    """Arrays take over from a loop and add up in its order."""
    rng = np.random.default_rng(4)
    for cells in (50, 120):
        for _ in range(20):
            shares = rng.random(cells) * (rng.random(cells) < 0.8)
            weights, spare = rng.normal(size=cells), int(rng.integers(cells))
            args = (shares / shares.sum()).tolist(), weights.tolist(), spare
            many = empirical_likelihood.fit_shares(*args)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(empirical_likelihood, "_ARRAYS", cells + 1)
                assert empirical_likelihood.fit_shares(*args) == many
