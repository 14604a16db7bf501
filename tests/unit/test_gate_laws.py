"""judge: what the gate as a whole promises about tables of predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prunegate
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: unsafe, threshold: 0.5}\n"
KINDS = "slices: [{by: kind, expect: [display, video, ugc]}%s]\n"
MINIMUM = "evidence: {minimum: {rows: 300, positives: 100}}\n"
RULES = """\
rules:
  - {metric: recall, slices: all, max_drop: 0.02}
  - {metric: precision, slices: kind, max_drop: 0.05}
"""


def policy(more: str = "") -> Policy:
    return parse_policy(HEAD + KINDS % more + MINIMUM + RULES)


def table(rows: int, *, candidate_misses: dict[str, float] | None = None) -> pd.DataFrame:
    """A good baseline, and a candidate that misses a further share of positives per kind."""
    random = np.random.default_rng(1)
    data = pd.DataFrame(
        {
            "id": np.arange(rows),
            "label": np.where(random.random(rows) < 0.5, "unsafe", "safe"),
            "kind": random.choice(["display", "video", "ugc"], rows),
            "season": random.choice(["holiday", "plain"], rows),
        }
    )
    right = random.random(rows) < 0.95
    unsafe = (data["label"] == "unsafe").to_numpy()
    data["baseline"] = np.where(right == unsafe, 0.9, 0.1)
    data["candidate"] = data["baseline"]
    for kind, share in (candidate_misses or {}).items():
        missed = (data["kind"] == kind) & unsafe & (random.random(rows) < share)
        data.loc[missed, "candidate"] = 0.2
    return data


def test_an_identical_candidate_is_approved_with_a_warning() -> None:
    verdict = prunegate.judge(policy(), table(6000))
    assert (verdict.outcome, verdict.exit_code) == ("approve", 0)
    assert "agree exactly on all 6,000 rows" in verdict.warnings[0]
    nudged = table(6000)
    nudged.loc[0, "candidate"] = 0.8999
    assert not prunegate.judge(policy(), nudged).warnings


def test_a_slice_that_lost_fifteen_points_is_rejected_and_named() -> None:
    verdict = prunegate.judge(policy(), table(6000, candidate_misses={"video": 0.15}))
    assert (verdict.outcome, verdict.exit_code) == ("reject", 3)
    assert any("kind=video" in reason for reason in verdict.reasons)
    failed = {f.slice for f in verdict.findings if f.status == "fail" and f.metric == "recall"}
    assert failed == {"overall", "kind=video"}


def test_few_rows_are_inconclusive_and_say_how_many_more() -> None:
    misses = dict.fromkeys(("display", "video", "ugc"), 0.01)
    verdict = prunegate.judge(policy(), table(500, candidate_misses=misses))
    assert (verdict.outcome, verdict.exit_code) == ("inconclusive", 4)
    recall = [f for f in verdict.findings if f.metric == "recall" and f.slice != "overall"]
    assert all(f.status == "inconclusive" and f.needed_unit == "positives" for f in recall)
    assert all(f.needed and f.needed > 0 for f in recall)


def test_the_labels_asked_for_are_about_enough() -> None:
    """Given the further rows that a finding names, the same shares of flips settle it."""
    counts = {"label": [1, 1, 1, 0], "baseline": [1, 1, 0, 0], "candidate": [1, 0, 1, 0]}
    overall = parse_policy(HEAD + "rules: [{metric: recall, max_drop: 0.02}]\n")
    small = np.array([378, 7, 5, 400])
    finding = prunegate.judge_counts(overall, pd.DataFrame(counts).assign(n=small)).findings[0]
    assert finding.status == "inconclusive"
    assert finding.needed is not None
    grown = np.ceil(small * (1 + finding.needed / 390)).astype(int)
    assert prunegate.judge_counts(overall, pd.DataFrame(counts).assign(n=grown)).outcome == (
        "approve"
    )


def test_a_declared_slice_that_is_absent_is_never_approved() -> None:
    data = table(6000)
    verdict = prunegate.judge(policy(), data[data["kind"] != "ugc"])
    assert (verdict.outcome, verdict.exit_code) == ("inconclusive", 4)
    absent = [f for f in verdict.findings if f.slice == "kind=ugc"]
    assert absent
    assert all(f.status == "inconclusive" and f.needed == 300 for f in absent)


def test_an_unrelated_slicing_changes_no_p_value() -> None:
    data = table(3000, candidate_misses={"video": 0.03})
    more = ", {by: season}, {by: [kind, season]}, {name: gifts, where: {season: holiday}}"
    before = prunegate.judge(policy(), data).findings
    after = prunegate.judge(policy(more), data).findings
    known = {(f.rule, f.slice, f.check): (f.p_value, f.p_harm, f.ci_low, f.n) for f in after}
    for f in before:
        assert known[f.rule, f.slice, f.check] == (f.p_value, f.p_harm, f.ci_low, f.n)
    assert len(after) > len(before)


def test_the_order_of_rows_changes_nothing() -> None:
    data = table(900, candidate_misses={"ugc": 0.1})
    shuffled = data.sample(frac=1, random_state=5)
    assert prunegate.judge(policy(), shuffled) == prunegate.judge(policy(), data)


def test_judging_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prunegate.judge(policy(), table(600))
    flags = {"label": [1], "baseline": [1], "candidate": [1], "n": [5], "kind": ["ugc"]}
    prunegate.judge_counts(policy(), pd.DataFrame(flags))
    assert not list(tmp_path.rglob("*"))


@pytest.mark.models  # some of them live beside one
def test_every_public_name_is_there() -> None:
    for name in prunegate.__all__:
        assert getattr(prunegate, name) is not None
    assert set(prunegate.__all__) <= set(dir(prunegate))
    with pytest.raises(AttributeError, match="no attribute 'judgement'"):
        _ = prunegate.judgement
