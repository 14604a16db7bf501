"""What contradicts itself in a section is refused in its own words, section by section."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from prunegate.policy.billing import Instance
from prunegate.policy.file_bytes import mistake_lines
from prunegate.policy.load import parse_policy
from prunegate.policy.production import production_mix
from prunegate.policy.task import ROLES, Task
from prunegate.policy.validation import Mistake
from prunegate.policy.yaml.document import read_yaml

Mistakes = Callable[[str], list[str]]
BINARY = "task: {kind: binary, positive: unsafe, threshold: 0.5}\n"
RULES = "rules: [{metric: recall, at_least: 0.5}]\n"
PRICED = "rules: [{metric: recall, at_least: 0.5}, {metric: cost_per_1k, max_ratio: 0.9}]\n"
SEARCH = (
    "model: {baseline: b}\ncompress: [{prune: {what: heads, amount: 0.4}}]\n"
    "search: {objective: cost_per_1k, vary: [{step: 1, amount: [0.2, 0.4]}]}\n"
)
MODEL = "model: {baseline: %s, candidate: b}\n"


def _step(step: str) -> str:
    return f"{BINARY}{RULES}compress: [{step}]\n"


def _expect(expectation: str) -> str:
    return f"{BINARY}{RULES}data: {{expect: [{expectation}]}}\n"


def _cost(cost: str) -> str:
    return f"{BINARY}{PRICED}cost: {{{cost}}}\n"


def _billing(billing: str) -> str:
    return _cost(f"billing: {{{billing}}}")


def _searched(billing: str) -> str:
    return _billing(billing) + SEARCH


def _weighed(task: str, rule: str) -> str:
    return (
        f"task: {{{task}}}\nslices: [{{by: k}}]\nrules: [{{{rule}, slices: production}}]\n"
        "data: {production: {k: {a: 0.5, b: 0.5}}}\n"
    )


REFUSED = {
    "slices of no shape": (BINARY + "slices: [{expect: [a]}]\n" + RULES, "a slice is either"),
    "a name without conditions": (BINARY + "slices: [{name: a}]\n" + RULES, "come together"),
    "a named slice that is expected": (
        BINARY + "slices: [{name: a, where: {k: x}, expect: [x]}]\n" + RULES,
        "always expected",
    ),
    "a key twice": (BINARY + "slices: [{by: [k, k]}]\n" + RULES, "at least one key, each once"),
    "an expected value that is too short": (
        BINARY + "slices: [{by: [k, l], expect: [a]}]\n" + RULES,
        "an expected value has 1 part(s), but 'by' has 2 key(s)",
    ),
    "a binary task without its label": ("task: {kind: binary}\n" + RULES, "needs 'positive'"),
    "a positive label of many": (
        "task: {kind: multiclass, positive: a}\nrules: [{metric: accuracy, at_least: 0.5}]\n",
        "belongs to a binary task only",
    ),
    "a threshold of many classes": (
        "task: {kind: multiclass, threshold: 0.5}\nrules: [{metric: accuracy, at_least: 0.5}]\n",
        "'threshold' belongs to a binary or multilabel task only",
    ),
    "how to tune what is not tuned": (
        "task: {kind: binary, positive: a, threshold: 0.5, tune: {match: f1}}\n" + RULES,
        "'tune' says how 'threshold: {baseline: ..., candidate: tuned}' is chosen",
    ),
    "labels left out of scores": (
        "task: {kind: score, ignore: [a]}\nrules: [{metric: mae, at_most: 0.5}]\n",
        "'ignore' leaves labels out",
    ),
    "a coefficient above 1": (
        BINARY + "rules: [{metric: mcc, at_least: 2}]\n",
        "expected a coefficient from -1 to 1",
    ),
    "weights that are the group": (
        BINARY + "weight: w\ngroup: w\n" + RULES,
        "is the group column too",
    ),
    "a threshold that a run found": (
        "task: {kind: binary, positive: a, threshold: {baseline: 0.5, candidate: tuned, "
        "found: 0.4}}\n" + RULES,
        "is for records; write the number as 'candidate'",
    ),
    "scores of values": (
        (
            "task: {kind: score}\nrules: [{metric: mae, at_most: 0.5}]\n"
            "data: {scores: {prefix: s_}}\n"
        ),
        "a score task has no classes to score",
    ),
    "scores of labels without a threshold": (
        (f"task: {{kind: multilabel, labels: [a, b]}}\n{RULES}data: {{scores: {{prefix: s_}}}}\n"),
        "which is missing; give one such as 0.5, or one for each label",
    ),
    "a tolerance of nothing": (
        f"{BINARY}{RULES}data: {{tolerance: 0.1}}\n",
        "is for 'data: production:', which is missing",
    ),
    "a mix by no key": (
        f"{BINARY}{RULES}data: {{production: {{k: {{a: 0.5, b: 0.5}}}}}}\n",
        "the policy has none: add 'slices",
    ),
    "a mix and a slice of its name": (
        (
            f"{BINARY}slices: [{{by: k}}, {{name: production, where: {{k: a}}}}]\n{RULES}"
            "data: {production: {k: {a: 0.5, b: 0.5}}}\n"
        ),
        "a slice is called 'production' already",
    ),
    "a mix of one value in two spellings": (
        (
            f"{BINARY}slices: [{{by: k}}]\n{RULES}"
            'data: {production: {k: {"\\u00e9": 0.5, "e\\u0301": 0.5}}}\n'
        ),
        "lists a value twice",
    ),
    "a mix of rows in groups": (
        (
            f"{BINARY}group: g\nslices: [{{by: k}}]\n"
            "rules: [{metric: recall, at_least: 0.5, slices: production}]\n"
            "data: {production: {k: {a: 0.5, b: 0.5}}}\n"
        ),
        "are not reweighted by this version",
    ),
    "a mix of rows with several labels": (
        _weighed(
            "kind: multilabel, labels: [a, b], threshold: 0.5", "metric: recall, at_least: 0.5"
        ),
        "reweighted of binary and multiclass tasks, not multilabel; limit it overall",
    ),
    "a mix of values": (
        _weighed("kind: score", "metric: mae, at_most: 0.5"),
        "reweighted of binary and multiclass tasks, not score; limit it overall",
    ),
    "an end above the other": (
        _expect("{expect_column_values_to_be_between: {column: w, min_value: 2, max_value: 1}}"),
        "no value would do",
    ),
    "any table would do": (_expect("{expect_table_row_count_to_be_between: {}}"), "any table"),
    "pairs of texts and numbers": (
        _expect(
            "{expect_column_pair_values_to_be_in_set: {column_A: a, column_B: b, "
            "value_pairs_set: [[a, 1]]}}"
        ),
        "texts and numbers are never equal",
    ),
    "quantiles without ranges": (
        _expect(
            "{expect_column_quantile_values_to_be_between: {column: w, quantile_ranges: "
            "{quantiles: [0.1, 0.5], value_ranges: [[1, 2]]}}}"
        ),
        "has a range for each of 'quantiles'",
    ),
    "a range the wrong way round": (
        _expect(
            "{expect_column_quantile_values_to_be_between: {column: w, quantile_ranges: "
            "{quantiles: [0.1], value_ranges: [[2, 1]]}}}"
        ),
        "the smallest value and the largest, in this order",
    ),
    "an amount of 2:4": (
        _step("{prune: {what: '2:4', criterion: magnitude, amount: 0.4}}"),
        "only 2:4, which is always half, has none",
    ),
    "a budget of weights": (
        _step("{prune: {what: weights, criterion: magnitude, amount: 0.4, scope: budget}}"),
        "scope: budget is for heads, neurons and filters",
    ),
    "a budget below a share": (
        _step(
            "{prune: {what: neurons, criterion: taylor, amount: {share_below: 0.1}, scope: budget}}"
        ),
        "spends one share or {keep: N} at once",
    ),
    "plans of no budget": (
        _step("{prune: {what: neurons, amount: 0.4, plans: 3}}"),
        "'plans' are of a budget; add 'scope: budget'",
    ),
    "plans that nothing recovers": (
        _step("{prune: {what: neurons, amount: 0.4, scope: budget, plans: 3}}"),
        "'plans' needs a finetune step after this one",
    ),
    "compensated weights": (
        _step("{prune: {what: weights, criterion: magnitude, amount: 0.4, compensate: ridge}}"),
        "compensate: ridge is for heads, neurons and filters",
    ),
    "compensated and put back": (
        _step(
            "{prune: {what: neurons, criterion: taylor, amount: 0.4, compensate: ridge, "
            "rewind: initial}}"
        ),
        "would undo 'compensate'",
    ),
    "cycles that no fine-tuning follows": (
        _step("{prune: {what: neurons, criterion: taylor, amount: 0.4, cycles: 3}}"),
        "'cycles' needs a finetune step right after this one",
    ),
    "epochs and steps": (_step("{finetune: {epochs: 1, steps: 3}}"), "either 'epochs' or 'steps'"),
    "rows named twice": (
        _step("{finetune: {epochs: 1, split: train, data: {split: train}}}"),
        "give one of the two",
    ),
    "a model in two places": (
        BINARY + RULES + MODEL % "{folder: a, onnx: a.onnx}",
        "a model is either",
    ),
    "an output twice": (
        BINARY + RULES + MODEL % "{onnx: a.onnx, classes: [a, a]}",
        "names each output once",
    ),
    "a graph's words of a folder": (
        BINARY + RULES + MODEL % "{folder: a, layout: NCHW}",
        "is said of an ONNX file",
    ),
    "a high below the target": (
        _cost(
            "billing: {per_inference: {baseline: 1}}, "
            "volumes: {now: 5, target: 10, months: 3, high: 7}"
        ),
        "high (7) lies below target (10); swap them",
    ),
    "a search for a quoted price": (
        _searched("per_inference: {baseline: 2, candidate: 1}"),
        "cost_per_1k is the same for every candidate while 'cost' quotes the candidate's price",
    ),
    "a search for quoted seconds": (
        _searched(
            "per_second: {baseline: 2, candidate: 1}, "
            "seconds_per_inference: {baseline: 1, candidate: 1}"
        ),
        "cost_per_1k is the same for every candidate while 'cost' quotes the candidate's price",
    ),
    "intervals that differ": (
        f"{BINARY}slices: [{{by: w, bins: [1, 2]}}, {{by: w, quantiles: 3}}]\n{RULES}",
        '"w" has other intervals in another entry; keep one',
    ),
    "tiers that are all free": (
        _billing("tiers: [{per_inference: {baseline: 0}}]"),
        "every tier of the baseline is free",
    ),
    "scores in another order": (
        (
            "task: {kind: multiclass, classes: [a, b]}\n"
            "rules: [{metric: accuracy, at_least: 0.5}]\n"
            "data: {scores: {baseline: x, candidate: y, classes: [b, a]}}\n"
        ),
        "lists others, or in another order",
    ),
    "scores without a threshold": (
        "task: {kind: binary, positive: a}\n" + RULES + "data: {scores: {prefix: s_}}\n",
        "which is missing; give one such as 0.5",
    ),
    "a distilled step without its teacher": (
        _step("{finetune: {epochs: 1, weight: 0.5}}"),
        "are a teacher's; add 'teacher: baseline'",
    ),
    "zeros that a later step would fill": (
        _step(
            "{prune: {what: weights, criterion: magnitude, amount: 0.4}}, "
            "{prune: {what: neurons, criterion: magnitude, amount: 0.4, compensate: ridge}}"
        ),
        "would fill the zeros of compress[0]",
    ),
    "a long number": (BINARY + "purpose: 1" + "0" * 400 + "\n" + RULES, "characters; quote it"),
    "a tagged key": (BINARY + "!!str purpose: a\n" + RULES, "are not allowed; remove it"),
    "many mistakes at once": (
        BINARY + "rules: [" + "{metric: x, at_least: y}, " * 120 + "]\n",
        "metric: unknown metric",
    ),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED)
def test_each_is_refused_in_its_own_words(mistakes: Mistakes, text: str, words: str) -> None:
    found = mistakes(f"prunegate: 1\nname: x\n{text}")
    assert any(words in one for one in found), found


@pytest.mark.parametrize("count", [200, 201])
def test_of_too_many_mistakes_the_contradictions_wait(mistakes: Mistakes, count: int) -> None:
    wrong = ", ".join(f"{{metric: recal, at_least: 0.5, k{n}: 1}}" for n in range(count))
    found = mistakes(f"prunegate: 1\nname: x\n{BINARY}rules: [{wrong}]\n")
    assert sum("unknown key" in one for one in found) == count
    assert sum("unknown metric" in one for one in found) == (count if count <= 200 else 0)


def test_a_mistake_inside_of_a_plain_value_is_told_where_that_stands() -> None:
    document = read_yaml("a: 1\nb: [2, 3]\n")
    lost = [Mistake(path=("b", 1, "c"), message="lost"), Mistake(path=("a", 0), message="lost")]
    told = [(line, words) for line, _, words in mistake_lines(document, lost)]
    assert told == [(1, "a[0]: lost"), (2, "b[1].c: lost")]


@pytest.mark.parametrize("model", ["baseline", "candidate"])
def test_a_reservation_is_of_some_model(model: str) -> None:
    one = {"count": 1, "per_hour": 1.0}
    instance = {"per_hour": 2.0, "utilisation": 0.5, "reserved": {model: None}}
    with pytest.raises(ValidationError, match="reserves nothing: name baseline, candidate"):
        Instance.model_validate(instance)
    found = Instance.model_validate({**instance, "reserved": {model: one}})
    assert [role for role in ROLES if found.reservation(role)] == [model]


def test_shares_of_nothing_are_no_mix() -> None:
    """A file is refused for them; what else holds such a policy is not divided by zero."""
    text = _weighed("kind: binary, positive: u, threshold: 0.5", "metric: recall, at_least: 0.5")
    policy = parse_policy(f"prunegate: 1\nname: x\n{text}")
    assert production_mix(policy) is not None
    data = policy.data.model_copy(update={"production": {"k": {"a": 0.0}}})
    assert production_mix(policy.model_copy(update={"data": data})) is None


def test_a_threshold_is_each_models_own() -> None:
    own = {"baseline": 0.5, "candidate": 0.4}
    task = Task.model_validate({"kind": "binary", "positive": "a", "threshold": own})
    assert (task.threshold_of("baseline"), task.threshold_of("candidate")) == (0.5, 0.4)
    assert task.moved
    both = task.at_the_baselines_threshold()
    assert (both.threshold, both.moved, both.at_the_baselines_threshold()) == (0.5, False, both)
    own["candidate"] = "tuned"
    tuned = Task.model_validate({"kind": "binary", "positive": "a", "threshold": own})
    assert tuned.with_threshold(0.3).threshold_of("candidate") == 0.3
