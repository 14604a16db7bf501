"""Projection: exact money, and the laws that a sequence of months has to keep."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures
from prunegate.cost.projection import project
from prunegate.cost.volumes import volumes_by_month
from prunegate.errors import MeasurementError
from prunegate.policy.cost import Cost, Volumes


def cost(baseline: float, candidate: float | None = None, **volumes: Any) -> Cost:
    prices = {"baseline": baseline} | ({} if candidate is None else {"candidate": candidate})
    document: dict[str, Any] = {"billing": {"per_inference": prices}}
    return Cost.model_validate(document | ({"volumes": volumes} if volumes else {}))


def measured(ratio: Estimate95 | None) -> Measurements:
    return Measurements(
        created="2026-01-01T00:00:00+00:00",
        engine="torch",
        batch=1,
        threads=1,
        rounds=6,
        baseline=ModelFigures(),
        candidate=ModelFigures(),
        cpu_ratio=ratio,
    )


def test_a_candidate_that_costs_nothing_saves_all() -> None:
    (month,) = project(cost(0.004, 0.0, by_month=[100]), None).months
    assert (month.baseline, month.candidate, month.saving_percent) == ("0.40", "0.00", "100.00")


def test_the_worked_case() -> None:
    found = project(cost(0.0042, 0.0029, now=180_000, target=800_000, months=18), None)
    first, last = found.months[0], found.months[-1]
    assert (first.month, first.volume, first.baseline) == (0, 180_000, "756.00")
    assert (last.month, last.volume) == (18, 800_000)
    assert (last.baseline, last.candidate, last.saving) == ("3360.00", "2320.00", "1040.00")
    assert (found.price_baseline, found.price_candidate) == ("0.0042", "0.0029")
    assert (found.cost_per_1k_baseline, found.cost_per_1k_candidate) == ("4.20", "2.90")
    assert (found.basis, found.price_candidate_low) == ("quoted", None)
    # By hand: 18 x 180,000 + 620,000 x (1 + ... + 18) / 18 = 9,130,000, at a saving of 0.0013.
    assert sum(month.volume for month in found.months[1:]) == 9_130_000
    assert found.months[-1].cumulative == "11869.00"


def hand_volumes(growth: str) -> list[int]:
    """180,000 to 800,000 in 18 months by whole numbers only, rounded half up."""
    if growth == "linear":  # v = floor(x + 1/2) with x = 180,000 + 620,000 m / 18
        return [(2 * (180_000 * 18 + 620_000 * m) + 18) // 36 for m in range(19)]
    found = []
    for m in range(19):  # the v with v - 1/2 <= x < v + 1/2, where x^18 = now^(18-m) target^m
        power = 2**18 * 180_000 ** (18 - m) * 800_000**m
        low, high = 1, 10**6
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if (2 * middle - 1) ** 18 <= power else (low, middle - 1)
        found.append(low)
    return found


@pytest.mark.parametrize(
    ("growth", "end"), [("linear", Fraction("11869.00")), ("geometric", Fraction("10134.6739"))]
)
def test_the_worked_case_saves_month_by_month_what_fractions_say(
    growth: str, end: Fraction
) -> None:
    found = project(
        cost(0.0042, 0.0029, now=180_000, target=800_000, months=18, growth=growth), None
    )
    volumes = hand_volumes(growth)
    total = Fraction(0)
    for month, volume in zip(found.months, volumes, strict=True):
        saved = volume * Fraction(13, 10_000)
        total += saved if month.month else 0
        assert month.volume == volume
        assert month.baseline == in_cents(volume * Fraction(42, 10_000))
        assert month.candidate == in_cents(volume * Fraction(29, 10_000))
        assert (month.saving, month.cumulative) == (in_cents(saved), in_cents(total))
        assert month.saving_percent == "30.95"  # 13 / 42
    assert total == end


def in_cents(amount: Fraction) -> str:
    """Half up, for amounts that are not negative."""
    whole, rest = divmod(int(amount * 100 + Fraction(1, 2)), 100)
    return f"{whole}.{rest:02}"


def test_the_one_off_cost_has_to_be_earned_first() -> None:
    section = cost(0.5, 0.4, by_month=[1000, 1000, 1000])
    section = section.model_copy(update={"one_off": 200.0})
    found = project(section, None)
    assert [m.month for m in found.months] == [1, 2, 3]
    assert [m.cumulative for m in found.months] == ["-100.00", "0.00", "100.00"]
    assert (found.one_off, found.break_even) == ("200.00", 2)
    dearer = project(section.model_copy(update={"one_off": 300.01}), None)
    assert (dearer.break_even, dearer.months[-1].cumulative) == (None, "-0.01")


def test_without_a_saving_nothing_is_ever_paid_back() -> None:
    assert project(cost(0.5, 0.5, by_month=[1000, 1000]), None).break_even is None
    assert project(cost(0.5, 0.6, by_month=[1000, 1000]), None).break_even is None
    assert project(cost(0.5, 0.4, by_month=[0, 1000]), None).break_even == 2


def test_today_of_a_table_is_shown_and_not_billed() -> None:
    found = project(cost(0.5, 0.4, now=0, by_month=[10, 0]), None)
    assert [(m.month, m.volume, m.baseline) for m in found.months] == [
        (0, 0, "0.00"),
        (1, 10, "5.00"),
        (2, 0, "0.00"),
    ]
    assert found.months[-1].cumulative == "1.00"
    assert (found.months[0].saving_percent, found.months[1].saving_percent) == (None, "20.00")


def test_an_interval_makes_a_range_of_everything_that_follows() -> None:
    section = cost(1.0, by_month=[100, 100, 100]).model_copy(update={"one_off": 60.0})
    found = project(section, measured(Estimate95(value=0.7, low=0.6, high=0.8)))
    last = found.months[-1]
    assert (last.candidate_low, last.candidate, last.candidate_high) == ("60.00", "70.00", "80.00")
    assert (last.cumulative_low, last.cumulative, last.cumulative_high) == (
        *("0.00", "30.00", "60.00"),
    )
    assert (found.break_even_early, found.break_even, found.break_even_late) == (2, 2, 3)
    assert (found.saving_low, found.saving_high) == ("0.00", "60.00")


def test_scenarios_are_the_same_bills_at_other_volumes() -> None:
    volumes = {"now": 100, "target": 400, "months": 3, "low": 100, "high": 1000}
    found = project(cost(0.5, 0.4, **volumes), None)
    low, high = found.scenarios
    assert [m.volume for m in low.months] == [100, 100, 100, 100]
    assert [m.volume for m in high.months] == [100, 400, 700, 1000]
    assert [s.months[-1].cumulative for s in found.scenarios] == ["30.00", "210.00"]
    assert (found.saving_low, found.months[-1].cumulative, found.saving_high) == (
        *("30.00", "90.00", "210.00"),
    )
    alone = project(cost(0.5, 0.4, now=100, target=400, months=3), None)
    assert (alone.scenarios, alone.saving_low, alone.saving_high) == ((), None, None)
    assert alone.months == found.months


def test_one_scenario_beside_the_expected_one_is_a_range() -> None:
    growing = {"now": 100, "target": 200, "months": 2, "low": 150}
    document = {"billing": {"per_inference": {"baseline": 2, "candidate": 1}}, "volumes": growing}
    found = project(Cost.model_validate(document), None)
    # a unit saved by each of 125 + 150 inferences, or of 150 + 200
    assert (found.saving_low, found.saving_high) == ("275.00", "350.00")


def test_a_missing_price_is_scaled_by_the_measured_ratio() -> None:
    ratio = Estimate95(value=0.7, low=0.65, high=0.75)
    found = project(cost(0.0042, now=1000, target=2000, months=1), measured(ratio))
    assert found.basis == "measured CPU-time ratio"
    assert (found.price_candidate, found.price_candidate_low) == ("0.00294", "0.00273")
    assert found.price_candidate_high == "0.00315"
    assert found.months[-1].candidate == "5.88"


def test_a_scaled_price_is_short_and_everything_follows_from_it() -> None:
    third = 1 / 3
    ratio = Estimate95(value=third, low=third, high=third)
    found = project(cost(0.01, now=3, target=30_000_000, months=1), measured(ratio))
    assert found.price_candidate == "0.00333333"
    assert found.cost_per_1k_candidate == "3.33333"
    assert found.months[-1].candidate == "99999.90"


@pytest.mark.parametrize("measurements", [None, measured(None)])
def test_a_price_from_nowhere_is_refused(measurements: Measurements | None) -> None:
    with pytest.raises(MeasurementError, match=r"quote it beside .* or measure both models"):
        project(cost(0.0042), measurements)


def test_without_volumes_there_are_no_months() -> None:
    found = project(cost(0.0000042, 0.0), None)
    assert found.months == ()
    assert (found.cost_per_1k_baseline, found.cost_per_1k_candidate) == ("0.0042", "0.00")


def test_cents_are_rounded_half_up_and_never_minus_zero() -> None:
    found = project(cost(0.005, 0.0049999, now=1, target=1, months=1), None)
    assert [month.baseline for month in found.months] == ["0.01", "0.01"]
    assert [month.candidate for month in found.months] == ["0.00", "0.00"]
    dearer = project(cost(0.001, 0.002, now=1, target=1, months=1), None)
    assert dearer.months[1].saving == "0.00"


prices = st.floats(1e-7, 100)
volumes = st.fixed_dictionaries(
    {
        "now": st.integers(1, 10**9),
        "target": st.integers(1, 10**9),
        "months": st.integers(1, 60),
        "growth": st.sampled_from(["linear", "geometric"]),
    }
).map(lambda v: v | {"now": min(v["now"], v["target"]), "target": max(v["now"], v["target"])})


@given(spec=volumes)
def test_volumes_go_from_now_to_the_target_without_turning_back(spec: dict[str, Any]) -> None:
    found = volumes_by_month(Volumes.model_validate(spec))
    assert (found[0], found[-1], len(found)) == (spec["now"], spec["target"], spec["months"] + 1)
    assert list(found) == sorted(found)


@given(spec=volumes)
def test_growth_is_what_it_is_called(spec: dict[str, Any]) -> None:
    found = volumes_by_month(Volumes.model_validate(spec))
    now, target, months = spec["now"], spec["target"], spec["months"]
    for month, volume in enumerate(found):
        if spec["growth"] == "linear":
            exact = now + (target - now) * month / months
        else:
            exact = now * (target / now) ** (month / months)
        assert abs(volume - exact) <= 0.5 + 1e-9 * exact


@given(baseline=prices, candidate=prices, spec=volumes)
def test_savings_add_up(baseline: float, candidate: float, spec: dict[str, Any]) -> None:
    months = project(cost(baseline, candidate, **spec), None).months
    saving = Decimal(str(baseline)) - Decimal(str(candidate))
    total = Decimal(0)
    for month in months:
        before, after = Decimal(month.baseline), Decimal(month.candidate)
        assert abs(before - after - Decimal(month.saving)) <= Decimal("0.015")
        assert abs(Decimal(month.saving) - saving * month.volume) <= Decimal("0.005")
        total += saving * month.volume if month.month else 0
        assert abs(Decimal(month.cumulative) - total) <= Decimal("0.005")
    assert all(re.fullmatch(r"\d+\.\d\d", month.baseline) for month in months)


@given(baseline=prices, spec=volumes)
def test_an_equal_price_saves_nothing(baseline: float, spec: dict[str, Any]) -> None:
    found = project(cost(baseline, baseline, **spec), None)
    assert {month.saving for month in found.months} == {"0.00"}
    assert found.months[-1].cumulative == "0.00"
