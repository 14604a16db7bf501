"""Bills as people get them, worked by hand: free tiers, reservations, discounts, tokens, yen."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from prunegate.cli.cost_explain import bill_lines, month_bill, month_number
from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures
from prunegate.cost.projection import Projection, project
from prunegate.errors import InputError, MeasurementError
from prunegate.policy.cost import Cost
from prunegate.report.cost import CostWords
from prunegate.text.numbers import plain

MEASURED = Measurements(
    created="2026-01-01T00:00:00+00:00",
    engine="torch",
    batch=1,
    threads=1,
    rounds=6,
    baseline=ModelFigures(throughput_per_s=1.0),
    candidate=ModelFigures(throughput_per_s=2.0),
    cpu_ratio=Estimate95(value=0.5, low=0.4, high=0.8),
    latency_ratio=Estimate95(value=0.5, low=0.4, high=0.8),
)
FREE = {"up_to": 100, "per_inference": {"baseline": 0, "candidate": 0}}
PAID = {"per_inference": {"baseline": 0.5, "candidate": 0.25}}


def section(billing: dict[str, Any], volumes: list[int], **rest: Any) -> Cost:
    return Cost.model_validate({"billing": billing, "volumes": {"by_month": volumes}, **rest})


def projected(billing: dict[str, Any], volumes: list[int], **rest: Any) -> Projection:
    return project(section(billing, volumes, **rest), MEASURED)


def costs(found: Projection) -> list[tuple[str, str]]:
    return [(month.baseline, month.candidate) for month in found.months]


def test_within_a_free_tier_nothing_is_saved_and_no_share_is_told() -> None:
    found = projected({"tiers": [FREE, PAID]}, [100, 300])
    assert costs(found) == [("0.00", "0.00"), ("100.00", "50.00")]
    assert [month.saving_percent for month in found.months] == [None, "50.00"]


def test_other_models_use_the_free_tier_up() -> None:
    found = projected({"tiers": [FREE, PAID], "other_inferences": 60}, [100])
    assert costs(found) == [("30.00", "15.00")]
    assert "on top of 60 of other models" in plain(CostWords.of(found).prices)


def test_a_price_by_the_hour_for_each_model() -> None:
    hourly = {"per_hour": {"baseline": 3.06, "candidate": 0.19}, "utilisation": 0.6}
    found = projected({"instance": hourly}, [180_000])
    assert costs(found) == [("2233.80", "138.70")]  # 730 hours
    assert found.notes[-1].endswith("because an instance of each has its own price.")


def test_reserved_instances_are_paid_for_and_the_rest_is_on_demand() -> None:
    held = {"count": 2, "per_hour": 0.4, "upfront": 1200, "term_months": 12}
    rented = {"per_hour": 1.2, "utilisation": 0.6, "reserved": held}
    found = projected({"instance": rented}, [1_000, 5_000_000])
    # 2 x 730 x 0.4 + 100 = 684; 5 million take the baseline 4 instances, the candidate 2.
    assert costs(found) == [("684.00", "684.00"), ("2436.00", "684.00")]
    assert "Reserved instances are paid for whether they work or not." in found.notes
    own = projected({"instance": rented | {"reserved": {"candidate": held}}}, [1_000])
    assert costs(own) == [("876.00", "684.00")]
    assert "Reserved instances are paid for whether they work or not." in own.notes


@pytest.mark.parametrize("term", [3, 7, 12, 36])
def test_what_is_paid_in_advance_comes_back_in_the_last_month_of_its_term(term: int) -> None:
    held = {"count": 1, "per_hour": 0, "upfront": 100, "term_months": term}
    free = held | {"upfront": 0}
    rented = {"per_hour": 1, "utilisation": 1, "reserved": {"baseline": held, "candidate": free}}
    found = projected({"instance": rented}, [1] * 36, one_off=100)
    assert (found.break_even, found.months[term - 1].cumulative) == (term, "0.00")


def test_a_thousand_are_told_to_the_cent() -> None:
    found = projected({"tiers": [FREE, PAID], "minimum_per_month": 12345.67}, [999])
    assert found.cost_per_1k_baseline == "12358.03"  # 12,345.67 / 0.999


def test_a_discount_and_a_least_amount_hold_for_the_whole_bill() -> None:
    found = projected(
        {"per_inference": {"baseline": 2, "candidate": 1}, "discount": 0.18,
         "minimum_per_month": 100}, [10, 100, 1_000],
    )  # fmt: skip
    assert costs(found) == [("100.00", "100.00"), ("164.00", "100.00"), ("1640.00", "820.00")]
    assert "after a discount of 18.0 %, at least $100 a month" in plain(CostWords.of(found).prices)
    only = projected({"per_inference": {"baseline": 2, "candidate": 1}, "discount": 0.25}, [1])
    assert (only.price_baseline, only.cost_per_1k_candidate) == ("1.5", "750.00")


def test_a_price_per_token() -> None:
    price = {"per_1k_tokens": {"baseline": 0.002, "candidate": 0.001}}
    found = projected(price | {"tokens_per_inference": 350}, [1_000])
    assert (found.price_baseline, costs(found)) == ("0.0007", [("0.70", "0.35")])
    tokens = projected(price, [1_000_000])
    assert (tokens.unit, costs(tokens)) == ("tokens", [("2.00", "1.00")])
    assert (
        plain(CostWords.of(tokens).per_thousand) == "1,000 tokens: $0.002 → $0.001, 50.0 % saved."
    )
    scaled = projected({"per_1k_tokens": {"baseline": 0.002}}, [1_000_000])
    assert costs(scaled) == [("2.00", "1.00")]


def test_a_price_per_second_of_computing() -> None:
    price = {"per_second": {"baseline": 0.1, "candidate": 0.1}}
    stated = projected(price | {"seconds_per_inference": {"baseline": 3, "candidate": 2}}, [10])
    assert (stated.basis, costs(stated)) == ("quoted", [("3.00", "2.00")])
    (month,) = projected(price, [10]).months  # one second and half a second, at 0.4 to 0.8
    assert (month.baseline, month.candidate) == ("1.00", "0.50")
    assert (month.candidate_low, month.candidate_high) == ("0.40", "0.80")
    with pytest.raises(MeasurementError, match="the seconds of an inference are taken from"):
        project(section(price, [10]), None)


@pytest.mark.parametrize(
    ("currency", "amounts", "per_1k"),
    [("JPY", ("621", "430"), "620"), ("KWD", ("620.620", "430.430"), "620.000"),
     ("USD", ("620.62", "430.43"), "620.00")],
)  # fmt: skip
def test_amounts_have_the_decimals_of_their_currency(
    currency: str, amounts: tuple[str, str], per_1k: str
) -> None:
    price = {"per_inference": {"baseline": 0.62, "candidate": 0.43}}
    found = projected(price, [1001], currency=currency)
    assert costs(found) == [amounts]
    assert found.cost_per_1k_baseline == per_1k


@pytest.mark.parametrize(
    ("billing", "message"),
    [
        ({"tiers": [FREE, {"per_inference": {"baseline": 0}}]}, "every tier of the baseline|quote"),
        ({"per_inference": {"baseline": 1}, "tokens_per_inference": 9}, "goes with per_1k_tokens"),
        ({"per_inference": {"baseline": 1}, "other_inferences": 9}, "goes with tiers"),
        ({"instance": {"per_hour": 1, "utilisation": 0.5, "reserved": {}}}, "count"),
        ({"per_inference": {"baseline": 1}, "discount": 1}, "less than 1"),
        ({"per_inference": {"baseline": 1e-320}}, "a price below 1e-15 is no price"),
    ],
)
def test_what_is_no_bill_is_refused(billing: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        section(billing, [1])


def test_a_month_is_explained_line_by_line() -> None:
    cost = section({"tiers": [FREE, PAID], "discount": 0.1}, [50, 300])
    found = month_bill(cost, None, 2)
    assert [(line["kind"], line["quantity"]) for line in found["baseline"]["lines"]] == [
        *(("tier", 100), ("tier", 200), ("discount", 1))
    ]
    for role in ("baseline", "candidate"):
        amounts = [Decimal(line["amount"]) for line in found[role]["lines"]]
        assert sum(amounts) == Decimal(found[role]["total"])
    text = "\n".join(bill_lines(found))
    assert "200 x 0.5 " in text
    assert "saving  $45.00" in text


def test_seconds_and_what_rounding_hides_are_shown() -> None:
    billing = {
        "per_second": {"baseline": 0.5, "candidate": 0.25},
        "seconds_per_inference": {"baseline": 0.5, "candidate": 0.5},
    }
    text = "\n".join(bill_lines(month_bill(section(billing, [1, 10], currency="JPY"), None, 2)))
    assert "5 seconds x 0.5 " in text
    assert "saving  \N{YEN SIGN}1 (before rounding: 2.5 - 1.25)" in text


def test_a_month_is_named_by_number_or_by_calendar() -> None:
    today = date(2026, 11, 28)
    assert [month_number(one, today) for one in ("4", "2027-03", "2026-11")] == [4, 4, 0]
    for wrong in ("2027-13", "march", "-1", "4.5", ""):
        with pytest.raises(InputError, match="--explain takes a month such as 2027-03"):
            month_number(wrong, today)
    cost = section({"tiers": [FREE, PAID]}, [1, 2])
    with pytest.raises(InputError, match="has months 1 to 2, and no month 3"):
        month_bill(cost, None, 3)
    with pytest.raises(
        InputError, match=r"1 \(2026-12\) to 2 \(2027-01\), and no month -11 \(2025"
    ):
        month_bill(cost, None, -11, today)
