"""Plans: published sizes, what every limit needs, and that the gate then behaves as promised."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from tests.depth import THOROUGH, at_length, times

from prunegate.cli.plan_words import _chances, plan_lines
from prunegate.errors import InputError, UnsupportedError
from prunegate.planning import Plan, PlanRequest, plan
from prunegate.planning.assumed_groups import Assumed
from prunegate.planning.cells import lay_out
from prunegate.planning.characteristics import Chances
from prunegate.planning.groups import expected, from_pilot
from prunegate.planning.planned_limits import asked
from prunegate.planning.shifts import border, expected_rates, shift
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

pytestmark = pytest.mark.slow

HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
KINDS = "slices: [{by: k, expect: [a, b, c]}]\n"
FEW = PlanRequest(simulations=1)
PILOT = {
    ("a",): (900, 12, 10, 30, 40, 14, 15, 880),
    ("b",): (300, 2, 3, 20, 20, 4, 6, 420),
    ("c",): (500, 8, 9, 25, 25, 9, 8, 700),
}
LIMITS = (
    "metric: recall, max_drop: 0.02",
    "metric: recall, max_drop: {relative: 0.03}",
    "metric: recall, max_drop: {error_ratio: 0.5}",
    "metric: recall, at_least: 0.9",
    "metric: recall, at_most: 0.98",
    "metric: recall, max_gain: 0.03",
    "metric: recall, max_gain: {relative: 0.04}",
    "metric: recall, max_ratio: 1.03",
    "metric: specificity, max_drop: 0.03",
    "metric: false_positive_rate, max_rise: {relative: 0.6}",
    "metric: false_positive_rate, at_most: 0.08",
    "metric: accuracy, max_drop: 0.02",
    "metric: precision, max_drop: 0.03",
    "metric: precision, max_drop: {relative: 0.03}",
    "metric: precision, max_drop: {error_ratio: 0.6}",
    "metric: precision, max_gain: 0.03",
    "metric: precision, at_least: 0.92",
    "metric: f1, max_drop: 0.02",
    "metric: f1, at_least: 0.92",
    "metric: negative_flip_rate, at_most: 0.04",
    "metric: churn, at_most: 0.06",
)


def policy(*rules: str, slices: str = "", more: str = "") -> Policy:
    listed = ", ".join(f"{{{rule}}}" for rule in rules)
    return parse_policy(f"{HEAD}{slices}{more}rules: [{listed}]\n")


def simulated(found: Plan) -> dict[str, tuple[float, float, float]]:
    return {
        s.name: (s.chances.approve, s.chances.reject, s.chances.approve_error)
        for s in found.scenarios
    }


@pytest.mark.parametrize(
    ("margin", "discordance", "needed"), [(0.01, 0.02, 1901), (0.02, 0.04, 947), (0.05, 0.04, 192)]
)
def test_the_sizes_of_the_exact_test(margin, discordance, needed):
    judged = policy(f"metric: recall, max_drop: {margin}")
    (found,) = plan(judged, Assumed(discordance=discordance, prevalence=0.25), FEW).needs
    assert (found.needed, found.unit) == (needed, "positives")
    assert found.rows == 4 * needed


@pytest.mark.slow
@pytest.mark.parametrize("limit", LIMITS)
def test_the_needed_size_delivers_the_power_and_the_margin_holds(limit):
    judged = policy(limit)
    many = times(250, thorough=1500)
    found = plan(judged, Assumed(prevalence=0.4), PlanRequest(simulations=many, seed=5))
    chances = simulated(found)
    noise = 3 * math.sqrt(0.9 * 0.1 / many)
    assert 0.893 - noise <= chances["nothing changed"][0] <= 0.952 + noise
    approximate = any(word in limit for word in ("precision, max", "f1, max"))
    noise = 3 * math.sqrt(0.05 * 0.95 / many)
    assert chances["at the margin"][0] <= (0.06 if approximate else 0.05) + noise
    if "twice the margin" in chances:
        assert chances["twice the margin"][0] <= 0.01
        assert chances["twice the margin"][1] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("more", [", {by: [k, r]}", *at_length("")])
def test_whole_policies_are_approved_as_planned_and_not_at_a_margin(more):
    drop, part, ratio = (0.03, 0.04, 1.0) if THOROUGH else (0.1, 0.1, 2.0)
    values = "a, b, c" if THOROUGH else "a, b"
    judged = policy(
        f"metric: recall, slices: all, max_drop: {drop}, at_least: 0.85",
        f"metric: precision, slices: all, max_drop: {{relative: {part}}}",
        f"metric: specificity, slices: k, max_drop: {{error_ratio: {ratio}}}, severity: warn",
        slices=f"slices: [{{by: k, expect: [{values}]}}, {{by: r, expect: [x, y]}}{more}]\n",
    )
    found = plan(judged, Assumed(), PlanRequest(simulations=times(60, thorough=600)))
    chances = simulated(found)
    assert chances["nothing changed"][0] >= 0.9 - 3 * chances["nothing changed"][2]
    assert chances["nothing changed"][1] <= 0.05
    assert chances["at the margin"][0] <= 0.06 + 3 * chances["at the margin"][2]
    assert chances["at the margin"][1] <= 0.05 + 0.03
    assert all(n.missing == 0 == n.rows_missing for n in found.needs if n.severity == "block")


def needs(limit: str, power: float) -> int:
    (found,) = plan(policy(limit), Assumed(), PlanRequest(power=power, simulations=1)).needs
    assert found.needed is not None
    return found.needed


@pytest.mark.parametrize("limit", LIMITS)
def test_more_power_never_needs_fewer(limit):
    assert all(one <= other for one, other in pairwise(needs(limit, p) for p in (0.5, 0.8, 0.99)))


@pytest.mark.parametrize("metric", ["recall", "specificity", "accuracy", "precision", "f1"])
@pytest.mark.parametrize("form", ["{}", "{{relative: {}}}", "{{error_ratio: {}}}"])
def test_a_smaller_margin_never_needs_fewer(metric, form):
    sizes = [
        needs(f"metric: {metric}, max_drop: {form.format(margin)}", 0.9)
        for margin in (0.3, 0.1, 0.05, 0.02)
    ]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (
            "metric: recall, at_least: 0.96",
            "recall is expected to be 95.0 %, and the limit is 96 %",
        ),
        ("metric: recall, min_gain: 0.01", "expected to be 95.0 %, and the limit is 96 %"),
        ("metric: recall, max_drop: 0.0", "cannot be proven at any size"),
        ("metric: churn, at_most: 0.03", "churn is expected to be 4.0 %, and the limit is 3 %"),
        (
            "metric: false_positive_rate, at_most: 0.04",
            "rate is expected to be 5.0 %, and the limit is 4 %",
        ),
        ("metric: recall, at_least: 0.9499999", "almost touches the limit"),
        ("metric: recall, at_least: 0.9, evidence: point", "decided by the estimate alone"),
    ],
)
def test_what_no_size_proves_is_said(limit, words):
    judged = policy(limit, "metric: specificity, max_drop: 0.1")
    first = plan(judged, Assumed(), FEW).needs[0]
    assert first.needed is first.rows is first.missing is None
    assert words in first.note


def test_rare_positives_are_told_from_a_limit_that_is_near():
    judged = policy("metric: recall, max_drop: 0.05")
    first = plan(judged, Assumed(prevalence=1e-6), FEW).needs[0]
    assert first.rows is None
    assert first.note.startswith("more than 100,000,000 rows: it takes 192 that count")
    assert first.note.endswith("that count, and few of the rows do")


def test_a_demanded_gain_can_be_planned_from_a_pilot_that_shows_one():
    pilot = {(): (500, 10, 10, 20, 40, 60, 10, 800)}
    judged = policy("metric: recall, min_gain: 0.01")
    assert plan(judged, pilot, FEW).needs[0].needed is None
    found = plan(judged, pilot, PlanRequest(simulations=400, as_seen=True))
    assert found.needs[0].needed is not None
    assert found.scenarios[0].chances.approve > 0.5


def test_a_pilot_gives_sizes_and_what_is_missing():
    judged = policy(
        "metric: recall, slices: all, max_drop: 0.02",
        slices=KINDS,
        more="evidence: {minimum: {rows: 900, positives: 100}}\n",
    )
    found = plan(judged, PILOT, FEW)
    by_slice = {need.slice: need for need in found.needs}
    assert by_slice["k=b"].has == 450
    assert {s.name: s.rows for s in found.slices}["k=b"] == 775
    for need in found.needs:
        assert need.missing == max(0, need.needed - need.has)
        assert need.rows_missing == max(
            0, need.rows - {s.name: s.rows for s in found.slices}[need.slice]
        )
        assert need.rows >= 900
    assert by_slice["k=b"].missing > by_slice["overall"].missing == 0


def test_a_pilot_without_disagreement_does_not_plan_with_none():
    groups = from_pilot({("a",): (50, 0, 0, 0, 0, 0, 0, 48), ("b",): (0,) * 8}, as_seen=False)
    assert [g.values for g in groups] == [("a",)]
    cells = expected(groups)[0]
    assert cells[5] + cells[6] == pytest.approx(48 * 1 / 50)
    assert cells[1] == cells[2] > 0
    assert cells.sum() == pytest.approx(98)


def test_a_pilot_as_seen_keeps_its_change():
    pilot = {("a",): (1000, 0, 0, 0, 0, 10, 40, 950)}
    unchanged, seen = (expected(from_pilot(pilot, as_seen=s))[0] for s in (False, True))
    assert unchanged[5] == pytest.approx(unchanged[6])
    assert seen[6] == pytest.approx(40, rel=0.02)
    assert seen[5] == pytest.approx(10, rel=0.06)


def test_a_declared_slice_without_rows_is_never_approved():
    judged = policy("metric: recall, max_drop: 0.2", slices=KINDS)
    found = plan(judged, {("a",): PILOT["a",], ("b",): PILOT["b",]}, PlanRequest(simulations=50))
    assert {s.chances.approve for s in found.scenarios} == {0.0}
    assert any("k=c is declared and has no row" in note for note in found.notes)


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("times", [0.5, 1.0, 2.0])
def test_a_shift_moves_its_slice_just_so_far_and_no_other(limit, times):
    groups = from_pilot(PILOT, as_seen=False)
    judged = policy(f"{limit}, slices: k", slices=KINDS)
    layout = lay_out(judged, groups)
    target = asked(judged, layout.slices).limits[0]
    moved = shift(target, groups, (0,), times)
    if moved is None:
        assert times == 2.0  # the rows cannot move that far
        return
    (after,) = moved.applied(groups)
    before_rate, unchanged = expected_rates(target.metric, expected(groups[:1])[0])
    _, shifted = expected_rates(target.metric, expected([after])[0])
    edge = border(target.claim, before_rate)
    assert shifted == pytest.approx(unchanged + times * (edge - unchanged), abs=1e-9)
    assert sum(after.chances[:4]) == pytest.approx(1)
    assert min(after.chances) >= -1e-12


def test_the_same_seed_gives_the_same_plan():
    judged = policy("metric: recall, slices: all, max_drop: 0.03", slices=KINDS)
    one, same, other = (plan(judged, PILOT, PlanRequest(simulations=60, seed=s)) for s in (1, 1, 2))
    assert one == same
    assert one.scenarios != other.scenarios


def test_batches_of_simulations_add_up(monkeypatch):
    from prunegate.planning import characteristics

    judged = policy("metric: recall, slices: all, max_drop: 0.03", slices=KINDS)
    monkeypatch.setattr(characteristics, "_BATCH", 8 * 3 * 70)
    found = plan(judged, PILOT, PlanRequest(simulations=200))
    chances = found.scenarios[0].chances
    assert chances.approve * 200 == pytest.approx(round(chances.approve * 200))
    assert chances.approve + chances.reject + chances.inconclusive == pytest.approx(1)


def test_of_many_limits_the_likeliest_are_simulated(monkeypatch):
    from prunegate.planning import characteristics

    judged = policy("metric: recall, slices: all, max_drop: 0.03, at_least: 0.8", slices=KINDS)
    request = PlanRequest(simulations=times(100, thorough=300))
    whole = plan(judged, PILOT, request)
    monkeypatch.setattr(characteristics, "MOST_SHIFTS", 2)
    few = plan(judged, PILOT, request)
    assert whole.scenarios[0] == few.scenarios[0]
    assert few.scenarios[1].slice is not None
    assert few.scenarios[1].chances.approve <= 0.05 + 4 * math.sqrt(
        0.05 * 0.95 / request.simulations
    )


def test_rows_that_are_given_are_the_smallest_slice():
    judged = policy(
        "metric: recall, slices: all, max_drop: 0.02",
        slices="slices: [{by: k, expect: [a, b, c]}, {by: r, expect: [x, y]}]\n",
    )
    found = plan(judged, Assumed(), FEW, rows=900)
    sizes = {s.name: s.rows for s in found.slices}
    assert min(sizes.values()) == sizes["k=a"] == 900
    assert sizes["overall"] == 2700
    assert found.basis == "rows"
    assert found.needs[1].missing > 0


def test_slicings_without_named_values_are_said():
    judged = policy(
        "metric: recall, slices: all, max_drop: 0.1",
        slices="slices: [{by: r}, {name: late, where: {s: [x, y]}}]\n",
    )
    found = plan(judged, Assumed(), FEW)
    assert any("the values of r are not named" in note for note in found.notes)
    assert {"overall", "late"} <= {s.name for s in found.slices}


def test_a_key_of_many_values_gets_a_hint_and_of_too_many_is_refused():
    judged = policy("metric: recall, max_drop: 0.1", slices="slices: [{by: k}]\n")
    pilot = {(str(width),): PILOT["a",] for width in range(60)}
    assert any("quantiles: 4" in note for note in plan(judged, pilot, FEW).notes)
    with pytest.raises(InputError, match="2,001 values, and at most 2,000 slices are judged"):
        plan(judged, {(str(width),): PILOT["a",] for width in range(2001)}, FEW)


def test_a_pilot_whose_slices_are_all_too_small_is_never_approved():
    judged = policy(
        "metric: recall, slices: k, max_drop: 0.1",
        slices="slices: [{by: k}]\n",
        more="evidence: {minimum: {rows: 5000, positives: 1}}\n",
    )
    found = plan(judged, PILOT, FEW)
    assert (found.needs, found.scenarios, found.tests) == ((), (), 0)
    assert "never approves" in plan_lines(found)[-1]


def test_a_share_is_never_rounded_to_none_or_all():
    rare = Chances(
        approve=0.99999, reject=0.00001, inconclusive=0.0, approve_error=0.001, reject_error=0.001
    )
    assert [words.split(" (")[0].strip() for words in _chances(rare)] == [
        "> 99.9 %",
        "< 0.1 %",
        "0 %",
    ]


def test_a_pilot_without_positives_has_no_plan_for_recall():
    judged = policy("metric: recall, max_drop: 0.1", "metric: specificity, max_drop: 0.1")
    found = plan(judged, {(): (300, 4, 5, 10, 0, 0, 0, 0)}, PlanRequest(simulations=20))
    assert found.needs[0].needed is None
    assert "lacks the rows that define it" in found.needs[0].note
    assert found.scenarios[0].chances.approve == 0


def test_what_cannot_be_planned_is_refused_by_name():
    score = parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: score}\nrules: [{metric: mae, max_rise: 0.1}]\n"
    )
    with pytest.raises(UnsupportedError, match="task kind 'score' is not planned"):
        plan(score, Assumed(), FEW)
    with pytest.raises(UnsupportedError, match="'group'"):
        plan(policy("metric: recall, max_drop: 0.1", more="group: g\n"), Assumed(), FEW)
    with pytest.raises(InputError, match="nothing to plan"):
        plan(policy("metric: model_bytes, max_ratio: 0.9"), Assumed(), FEW)
    with pytest.raises(InputError, match="differ on at most"):
        plan(policy("metric: recall, max_drop: 0.1"), Assumed(discordance=0.2), FEW)
    many = ", ".join(f"v{i}" for i in range(80))
    wide = f"slices: [{{by: k, expect: [{many}]}}, {{by: r, expect: [{many}]}}]\n"
    with pytest.raises(InputError, match="plan with a pilot"):
        plan(policy("metric: recall, max_drop: 0.1", slices=wide), Assumed(), FEW)


def test_members_of_a_layout_are_the_groups_of_a_slice():
    judged = policy(
        "metric: recall, max_drop: 0.1",
        slices="slices: [{by: [k, r]}, {by: r}, {name: ax, where: {k: a, r: x}}]\n",
    )
    pilot = {(k, r): (i + 1,) * 8 for i, (k, r) in enumerate([("a", "x"), ("a", "y"), ("b", "x")])}
    groups = from_pilot(pilot, as_seen=False)
    layout = lay_out(judged, groups)
    found = {
        s.name: np.flatnonzero(m).tolist()
        for s, m in zip(layout.slices, layout.members, strict=True)
    }
    assert found == {
        "overall": [0, 1, 2],
        "k=a,r=x": [0],
        "k=a,r=y": [1],
        "k=b,r=x": [2],
        "r=x": [0, 2],
        "r=y": [1],
        "ax": [0],
    }
    assert [s.positives for s in layout.slices if s.name == "r=x"] == [4 + 12]
