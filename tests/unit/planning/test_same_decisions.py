"""A simulated gate decides every table as the gate itself does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.depth import at_length, times

import prunegate
from prunegate.planning.cells import lay_out
from prunegate.planning.characteristics import Gate, _bases, _redecided, draw_tables
from prunegate.planning.groups import Group
from prunegate.planning.limit_results import stand
from prunegate.planning.outcomes import family, outcomes
from prunegate.planning.planned_limits import asked
from prunegate.planning.shifts import shift
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

pytestmark = pytest.mark.slow

ALPHA = 0.05
MANY = times(3, thorough=40)
CHECKS = (
    "{metric: recall, slices: all, max_drop: 0.08, at_least: 0.75}",
    "{metric: recall, slices: k, max_drop: {relative: 0.08}, max_gain: 0.2}",
    "{metric: specificity, slices: all, max_drop: {error_ratio: 1.5}}",
    "{metric: false_positive_rate, slices: all, max_rise: 0.06, at_most: 0.2}",
    "{metric: false_positive_rate, slices: k, max_ratio: 2.5}",
    "{metric: accuracy, slices: all, max_drop: 0.03, at_most: 0.999}",
    "{metric: accuracy, slices: overall, max_ratio: 1.1, severity: warn}",
    "{metric: precision, slices: all, max_drop: {relative: 0.1}, at_least: 0.6}",
    "{metric: precision, slices: k, max_drop: {error_ratio: 1.0}, on_undefined: fail}",
    "{metric: f1, slices: all, max_drop: 0.06, at_least: 0.7}",
    "{metric: f1, slices: k, max_gain: {relative: 0.2}}",
    "{metric: churn, slices: all, at_most: 0.2}",
    "{metric: negative_flip_rate, slices: k, at_most: 0.12}",
    "{metric: recall, slices: all, max_drop: 0.06, evidence: point}",
    "{metric: f1, slices: k, max_drop: {error_ratio: 1.0}, evidence: point, on_undefined: fail}",
    "{metric: recall, slices: overall, min_gain: 0.01}",
)
SLICES = "slices: [{by: k, expect: [a, b]}, {by: [k, r]}, {name: bx, where: {k: b, r: x}}]\n"
MINIMUM = "evidence: {minimum: {rows: 40, positives: 15}}\n"


def policy(rules: list[str], more: str = "") -> Policy:
    head = "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
    return parse_policy(f"{head}{SLICES}{more}rules: [{', '.join(rules)}]\n")


def groups(worse: float, scale: int) -> tuple[Group, ...]:
    fine = (0.9, 0.03, 0.03, 0.04, 0.06, 0.03, 0.03 + worse, 0.88 - worse)
    sizes = {("a", "x"): (3, 4), ("a", "y"): (2, 2), ("b", "x"): (1, 1), ("b", "y"): (4, 3)}
    return tuple(
        Group(values=values, negatives=n * scale, positives=p * scale, chances=fine)
        for values, (n, p) in sizes.items()
    )


def brute_force(policy: Policy, groups: tuple[Group, ...], tables: np.ndarray) -> list[str]:
    found = []
    for table in tables.tolist():
        frame = pd.DataFrame(
            [
                {
                    **dict(zip(policy.keys, group.values, strict=True)),
                    "label": i >> 2,
                    "baseline": i >> 1 & 1,
                    "candidate": i & 1,
                    "n": n,
                }
                for group, cells in zip(groups, table, strict=True)
                for i, n in enumerate(cells)
            ]
        )
        found.append(prunegate.judge_counts(policy, frame).outcome)
    return found


def at_once(policy: Policy, groups: tuple[Group, ...], tables: np.ndarray) -> list[str]:
    layout = lay_out(policy, groups)
    limits = asked(policy, layout.slices)
    slices = np.rint(layout.add(tables)).astype(np.int64)
    standings = [stand(limit, slices[:, limit.place], ALPHA) for limit in limits.blocking]
    decided = outcomes(limits, standings, family(standings, ALPHA), ALPHA)
    return [
        "reject" if reject else "approve" if approve else "inconclusive"
        for approve, reject in zip(decided.approve, decided.reject, strict=True)
    ]


@pytest.mark.parametrize("place", range(len(CHECKS)))
def test_each_limit_alone(place):
    if "severity: warn" in CHECKS[place]:
        return
    judged = policy([CHECKS[place]], MINIMUM)
    seen = set()
    for worse, scale in ((0.0, 60), (0.15, 30), (0.6, 8)):
        some = groups(worse, scale)
        tables = draw_tables(some, times(2, thorough=12), np.random.default_rng(place))
        one_by_one = brute_force(judged, some, tables)
        assert at_once(judged, some, tables) == one_by_one
        seen |= set(one_by_one)
    assert seen


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(times(6, thorough=12)))
def test_whole_policies(seed):
    rng = np.random.default_rng(seed)
    chosen = [CHECKS[i] for i in sorted(rng.choice(len(CHECKS) - 1, size=4, replace=False))]
    judged = policy(chosen, MINIMUM if seed % 2 else "")
    for worse, scale in ((0.0, 150), (0.1, 40), (0.0, 6), (0.3, 3), (0.5, 100)):
        some = groups(worse, scale)
        tables = draw_tables(some, times(1, thorough=10), rng)
        assert at_once(judged, some, tables) == brute_force(judged, some, tables)


def test_all_three_outcomes_occur_and_agree():
    judged = policy(["{metric: recall, slices: all, max_drop: 0.08}"])
    seen = set()
    for worse, scale in ((0.0, 150), (0.1, 100), (0.4, 60)):
        some = groups(worse, scale)
        tables = draw_tables(some, times(5, thorough=15), np.random.default_rng(2))
        one_by_one = brute_force(judged, some, tables)
        assert at_once(judged, some, tables) == one_by_one
        seen |= set(one_by_one)
    assert seen == {"approve", "reject", "inconclusive"}


@pytest.mark.parametrize("negatives", [None, 0])
def test_declared_slices_that_are_absent_or_of_one_class_are_never_approved(negatives):
    judged = policy(["{metric: recall, slices: all, max_drop: 0.2}"])
    some = groups(0.0, 100)
    if negatives is None:
        some = some[:2]
    else:
        some = (*some[:2], *(replace(g, negatives=0) for g in some[2:]))
    tables = draw_tables(some, 5, np.random.default_rng(1))
    assert at_once(judged, some, tables) == brute_force(judged, some, tables)
    assert "approve" not in at_once(judged, some, tables)


def test_harm_on_a_slice_below_the_minimum_only_counts_in_the_family():
    judged = policy(["{metric: recall, slices: [k, bx], max_drop: 0.2}"], MINIMUM)
    some = tuple(
        Group(
            values=g.values,
            negatives=g.negatives,
            positives=g.positives,
            chances=(0.9, 0.03, 0.03, 0.04, 0.0, 0.0, worse, 1 - worse),
        )
        for g, worse in zip(groups(0.0, 12), (0.31, 0.31, 0.95, 0.0), strict=True)
    )
    tables = draw_tables(some, times(60, thorough=150), np.random.default_rng(3))
    one_by_one = brute_force(judged, some, tables)
    assert at_once(judged, some, tables) == one_by_one
    assert len(set(one_by_one)) > 1


@pytest.mark.slow
@pytest.mark.parametrize("scale", [12, 3, *at_length(60)])
def test_a_slice_drawn_anew_is_judged_with_all_that_it_touches(scale):
    judged = policy([CHECKS[0], CHECKS[7], CHECKS[9]])
    some = groups(0.0, scale)
    layout = lay_out(judged, some)
    gate = Gate(
        groups=some,
        layout=layout,
        asked=asked(judged, layout.slices),
        alpha=ALPHA,
        simulations=MANY,
        seed=3,
    )
    (base,) = _bases(gate, lambda _stage, _done, _total: None)
    for place in (1, 4, 9):
        limit = gate.asked.blocking[place]
        moved = shift(limit, some, gate.members(limit), 2.0)
        assert moved is not None
        decided = _redecided(gate, base, moved, np.random.default_rng(9))
        tables = base.groups.copy()
        tables[:, list(moved.groups)] = draw_tables(
            moved.applied(some), MANY, np.random.default_rng(9)
        )
        words = np.where(
            decided.reject, "reject", np.where(decided.approve, "approve", "inconclusive")
        )
        assert words.tolist() == brute_force(judged, some, tables)
