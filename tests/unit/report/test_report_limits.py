"""Limits on the axis of differences agree with the definition of each check."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.report.slack import crosses, line, lost_for_certain, slack
from prunegate.verdict.finding import Finding


def finding(**given: object) -> Finding:
    values: dict[str, object] = {
        "rule": 0, "metric": "recall", "slice": "overall", "check": "max_drop", "status": "pass",
        "severity": "block", "evidence": "proven", "baseline": 0.9, "candidate": 0.89,
        "difference": -0.01, "ci_low": -0.015, "ci_high": -0.005, "limit": 0.02, "p_value": 0.01,
        "p_harm": 0.99, "n": 1000, "method": "exact",
    }  # fmt: skip
    return Finding(**{**values, **given})  # type: ignore[arg-type]  # values by field name


@pytest.mark.parametrize(
    ("given_", "at", "above"),
    [
        ({"check": "max_drop"}, -0.02, True),
        ({"check": "max_rise", "metric": "false_positive_rate"}, 0.02, False),
        ({"check": "min_gain"}, 0.02, True),
        ({"check": "min_gain", "metric": "false_positive_rate"}, -0.02, False),
        ({"check": "max_gain"}, 0.02, False),
        ({"check": "max_gain", "metric": "false_positive_rate"}, -0.02, True),
        ({"limit": 0.1, "limit_kind": "relative"}, -0.09, True),
        ({"limit": 0.5, "limit_kind": "error_ratio"}, -0.05, True),
        (
            {
                "check": "max_rise", "metric": "false_positive_rate", "limit": 0.5,
                "limit_kind": "error_ratio", "baseline": 0.08,
            },
            0.04,
            False,
        ),
    ],
)  # fmt: skip
def test_where_the_margin_lies(given_: dict[str, object], at: float, above: bool) -> None:
    found = line(finding(**given_))
    assert found is not None
    assert found.at == pytest.approx(at)
    assert found.allowed_above is above


@pytest.mark.parametrize("check", ["at_least", "at_most", "max_ratio"])
def test_levels_and_ratios_have_no_margin_on_differences(check: str) -> None:
    assert line(finding(check=check)) is None
    assert not lost_for_certain(finding(check=check))


def test_a_relative_margin_needs_a_baseline() -> None:
    assert line(finding(limit_kind="relative", baseline=None)) is None


@given(st.floats(-0.2, 0.2), st.floats(0, 0.2))
def test_slack_is_negative_exactly_outside(difference: float, limit: float) -> None:
    found = slack(finding(difference=difference, limit=limit))
    assert found is not None
    assert (found < 0) == (difference < -limit)


def test_an_interval_over_the_margin_is_noticed() -> None:
    assert crosses(finding(ci_low=-0.0201))
    assert not crosses(finding(ci_low=-0.0199))
    assert not crosses(finding(ci_low=None))


def test_a_loss_is_certain_only_if_it_stands_up_to_all_that_was_looked_at() -> None:
    assert not lost_for_certain(finding())  # its interval alone says nothing of the others
    assert not lost_for_certain(finding(p_loss=0.01, p_loss_adjusted=0.06))
    assert lost_for_certain(finding(p_loss=0.01, p_loss_adjusted=0.05))
    assert not lost_for_certain(finding(check="at_least", p_loss_adjusted=0.01))


def test_the_rejected_record_has_its_worst_slack_on_video(records: ModuleType) -> None:
    changes = [f for f in records.rejected().findings if slack(f) is not None]
    assert min(changes, key=lambda f: slack(f) or 0.0).slice == "content_type=video"
