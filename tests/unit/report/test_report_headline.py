"""The head of the report: the decision, why, and three numbers."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from prunegate.report.headline import headline, saving, times
from prunegate.report.units import Units
from prunegate.text.numbers import GAP

UNITS = Units(currency="USD")


def test_a_rejection_names_the_slices_that_decided_it(records: ModuleType) -> None:
    head = headline(records.rejected(), UNITS)
    assert head.reason == (
        "It misses its limits: recall on content_type=video, content_type=ugc and overall."
    )
    assert head.reasons[0].startswith("Recall on content_type=video went from 89.1 % to 82.1 %")
    assert head.needs == ()


def test_an_approval_says_whose_word_it_still_takes(records: ModuleType) -> None:
    record = records.approved()
    assert headline(record, UNITS).decision == "The candidate may replace the baseline."
    required = [{"role": "client", "count": 2}, {"role": "<b>legal"}]
    document = {**record.policy.document, "approvals": {"required": required}}
    asking = replace(record, policy=replace(record.policy, document=document))
    assert headline(asking, UNITS).decision.replace(GAP, " ") == (
        "The candidate may replace the baseline once signed by 2 × client and 1 × <b>legal."
    )
    refused = replace(asking, outcome="reject")
    assert headline(refused, UNITS).decision == "The candidate may not replace the baseline."


def test_the_three_numbers_with_models_and_cost(records: ModuleType) -> None:
    shown = [(f.label, f.value.replace(GAP, " "), f.detail.replace(GAP, " ")) for f in
             headline(records.rejected(), UNITS).figures]  # fmt: skip
    assert shown == [
        (
            "Worst change: recall, content_type=video",
            "−7.0 points",
            "allowed: drop of at most 2 points",
        ),
        ("Cost a month at 800,000 inferences", "$3,360 → $2,320", "31.0 % saved"),
        ("Size of the stored weights", "1.88 → 1.54 MB", "1.22 times smaller"),
    ]


def test_the_three_numbers_without_models(records: ModuleType) -> None:
    labels = [f.label for f in headline(records.approved(), UNITS).figures]
    assert labels[1:] == ["Slices where every blocking limit holds", "Labelled rows judged"]


def test_an_approval_owns_up_to_real_losses(records: ModuleType) -> None:
    caveats = headline(records.approved(), UNITS).caveats
    assert [c.replace(GAP, " ") for c in caveats] == [
        (
            "Recall on content_type=ugc did get worse (−1.0 points), "
            "though by less than the policy allows."
        )
    ]


def test_an_open_decision_says_what_would_settle_it(records: ModuleType) -> None:
    head = headline(records.hostile(), UNITS)
    assert len(head.needs) == 30
    assert head.reason.endswith("and 27 more.")
    assert len(head.reasons) + len(head.more) == 30


def test_a_record_without_reasons_says_so(records: ModuleType) -> None:
    empty = replace(records.approved(), reasons=(), findings=())
    assert headline(empty, UNITS).reason == "No reason was recorded."


def test_figures_are_not_made_up(records: ModuleType) -> None:
    empty = replace(records.approved(), findings=(), slices=())
    assert headline(empty, UNITS).figures == ()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("3360.00", "2320.00", "31.0 % saved"),
        ("100.00", "0.01", "> 99.9 % saved"),
        ("10.00", "12.00", "20.0 % more expensive"),
        ("10.00", "10.00", "no saving"),
        ("0.00", "0.00", "saving not defined"),
    ],
)
def test_savings(before: str, after: str, said: str) -> None:
    assert saving(before, after).replace(GAP, " ") == said


def test_ratios_of_sizes() -> None:
    assert times(346.0, 244.0, "smaller", "larger") == "1.42 times smaller"
    assert times(1.0, 2.0, "smaller", "larger") == "2.00 times larger"
    assert times(5.0, 5.0, "smaller", "larger") == "unchanged"
    assert times(1.001, 1.0, "smaller", "larger") == "less than 1 % smaller"
