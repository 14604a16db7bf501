"""Findings and slices of a verdict against their definitions, worked out from the joint counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times
from tests.rules import of_rules

import prunegate
from prunegate.policy.load import parse_policy

Cells = Sequence[int]
HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\nslices: [{by: k}]\n"
ALPHA = 0.05


def table(cells: Cells, bit: int) -> tuple[int, int, int, int]:
    """True positives, misses, false alarms, true negatives of one model."""
    found = [0, 0, 0, 0]
    for cell, n in enumerate(cells):
        found[2 * (not cell >> 2) + (not cell & bit)] += n
    return found[0], found[1], found[2], found[3]


def share(of: int, rest: int) -> Fraction | None:
    return Fraction(of, of + rest) if of + rest else None


FORMULAS: dict[str, Callable[[int, int, int, int], Fraction | None]] = {
    "recall": lambda tp, fn, _fp, _tn: share(tp, fn),
    "specificity": lambda _tp, _fn, fp, tn: share(tn, fp),
    "accuracy": lambda tp, fn, fp, tn: share(tp + tn, fn + fp),
    "precision": lambda tp, _fn, fp, _tn: share(tp, fp),
}
BASES = {
    "recall": (4, 5, 6, 7), "specificity": (0, 1, 2, 3), "accuracy": range(8),
    "precision": (1, 2, 3, 5, 6, 7),
}  # fmt: skip
LOST, GAINED = {0b110, 0b001}, {0b101, 0b010}
"""Cells that the baseline alone, and the candidate alone, decides rightly."""
RULES = "".join(f"  - {{metric: {name}, slices: all, max_drop: 0.1}}\n" for name in FORMULAS)


def added(cells: Cells, places: object) -> int:
    return sum(n for place, n in enumerate(cells) if place in places)  # type: ignore[operator]


@given(st.lists(st.lists(st.integers(0, 60), min_size=8, max_size=8), min_size=2, max_size=2))
@settings(max_examples=times(6, thorough=300), deadline=None)
def test_every_figure_of_a_verdict_follows_from_the_counts(drawn: list[list[int]]) -> None:
    slices = {"k=a": [n + 1 for n in drawn[0]], "k=b": [n + 1 for n in drawn[1]]}
    slices["overall"] = [a + b for a, b in zip(*slices.values(), strict=True)]
    rows = [
        {"k": name[2:], "label": c >> 2, "baseline": c >> 1 & 1, "candidate": c & 1, "n": n}
        for name, cells in slices.items() if name != "overall"
        for c, n in enumerate(cells)
    ]  # fmt: skip
    policy = parse_policy(f"{HEAD}evidence: {{reference: off}}\nrules:\n{RULES}")
    verdict = prunegate.judge_counts(policy, pd.DataFrame(rows))
    assert {one.name for one in verdict.slices} == set(slices)
    for one in verdict.slices:
        cells = slices[one.name]
        assert one.cells == tuple(cells)
        assert (one.rows, one.positives) == (sum(cells), sum(cells[4:]))
        assert (one.lost, one.gained) == (added(cells, LOST), added(cells, GAINED))
    found = of_rules(verdict)
    assert {(f.metric, f.slice) for f in found} == {(m, s) for m in FORMULAS for s in slices}
    for f in found:
        cells, base = slices[f.slice], BASES[f.metric]
        before, after = (FORMULAS[f.metric](*table(cells, bit)) for bit in (2, 1))
        assert before is not None
        assert after is not None
        assert (f.baseline, f.candidate) == pytest.approx((float(before), float(after)))
        assert f.difference == pytest.approx(float(after - before))
        assert f.n == added(cells, base)
        if f.metric != "precision":
            assert f.lost == added(cells, LOST & set(base))
            assert f.gained == added(cells, GAINED & set(base))
        assert f.ci_low is not None
        assert f.ci_high is not None
        assert f.ci_low <= f.difference + 1e-9
        assert f.ci_high >= f.difference - 1e-9
        assert f.p_value is not None
        assert (f.status == "pass") == (f.p_value <= ALPHA and f.open_because is None)
        if f.status == "fail":
            assert f.p_harm_adjusted is not None
            assert f.p_harm_adjusted <= ALPHA
            assert f.difference < -0.1 + 1e-9
    failed = any(f.status == "fail" for f in found)
    passed = all(f.status == "pass" for f in found)
    assert verdict.outcome == ("reject" if failed else "approve" if passed else "inconclusive")
    assert verdict.exit_code == {"approve": 0, "reject": 3, "inconclusive": 4}[verdict.outcome]


LIMITS: dict[str, Callable[[Fraction, Fraction, Fraction], bool]] = {
    "max_drop: {}": lambda before, after, limit: before - after <= limit,
    "max_drop: {{relative: {}}}": lambda before, after, limit: after >= (1 - limit) * before,
    "at_least: {}": lambda _before, after, limit: after >= limit,
    "at_most: {}": lambda _before, after, limit: after <= limit,
}


@given(
    st.lists(st.integers(1, 40), min_size=8, max_size=8),
    st.sampled_from(sorted(LIMITS)),
    st.sampled_from(["0.01", "0.1", "0.5", "0.9"]),
    st.sampled_from(["block", "warn"]),
)
@settings(max_examples=times(25, thorough=1000), deadline=None)
def test_where_estimates_decide_the_estimate_is_held_against_the_limit(
    cells: list[int], limit: str, value: str, severity: str
) -> None:
    rules = "".join(
        f"  - {{metric: {name}, {limit.format(value)}, evidence: point, severity: {severity}}}\n"
        for name in FORMULAS
    )
    kept = "  - {metric: f1, at_least: 0.0001, evidence: point}\n"
    policy = parse_policy(
        f"{HEAD.replace('slices: [{by: k}]', 'evidence: {reference: off}')}rules:\n{rules}{kept}"
    )
    rows = [
        {"label": c >> 2, "baseline": c >> 1 & 1, "candidate": c & 1, "n": n}
        for c, n in enumerate(cells)
    ]
    verdict = prunegate.judge_counts(policy, pd.DataFrame(rows))
    found = of_rules(verdict)[:-1]
    for f in found:
        before, after = (FORMULAS[f.metric](*table(cells, bit)) for bit in (2, 1))
        assert before is not None
        assert after is not None
        assert f.status == ("pass" if LIMITS[limit](before, after, Fraction(value)) else "fail")
        assert f.severity == severity
    broken = any(f.status == "fail" for f in found)
    assert verdict.outcome == ("reject" if broken and severity == "block" else "approve")
    told = [fact for fact in verdict.warning_facts if fact.kind == "broken"]
    assert len(told) == (severity == "warn") * sum(f.status == "fail" for f in found)
