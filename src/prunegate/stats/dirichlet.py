"""Strict mode for precision and F1: a Dirichlet posterior with one more of each kind of loss.

The eight cells get a posterior Dirichlet(counts), with one row added to each cell in which only
the candidate errs (towards approval) or only the baseline errs (towards harm). The p-value is the
posterior probability that the limit is broken, by a seeded simulation. Slower and less powerful
than the score test, but never liberal where few rows differ.

Source: Gelman et al. (2013), Bayesian Data Analysis, section 3.4; the added losses are ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from prunegate.stats import arguments, joint_counts
from prunegate.stats.joint_counts import Kind
from prunegate.stats.margin_line import Floats
from prunegate.stats.result import TestResult, statistical_test

METHOD = "Dirichlet posterior with one added loss per kind"
DRAWS = 50_000
"""Resolves p-values down to 2e-5, below the Holm levels of a thousand checks."""


@statistical_test
def test_precision(cells: Sequence[float], k: float, margin: float, *, seed: int) -> TestResult:
    """Is the candidate's precision minus ``k`` times the baseline's at least ``-margin``?

    Args:
        cells: Eight counts, indexed ``4*label + 2*baseline + candidate`` (1 = positive).
        k: Weight of the baseline, above 0.
        margin: Allowed shortfall of the contrast, between -1 and k.
        seed: Seed of the simulation; the same seed gives the same p-values.

    Raises:
        ValueError: A precision is undefined, or an argument is out of range.
    """
    return _test(cells, "precision", (k, margin), seed)


@statistical_test
def test_f1(cells: Sequence[float], k: float, margin: float, *, seed: int) -> TestResult:
    """Is the candidate's F1 minus ``k`` times the baseline's at least ``-margin``?

    Arguments and errors as for `test_precision`.
    """
    return _test(cells, "f1", (k, margin), seed)


def _test(cells: Sequence[float], kind: Kind, limit: tuple[float, float], seed: int) -> TestResult:
    k, margin = limit
    joint_counts.require_joint_counts(cells, kind)
    arguments.open_interval("k", k, 0, math.inf)
    arguments.open_interval("margin", margin, -1, k)
    rng = np.random.default_rng(seed)
    cautious = _contrasts(cells, joint_counts.LOST, (kind, k), rng)
    hopeful = _contrasts(cells, joint_counts.GAINED, (kind, k), rng)
    return TestResult(
        # a draw without denominator is NaN and speaks for neither side
        p_value=float(1 + np.sum(~(cautious >= -margin))) / (1 + DRAWS),
        p_harm=float(1 + np.sum(~(hopeful < -margin))) / (1 + DRAWS),
        method=METHOD,
    )


def _contrasts(
    cells: Sequence[float],
    added: Sequence[int],
    metric: tuple[Kind, float],
    rng: np.random.Generator,
) -> Floats:
    """Posterior draws of candidate - k * baseline."""
    kind, k = metric
    shape = np.array(cells, dtype=float)
    shape[list(added)] += 1
    draws = rng.standard_gamma(shape, size=(DRAWS, 8))  # a ratio needs no normalising
    values = []
    for model in joint_counts.MODELS:
        weights = joint_counts.weights(kind, model)
        top, bottom = draws @ np.array(weights.u), draws @ np.array(weights.v)
        values.append(np.divide(top, bottom, out=np.full(DRAWS, np.nan), where=bottom > 0))
    return np.asarray(values[1] - k * values[0])
