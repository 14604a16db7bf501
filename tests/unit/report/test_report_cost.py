"""The cost section with everything that a projection may have beside its months."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures
from prunegate.cost.projection import Projection, project
from prunegate.policy.cost import Cost
from prunegate.report.cost import cost
from prunegate.report.render import render
from prunegate.text.numbers import GAP

pytestmark = pytest.mark.slow

MEASURED = Measurements(
    created="2026-01-01T00:00:00+00:00",
    engine="torch",
    batch=1,
    threads=1,
    rounds=6,
    baseline=ModelFigures(throughput_per_s=1.0),
    candidate=ModelFigures(throughput_per_s=1.5),
    cpu_ratio=Estimate95(value=0.7, low=0.6, high=0.8),
)
INSTANCE = {"instance": {"per_hour": 1.2, "utilisation": 0.6}}
COURSE = {"now": 180_000, "target": 3_000_000, "months": 12, "low": 200_000, "high": 4_000_000}


def projected(billing: dict[str, object], one_off: float = 1200.0) -> Projection:
    section = {"billing": billing, "volumes": COURSE, "one_off": one_off}
    return project(Cost.model_validate(section), MEASURED)


def page(records: ModuleType, projection: Projection) -> str:
    record = replace(records.rejected(), cost=projection)
    return render(record, digest=records.DIGEST, pictures={}).replace(GAP, " ")


def test_instances_steps_and_scenarios_are_on_the_page(records: ModuleType) -> None:
    shown = page(records, projected(INSTANCE))
    assert "Inference is billed by whole instances. Basis: measured throughput." in shown
    assert "At 180,000 inferences a month one instance carries both models" in shown
    assert "The compression work costs $1,200 once; the saving has paid for it in month" in shown
    assert "with the low and high volumes" not in shown  # nothing here has an interval
    assert ": the low and high volumes." in shown
    assert ">2 → 1<" in shown
    assert "not within 12 months" in shown
    assert "paid back: month" in shown


def test_an_interval_is_told_with_the_break_even(records: ModuleType) -> None:
    shown = page(records, projected({"per_inference": {"baseline": 0.0042}}))
    assert "(95 % interval of the measurement: in month " in shown
    assert "the 95 % interval of what was measured with the low and high volumes" in shown


def test_tiers_have_no_single_price(records: ModuleType) -> None:
    tiers = [
        {"up_to": 1000, "per_inference": {"baseline": 0.5}},
        {"per_inference": {"baseline": 0.25}},
    ]
    shown = page(records, projected({"tiers": tiers}, one_off=0))
    assert "Inference is billed in volume tiers" in shown
    assert "1,000 inferences in the last month: " in shown
    assert "Tiers are graduated" in shown
    assert "compression work costs" not in shown


@pytest.mark.parametrize("one_off", [0.0, 1e9])
def test_nothing_is_said_of_a_break_even_that_is_not_there(
    records: ModuleType, one_off: float
) -> None:
    projection = projected({"per_inference": {"baseline": 1, "candidate": 1}}, one_off)
    section = cost(replace(records.rejected(), cost=projection))
    assert section is not None
    assert "paid back" not in str(section.chart)
    said = [line for line in section.payback if "does not pay for it within 12 months" in line]
    assert len(said) == bool(one_off)
