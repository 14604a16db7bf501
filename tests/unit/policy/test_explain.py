from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.errors import InputError
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS
from prunegate.policy.explain import explain_check, explain_policy
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy, Rule
from prunegate.text.numbers import exact

REST = "otherwise the candidate is not approved."


def rule(text: str, rest: str = "") -> str:
    """The sentence of one rule."""
    head = "prunegate: 1\nname: x\ntask: {kind: binary, positive: unsafe}\n"
    slices = (
        "slices: [{by: content_type}, {by: format, expect: [a, b, c]}, {by: [content_type, "
        "format], expect: [[v, a]]}, {name: hol, where: {content_type: v, s: [h, w]}}]\n"
    )
    blocking = "{metric: accuracy, max_drop: 0.5, evidence: point}"
    policy = parse_policy(f"{head}{slices}rules: [{text}, {blocking}]\n{rest}")
    return explain_policy(policy)[0]


GOLDEN = {
    "{metric: recall, slices: content_type, at_least: 0.85, max_drop: 0.02}": (
        "On every content_type, recall must be proven at least 85 %, and proven to have dropped by "
        f"no more than 2 points against the baseline; {REST}"
    ),
    "{metric: precision, slices: all, max_drop: {relative: 0.03}}": (
        "Overall and on every slice, precision must be proven to have dropped by no more than 3 "
        f"% of the baseline's value; {REST}"
    ),
    "{metric: f1, slices: format, max_drop: {error_ratio: 0.5}}": (
        "On every format (a, b and c must be there), F1 must be proven to have at most 1.5 times "
        f"the baseline's errors; {REST}"
    ),
    "{metric: recall, slices: 'content_type,format', at_most: 0.999, evidence: point}": (
        "On every combination of content_type and format (v with a must be there), recall must be "
        f"measured at most 99.9 %; {REST}"
    ),
    "{metric: recall, slices: [overall, hol, content_type=v], min_gain: 0.01, max_gain: 0.2}": (
        "Overall, on the slice hol (content_type v and s h or w) and on content_type=v, recall "
        "must be proven to have improved by at least 1 point against the baseline, and proven to "
        "have improved by no more than 20 points against the baseline (more would be suspicious); "
        + REST
    ),
    "{metric: false_positive_rate, max_rise: 0.005, max_ratio: 1.1, on_undefined: fail}": (
        "Overall, false positive rate must be proven to have risen by no more than 0.5 points "
        "against the baseline, and proven at most 1.1 times the baseline's; otherwise, and where "
        "it is undefined, the candidate is not approved."
    ),
    "{metric: negative_flip_rate, at_most: 0.05, severity: warn}": (
        "Overall, the share of items the baseline got right and the candidate gets wrong must be "
        "proven at most 5 %; otherwise the report warns, and the decision stays as it is."
    ),
    "{metric: latency_p95_ms, at_most: 40, max_rise: 2.5}": (
        "The latency that 95 % of calls stay under must be at most 40 ms, and measured to have "
        f"risen by no more than 2.5 ms against the baseline; {REST}"
    ),
    "{metric: throughput_per_s, at_least: 1200}": (
        f"The number of inferences per second must be at least 1,200/s; {REST}"
    ),
    "{metric: model_bytes, at_most: 50000000, max_ratio: 0.8}": (
        "The size of the stored weights must be at most 50 MB, and at most 0.8 times "
        f"the baseline's; {REST}"
    ),
}


@pytest.mark.parametrize(("text", "sentence"), GOLDEN.items())
def test_one_sentence_per_rule(text: str, sentence: str) -> None:
    assert rule(text) == sentence


def test_money_has_its_currency() -> None:
    cost = "cost: {currency: EUR, billing: {per_inference: {baseline: 0.0042}}}"
    sentence = rule("{metric: cost_per_1k, at_most: 3.2, max_ratio: 0.75}", cost)
    assert sentence == (
        "The cost of 1,000 inferences must be at most €3.20, and at most 0.75 times the "
        f"baseline's; {REST}"
    )


def test_what_the_models_have_together_is_explained() -> None:
    cost = (
        "cost: {billing: {per_inference: {baseline: 0.0042, candidate: 0.0029}}, volumes: {now: 1, "
        "target: 2, months: 18}, one_off: 1200}"
    )
    assert rule("{metric: saving, at_least: 1000}", cost) == (
        "The saving over all projected months, less the one-off cost, must be at least $1,000; "
        + REST
    )
    assert rule("{metric: break_even_month, at_most: 6}", cost) == (
        f"The month in which the saving has paid the one-off cost must be at most 6; {REST}"
    )


def test_what_holds_for_all_rules_comes_after_them(example: str) -> None:
    policy = parse_policy(example)
    assert explain_policy(policy)[len(policy.rules) :] == [
        "Proven means shown by the labelled data with 95 % confidence (one-sided).",
        (
            "A slice with fewer than 300 rows or 100 positives is inconclusive: that is too little "
            "evidence to approve."
        ),
        (
            "The baseline has to be shown to agree with the labels beyond chance, on all rows and "
            "on every slice that is judged; otherwise nothing is approved, because no change "
            "against a model that knows nothing says nothing."
        ),
        (
            "Where a value is missing or undefined the answer is inconclusive, which is not an "
            "approval, unless the rule says otherwise."
        ),
        "Rows with the same post_id are not counted as independent of each other.",
    ]


def test_the_estimate_is_called_measured() -> None:
    policy = parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: score}\nrules:\n"
        "- {metric: mean_score, at_least: 3, evidence: point, on_undefined: fail}\n"
    )
    assert explain_policy(policy) == [
        (
            "Overall, the mean score must be measured at least 3; otherwise, and where "
            "it is undefined, the candidate is not approved."
        ),
        "Measured means by the estimate alone, which chance can move either way.",
        "A slice with fewer than 1 row is inconclusive: that is too little evidence to approve.",
    ]


CLASSES = {
    "{metric: recall, max_drop: 0.02}": (
        "Overall, recall, averaged over the classes with equal weight, must be proven to have "
        f"dropped by no more than 2 points against the baseline; {REST}"
    ),
    "{metric: f1, classes: each, at_least: 0.8}": (
        f"Overall, F1 of every class by itself must be proven at least 80 %; {REST}"
    ),
    "{metric: precision, classes: [ads], at_least: 0.8}": (
        f"Overall, precision of the class ads must be proven at least 80 %; {REST}"
    ),
    "{metric: precision, classes: [ads, 3], at_least: 0.8}": (
        f"Overall, precision of each of the classes ads and 3 must be proven at least 80 %; {REST}"
    ),
    "{metric: accuracy, at_least: 0.8}": f"Overall, accuracy must be proven at least 80 %; {REST}",
}


@pytest.mark.parametrize(("text", "sentence"), CLASSES.items())
def test_a_rule_says_which_classes_it_is_about(text: str, sentence: str) -> None:
    policy = parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: multiclass}\n"
        f"evidence: {{minimum: {{rows: 300, positives: 50}}}}\nrules: [{text}]\n"
    )
    said = explain_policy(policy)
    assert said[0] == sentence
    assert "A slice with fewer than 300 rows or 50 rows of a class that is judged is" in said[2]


@pytest.mark.parametrize(("days", "said"), [(1, "1 day"), (180, "180 days"), (3650, "3,650 days")])
def test_a_term_is_told(days: int, said: str) -> None:
    text = (
        "prunegate: 1\nname: x\ntask: {kind: binary, positive: unsafe}\n"
        "rules: [{metric: recall, at_least: 0.9}]\n"
    )
    policy = parse_policy(f"{text}revalidate: {{after_days: {days}}}\n")
    assert explain_policy(policy)[-1].startswith(f"A decision holds for {said}; after that")
    assert "A decision holds" not in " ".join(explain_policy(parse_policy(text)))


def test_documents_have_no_positives() -> None:
    policy = parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: language}\nevidence: {minimum: {rows: 300}}\n"
        "rules: [{metric: nll_per_token, max_rise: 0.02}]\n"
    )
    said = explain_policy(policy)
    assert said[0] == (
        "Overall, the negative log-likelihood per token must be proven to have risen by no more "
        f"than 0.02 nats against the baseline; {REST}"
    )
    assert said[2].startswith("A slice with fewer than 300 documents is inconclusive")


def test_what_is_about_no_label_names_none() -> None:
    policy = parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: multilabel, labels: [a, b], threshold: 0.5}\n"
        "rules: [{metric: recall, at_least: 0.5}, {metric: model_bytes, at_most: 5000000}]\n"
    )
    assert explain_policy(policy)[1] == (
        f"The size of the stored weights must be at most 5 MB; {REST}"
    )


def test_hostile_names_are_inert() -> None:
    text = (
        "prunegate: 1\nname: x\ntask: {kind: binary, positive: a}\n"
        'slices: [{by: "a\\u202eb", expect: ["x\\ny"]}]\n'
        'rules: [{metric: recall, at_least: 1, slices: "a\\u202eb"}]\n'
    )
    sentence = explain_policy(parse_policy(text))[0]
    assert sentence.startswith("On every a\\u202eb (x\\ny must be there), recall")


SHORT = {
    "at_least": (0.85, "at least 85 %"),
    "at_most": (0.07, "at most 7 %"),
    "max_drop": (0.02, "drop of at most 2 points"),
    "max_rise": ({"relative": 0.03}, "rise of at most 3 % of the baseline's value"),
    "min_gain": (0.01, "improvement of at least 1 point"),
    "max_gain": (0.2, "improvement of at most 20 points"),
    "max_ratio": (0.75, "at most 0.75 times the baseline's"),
}


def test_the_short_form_covers_every_check() -> None:
    assert tuple(SHORT) == tuple(CHECKS)
    for check, (limit, words) in SHORT.items():
        assert (
            explain_check(Rule.model_validate({"metric": "recall", check: limit}), check) == words
        )


def test_the_short_form_of_other_limits() -> None:
    errors = Rule.model_validate({"metric": "recall", "max_drop": {"error_ratio": 0.5}})
    assert explain_check(errors, "max_drop") == "at most 1.5 times the baseline's errors"
    money = Rule(metric="cost_per_1k", at_most=3.2)
    assert explain_check(money, "at_most", "USD") == "at most $3.20"


def test_what_a_rule_does_not_have_cannot_be_explained() -> None:
    with pytest.raises(InputError, match="the rule on recall has no at_most; it has at_least"):
        explain_check(Rule(metric="recall", at_least=0.5), "at_most")
    with pytest.raises(InputError, match=r"unknown metric 'recal'; did you mean 'recall'\?"):
        explain_check(Rule(metric="recal", at_least=0.5), "at_least")


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_metric_can_be_explained(metric: object) -> None:
    name = metric.name  # type: ignore[attr-defined] # parametrized over Metric
    policy = Policy.model_validate(
        {
            "prunegate": 1,
            "name": "x",
            "task": {"kind": "score"},
            "rules": [{"metric": name, "at_most": 0.5}],
        }
    )
    assert explain_policy(policy)[0].endswith(REST)


@given(st.floats(0, 1))
def test_limits_are_shown_with_all_their_digits(limit: float) -> None:
    assert float(exact(limit)) == limit


@pytest.mark.parametrize(
    ("value", "shown"), [(0.07, "7"), (0.29, "29"), (1e-7, "0.00001"), (1.0, "100"), (0.0, "0")]
)
def test_per_cent_is_free_of_binary_noise(value: float, shown: str) -> None:
    assert exact(value, 2) == shown
