"""Random samples for limits on which agreeing rows bear: rows and power are one question."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import JointCounts
from prunegate.evidence.of_metric import of_decisions
from prunegate.metrics.catalogue import METRICS
from prunegate.planning.label_random import expected_cells, random_power, random_rows
from prunegate.planning.planned_limits import PlannedLimit, asked
from prunegate.policy.load import parse_policy

DECIDED = (9000, 150, 150, 900)
RULES = (
    "{metric: recall, at_least: 0.8}",
    "{metric: f1, at_least: 0.7}",
    "{metric: f1, max_drop: 0.05}",
    "{metric: mcc, max_drop: 0.1}",
    "{metric: balanced_accuracy, max_drop: 0.1}",
)


def limit_of(rule: str) -> PlannedLimit:
    policy = parse_policy(
        f"prunegate: 1\nname: x\ntask: {{kind: binary, positive: 1}}\nrules: [{rule}]\n"
    )
    tally = JointCounts(cells=(*(0,) * 7, sum(DECIDED)))
    one = SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)
    return asked(policy, [one]).limits[0]


def test_the_expected_cells_are_the_decisions() -> None:
    cells = expected_cells(DECIDED)
    assert (cells[:4] + cells[4:]).tolist() == pytest.approx(DECIDED)


@pytest.mark.parametrize("rule", RULES)
def test_so_many_rows_as_a_power_takes_buy_it(rule: str) -> None:
    limit = limit_of(rule)
    form = METRICS[limit.metric].forms["binary"]
    found = []
    for power in (0.5, 0.8, 0.9):
        rows = random_rows(limit, form, DECIDED, 0.05, power)
        assert rows is not None
        told = random_power(limit, form, DECIDED, 0.05, rows)
        assert told is not None
        assert power - 1 / 256 < told < power + 0.06
        found.append(rows)
    assert found == sorted(set(found))


def test_the_power_of_a_floor_is_the_binomial_one() -> None:
    """1,050 of 10,200 rows are flagged; a candidate of recall .9 is held to .8."""
    limit = limit_of(RULES[0])
    form = METRICS["recall"].forms["binary"]
    rows = random_rows(limit, form, DECIDED, 0.05, 0.9)
    assert rows is not None
    n = round(rows * 1050 / 10200)
    least = next(k for k in range(n + 1) if binom.sf(k - 1, n, 0.8) <= 0.05)
    assert 0.9 <= binom.sf(least - 1, n, 0.9) < 0.95
    fewer = random_power(limit, form, DECIDED, 0.05, rows // 2)
    assert fewer is not None
    assert fewer < 0.8


@pytest.mark.parametrize("rule", ["{metric: balanced_accuracy, max_drop: 0.1}", RULES[3]])
def test_a_coefficient_far_from_its_limit_is_shown_as_often_as_planned(rule: str) -> None:
    """With so wide a margin the spread at the limit is another than that of equal models."""
    limit = limit_of(rule)
    rows = random_rows(limit, METRICS[limit.metric].forms["binary"], DECIDED, 0.05, 0.9)
    assert rows is not None
    cells = expected_cells(DECIDED)
    draws = np.random.default_rng(5).multinomial(rows, cells / cells.sum(), size=200)
    claim = limit.claim
    passed = sum(of_decisions(limit.metric, tuple(c)).test(claim).p_value <= 0.05 for c in draws)
    assert 0.9 - 3 * 0.0212 < passed / 200 < 0.9 + 3 * 0.0212
