"""Projection: exact money, and the laws that a sequence of months has to keep."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.cost.measurement import Interval, Measurements, ModelFigures
from prunegate.cost.projection import project
from prunegate.cost.volumes import volumes_by_month
from prunegate.errors import MeasurementError
from prunegate.policy.money import Cost, Volumes


def cost(baseline: float, candidate: float | None = None, **volumes: Any) -> Cost:
    prices = {"baseline": baseline} | ({} if candidate is None else {"candidate": candidate})
    document: dict[str, Any] = {"billing": {"per_inference": prices}}
    return Cost.model_validate(document | ({"volumes": volumes} if volumes else {}))


def measured(ratio: Interval | None) -> Measurements:
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


def test_a_missing_price_is_scaled_by_the_measured_ratio() -> None:
    ratio = Interval(value=0.7, low=0.65, high=0.75)
    found = project(cost(0.0042, now=1000, target=2000, months=1), measured(ratio))
    assert found.basis == "measured CPU-time ratio"
    assert (found.price_candidate, found.price_candidate_low) == ("0.00294", "0.00273")
    assert found.price_candidate_high == "0.00315"
    assert found.months[-1].candidate == "5.88"


def test_a_scaled_price_is_short_and_everything_follows_from_it() -> None:
    third = 1 / 3
    ratio = Interval(value=third, low=third, high=third)
    found = project(cost(0.01, now=3, target=30_000_000, months=1), measured(ratio))
    assert found.price_candidate == "0.00333333"
    assert found.cost_per_1k_candidate == "3.33333"
    assert found.months[-1].candidate == "99999.90"


@pytest.mark.parametrize("measurements", [None, measured(None)])
def test_a_price_from_nowhere_is_refused(measurements: Measurements | None) -> None:
    with pytest.raises(MeasurementError, match=r"quote it under .* or measure both models"):
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
