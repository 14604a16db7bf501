"""The verdict's own sentences, for every kind of task."""

from __future__ import annotations

from functools import cache

import pytest
from tests.rules import of_rules
from tests.unit.counting import kinds

from prunegate.gate import judge
from prunegate.verdict import sentences
from prunegate.verdict.finding import Finding, Verdict

pytestmark = pytest.mark.slow


def verdict(kind: str, rows: int, *rules: str, more: str = "") -> Verdict:
    policy = kinds.policy(kind, list(rules), slices="", more=more)
    return judge(policy, kinds.table(kind, 5, rows))


@cache
def all_judged(kind: str) -> Verdict:
    """Every rule on all rows and on slices of some 230, judged once."""
    policy = kinds.policy(kind, kinds.all_rules(kind), slices=kinds.sliced("kind"))
    return judge(policy, kinds.table(kind, 5, 700))


@pytest.mark.parametrize("kind", ["score", "language"])
def test_numbers_ask_for_rows_and_never_for_labels(kind: str) -> None:
    found = all_judged(kind)
    notes = [f.note for f in found.findings if f.needed is not None]
    assert notes
    noun = "document" if kind == "language" else "row"
    for note in notes:
        assert f"more {noun}" in note
        assert "label" not in note
        assert "positive" not in note


@pytest.mark.parametrize("kind", ["score", "language"])
def test_a_slice_too_small_for_its_method_asks_for_what_the_method_lacks(kind: str) -> None:
    found = all_judged(kind)
    rows = {summary.name: summary.rows for summary in found.slices}
    short = [f for f in found.findings if "validated from 300" in f.note]
    assert short
    for finding in short:
        if finding.as_seen == "broken" and finding.needed is None:
            continue  # these rows would only show that the limit is broken
        assert finding.needed is not None
        assert finding.needed >= 300 - rows[finding.slice]


def test_an_average_of_classes_asks_for_rows_of_the_rarest_where_these_are_few() -> None:
    minimum = "evidence: {minimum: {positives: 400}}\n"
    found = verdict(
        "multiclass", 900, "{metric: recall, max_drop: 0.02}",
        "{metric: recall, classes: [u], max_drop: 0.02}", more=minimum,
    )  # fmt: skip
    macro, one = of_rules(found)
    assert (macro.needed_unit, one.needed_unit) == ("positives", "positives")
    assert "more rows of the rarest class" in macro.note
    assert "more rows of class u" in one.note
    assert macro.needed is not None
    assert macro.needed >= 400 - found.slices[0].positives


def test_an_average_of_classes_with_enough_of_each_asks_for_rows() -> None:
    (macro,) = of_rules(verdict("multiclass", 300, "{metric: recall, max_drop: 0.07}"))
    assert macro.needed_unit == "rows"
    assert "more rows if nothing really changed" in macro.note


def test_a_class_that_a_slice_lacks_is_named() -> None:
    data = kinds.table("multiclass", 5, 600)
    data.loc[data["kind"] == "a", "label"] = "u"
    policy = kinds.policy(
        "multiclass", ["{metric: recall, slices: kind=a, classes: [w], at_least: 0.5}"]
    )
    (finding,) = of_rules(judge(policy, data))
    assert finding.note.startswith("recall is not defined: the slice has no rows of class w")


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_slices_count_what_was_lost_and_gained(kind: str) -> None:
    data = kinds.table(kind, 7, 500)
    found = judge(kinds.policy(kind, slices=kinds.sliced("kind")), data)
    whole = found.slices[0]
    if kind in ("score", "language"):
        assert (whole.lost, whole.gained) == (None, None)
        return
    if kind == "binary":
        truth = data["label"] == "unsafe"
        right = [(data[model] >= 0.5) == truth for model in ("baseline", "candidate")]
    else:
        right = [data[model] == data["label"] for model in ("baseline", "candidate")]
    assert whole.lost == (right[0] & ~right[1]).sum()
    assert whole.gained == (~right[0] & right[1]).sum()


def test_metrics_are_called_by_their_names() -> None:
    found = verdict(
        "language", 2000, "{metric: nll_per_token, max_rise: 0.001}",
        "{metric: perplexity, at_most: 1}",
    )  # fmt: skip
    nll = next(text for text in found.reasons if "NLL per token on overall went from" in text)
    assert " nats (" not in nll
    assert nll.count(" nats") == 2  # after the second value, and after the limit
    assert any(text.startswith("Perplexity on overall is") for text in found.reasons)
    (mae,) = verdict("score", 900, "{metric: mae, at_most: 0.1}").reasons
    assert mae.startswith("MAE on overall is")


def finding(**given: object) -> Finding:
    values: dict[str, object] = {
        "rule": 0, "metric": "nll_per_token", "slice": "overall", "check": "max_rise",
        "status": "pass", "severity": "block", "evidence": "proven", "baseline": 2.5934,
        "candidate": 2.6011, "difference": 0.0077, "ci_low": 0.000099, "ci_high": 0.0059,
        "limit": 0.02, "p_value": 0.01, "p_harm": 0.99, "n": 1000, "method": "t",
    }  # fmt: skip
    return Finding(**{**values, **given})  # type: ignore[arg-type]  # values by field name


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.000099, 0.0059, "+0.000099 to +0.0059 nats"),
        (0.0024, 0.0052, "+0.0024 to +0.0052 nats"),
        (0.2, None, "+0.20 nats to no end"),
        (0.2, 3.0, "+0.20 to +3.0 nats"),
    ],
)
def test_a_real_loss_shows_both_ends_of_its_interval(
    low: float, high: float | None, said: str
) -> None:
    policy = kinds.policy("language", ["{metric: nll_per_token, max_rise: 0.02}"])
    (text,) = sentences.losing(policy, [finding(ci_low=low, ci_high=high)], [0])
    assert f"(95 % interval of the change by itself: {said})" in text
    assert text.startswith("NLL per token on overall went from 2.593 to 2.601 nats;")
    assert text.endswith(", within what is allowed.")


def test_a_mean_that_misses_its_limit_by_little_does_not_look_like_it() -> None:
    policy = kinds.policy("score", ["{metric: mean_score, at_least: 2.5}"])
    missed = finding(metric="mean_score", check="at_least", status="fail", candidate=2.49996,
                     limit=2.5)  # fmt: skip
    (text,) = sentences.reasons(policy, "reject", [missed])
    assert text == "Mean score on overall is 2.49996; the policy asks for at least 2.5."
