"""What rules, slices and sections of a policy get wrong, and what they may say."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.policy.checked import Mistakes

from prunegate.policy.partial import checkable_part

RULES = {
    "unknown metric": (
        "{metric: recal, at_least: 0.5}",
        "metric: unknown metric \"recal\"; did you mean 'recall'?",
    ),
    "metric of another task": (
        "{metric: mae, at_most: 0.5}",
        (
            "metric: mae is not defined for task kind binary; valid: precision, recall, "
            "specificity, f1, accuracy, balanced_accuracy, mcc, false_positive_rate, "
            "negative_flip_rate, churn, auc, average_precision, "
            "recall_at_fpr, precision_at_recall, log_loss, brier"
        ),
    ),
    "a metric that is never tested": (
        "{metric: ece, max_rise: 0.02}",
        (
            "metric: ece is never tested, because no paired test of it has known error rates; "
            "limit brier or log_loss, which calibration is a part of: then ece is shown for every "
            "slice, in the report and in the record"
        ),
    ),
    "no limit": (
        "{metric: recall}",
        (
            "a rule needs a limit: one or more of at_least, at_most, max_drop, max_rise, min_gain, "
            "max_gain, max_ratio"
        ),
    ),
    "per cent": (
        "{metric: recall, at_least: 85}",
        "at_least: got 85, expected a share from 0 to 1; write 0.85 for 85 %",
    ),
    "a share below 0": (
        "{metric: recall, at_least: -0.1}",
        "at_least: got -0.1, expected a share from 0 to 1",
    ),
    "negative latency": (
        "{metric: latency_p50_ms, at_most: -1}",
        "at_most: got -1; latency_p50_ms cannot be negative",
    ),
    "floor above cap": (
        "{metric: recall, at_least: 0.9, at_most: 0.3}",
        "at_most: got 0.3, below at_least (0.9): nothing can satisfy both",
    ),
    "gains that exclude each other": (
        "{metric: recall, min_gain: {relative: 0.2}, max_gain: {relative: 0.1}}",
        "max_gain: got 0.1, below min_gain (0.2): nothing can satisfy both",
    ),
    "negative slack": (
        "{metric: recall, max_drop: -0.01}",
        "max_drop: got -0.01; a margin is at least 0; to demand an improvement use min_gain",
    ),
    "negative gain": (
        "{metric: recall, min_gain: -0.01}",
        "min_gain: got -0.01; a margin is at least 0",
    ),
    "points instead of a share": (
        "{metric: recall, max_drop: 2}",
        "max_drop: got 2, but a share cannot change by 1 or more; write 0.02 for 2 points",
    ),
    "per cent with many digits": (
        "{metric: recall, at_least: 1.2345678}",
        "at_least: got 1.2345678, expected a share from 0 to 1; write 0.012345678 for 1.2345678 %",
    ),
    "a margin that no table can tell": (
        "{metric: recall, max_drop: 5e-324}",
        "max_drop: got 5e-324, expected 0, or at least 1e-08",
    ),
    "a share that no table can tell": (
        "{metric: recall, min_gain: {relative: 1e-12}}",
        "min_gain.relative: got 1e-12, expected 0, or at least 1e-08",
    ),
    "a growth of errors that no table can tell": (
        "{metric: recall, max_drop: {error_ratio: 1e-300}}",
        "max_drop.error_ratio: got 1e-300, expected 0, or at least 1e-08",
    ),
    "a margin in units that nothing is measured in": (
        "{metric: latency_p50_ms, max_rise: 1e-300}",
        "max_rise: got 1e-300, expected 0, or at least 1e-30",
    ),
    "a margin that leaves nothing": (
        "{metric: recall, max_drop: 0.9999999999999999}",
        "max_drop: got 0.9999999999999999, expected at most 0.99999999",
    ),
    "a relative margin that leaves nothing": (
        "{metric: recall, max_drop: {relative: 0.9999999999}}",
        "max_drop.relative: got 0.9999999999, expected at most 0.99999999",
    ),
    "a factor of nothing": (
        "{metric: recall, max_ratio: 5e-324}",
        "max_ratio: got 5e-324, expected at least 1e-08",
    ),
    "a factor of everything": (
        "{metric: false_positive_rate, max_ratio: 1e300}",
        "max_ratio: got 1e+300, expected at most 1000000",
    ),
    "drop of a metric where lower is better": (
        "{metric: latency_p95_ms, max_drop: 3}",
        (
            "max_drop: for latency_p95_ms a drop is an improvement; did you mean 'max_rise' (or "
            "'max_gain', which limits a suspicious improvement)?"
        ),
    ),
    "rise of a metric where higher is better": (
        "{metric: recall, max_rise: 0.02}",
        (
            "max_rise: for recall a rise is an improvement; did you mean 'max_drop' (or "
            "'max_gain', which limits a suspicious improvement)?"
        ),
    ),
    "change of a comparison": (
        "{metric: churn, max_rise: 0.1}",
        "max_rise: churn compares the two models already, so it has no change; use at_most",
    ),
    "ratio of a comparison": (
        "{metric: negative_flip_rate, max_ratio: 1.1}",
        (
            "max_ratio: negative_flip_rate compares the two models already, so it has no change; "
            "use at_most"
        ),
    ),
    "errors of a latency": (
        "{metric: latency_p95_ms, max_rise: {error_ratio: 0.1}}",
        "max_rise.error_ratio: latency_p95_ms has no error rate; write a number or {relative: ...}",
    ),
    "a gain in errors": (
        "{metric: recall, min_gain: {error_ratio: 0.1}}",
        (
            "min_gain.error_ratio: error_ratio is growth of the error rate: it belongs to "
            "max_drop or max_rise"
        ),
    ),
    "latency per slice": (
        "{metric: latency_p95_ms, at_most: 3, slices: all}",
        "slices: latency_p95_ms is measured for the whole model; write slices: overall or nothing",
    ),
    "unknown slice": (
        "{metric: recall, at_least: 0.5, slices: vidoe}",
        'slices: unknown slice "vidoe"; valid: overall, all',
    ),
    "near slice": (
        "{metric: recall, at_least: 0.5, slices: [overal]}",
        "slices[0]: unknown slice \"overal\"; did you mean 'overall'?",
    ),
    "the same slice twice": (
        "{metric: recall, at_least: 0.5, slices: [all, all]}",
        'slices[1]: "all" is in the list twice; keep one',
    ),
    "money without a price": (
        "{metric: cost_per_1k, at_most: 3}",
        "metric: cost_per_1k needs a 'cost' section with billing: {per_inference: ...}",
    ),
}


@pytest.mark.parametrize(("rule", "mistake"), RULES.values(), ids=RULES)
def test_what_one_rule_gets_wrong(rule: str, mistake: str, rule_mistakes: Mistakes) -> None:
    separator = ": " if mistake.startswith("a rule") else "."
    assert rule_mistakes(rule) == [f"4: rules[0]{separator}{mistake}"]


ALLOWED = [
    "{metric: recall, at_least: 0, at_most: 1}",
    "{metric: recall, max_drop: 0}",
    "{metric: recall, max_drop: {error_ratio: 0.5}}",
    "{metric: false_positive_rate, max_rise: 0.01, max_gain: 0.2}",
    "{metric: false_positive_rate, max_rise: {error_ratio: 1}}",
    "{metric: latency_p99_ms, max_rise: 20, min_gain: {relative: 0.1}}",
    "{metric: throughput_per_s, max_drop: {relative: 0.1}, at_least: 100}",
    "{metric: recall, at_least: 0.9, severity: warn}, {metric: recall, at_least: 0.8}",
    "{metric: recall, at_least: 0.9, evidence: point}, {metric: recall, at_least: 0.8}",
    "{metric: recall, at_least: 0.9}, {metric: recall, at_least: 0.8, slices: all}",
]


@pytest.mark.parametrize("rule", ALLOWED)
def test_what_rules_may_say(rule: str, rule_mistakes: Mistakes) -> None:
    assert rule_mistakes(rule) == []


def test_the_tasks_decide_which_metrics_exist(rule_mistakes: Mistakes) -> None:
    rule = "{metric: mae, max_rise: {relative: 0.1}}"
    assert rule_mistakes(rule, task="kind: score") == []
    assert rule_mistakes("{metric: perplexity, at_most: 9}", task="kind: language") == []
    (line,) = rule_mistakes("{metric: specificity, at_least: 0.1}", task="kind: multiclass")
    assert "specificity is not defined for task kind multiclass" in line


SLICES = "slices: [{by: ct, expect: [video, 1]}, {by: [ct, region]}, {name: hol, where: {s: h}}]\n"


@pytest.mark.parametrize(
    "selector",
    ["ct", "'ct,region'", "hol", "ct=video", "ct=1", "'ct=a,region=eu'", "[overall, ct, hol]"],
)
def test_selectors_that_name_slices(selector: str, rule_mistakes: Mistakes) -> None:
    assert rule_mistakes(f"{{metric: recall, at_least: 0.5, slices: {selector}}}", SLICES) == []


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("hoo", "unknown slice \"hoo\"; did you mean 'hol'?"),
        ("ct=vidoe", "no such value among 'expect' of ct; did you mean 'video'?"),
        ("region=eu", "did you mean"),
        ("'region=eu,ct=a'", "unknown slice"),
        ("ct=", "no such value among 'expect' of ct; valid: video, 1"),
        ("ALL", "did you mean 'all'?"),
    ],
)
def test_selectors_that_do_not(selector: str, message: str, rule_mistakes: Mistakes) -> None:
    (line,) = rule_mistakes(f"{{metric: recall, at_least: 0.5, slices: {selector}}}", SLICES)
    assert message in line


PARTS = {
    "slices: [{by: ct}, {by: ct}]": (
        'slices[1].by: slices[0] is called "ct" already; remove or rename one'
    ),
    "slices: [{by: ct}, {name: ct, where: {a: 1}}]": (
        'slices[1].name: slices[0] is called "ct" already; remove or rename one'
    ),
    "slices: [{name: overall, where: {a: 1}}]": (
        'slices[0].name: "overall" is a word of the policy language; rename it'
    ),
    "slices: [{by: all}]": ('slices[0].by: "all" is a word of the policy language; rename it'),
    "slices: [{by: 'a,b'}]": (
        'slices[0].by: the column "a,b" has one of , = \\ in its name, which separate '
        "slice names; rename the column"
    ),
    "slices: [{by: ct, expect: [1, '1']}]": (
        'slices[0].expect[1]: "1" names the same slice as expect[0]; keep one'
    ),
    "slices: [{by: ct, expect: [1, 1.0]}]": (
        "slices[0].expect[1]: 1.0 names the same slice as expect[0]; keep one"
    ),
    'slices: [{by: ct, expect: ["\\u00e9", "e\\u0301"]}]': (
        'slices[0].expect[1]: "e\u0301" names the same slice as expect[0]; keep one'
    ),
    'slices: [{by: "\\u00e9"}, {name: x, where: {"e\\u0301": 1}}]': (
        'slices[1].where["e\u0301"]: "e\u0301" is another column than one named before '
        "that looks the same (Unicode NFC and NFD); write both in the same form"
    ),
    "slices: [{by: label}]": ('slices[0].by: "label" is the label column; name another one'),
    "data: {columns: {id: s, candidate: s}}": (
        "data.columns.candidate: \"s\" is the column of 'id' already; each needs its own"
    ),
    "slices: [{by: post}]\ngroup: post": (
        'group: "post" is a slicing key too: each slice would be one group; remove one of the two'
    ),
    "group: label": 'group: "label" is the label column; name another one',
    "model: {baseline: b, candidate: c}\ncompress: [{prune: {what: heads, amount: 0.1}}]": (
        "compress: 'compress' makes a candidate and model.candidate names one; remove one of "
        "the two"
    ),
    "compress: [{prune: {what: heads, amount: 0.1, criterion: random, data: {split: train}}}]": (
        "compress[0].prune.data: criterion random looks at no data; remove 'data' or use taylor"
    ),
}


@pytest.mark.parametrize(("rest", "mistake"), PARTS.items())
def test_what_the_parts_get_wrong_together(
    rest: str, mistake: str, rule_mistakes: Mistakes
) -> None:
    (line,) = rule_mistakes("{metric: recall, at_least: 0.5}", rest)
    assert line.split(": ", 1)[1] == mistake


def test_hostile_names_alone_are_allowed(rule_mistakes: Mistakes) -> None:
    rest = 'slices: [{by: "a\\u202eb", expect: ["\\u202e", "e\\u0301", "x\\ty"]}]'
    assert rule_mistakes("{metric: recall, at_least: 0.5}", rest) == []


def test_a_policy_that_only_warns_is_refused(mistakes: Mistakes) -> None:
    text = "prunegate: 1\nname: x\ntask: {kind: score}\n"
    (line,) = mistakes(text + "rules: [{metric: mae, at_most: 1, severity: warn}]\n")
    assert line == (
        "4: rules: every rule only warns, so nothing could be approved or rejected; let at least "
        "one rule have severity: block"
    )


@pytest.mark.parametrize("metric", ["ttft_ms", "tpot_ms"])
def test_only_language_models_are_timed_as_they_write(metric: str, rule_mistakes: Mistakes) -> None:
    rule, models = f"{{metric: {metric}, at_most: 9}}", "model: {baseline: b}"
    (line,) = rule_mistakes(rule, models)
    assert "a binary task's models write no text; limit latency_p50_ms" in line
    (line,) = rule_mistakes("{metric: recall, at_least: 0.5}", "generate: {new_tokens: 3}")
    assert "a binary task's models write no text; remove it" in line
    assert rule_mistakes(rule) == []  # measured elsewhere, and handed to gate
    text = "generate: {new_tokens: 3}\nmodel: {baseline: b}"
    assert rule_mistakes(rule, text, "kind: language") == []


def test_the_same_limit_twice_is_refused(rule_mistakes: Mistakes) -> None:
    rules = "{metric: recall, at_least: 0.5}, {metric: recall, max_drop: 0.1, at_least: 0.6}"
    assert rule_mistakes(rules) == [
        (
            "4: rules[1].at_least: rules[0] limits at_least of recall on the same slices "
            "already; keep one of the two"
        )
    ]


def test_the_last_month_needs_volumes(rule_mistakes: Mistakes) -> None:
    rule = "{metric: monthly_cost, at_most: 3000}"
    price = "cost: {billing: {per_inference: {baseline: 0.0042}}"
    assert rule_mistakes(rule, price + "}") == [
        (
            "4: rules[0].metric: monthly_cost needs cost: {volumes: {now: ..., target: ..., "
            "months: ...}}"
        )
    ]
    assert rule_mistakes(rule, price + ", volumes: {now: 1, target: 2, months: 3}}") == []


def test_what_no_stand_in_mends_is_checked_no_further() -> None:
    """A key that is no text, from a program: no file holds one."""
    rules = [{"metric": "recall", "max_drop": 0.1}]
    task = {"kind": "binary", "positive": "a", "threshold": 0.5}
    whole: dict[Any, Any] = {"prunegate": 1, "name": "x", "task": task, "rules": rules}
    assert checkable_part(whole, []) is not None
    assert checkable_part({**whole, 3: 4}, [(3,)]) is None
