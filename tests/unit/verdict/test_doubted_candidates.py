"""Candidates that know less than their baseline, or have labels of other rows."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.verdict.reference_rows import _policy, _reference, _rows

import prunegate

RECALL = [{"metric": "recall", "max_drop": 0.02}]


@pytest.mark.parametrize("seed", range(3))
def test_a_candidate_that_nearly_always_decides_the_same_is_held_up(seed: int) -> None:
    frame = _rows(seed=seed)
    spared = np.random.default_rng(seed).choice(np.flatnonzero(frame.label == "safe"), 1)
    frame["candidate"] = 0.9
    frame.loc[spared, "candidate"] = 0.1
    verdict = prunegate.judge(_policy(rules=RECALL), frame)
    assert verdict.outcome == "inconclusive"
    (finding,) = _reference(verdict)
    assert finding.open_because == "unrelated candidate"
    assert "candidate is not shown to know anything of these labels" in finding.note
    (doubt,) = verdict.doubts
    assert (doubt.kind, doubt.model, doubt.decision) == ("unrelated", "candidate", "unsafe")
    assert doubt.decided == len(frame) - 1


def test_a_candidate_that_flags_most_of_what_its_baseline_spares_is_told() -> None:
    frame = _rows(2000)
    more = np.random.default_rng(2).random(2000) < 0.8
    frame["candidate"] = np.where(more | (frame.baseline >= 0.5), 0.9, 0.1)
    verdict = prunegate.judge(_policy(rules=RECALL), frame)
    assert verdict.outcome == "approve"
    (doubt,) = verdict.doubts
    assert (doubt.kind, doubt.model, doubt.decision) == ("weaker", "candidate", "unsafe")
    assert doubt.kappas is not None
    assert 0 < doubt.kappas[1] < doubt.kappas[0] / 2
    assert any("agrees with the labels far less than the baseline" in w for w in verdict.warnings)


@pytest.mark.parametrize("places", [1, -2])
def test_labels_that_are_off_from_some_row_on_are_told_with_the_row(places: int) -> None:
    frame = _rows(2000)
    frame["id"] = [f"r{i:04d}" for i in range(2000)]
    frame.loc[1200:, "label"] = np.roll(frame.label[1200:], places)
    verdict = prunegate.judge(_policy(rules=RECALL), frame)
    (doubt,) = verdict.doubts
    assert (doubt.kind, doubt.model, doubt.offset) == ("shifted", "baseline", places)
    assert doubt.stretch is not None
    first, last = doubt.stretch
    assert abs(first - 1201) < 20
    assert last > 1980
    assert any(f"from row {first:,} to row {last:,}" in told for told in verdict.warnings)


@pytest.mark.parametrize("right", [0.6, 0.75, 0.9])
def test_a_candidate_like_its_baseline_is_not_doubted(right: float) -> None:
    assert prunegate.judge(_policy(), _rows(n=900, right=right)).doubts == ()


def test_what_keeps_the_reference_open_is_told_with_numbers() -> None:
    """A few rows with bad luck: how many would show it; one group of nearly all: that it is so."""
    frame = _rows(n=500, right=0.5, prevalence=0.5)
    frame["label"] = ["unsafe", "safe"] * 250
    frame["baseline"] = frame["candidate"] = np.where(np.arange(500) % 4 < 2, 0.9, 0.1)
    frame.loc[:1, ["baseline", "candidate"]] = [[0.1, 0.1], [0.9, 0.9]]
    (finding,) = _reference(prunegate.judge(_policy(), frame))
    assert finding.baseline is not None
    assert finding.baseline < 0
    assert "about 9,400 rows in all would" in finding.note
    grouped = _rows(n=900).assign(video=np.maximum(np.arange(900) - 700, 0))
    (finding,) = _reference(prunegate.judge(_policy(group="video"), grouped))
    assert finding.status == "inconclusive"
    assert "200 groups as unequal as these weigh no more than 1 equal group" in finding.note
