"""What was measured: counts and prices are exact, samples and timings have their interval."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.claims import Measured, check_claims
from prunegate.claims.measured import Estimate, MeasuredMetric
from prunegate.claims.ranges import Range
from prunegate.policy.load_claims import parse_claims


def statuses(text: str, measured: Measured) -> dict[str, str]:
    checks = check_claims(parse_claims("claims: 1\n" + text), measured).checks
    return {found.figure: found.status for found in checks if found.basis == "measurement"}


COUNTED = Measured(
    pairs={
        "parameters": (Range.exactly(85_800_194), Range.exactly(60_993_004)),
        "heads": (Range.exactly(144), Range.exactly(64)),
        "size": (Range.exactly(343_200_776), Range.exactly(243_972_016)),
    }
)


def test_what_is_counted_is_exact() -> None:
    stated = """parameters: {before: 86 M, after: 61 M, change: -29 %, times: 1.41x}
heads: {before: 144, after: 108}
size: {before: 343 MB, after: 242 MB, change: -99 MB}
"""
    assert statuses(stated, COUNTED) == {
        "parameters: before": "right",
        "parameters: after": "right",
        "parameters: change": "right",
        "parameters: times": "right",
        "heads: before": "right",
        "heads: after": "contradicted",
        "size: before": "right",
        "size: after": "contradicted",
        "size: change": "right",
    }


@pytest.mark.parametrize(
    ("stated", "status"), [("1.4x", "right"), ("1.44x", "right"), ("2x", "contradicted")]
)
def test_a_speed_up_is_held_against_the_interval_of_the_ratio(stated: str, status: str) -> None:
    ratio = Range(Fraction("0.69"), Fraction("0.72"))  # 1.39 to 1.45 times
    text = f"latency: {{before: 40 ms, times: {stated}}}"
    assert statuses(text, Measured(latency_ratio=ratio)) == {"latency: times": status}
    busy = Measured(latency_ratio=ratio, quiet=False)
    assert statuses(text, busy) == {"latency: times": "not checked"}


@pytest.mark.parametrize("part", ["time_to_first_token", "time_per_token"])
def test_so_is_a_speed_up_of_writing(part: str) -> None:
    ratios = {part: Range(Fraction("0.69"), Fraction("0.72"))}
    stated = f"{part}: {{before: 40 ms, after: 28 ms, change: -30 %, times: 2x}}"
    told = statuses(stated, Measured(generation_ratios=ratios))
    name = part.replace("_", " ")
    assert told == {f"{name}: change": "right", f"{name}: times": "contradicted"}
    assert statuses(stated, Measured()) == {}


@pytest.mark.parametrize(
    ("stated", "status"),
    [
        ("-20 to -40 %", "right"),
        ("20 to 40 %", "right"),
        ("-32 to -50 %", "contradicted"),
        ("10-27 %", "contradicted"),
    ],
)
def test_a_range_holds_where_it_meets_the_interval(stated: str, status: str) -> None:
    ratios = {"time_per_token": Range(Fraction("0.69"), Fraction("0.72"))}
    found = statuses(f"time_per_token: {{change: {stated}}}", Measured(generation_ratios=ratios))
    assert found == {"time per token: change": status}


@given(
    low=st.integers(-300, 300),
    width=st.integers(0, 100),
    stated=st.integers(-5, 5),
    signed=st.booleans(),
)
def test_a_change_agrees_exactly_where_its_digits_meet_the_interval(
    low: int, width: int, stated: int, signed: bool
) -> None:
    """In hundredths of a point; without a sign a change may go either way."""
    high = low + width
    interval = Range(Fraction(low, 10**4), Fraction(high, 10**4))
    change = Estimate(value=interval.low, interval=interval)
    measured = Measured(metrics={("recall", "overall"): MeasuredMetric(change=change)})
    text = f"{stated:+d} points" if signed else f"{abs(stated)} points"
    found = statuses(f"metrics: [{{name: recall, change: {text}}}]", measured)
    ways = [stated] if signed else [stated, -stated]
    fits = any(100 * way - 50 <= high and low <= 100 * way + 50 for way in ways)
    assert found == {"recall: change": "right" if fits else "contradicted"}


def test_a_slice_is_held_against_its_own_figures() -> None:
    value = Estimate(value=Fraction("0.8"), interval=Range(Fraction("0.78"), Fraction("0.82")))
    measured = Measured(metrics={("recall", "type=video"): MeasuredMetric(after=value)})
    text = "metrics: [{name: recall, after: 90 %}, {name: recall, slice: type=video, after: 90 %}]"
    assert statuses(text, measured) == {"recall on type=video: after": "contradicted"}


def test_a_value_without_an_interval_can_agree_but_not_contradict() -> None:
    known = MeasuredMetric(before=Estimate(value=Fraction("0.912")))
    measured = Measured(metrics={("recall", "overall"): known})
    for stated, status in (("91 %", "right"), ("95 %", "not checked")):
        text = f"metrics: [{{name: recall, before: {stated}}}]"
        assert statuses(text, measured) == {"recall: before": status}


def test_what_was_not_measured_is_not_held_against_anything() -> None:
    known = MeasuredMetric(before=Estimate(value=Fraction("0.912")))
    measured = Measured(
        metrics={("recall", "overall"): known},
        months={180_000: (Range.exactly(756), Range.exactly(522))},
    )
    text = """metrics: [{name: recall, before: 91.2 %, after: 89 %}]
monthly: [{volume: 180000, before: $756}, {volume: 200000, before: $1}]
"""
    found = statuses(text, measured)
    assert set(found.values()) == {"right"}
    assert sorted(found) == ["monthly at 180,000: before", "recall: before"]
