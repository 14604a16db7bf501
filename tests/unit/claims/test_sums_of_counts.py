"""Counts, months and architectures are held against each other, and what cannot be is said."""

from __future__ import annotations

import pytest

from prunegate.claims import Measured, check_claims
from prunegate.claims.measured import Estimate, MeasuredMetric
from prunegate.claims.ranges import Range
from prunegate.policy.load_claims import parse_claims

B16 = "model: {architecture: ViT-B/16, labels: 2}\n"


def statuses(text: str, measured: Measured | None = None) -> dict[str, str]:
    checks = check_claims(parse_claims("claims: 1\n" + text), measured).checks
    return {found.figure: found.status for found in checks}


def test_heads_per_layer_add_up() -> None:
    right = statuses(
        "heads: {before: 144, after: 96, per_layer: 12, layers: 12, removed_per_layer: 4, "
        "kept_per_layer: 8}\nlayers: {before: 12, after: 12}\n"
    )
    assert right["heads: before"] == right["heads: after"] == right["heads: layers"] == "right"
    wrong = statuses(
        "heads: {after: 97, per_layer: 12, layers: 12, removed_per_layer: 4, kept_per_layer: 8}\n"
        "layers: {before: 11}\n"
    )
    assert wrong["heads: after"] == wrong["heads: layers"] == "contradicted"


def test_a_bill_is_a_volume_times_a_price() -> None:
    stated = "price: {before: 0.002 EUR}\nmonthly: [{volume: 1000000, before: %s EUR}]\n"
    assert statuses(stated % "2000")["monthly at 1,000,000: before"] == "right"
    assert statuses(stated % "3000")["monthly at 1,000,000: before"] == "contradicted"


@pytest.mark.parametrize(
    ("stated", "status"),
    [
        ("layers: {before: 12, after: 6}\nparameters: {before: 86 M, after: 43 M}", "right"),
        ("heads: {removed: 72}\nparameters: {before: 86 M, after: 72 M}", "right"),
        ("heads: {removed: 72}\nparameters: {before: 86 M, after: 60 M}", "contradicted"),
        ("heads: {after: 145}\nparameters: {before: 86 M, after: 72 M}", "not checked"),
    ],
)
def test_what_is_left_of_an_architecture_has_so_many_parameters(stated: str, status: str) -> None:
    assert statuses(f"{B16}{stated}\n")["parameters: after"] == status


@pytest.mark.parametrize(
    ("change", "status"), [("-50 %", "right"), ("-40 %", "contradicted"), ("-43 M", "not checked")]
)
def test_so_has_a_change_per_cent(change: str, status: str) -> None:
    found = statuses(f"{B16}layers: {{before: 12, after: 6}}\nparameters: {{change: {change}}}\n")
    assert found["parameters: change"] == status


def test_without_parameters_or_anything_left_the_units_alone_are_checked() -> None:
    assert statuses(f"{B16}heads: {{per_layer: 12}}\n") == {"heads: per_layer": "right"}
    assert statuses(f"{B16}parameters: {{before: 86 M, after: 43 M}}\n") == {
        "parameters: before": "right",
        "parameters: after": "not checked",
    }


def test_a_size_of_nothing_is_no_divisor() -> None:
    nothing = Measured(pairs={"size": (Range.exactly(0), Range.exactly(5))})
    found = statuses("size: {before: 0 MB, change: -29 %}\n", nothing)
    assert found["size: change"] == "not checked"


def test_a_metric_that_was_not_measured_of_a_model_is_not_checked() -> None:
    known = MeasuredMetric(before=Estimate(value="0.9"), after=None, change=None)
    measured = Measured(metrics={("recall", None): known})
    found = statuses("metrics: [{name: recall, before: 90 %, after: 80 %}]\n", measured)
    assert found["recall: after"] == "not checked"


def test_a_change_of_time_in_seconds_is_no_ratio() -> None:
    quick = Measured(latency_ratio=Range.exactly(1))
    found = statuses("latency: {before: 40 ms, change: -10 ms}\n", quick)
    assert found["latency: change"] == "not checked"


def test_a_saving_is_the_difference_of_two_bills() -> None:
    stated = "monthly: [{volume: 1000, before: 200 EUR, after: 50 EUR, saving: %s EUR}]\n"
    assert statuses(stated % "150")["monthly at 1,000: saving"] == "right"
    assert statuses(stated % "160")["monthly at 1,000: saving"] == "contradicted"
