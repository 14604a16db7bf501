"""Bills of tokens and seconds: two prices of tokens, tiers of tokens and of seconds, by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prunegate.cli.cost_explain import month_bill
from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures
from prunegate.cost.projection import Projection, project
from prunegate.policy.cost import Cost

MEASURED = Measurements(
    created="2026-01-01T00:00:00+00:00",
    engine="torch",
    batch=1,
    threads=1,
    rounds=6,
    baseline=ModelFigures(throughput_per_s=2.0),
    candidate=ModelFigures(throughput_per_s=4.0),
    cpu_ratio=Estimate95(value=0.5, low=0.4, high=0.8),
    latency_ratio=Estimate95(value=0.5, low=0.4, high=0.8),
)
BOTH = {"input": 0.003, "output": 0.015}
TOKENS = {"input": 900, "output": 150}
SECONDS = {"baseline": 0.2, "candidate": 0.1}


def section(billing: dict[str, Any], volumes: list[int]) -> Cost:
    return Cost.model_validate({"billing": billing, "volumes": {"by_month": volumes}})


def projected(billing: dict[str, Any], volumes: list[int]) -> Projection:
    return project(section(billing, volumes), MEASURED)


def costs(found: Projection) -> list[tuple[str, str]]:
    return [(month.baseline, month.candidate) for month in found.months]


def _tier(unit: str, baseline: float, candidate: float | None, end: int | None = None) -> Any:
    price = {"baseline": baseline} | ({} if candidate is None else {"candidate": candidate})
    return {unit: price} | ({} if end is None else {"up_to": end})


def test_input_and_output_tokens_have_prices_of_their_own() -> None:
    prices = {"baseline": BOTH, "candidate": {"input": 0.001, "output": 0.005}}
    found = projected({"per_1k_tokens": prices, "tokens_per_inference": TOKENS}, [100_000])
    # 100,000 x (0.9 x 0.003 + 0.15 x 0.015) = 100,000 x 0.00495
    assert costs(found) == [("495.00", "165.00")]
    assert (found.unit, found.price_baseline) == ("inferences", "0.00495")
    cost = section({"per_1k_tokens": prices, "tokens_per_inference": TOKENS}, [100_000])
    lines = month_bill(cost, None, 1)["candidate"]["lines"]
    assert [(line["kind"], line["quantity"], line["amount"]) for line in lines] == [
        ("input", 90_000_000, "90"),
        ("output", 15_000_000, "75"),
    ]
    scaled = projected(
        {"per_1k_tokens": {"baseline": BOTH}, "tokens_per_inference": TOKENS}, [100_000]
    )
    (month,) = scaled.months
    assert (month.candidate, month.candidate_low, month.candidate_high) == (
        *("247.50", "198.00", "396.00"),
    )


def test_tokens_and_seconds_may_be_free_at_first() -> None:
    tokens = [_tier("per_1k_tokens", 0, 0, 1_000_000), _tier("per_1k_tokens", 0.002, 0.001)]
    found = projected({"tiers": tokens, "tokens_per_inference": 350.5}, [2_000, 10_000])
    assert costs(found) == [("0.00", "0.00"), ("5.01", "2.51")]  # 2,505,000 tokens beyond
    seconds = [_tier("per_second", 0, 0, 1_000), _tier("per_second", 0.5, 0.25)]
    stated = {"tiers": seconds, "seconds_per_inference": SECONDS}
    assert costs(projected(stated, [5_000, 20_000])) == [("0.00", "0.00"), ("1500.00", "250.00")]
    measured = projected({"tiers": seconds}, [20_000])  # 0.5 s and 0.25 s
    assert costs(measured) == [("4500.00", "1000.00")]
    assert measured.basis == "measured throughput"


def test_the_lines_of_such_a_month_add_up() -> None:
    tokens = [_tier("per_1k_tokens", 0, 0, 1_000_000), _tier("per_1k_tokens", 0.002, 0.001)]
    cost = section({"tiers": tokens, "tokens_per_inference": 350.25}, [9_999])
    bill = month_bill(cost, None, 1)["baseline"]
    assert [line["quantity"] for line in bill["lines"]] == [1_000_000, 2_502_149.75]
    assert sum(Decimal(line["amount"]) for line in bill["lines"]) == Decimal(bill["total"])
    assert "2502149.75 tokens x 0.000002" in bill["lines"][1]["words"]


@given(
    ends=st.lists(st.integers(1, 10**6), min_size=1, max_size=3, unique=True).map(sorted),
    price=st.integers(1, 10**6),
    volume=st.integers(0, 10**7),
    factor=st.integers(1, 1000),
)
def test_tiers_of_tokens_are_those_of_inferences_in_another_unit(
    ends: list[int], price: int, volume: int, factor: int
) -> None:
    """An inference of n tokens at a price of p / n per token, in tiers n times as long."""
    prices = [price / 10**6, *(price / 10**6 / (n + 2) for n in range(len(ends)))]
    by_count = [
        _tier("per_inference", p, p, end) for p, end in zip(prices, [*ends, None], strict=True)
    ]
    by_token = [
        _tier("per_1k_tokens", 1000 * p, 1000 * p, end and factor * end)
        for p, end in zip(prices, [*ends, None], strict=True)
    ]
    one = projected({"tiers": by_count}, [volume])
    other = projected({"tiers": by_token, "tokens_per_inference": float(factor)}, [volume])
    before, after = (Decimal(found.months[0].baseline) for found in (one, other))
    assert abs(after - factor * before) <= Decimal("0.01") * (factor + 1)


@pytest.mark.parametrize(
    ("billing", "said"),
    [
        ({"per_1k_tokens": {"baseline": BOTH}}, "go with tokens_per_inference: {input"),
        ({"per_1k_tokens": {"baseline": BOTH}, "tokens_per_inference": 3.0}, "{input: .., output"),
        ({"per_1k_tokens": {"baseline": 1.0}, "tokens_per_inference": TOKENS}, "one number of"),
        ({"tiers": [{"up_to": 3}]}, "give exactly one of per_inference, per_1k_tokens, per_second"),
        (
            {"tiers": [_tier("per_second", 1, 1, 5), _tier("per_inference", 1, 1)]},
            "prices of one unit",
        ),
        ({"tiers": [_tier("per_second", 1, None)]}, "its seconds are what is measured"),
        (
            {"tiers": [_tier("per_second", 1, 1)], "tokens_per_inference": 3.0},
            "'tokens_per_inference' goes with per_1k_tokens",
        ),
        (
            {"tiers": [_tier("per_1k_tokens", 1, 1)], "other_inferences": 3},
            "goes with tiers of inferences",
        ),
    ],
)
def test_prices_that_do_not_fit_each_other_are_refused(billing: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        section(billing, [10])
    assert said in str(error.value)
