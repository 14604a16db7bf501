"""Findings in words: what a client reads."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from types import ModuleType

import pytest

from prunegate.metrics.catalogue import METRICS
from prunegate.report import sentences
from prunegate.report.speech import speech
from prunegate.report.units import Units
from prunegate.report.unpruned_control import control
from prunegate.text.languages import ENGLISH
from prunegate.text.numbers import GAP
from prunegate.verdict.finding import Finding

UNITS = Units(currency="USD")
HAIR, LOSING = (speech(ENGLISH).say(f"evidence.{key}") for key in ("hair", "losing"))


def plain(text: str) -> str:
    return text.replace(GAP, " ")


@pytest.fixture
def drop(records: ModuleType) -> Finding:
    """A drop that is proven to be within its margin."""
    found: Finding = records.change(
        rule=0, slice="overall", n=1900, right=1700, lost=14, gained=9, margin=0.01
    )
    return replace(found, ci_low=-0.008, ci_high=0.0027, status="pass", p_value=0.011)


def test_a_pass_in_words(drop: Finding) -> None:
    assert plain(sentences.finding_sentence(drop, UNITS)) == (
        "Lost 14, gained 9 of 1,900; worst plausible drop 0.8 points; "
        "allowed: drop of at most 1 point."
    )
    assert sentences.status(drop) == "proven safe"


def test_a_pass_by_a_hair_is_explained(drop: Finding) -> None:
    hair = replace(drop, ci_low=-0.01004)
    assert HAIR in sentences.finding_sentence(hair, UNITS)
    assert "1.004 points" in plain(
        sentences.finding_sentence(hair, replace(UNITS, findings=(hair,)))
    )
    assert HAIR not in sentences.finding_sentence(replace(hair, status="inconclusive"), UNITS)


def test_a_loss_within_the_margin_is_said_plainly(drop: Finding) -> None:
    assert LOSING in sentences.finding_sentence(replace(drop, p_loss_adjusted=0.01), UNITS)
    assert LOSING not in sentences.finding_sentence(drop, UNITS)


def test_an_open_finding_says_what_it_lacks(drop: Finding) -> None:
    lacking = replace(
        drop, status="inconclusive", slice="content_type=video", needed=637,
        needed_unit="positives", note="below the minimum; label about 640 more positives",
    )  # fmt: skip
    said = sentences.finding_sentence(lacking, UNITS)
    assert "Label about 640 more positives in content_type=video." in said
    assert said.count("abel about") == 1
    assert "Below the minimum." in said
    likely = sentences.need_in_words(replace(lacking, needed_for="power"), UNITS)
    assert likely.endswith("in content_type=video, if they are like those seen")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"status": "fail"}, "shown to be worse"),
        ({"status": "fail", "check": "at_least"}, "shown to miss the limit"),
        ({"status": "fail", "evidence": "point"}, "outside the limit"),
        ({"status": "fail", "p_value": None}, "outside the limit"),
        ({"status": "fail", "candidate": None}, "not defined"),
        ({"status": "pass", "evidence": "point"}, "within the limit"),
        ({"status": "pass", "p_value": None}, "within the limit"),
        ({"status": "inconclusive"}, "not enough evidence"),
        ({"status": "waived"}, "waived"),
    ],
)
def test_proven_is_said_only_of_what_a_test_has_shown(
    drop: Finding, given: dict[str, str], said: str
) -> None:
    assert sentences.status(replace(drop, **given)) == said  # type: ignore[arg-type]  # fields by name


def test_nothing_at_all_is_never_a_pass() -> None:
    assert sentences.worst_status([]) == "inconclusive"
    assert sentences.worst_status(["pass", "waived"]) == "waived"
    assert sentences.worst_status(["pass", "unheard of"]) == "unheard of"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"check": "max_drop", "limit": 0.02}, "drop of at most 2 points"),
        ({"check": "max_drop", "limit": 0.01}, "drop of at most 1 point"),
        (
            {"check": "max_drop", "limit": 0.03, "limit_kind": "relative"},
            "drop of at most 3 % of the baseline’s value",
        ),
        (
            {"check": "max_rise", "limit": 0.5, "limit_kind": "error_ratio"},
            "at most 1.5 times the baseline’s errors",
        ),
        ({"check": "at_least", "limit": 0.855}, "at least 85.5 %"),
        (
            {"check": "max_ratio", "limit": 0.75, "metric": "cost_per_1k"},
            "at most 0.75 times the baseline’s",
        ),
        ({"check": "at_most", "limit": 40.0, "metric": "latency_p95_ms"}, "at most 40 ms"),
        ({"check": "at_most", "limit": 5e7, "metric": "model_bytes"}, "at most 50 MB"),
        ({"check": "at_most", "limit": 3.5, "metric": "cost_per_1k"}, "at most $3.50"),
        ({"check": "max_drop", "limit": 0.2, "metric": "mean_score"}, "drop of at most 0.2"),
    ],
)
def test_limits_in_words(drop: Finding, given: dict[str, str], said: str) -> None:
    assert plain(UNITS.limit(replace(drop, **given))) == said  # type: ignore[arg-type]  # fields by name


CHECKED = ("at_least", "at_most", "max_drop", "max_rise", "max_ratio")
STATUSES = ("pass", "fail", "inconclusive", "waived")
UNKNOWN = {"candidate": None, "difference": None, "ci_low": None, "ci_high": None}


@pytest.mark.slow
@pytest.mark.parametrize("metric", sorted(METRICS))
def test_every_kind_of_finding_has_words(drop: Finding, metric: str) -> None:
    for check, status, values in product(CHECKED, STATUSES, ({}, UNKNOWN)):
        found = replace(drop, metric=metric, check=check, status=status, **values)  # type: ignore[arg-type]  # fields by name
        said = sentences.finding_sentence(found, UNITS)
        assert said.endswith("."), said
        assert "None" not in said
        assert "nan" not in said
        assert sentences.status(found)


def test_a_paired_time_is_told_by_its_interval_alone(drop: Finding) -> None:
    """A ratio of two medians beside that of paired rounds would be a second answer."""
    timed = replace(
        drop, metric="latency_p50_ms", check="max_ratio", limit=1.2, baseline=1.03, candidate=1.02,
        ci_low=0.981, ci_high=1.017, n=0, p_value=None, method_kind="interval",
    )  # fmt: skip
    said = plain(sentences.evidence_in_words(timed, UNITS))
    assert said.startswith("0.981 to 1.02 times the baseline’s in rounds side by side; allowed:")
    counted = replace(timed, ci_low=None, ci_high=None, method_kind="counted")
    assert plain(sentences.evidence_in_words(counted, UNITS)).startswith("0.990 times")


@pytest.mark.parametrize(("metric", "shares"), [("recall", True), ("mae", False)])
def test_the_control_speaks_of_points_where_shares_changed(
    records: ModuleType, metric: str, shares: bool
) -> None:
    record = records.rejected()
    row = replace(record.control.slices[0], metric=metric)
    shown = control(replace(record, control=replace(record.control, slices=(row,))), UNITS)
    assert shown is not None
    assert ("percentage points" in shown.meaning) is shares
