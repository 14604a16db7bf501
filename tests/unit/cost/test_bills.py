"""Bills of instances and tiers: worked by hand, and the laws that every bill keeps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.cost.bills import Bill, Graduated, Rented, Reservation, monthly_capacity
from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures
from prunegate.cost.projection import Projection, project
from prunegate.errors import MeasurementError
from prunegate.policy.cost import Cost

INSTANCE = {"per_hour": 1.20, "utilisation": 0.6}
MEASURED = Measurements(
    created="2026-01-01T00:00:00+00:00",
    engine="torch",
    batch=8,
    threads=1,
    rounds=6,
    baseline=ModelFigures(throughput_per_s=1.0, latency_p95_ms=40.0),
    candidate=ModelFigures(throughput_per_s=1.5, latency_p95_ms=30.0),
    cpu_ratio=Estimate95(value=0.5, low=0.4, high=0.8),
    latency_ratio=Estimate95(value=0.66, low=0.5, high=0.8),
)


def rented(
    volumes: list[int], measurements: Measurements | None = MEASURED, **instance: Any
) -> Projection:
    document = {"billing": {"instance": INSTANCE | instance}, "volumes": {"by_month": volumes}}
    return project(Cost.model_validate(document), measurements)


def tiered(volumes: list[int], tiers: list[dict[str, Any]]) -> Projection:
    document = {"billing": {"tiers": tiers}, "volumes": {"by_month": volumes}}
    return project(Cost.model_validate(document), MEASURED)


def test_one_instance_that_carries_both_models_saves_nothing_and_says_so() -> None:
    # One instance carries 1/s x 0.6 x 730 x 3,600 s = 1,576,800 a month; 730 h x 1.20 = 876.
    found = rented([180_000])
    (month,) = found.months
    assert (month.baseline, month.candidate, month.saving) == ("876.00", "876.00", "0.00")
    assert (month.baseline_instances, month.candidate_instances) == (1, 1)
    assert found.break_even is None
    assert (
        "At 180,000 inferences a month one instance carries both models, so there is nothing to "
        "save."
    ) in found.notes


@given(st.integers(0, 300))
def test_a_bill_of_nothing_but_usage_is_the_sum_of_its_lines(volume: int) -> None:
    """No discount, no least amount, nobody else on it, unless that is said."""
    usage = Graduated(tiers=((100, Decimal("0.005")), (None, Decimal("0.0025"))))
    bare = Bill(usage=usage)
    assert bare.cost(volume) == sum(line.amount for line in usage.lines(volume, 0))
    said = replace(bare, discount=Decimal(0), minimum=Decimal(0), others=0)
    assert said == bare


def test_a_saving_by_instances_comes_in_steps() -> None:
    found = rented([1_576_800, 1_576_801, 2_365_200, 2_365_201, 4_730_401])
    counts = [(m.baseline_instances, m.candidate_instances) for m in found.months]
    assert counts == [(1, 1), (2, 1), (2, 1), (2, 2), (4, 3)]
    assert [m.saving for m in found.months] == ["0.00", "876.00", "876.00", "0.00", "876.00"]
    assert found.notes[-1] == (
        "At 4,730,401 inferences a month the baseline takes 4 instances and the candidate 3."
    )
    assert (found.basis, found.price_baseline) == ("measured throughput", None)
    assert found.cost_per_1k_baseline == "0.740741"  # 4 x 876,000 / 4,730,401


def test_the_paired_ratio_gives_instances_a_range() -> None:
    # The candidate carries 1/0.8 = 1.25 to 1/0.5 = 2 a second: 1,971,000 to 3,153,600 a month.
    (month,) = rented([3_000_000]).months
    assert (month.candidate_low, month.candidate, month.candidate_high) == (
        *("876.00", "1752.00", "1752.00"),
    )
    (alone,) = rented([3_000_000], replace(MEASURED, latency_ratio=None)).months
    assert (alone.candidate_low, alone.cumulative_low) == (None, None)


def test_no_volume_costs_the_minimum_or_nothing() -> None:
    assert rented([0], minimum=2).months[0].baseline == "1752.00"
    idle = rented([0], minimum=0)
    assert (idle.months[0].baseline, idle.cost_per_1k_candidate) == ("0.00", None)
    assert "nothing runs" in idle.notes[-1]
    assert "2 instances, the least that runs, carry either model" in rented([5], minimum=2).notes[1]


@pytest.mark.parametrize(
    ("measurements", "instance", "message"),
    [
        (None, {}, "give --measurements"),
        (replace(MEASURED, candidate=ModelFigures()), {}, "candidate's throughput is not in"),
        (MEASURED, {"max_latency_ms": 39.0}, "baseline cannot be served .* at batch 8 is 40 ms"),
        (
            replace(MEASURED, candidate=ModelFigures(throughput_per_s=1.0)),
            {"max_latency_ms": 50.0},
            "candidate's p95 latency is not in the measurements",
        ),
        (
            replace(MEASURED, baseline=ModelFigures(throughput_per_s=1e-30)),
            {},
            "more than 1,000,000,000 instances",
        ),
        (
            replace(MEASURED, latency_ratio=Estimate95(value=1.0, low=5e-324, high=1.0)),
            {},
            "a measured ratio between 4.94066e-324 and 1 prices nothing",
        ),
    ],
)
def test_what_cannot_be_counted_is_refused(
    measurements: Measurements | None, instance: dict[str, Any], message: str
) -> None:
    with pytest.raises(MeasurementError, match=message):
        rented([1000], measurements, **instance)


def test_a_model_at_the_latency_limit_is_served() -> None:
    assert rented([1000], max_latency_ms=40.0).months[0].baseline_instances == 1


def test_tiers_are_graduated_by_hand() -> None:
    tiers = [
        {"up_to": 100, "per_inference": {"baseline": 0.5, "candidate": 0.4}},
        {"up_to": 300, "per_inference": {"baseline": 0.25, "candidate": 0.2}},
        {"per_inference": {"baseline": 0.1, "candidate": 0.08}},
    ]
    found = tiered([0, 100, 101, 300, 400], tiers)
    # 100 x .5; + 1 x .25; + 200 x .25; + 100 x .1
    assert [m.baseline for m in found.months] == ["0.00", "50.00", "50.25", "100.00", "110.00"]
    assert [m.candidate for m in found.months] == ["0.00", "40.00", "40.20", "80.00", "88.00"]
    assert (found.cost_per_1k_baseline, found.cost_per_1k_candidate) == ("275.00", "220.00")
    assert any(note.startswith("Tiers are graduated") for note in found.notes)


def test_tiers_without_the_candidates_price_are_scaled_tier_by_tier() -> None:
    tiers = [
        {"up_to": 100, "per_inference": {"baseline": 0.5}},
        {"per_inference": {"baseline": 0.1}},
    ]
    found = tiered([200], tiers)
    assert any(note.startswith("Tiers are graduated") for note in found.notes)
    (month,) = found.months
    assert (month.baseline, month.candidate) == ("60.00", "30.00")
    assert (month.candidate_low, month.candidate_high) == ("24.00", "48.00")


def test_a_busy_machine_is_told_beside_its_amounts() -> None:
    assert "no evidence" in rented([1000], replace(MEASURED, quiet=False)).notes[0]


volume = st.integers(0, 10**12)
price = st.decimals("0.0000001", "100", places=7)


reservations = st.builds(
    Reservation, count=st.integers(1, 9), per_hour=price, advance=st.just(Decimal(0)) | price
)


@st.composite
def bills(draw: st.DrawFn) -> Bill:
    terms = {
        "discount": draw(st.decimals("0", "0.99", places=2)),
        "minimum": draw(st.just(Decimal(0)) | st.decimals("0", "1000", places=2)),
    }
    if draw(st.booleans()):
        usage = Rented(
            per_hour=draw(price),
            capacity=monthly_capacity(draw(st.floats(1, 1e6)), draw(st.floats(0.01, 1))),
            minimum=draw(st.integers(0, 3)),
            reservation=draw(st.none() | reservations),
        )
        return Bill(usage=usage, **terms)
    ends = sorted(draw(st.sets(st.integers(1, 10**12), max_size=3)))
    free = draw(st.booleans())
    prices = [Decimal(0) if free and not place else draw(price) for place in range(len(ends) + 1)]
    tiers = Graduated(tiers=tuple(zip([*ends, None], prices, strict=True)))
    return Bill(usage=tiers, **terms, others=draw(st.just(0) | volume))


@given(bill=bills(), one=volume, other=volume)
def test_more_inferences_never_cost_less(bill: Bill, one: int, other: int) -> None:
    assert bill.cost(min(one, other)) <= bill.cost(max(one, other))


@given(bill=bills(), at=volume)
def test_a_bill_is_the_sum_of_its_lines(bill: Bill, at: int) -> None:
    lines = bill.lines(at)
    assert sum(line.amount for line in lines) == bill.cost(at)
    used = [line for line in lines if line.kind == "tier"]
    if isinstance(bill.usage, Graduated):
        assert sum(line.quantity for line in used) == at
    for line in lines:
        if line.kind != "discount":
            assert line.kind == "minimum" or line.amount == line.quantity * line.price


@given(bill=bills(), at=volume, factor=st.decimals("1", "9", places=2))
def test_a_higher_price_never_costs_less(bill: Bill, at: int, factor: Decimal) -> None:
    usage = bill.usage
    if isinstance(usage, Rented):
        dearer: Graduated | Rented = replace(usage, per_hour=usage.per_hour * factor)
    else:
        dearer = Graduated(tiers=tuple((end, price * factor) for end, price in usage.tiers))
    assert replace(bill, others=0).cost(at) <= replace(bill, usage=dearer, others=0).cost(at)


@given(bill=bills())
def test_no_inferences_cost_nothing_or_what_is_paid_anyway(bill: Bill) -> None:
    usage, least = bill.usage, Decimal(0)
    if isinstance(usage, Rented):
        held = usage.reservation
        kept = 0 if held is None else held.count
        least = max(0, usage.minimum - kept) * usage.per_hour * 730
        if held is not None:
            least += held.count * held.per_hour * 730 + held.advance
    least *= 1 - bill.discount
    assert bill.cost(0) == (0 if bill.others else max(bill.minimum, least))


@given(bill=bills(), at=volume)
def test_models_on_one_bill_share_it_out(bill: Bill, at: int) -> None:
    """What the others cost alone and what this model adds are the whole bill."""
    whole = replace(bill, others=0)
    if isinstance(bill.usage, Graduated) and bill.others:
        assert whole.cost(bill.others) + bill.cost(at) == whole.cost(bill.others + at)


@given(throughput=st.floats(0.1, 1e5), faster=st.floats(1, 9), at=volume)
def test_a_faster_model_never_takes_more_instances(
    throughput: float, faster: float, at: int
) -> None:
    slow, fast = (
        Rented(per_hour=Decimal(1), capacity=monthly_capacity(speed, 0.5), minimum=1)
        for speed in (throughput, throughput * faster)
    )
    assert fast.instances(at) <= slow.instances(at)


OPEN = {"per_inference": {"baseline": 1}}
ways = st.sampled_from(
    [
        {"per_inference": {"baseline": 0.25}},
        {"tiers": [{"up_to": 999, "per_inference": {"baseline": 2}}, OPEN]},
        {"instance": INSTANCE},
        {"instance": INSTANCE | {"reserved": {"count": 2, "per_hour": 0.4, "upfront": 100}}},
        {"per_1k_tokens": {"baseline": 0.25}, "tokens_per_inference": 300, "discount": 0.2},
        {"per_second": {"baseline": 0.01, "candidate": 0.01}, "minimum_per_month": 40},
    ]
)


@given(
    way=ways,
    volumes=st.tuples(*[st.integers(1, 10**8)] * 4),
    ratios=st.tuples(*[st.floats(0.2, 3)] * 3),
    growth=st.sampled_from(["linear", "geometric"]),
)
def test_low_is_at_most_expected_is_at_most_high(
    way: dict[str, Any], volumes: tuple[int, ...], ratios: tuple[float, ...], growth: str
) -> None:
    now, low, target, high = sorted(volumes)
    course = {"now": now, "low": low, "target": target, "high": high, "months": 5, "growth": growth}
    interval = Estimate95(**dict(zip(("low", "value", "high"), sorted(ratios), strict=True)))
    found = project(
        Cost.model_validate({"billing": way, "volumes": course, "one_off": 50}),
        replace(MEASURED, cpu_ratio=interval, latency_ratio=interval),
    )
    courses = [found.scenarios[0].months, found.months, found.scenarios[1].months]
    for months in zip(*courses, strict=True):
        for name in ("volume", "baseline", "candidate"):
            values = [Decimal(getattr(month, name)) for month in months]
            assert values == sorted(values)
        for month in months:
            ends = (month.candidate_low, month.candidate, month.candidate_high)
            assert list(map(Decimal, ends)) == sorted(map(Decimal, ends))  # type: ignore[arg-type]  # all are known here
    low_end, high_end = Decimal(found.saving_low or "nan"), Decimal(found.saving_high or "nan")
    assert all(low_end <= Decimal(months[-1].cumulative) <= high_end for months in courses)
    early, late = (month or 99 for month in (found.break_even_early, found.break_even_late))
    assert early <= (found.break_even or 99) <= late


@given(way=ways, volumes=st.lists(volume, min_size=1, max_size=6))
def test_equal_models_save_nothing(way: dict[str, Any], volumes: list[int]) -> None:
    equal = Estimate95(value=1.0, low=1.0, high=1.0)
    same = replace(MEASURED, candidate=MEASURED.baseline, cpu_ratio=equal, latency_ratio=equal)
    document = {"billing": way, "volumes": {"by_month": volumes}}
    found = project(Cost.model_validate(document), same)
    assert {month.saving for month in found.months} == {"0.00"}
    assert found.break_even is None
