"""A reference that knows something: what holds an approve back, what is named as the cause."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.unit.verdict.reference_rows import CASES, _policy, _reference, _rows

import prunegate
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.audit.recompute import differences
from prunegate.counting.partial_labels import PartialLabels
from prunegate.counting.slices import SliceCounts
from prunegate.gate import gate
from prunegate.policy.cautions import cautions
from prunegate.policy.load import read_policy
from prunegate.verdict.reference_doubts import doubts_in_counts


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
