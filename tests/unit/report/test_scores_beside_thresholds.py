"""A score that is shown lies where the score itself lies, beside the threshold that decided it."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prunegate.audit.record import DecisionRecord, Flip
from prunegate.report.flips import answers_shown, score_shown
from prunegate.report.own_threshold import thresholds_of

SHARES = st.floats(0, 1, allow_subnormal=False)
NEAR = st.tuples(SHARES, st.floats(-1e-3, 1e-3)).map(lambda one: (sum(one), one[0]))


@given(st.one_of(st.tuples(SHARES, SHARES), NEAR.filter(lambda one: 0 <= one[0] <= 1)))
@example((0.4961, 0.5))
@example((0.49999999999999994, 0.5))
@example((0.9999999, 0.99999))
@example((1e-9, 2e-9))
@example((0.99999, 1.0))
def test_a_score_is_shown_on_its_own_side(found: tuple[float, float]) -> None:
    score, threshold = found
    text = score_shown(score, threshold)
    shown = float(text.lstrip("<> "))
    if score >= threshold:
        assert shown >= threshold
    else:
        assert shown < threshold
    assert abs(shown - score) <= 0.005 + 1e-12
    assert shown not in (0, 1) or score in (0, 1)


def of_thresholds(records: ModuleType, task: dict[str, object]) -> DecisionRecord:
    record: DecisionRecord = records.approved()
    document = {**record.policy.document, "task": task}
    return replace(record, policy=replace(record.policy, document=document))


@pytest.mark.parametrize(
    ("threshold", "label", "limits"),
    [
        (0.4, None, (0.4, 0.4)),
        ({"baseline": 0.5, "candidate": 0.43}, None, (0.5, 0.43)),
        ({"baseline": 0.5, "candidate": 0.5}, None, (0.5, 0.5)),
        ({"baseline": 0.5, "candidate": "tuned", "found": 0.61}, None, (0.5, 0.61)),
        ({"candidate": 0.2, "baseline": 0.3}, "candidate", (0.2, 0.2)),
        (None, None, (None, None)),
    ],
)
def test_each_model_has_its_own_threshold(
    records: ModuleType,
    threshold: object,
    label: str | None,
    limits: tuple[float | None, float | None],
) -> None:
    record = of_thresholds(records, {"kind": "binary", "threshold": threshold})
    assert thresholds_of(record, label) == limits


def test_both_scores_of_a_row_are_told_from_their_thresholds() -> None:
    row = Flip(
        id="r306",
        slices=("video",),
        label="safe",
        baseline=0.4961,
        candidate=0.5704,
        image=None,
        lost=True,
    )
    assert answers_shown(row, (0.5, 0.5)) == ("0.496", "0.57")
    assert answers_shown(row, (0.5, 0.57)) == ("0.496", "0.5704")
    assert answers_shown(replace(row, candidate=0.4961), (0.5, 0.43)) == ("0.496", "0.496")
