"""The published account of the worked case contradicts itself in three places, and in no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunegate.claims import Claims, check_claims
from prunegate.policy.load_claims import parse_claims, read_claims

FILE = Path(__file__).parents[3] / "policies" / "brand-safety-vit.claims.yaml"

PARAMETERS = (
    "64 of 144 heads: 86,567,656 − 80 × 196,800 = 70,823,656 parameters (70.8 M); 61 M is stated, "
    "which needs 6,392 MLP neurons of 1,537 parameters to go as well"
)


@pytest.fixture(scope="module")
def claims() -> Claims:
    return check_claims(read_claims(FILE).stated)


def test_exactly_the_three_known_contradictions_are_found(claims: Claims) -> None:
    assert {(found.figure, found.sum) for found in claims.contradictions} == {
        ("recall: change", "91 % to 89 % is a drop of 2 points; 1 point is stated"),
        ("heads: after", "144 heads − 12 layers × 3 = 108 heads; 64 is stated"),
        ("parameters: after", PARAMETERS),
    }
    assert claims.exit_code == 3


def test_the_figures_that_are_right_pass(claims: Claims) -> None:
    right = {found.figure: found.sum for found in claims.checks if found.status == "right"}
    assert {"precision: change", "parameters: change", "price: change"} <= right.keys()
    assert right["monthly at 180,000: before"] == "180,000 × $0.0042 = $756.00"
    assert right["monthly at 800,000: before"] == "800,000 × $0.0042 = $3,360.00"
    assert right["monthly at 800,000: after"] == "800,000 × $0.0029 = $2,320.00"
    assert all(found.status != "not checked" for found in claims.checks)


def test_with_the_figures_put_right_nothing_is_contradicted() -> None:
    text = FILE.read_text(encoding="utf-8")
    for wrong, right in (
        ("after: 89 %, change: 1 point", "after: 89 %, change: 2 points"),
        ("removed_per_layer: 3}", "removed: 80}\nneurons: {before: 36864, after: 30472}"),
    ):
        assert wrong in text
        text = text.replace(wrong, right)
    claims = check_claims(parse_claims(text))
    assert claims.contradictions == ()
    assert claims.exit_code == 0


def test_which_head_the_model_has_is_said_by_its_labels() -> None:
    text = FILE.read_text(encoding="utf-8").replace("labels: 1000", "labels: 2")
    found = {c.figure: c.sum for c in check_claims(parse_claims(text)).contradictions}
    assert (
        "85,800,194 − 80 × 196,800 = 70,056,194 parameters (70.1 M)" in found["parameters: after"]
    )
    assert "needs 5,893 MLP neurons" in found["parameters: after"]


def test_where_nothing_goes_the_model_is_whole() -> None:
    text = FILE.read_text(encoding="utf-8")
    text = text.replace("after: 64, layers: 12, per_layer: 12, removed_per_layer: 3", "after: 144")
    text = text.replace("after: 61 M, change: -29 %", "after: 86.6 M")
    found = {one.figure: one for one in check_claims(parse_claims(text)).checks}
    assert found["parameters: after"].status == "right"
    assert "nothing removed: 86,567,656 = 86,567,656" in found["parameters: after"].sum
