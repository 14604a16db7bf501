"""The control speaks of the slice that lost most."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.audit.unpruned_control import control_of
from prunegate.data.labelled.rows import LabelledRows
from prunegate.policy.schema import Policy
from prunegate.policy.task import Task
from prunegate.predict.likelihood import Likelihoods

pytestmark = pytest.mark.models

torch.set_num_threads(1)

KINDS = ("display", "video")


def make_policy(*rules: dict[str, Any]) -> Policy:
    return Policy.model_validate(
        {
            "prunegate": 1,
            "name": "p",
            "task": {"kind": "binary", "positive": "unsafe", "threshold": 0.5},
            "slices": [{"by": "kind", "expect": list(KINDS)}],
            "rules": rules,
        }
    )


def both(policy: Policy) -> dict[str, Policy]:
    """One policy for candidate and control: no threshold is tuned."""
    return dict.fromkeys(("candidate", "control"), policy)


RECALL = {"metric": "recall", "slices": "all", "max_drop": 0.1}
ALARMS = {"metric": "false_positive_rate", "slices": "all", "max_rise": 0.1}


def make_rows(labels: list[bool], kinds: list[str]) -> LabelledRows:
    count = len(labels)
    return LabelledRows(
        name="t.csv",
        folder=Path(),
        ids=tuple(f"r{n:03}" for n in range(count)),
        images=tuple(f"{n}.png" for n in range(count)),
        labels=tuple("unsafe" if label else "safe" for label in labels),
        splits=("gate",) * count,
        columns={"kind": tuple(kinds)},
    )


def forty() -> tuple[LabelledRows, np.ndarray, np.ndarray]:
    """Ten positives and ten negatives of each kind, with their masks."""
    labels = np.tile(np.arange(20) < 10, 2)
    kinds = np.repeat(KINDS, 20)
    return make_rows(labels.tolist(), kinds.tolist()), labels, kinds


def test_the_summary_speaks_of_the_worst_slice() -> None:
    rows, labels, kinds = forty()
    baseline = labels.astype(float)
    candidate, control = baseline.copy(), baseline.copy()
    candidate[np.flatnonzero((kinds == "video") & labels)[:4]] = 0.0
    candidate[np.flatnonzero((kinds == "display") & labels)[:1]] = 0.0
    control[np.flatnonzero((kinds == "video") & labels)[:3]] = 0.0
    scores = {"baseline": baseline, "candidate": candidate, "control": control}
    found = control_of(both(make_policy(RECALL, ALARMS)), rows, scores)
    assert "On kind=video, recall changed by −40.0 points with pruning" in found.summary
    assert "by −30.0 points after the same fine-tuning with nothing removed" in found.summary
    video = {s.metric: s for s in found.slices if s.slice == "kind=video"}["recall"]
    assert (video.baseline, video.control, video.candidate) == (1.0, 0.7, 0.6)
    assert (video.lost, video.gained) == (3, 0)


def test_a_tuned_threshold_is_each_models_own() -> None:
    """Scores that lie lower, with the threshold to match, decide as they did."""
    rows, labels, _ = forty()
    policy = make_policy(RECALL, ALARMS)
    own = {"baseline": 0.5, "candidate": "tuned"}
    tuned = Task.model_validate({"kind": "binary", "positive": "unsafe", "threshold": own})
    at = {
        which: policy.model_copy(update={"task": tuned.with_threshold(threshold)})
        for which, threshold in (("candidate", 0.25), ("control", 0.125))
    }
    scores = labels.astype(float)
    plain = dict.fromkeys(("baseline", "candidate", "control"), scores)
    lower = {"baseline": scores, "candidate": scores / 2, "control": scores / 4}
    found, same = control_of(at, rows, lower), control_of(both(policy), rows, plain)
    assert tuple(replace(s, at_baseline_threshold=None) for s in found.slices) == same.slices
    assert (found.threshold, same.threshold) == (0.125, None)
    assert {s.at_baseline_threshold for s in found.slices} == {0.0}  # nothing is flagged from .5 on


def test_what_the_threshold_did_is_not_the_datas() -> None:
    """A control that scores as the baseline does: the data did nothing, the threshold all."""
    rows, labels, _ = forty()
    policy = make_policy(ALARMS)
    own = {"baseline": 0.5, "candidate": "tuned"}
    tuned = Task.model_validate({"kind": "binary", "positive": "unsafe", "threshold": own})
    at = {
        which: policy.model_copy(update={"task": tuned.with_threshold(threshold)})
        for which, threshold in (("candidate", 0.2), ("control", 0.25))
    }
    scores = np.where(labels, 1.0, 0.3)
    found = control_of(at, rows, dict.fromkeys(("baseline", "candidate", "control"), scores))
    assert [(s.baseline, s.at_baseline_threshold, s.control) for s in found.slices] == [
        (0, 0, 1)
    ] * 3
    assert "at a threshold of 0.2 in place of 0.5" in found.summary
    assert "the fine-tuning data did 0.0 points and the threshold +100.0 points" in found.summary


@pytest.mark.parametrize("candidate", [0.25, 0.5])
def test_a_given_threshold_is_split_only_where_it_moves(candidate: float) -> None:
    rows, labels, _ = forty()
    own = {"baseline": 0.5, "candidate": candidate}
    task = Task.model_validate({"kind": "binary", "positive": "unsafe", "threshold": own})
    policy = make_policy(RECALL).model_copy(update={"task": task})
    scores = dict.fromkeys(("baseline", "candidate", "control"), labels.astype(float))
    found = control_of(both(policy), rows, scores)
    assert found.threshold == (None if candidate == 0.5 else candidate)


def test_more_of_what_should_be_rare_is_a_loss() -> None:
    rows, labels, kinds = forty()
    baseline = labels.astype(float)
    candidate = baseline.copy()
    candidate[np.flatnonzero((kinds == "display") & ~labels)[:5]] = 1.0
    scores = {"baseline": baseline, "candidate": candidate, "control": baseline}
    summary = control_of(both(make_policy(RECALL, ALARMS)), rows, scores).summary
    assert "On kind=display, false positive rate changed by +50.0 points with" in summary
    assert "by 0.0 points after" in summary


@pytest.mark.slow
def test_a_language_model_loses_nats_not_points() -> None:
    policy = Policy.model_validate(
        {
            "prunegate": 1,
            "name": "p",
            "task": {"kind": "language"},
            "slices": [{"by": "kind", "expect": list(KINDS)}],
            "rules": [{"metric": "nll_per_token", "slices": "all", "max_rise": 0.1}],
        }
    )
    rows = replace(
        make_rows([True] * 40, list(np.repeat(KINDS, 20))),
        images=(),
        labels=(None,) * 40,
        prompts=("",) * 40,
        references=("x",) * 40,
    )
    tokens, video = np.full(40, 10), np.arange(40) >= 20
    rise = {"baseline": 0.0, "control": 0.05, "candidate": 0.2}
    scores = {
        name: Likelihoods(nll=tokens * (2.0 + added * video), tokens=tokens)
        for name, added in rise.items()
    }
    found = control_of(both(policy), rows, scores)
    assert (
        "On kind=video, NLL per token changed by +0.20 nats with pruning and by +0.050 nats "
        "after the same fine-tuning" in found.summary
    )
    shown = {one.slice: one.control for one in found.slices}
    assert shown["kind=video"] == pytest.approx(2.05)
    assert shown["kind=display"] == pytest.approx(2.0)


def test_without_a_rule_on_change_the_summary_claims_nothing() -> None:
    rows, labels, _ = forty()
    scores = dict.fromkeys(("baseline", "candidate", "control"), labels.astype(float))
    found = control_of(both(make_policy({"metric": "recall", "at_least": 0.5})), rows, scores)
    assert found.slices == ()
    assert found.summary == "The same fine-tuning was done with nothing removed."


def test_a_slice_without_positives_has_no_recall_to_change() -> None:
    rows = make_rows([True, False, False, False], ["display", "display", "video", "video"])
    scores = dict.fromkeys(("baseline", "candidate", "control"), np.array([1.0, 0.0, 0.0, 0.0]))
    found = control_of(both(make_policy(RECALL)), rows, scores)
    video = next(s for s in found.slices if s.slice == "kind=video")
    assert (video.baseline, video.control, video.candidate) == (None, None, None)
    assert "video" not in found.summary


@pytest.mark.slow
@given(
    draws=st.lists(
        st.tuples(st.booleans(), st.sampled_from(KINDS), *[st.booleans()] * 3),
        min_size=4,
        max_size=30,
    )
)
@settings(max_examples=8)
def test_figures_are_counted_by_hand(draws: list[tuple[bool, str, bool, bool, bool]]) -> None:
    draws = [*draws, (True, "display", True, True, True)]  # a table without positives is refused
    labels, kinds, *decisions = zip(*draws, strict=True)
    rows = make_rows(list(labels), list(kinds))
    names = ("baseline", "candidate", "control")
    scores = {n: np.array(d, dtype=float) for n, d in zip(names, decisions, strict=True)}
    for found in control_of(both(make_policy(RECALL)), rows, scores).slices:
        inside = [found.slice in ("overall", f"kind={kind}") for kind in kinds]
        chosen = np.flatnonzero(np.array(labels) & np.array(inside))
        for name in names:
            value = getattr(found, name)
            expected = scores[name][chosen].mean() if len(chosen) else None
            assert value == (None if expected is None else pytest.approx(expected))
