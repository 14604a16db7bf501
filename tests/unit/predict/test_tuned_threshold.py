"""The candidate's threshold: chosen by what the baseline does, held against every other choice."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.errors import InputError, PolicyError, TableError
from prunegate.policy.load import parse_policy
from prunegate.policy.rules_digest import rules_digest
from prunegate.predict.tuned_threshold import Match, tuned_threshold

ROWS = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.sampled_from([0, 0.1, 0.25, 0.5, 0.7, 0.9, 1])),
    min_size=4,
    max_size=40,
).filter(lambda rows: any(p and f for p, f, _ in rows) and any(not p for p, _, _ in rows))


def value(match: str, positive: np.ndarray, flags: np.ndarray) -> float:
    hits = float((positive & flags).sum())
    if match == "recall":
        return hits / float(positive.sum())
    return (
        float(flags.mean())
        if match == "flag_rate"
        else 2 * hits / float(flags.sum() + positive.sum())
    )


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, match=st.sampled_from(get_args(Match)))
def test_no_other_threshold_does_better(rows: list[tuple[bool, bool, float]], match: Match) -> None:
    positive, flagged, scores = (np.array(column) for column in zip(*rows, strict=True))
    found = tuned_threshold(match, positive, flagged, scores)
    assert found.candidate == pytest.approx(value(match, positive, scores >= found.threshold))
    assert found.baseline == pytest.approx(value(match, positive, flagged))
    others = [value(match, positive, scores >= other) for other in np.unique(scores)]
    if match == "recall":
        assert found.candidate >= found.baseline
        assert not [v for v in others if found.baseline <= v < found.candidate]
    elif match == "flag_rate":
        nearest = min(abs(v - found.baseline) for v in others)
        assert abs(found.candidate - found.baseline) == pytest.approx(nearest)
    else:
        assert found.candidate == pytest.approx(max(others))


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, match=st.sampled_from(get_args(Match)), data=st.data())
def test_a_row_of_weight_three_is_three_rows(
    rows: list[tuple[bool, bool, float]], match: Match, data: st.DataObject
) -> None:
    weights = data.draw(st.lists(st.integers(1, 4), min_size=len(rows), max_size=len(rows)))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    many = [np.repeat(column, weights) for column in columns]
    found = tuned_threshold(match, *columns, 0.1 * np.array(weights))
    expected = tuned_threshold(match, *many)
    assert found.threshold == expected.threshold
    assert (found.baseline, found.candidate) == pytest.approx(
        (expected.baseline, expected.candidate)
    )
    assert (found.rows, found.positives) == (len(rows), columns[0].sum())


def test_many_rows_of_scores_of_their_own_are_no_matter() -> None:
    """Memory that grew with the square of the rows would be four gigabytes here."""
    rows = 1 << 16
    scores = np.arange(rows) / rows
    positive = scores >= 0.25
    found = tuned_threshold("f1", positive, positive, scores)
    assert (found.threshold, found.candidate) == (0.25, 1.0)


def test_nothing_to_match_is_said() -> None:
    yes, no = np.array([True, True, False]), np.zeros(3, dtype=bool)
    for positive, flagged in ((yes, no), (no, yes), (np.ones(3, dtype=bool), yes)):
        with pytest.raises(TableError, match="nothing to tune"):
            tuned_threshold("recall", positive, flagged, np.array([0.1, 0.2, 0.3]))


POLICY = """\
prunegate: 1
name: t
task: {{kind: binary, positive: 1, threshold: {threshold}{tune}}}
rules: [{{metric: recall, max_drop: 0.1}}]
"""
TUNED = "{baseline: 0.5, candidate: tuned}"


def test_what_is_tuned_is_refused_where_no_rows_can_tune_it() -> None:
    task = parse_policy(POLICY.format(threshold=TUNED, tune="")).task
    assert task.untuned
    assert task.threshold_of("baseline") == 0.5
    with pytest.raises(InputError, match="prunegate run"):
        task.threshold_of("candidate")
    assert task.with_threshold(0.37).threshold_of("candidate") == 0.37


def test_what_was_chosen_stands_in_records_and_not_in_rules() -> None:
    found = parse_policy(POLICY.format(threshold=TUNED, tune=""))
    chosen = found.model_copy(update={"task": found.task.with_threshold(0.37)})
    assert rules_digest(found) == rules_digest(chosen)
    assert chosen.document()["task"]["threshold"] == {
        "baseline": 0.5,
        "candidate": "tuned",
        "found": 0.37,
    }


@pytest.mark.parametrize(
    ("threshold", "tune", "told"),
    [
        ("{baseline: 0.5, candidate: 0.4}", ", tune: {match: f1}", "tune"),
        ("{baseline: 0.5, candidate: tune}", "", "tuned"),
        ("{baseline: 0.5, candidate: tuned, found: 0.1}", "", "is for records"),
        (TUNED, ", tune: {match: precision}", "recall, flag_rate, f1"),
    ],
)
def test_mistakes_are_named(threshold: str, tune: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        parse_policy(POLICY.format(threshold=threshold, tune=tune))
