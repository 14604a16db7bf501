"""A reference that knows something: what holds an approve back, what is named as the cause."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import prunegate
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.audit.recompute import differences
from prunegate.counting.partial_labels import PartialLabels
from prunegate.counting.slices import SliceCounts
from prunegate.errors import InternalError
from prunegate.gate import gate
from prunegate.policy.cautions import cautions
from prunegate.policy.load import read_policy
from prunegate.policy.schema import Policy
from prunegate.policy.validation import validate_values
from prunegate.report.render import render
from prunegate.verdict.decide import outcome
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, Verdict
from prunegate.verdict.reference_doubts import doubts_in_counts

CASES = Path(__file__).parents[2] / "cases"


def _policy(**more: Any) -> Policy:
    values: dict[str, Any] = {
        "prunegate": 1,
        "name": "case",
        "task": {"kind": "binary", "positive": "unsafe", "threshold": 0.5},
        "rules": [{"metric": "accuracy", "slices": "all", "max_drop": 0.1}],
        **more,
    }
    policy, mistakes = validate_values(values)
    assert policy is not None, mistakes
    return policy


def _rows(n: int = 600, right: float = 0.9, prevalence: float = 0.3, seed: int = 1) -> pd.DataFrame:
    """A baseline that is right so often, and a candidate that hardly differs."""
    rng = np.random.default_rng(seed)
    unsafe = rng.random(n) < prevalence
    says = unsafe ^ (rng.random(n) >= right)
    score = np.where(says, 0.7, 0.3) + rng.uniform(-0.15, 0.15, n)
    return pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(n)],
            "label": np.where(unsafe, "unsafe", "safe"),
            "baseline": score,
            "candidate": np.clip(score + rng.normal(0, 0.01, n), 0, 1),
        }
    )


def _reference(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.findings if f.check == BEATS_CONSTANT]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected", "because", "kinds"),
    [
        ("coin", "inconclusive", "not shown", []),
        ("all-positive", "inconclusive", "one decision", ["one decision"]),
        ("relative-as-ratio", "approve", None, []),
    ],
)
def test_the_cases(name: str, expected: str, because: str | None, kinds: list[str]) -> None:
    source = read_policy(CASES / name / "policy.yaml")
    decided = gate(source, CASES / name / "t.csv")
    (finding,) = _reference(decided.verdict)
    assert decided.verdict.outcome == expected
    assert finding.open_because == because
    assert [doubt.kind for doubt in decided.verdict.doubts] == kinds
    assert not list(differences(decided.record))


def _seen(name: str) -> SliceCounts:
    """Rows of three classes that both models decide alike; labels are known of one of them."""
    pairs = {("u", "u"): 50, ("v", "v"): 40, ("w", "w"): 30}
    tally = PartialLabels(decided=pairs, cells={(name, name, name): 5})
    return SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)


@pytest.mark.parametrize("name", ["u", "v"])
def test_labels_of_one_decision_alone_say_nothing_of_the_others(name: str) -> None:
    policy = _policy(task={"kind": "multiclass"})
    labels = pd.Series(["u", "v"])
    data = {"id": labels.index, "label": labels, "baseline": labels, "candidate": labels}
    verdict = prunegate.judge(policy, pd.DataFrame(data))
    assert _reference(verdict)
    assert doubts_in_counts(policy, [_seen(name)], _reference(verdict)) == ()


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_the_one_decision_of_a_model_is_named_as_the_data_call_it(kind: str) -> None:
    task = {"kind": kind} | ({"positive": "unsafe"} if kind == "binary" else {})
    data = pd.DataFrame({"id": range(40), "label": ["unsafe", "safe"] * 20})
    verdict = prunegate.judge(_policy(task=task), data.assign(baseline="safe", candidate="safe"))
    named = {(doubt.kind, doubt.decision) for doubt in verdict.doubts}
    assert named == {("one decision", "safe" if kind == "multiclass" else "not unsafe")}


def test_a_drop_that_was_meant_as_a_share_to_keep_is_pointed_out() -> None:
    found = cautions(read_policy(CASES / "relative-as-ratio" / "policy.yaml").policy)
    assert [(one.kind, one.value) for one in found] == [
        ("recall alone", None),
        ("relative above half", 0.98),
    ]
    fine = [
        {"metric": "recall", "max_drop": {"relative": 0.5}},
        {"metric": "churn", "at_most": 0.1},
    ]
    assert not cautions(_policy(rules=fine))


def test_what_is_wrong_is_named_with_its_figures() -> None:
    good = _rows()
    scores = ["baseline", "candidate"]
    by_text = sorted(range(len(good)), key=lambda i: good["id"][i])
    wrong = {
        ("reversed", None): good.assign(**{name: 1 - good[name] for name in scores}),
        ("shifted", 1): good.assign(label=np.roll(good["label"], 1)),
        ("shifted", -2): good.assign(label=np.roll(good["label"], -2)),
        ("shifted", 100): good.assign(label=np.roll(good["label"], 100)),
        ("reordered", None): good.assign(**{n: good[n].to_numpy()[by_text] for n in scores}),
    }
    assert prunegate.judge(_policy(), good).outcome == "approve"
    share = np.mean((good["baseline"] >= 0.5) == (good["label"] == "unsafe"))
    for (kind, offset), rows in wrong.items():
        verdict = prunegate.judge(_policy(), rows)
        assert verdict.outcome == "inconclusive"
        doubt = verdict.doubts[0]
        assert (doubt.kind, doubt.offset) == (kind, offset)
        assert doubt.right_if == pytest.approx(share, abs=0.01)
        assert verdict.warnings


def test_rows_in_any_order_and_labels_of_other_rows_entirely() -> None:
    good = _rows()
    shuffled = good.assign(label=np.roll(good["label"], 1)).sample(frac=1, random_state=3)
    assert prunegate.judge(_policy(), shuffled).doubts[0].kind == "shifted"
    lost = good.assign(label=good["label"].sample(frac=1, random_state=4).to_numpy())
    verdict = prunegate.judge(_policy(), lost)
    assert (verdict.outcome, verdict.doubts) == ("inconclusive", ())


def test_classes_under_each_others_names_are_named() -> None:
    rng = np.random.default_rng(5)
    label = rng.choice(["bird", "cat", "dog", "fish"], 400)
    names = {"bird": "cat", "cat": "dog", "dog": "bird", "fish": "fish"}
    says = np.where(rng.random(400) < 0.9, label, rng.permutation(label))
    moved = [names[one] for one in says]
    rows = pd.DataFrame({"id": range(400), "label": label, "baseline": moved, "candidate": moved})
    policy = _policy(task={"kind": "multiclass"}, rules=[{"metric": "accuracy", "max_drop": 0.1}])
    verdict = prunegate.judge(policy, rows)
    assert verdict.outcome == "inconclusive"
    assert verdict.doubts[0].kind == "permuted"
    assert set(verdict.doubts[0].names) == {(b, a) for a, b in names.items() if a != b}
    good = prunegate.judge(policy, rows.assign(baseline=says, candidate=says))
    assert (good.outcome, good.doubts) == ("approve", ())


@pytest.mark.slow
def test_each_class_that_a_rule_judges_by_itself_has_to_be_known() -> None:
    """Two of four classes under each other's names, the others right: of all, chance is beaten."""
    rng = np.random.default_rng(3)
    label = rng.choice(["a", "b", "c", "d"], 2000)
    says = np.where(rng.random(2000) < 0.95, label, "d")
    swapped = pd.Series(says).replace({"a": "b", "b": "a"}).to_numpy()
    rows = {"id": range(2000), "label": label}
    task = {"kind": "multiclass"}
    for classes, outcome_ in (("each", "inconclusive"), (["c"], "approve"), (["c", "a"], None)):
        rules = [{"metric": "recall", "classes": classes, "max_drop": 0.05}]
        policy = _policy(task=task, rules=rules)
        known = prunegate.judge(policy, pd.DataFrame({**rows, "baseline": says, "candidate": says}))
        assert [f.status for f in _reference(known)] == ["pass"]
        wrong = pd.DataFrame({**rows, "baseline": swapped, "candidate": swapped})
        found = prunegate.judge(policy, wrong)
        assert found.outcome == (outcome_ or "inconclusive")
        if found.outcome == "inconclusive":
            (finding,) = _reference(found)
            assert finding.open_because == "not shown"
            assert {d.kind for d in found.doubts} == {"permuted"}
            assert set(found.doubts[0].names) == {("a", "b"), ("b", "a")}


def test_few_mistakes_of_one_kind_are_no_lack_of_agreement_where_rows_have_weights() -> None:
    data = _rows(900, right=1.0)
    data["w"] = np.resize([1.0, 2.0, 5.0], 900)
    wrong = data.index[data["label"] == "safe"][:2]
    data.loc[wrong, ["baseline", "candidate"]] = 0.9
    (finding,) = _reference(prunegate.judge(_policy(weight="w"), data))
    assert finding.status == "pass"
    data["baseline"] = data["candidate"] = np.where(np.arange(900) < 2, 0.9, 0.1)
    (finding,) = _reference(prunegate.judge(_policy(weight="w"), data))
    assert finding.status == "inconclusive"


def test_a_weak_or_rare_baseline_is_told_how_many_rows_it_takes() -> None:
    weak = _reference(prunegate.judge(_policy(), _rows(1000, 0.53, 0.5, seed=2)))[0]
    assert weak.status == "inconclusive"
    assert weak.needed is not None
    assert 500 < weak.needed < 200_000
    assert "more rows" in weak.note
    assert _reference(prunegate.judge(_policy(), _rows(20_000, 0.53, 0.5)))[0].status == "pass"
    rare = prunegate.judge(_policy(), _rows(3000, 0.97, 0.005))
    assert rare.outcome == "approve"


def test_a_slice_too_small_to_show_anything_takes_what_all_rows_have_shown() -> None:
    rows = _rows(3000, 0.99, 0.05)
    small = rows.index < 40
    rows["key"] = np.where(small, "a", "b")
    rows.loc[small, "label"] = ["unsafe", *["safe"] * 39]
    rows.loc[small, ["baseline", "candidate"]] = 0.2
    policy = _policy(
        slices=[{"by": "key"}], rules=[{"metric": "accuracy", "slices": "key", "at_least": 0.6}]
    )
    verdict = prunegate.judge(policy, rows)
    found = {f.slice: f for f in _reference(verdict)}
    assert {name: f.status for name, f in found.items()} == {
        "overall": "pass",
        "key=a": "inconclusive",
        "key=b": "pass",
    }
    assert found["key=a"].open_because == "one decision"
    assert found["key=a"].needed


def test_rows_of_one_class_are_what_they_were() -> None:
    rows = _rows(400).assign(label="unsafe", baseline=0.9, candidate=0.9)
    verdict = prunegate.judge(_policy(), rows)
    assert not _reference(verdict)
    assert verdict.outcome == "approve"


@pytest.mark.slow
def test_where_estimates_decide_an_estimate_will_do() -> None:
    rules = [{"metric": "accuracy", "max_drop": 0.1, "evidence": "point"}]
    few = _rows(12, 1.0, 0.4)
    verdict = prunegate.judge(_policy(rules=rules), few)
    assert verdict.outcome == "approve"
    second_opinion(_policy(rules=rules), verdict)
    coin = prunegate.judge(_policy(rules=rules), CASES / "coin" / "t.csv")
    assert coin.outcome == "inconclusive"
    proven = [*rules, {"metric": "accuracy", "at_least": 0.01}]
    (finding,) = _reference(prunegate.judge(_policy(rules=proven), few[:6]))
    assert (finding.evidence, finding.status) == ("proven", "inconclusive")


@pytest.mark.parametrize(("asked", "expected"), [("warn", "approve"), ("off", "approve")])
def test_a_policy_may_ask_for_less(asked: str, expected: str) -> None:
    policy = _policy(evidence={"reference": asked})
    verdict = prunegate.judge(policy, CASES / "coin" / "t.csv")
    assert verdict.outcome == expected
    assert [f.severity for f in _reference(verdict)] == (["warn"] if asked == "warn" else [])


def test_a_rule_that_only_warns_holds_nothing_back_by_its_slice() -> None:
    rows = _rows(900)
    rows["key"] = np.where(rows.index < 300, "a", "b")
    noise = rows.index < 300
    rows.loc[noise, "label"] = rows.loc[noise, "label"].sample(frac=1, random_state=1).to_numpy()
    rules = [
        {"metric": "accuracy", "max_drop": 0.1},
        {"metric": "accuracy", "slices": "key", "max_drop": 0.1, "severity": "warn"},
    ]
    verdict = prunegate.judge(_policy(slices=[{"by": "key"}], rules=rules), rows)
    assert {f.slice: (f.status, f.severity) for f in _reference(verdict)} == {
        "overall": ("pass", "block"),
        "key=a": ("inconclusive", "warn"),
        "key=b": ("pass", "warn"),
    }
    assert verdict.outcome == "approve"


def test_the_rules_findings_are_the_same_with_and_without() -> None:
    """The reference takes nothing from the tests of the rules, and adds no approve."""
    for rows in (_rows(), _rows(right=0.5), _rows().assign(candidate=0.9)):
        without = prunegate.judge(_policy(evidence={"reference": "off"}), rows)
        whole = prunegate.judge(_policy(), rows)
        assert whole.findings[: len(without.findings)] == without.findings
        assert without.outcome == "approve" or whole.outcome != "approve"
        assert outcome(whole.findings) == whole.outcome
        assert without.statement == whole.statement


def test_counts_say_the_same_as_rows() -> None:
    rows = _rows()
    decided = rows.assign(
        label=(rows["label"] == "unsafe").astype(int),
        baseline=(rows["baseline"] >= 0.5).astype(int),
        candidate=(rows["candidate"] >= 0.5).astype(int),
    )
    counts = decided.groupby(["label", "baseline", "candidate"]).size().rename("n").reset_index()
    of_counts = prunegate.judge_counts(_policy(), counts)
    assert of_counts.findings == prunegate.judge(_policy(), rows).findings


@pytest.mark.slow
def test_the_second_opinion_knows_what_is_asked_of_the_reference() -> None:
    policy = _policy()
    verdict = prunegate.judge(policy, CASES / "coin" / "t.csv")
    second_opinion(policy, verdict)
    (finding,) = _reference(verdict)
    rest = tuple(f for f in verdict.findings if f.check != BEATS_CONSTANT)
    for changed in (
        replace(verdict, findings=rest, outcome="approve"),
        replace(verdict, findings=(*rest, replace(finding, status="pass")), outcome="approve"),
        replace(verdict, findings=(*rest, replace(finding, severity="warn")), outcome="approve"),
        replace(
            verdict,
            findings=(
                *rest,
                replace(finding, status="pass", baseline=0.1, difference=-0.05, p_value=0.01),
            ),
            outcome="approve",
        ),
    ):
        with pytest.raises(InternalError, match="disagrees"):
            second_opinion(policy, changed)


@pytest.mark.slow
def test_an_earlier_record_is_held_to_what_it_was_held_to() -> None:
    source = read_policy(CASES / "relative-as-ratio" / "policy.yaml")
    record = gate(source, CASES / "relative-as-ratio" / "t.csv").record
    assert not list(differences(record))
    before = replace(
        record,
        reference=None,
        findings=tuple(f for f in record.findings if f.check != BEATS_CONSTANT),
        second_opinion=None,
    )
    assert not list(differences(before))
    assert list(differences(replace(before, reference="required")))
    assert list(differences(replace(record, reference="off")))


@pytest.mark.slow
def test_what_is_asked_of_the_baseline_is_no_column_of_page_one() -> None:
    source = read_policy(CASES / "coin" / "policy.yaml")
    page = render(gate(source, CASES / "coin" / "t.csv").record, digest="0" * 64, pictures={})
    assert "the answers of the current model have to do with the labels" in page  # at its top
    assert "agreed: at most 0<" not in page


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
