"""What contradicts itself in a section is refused in its own words, section by section."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from prunegate.policy.task import Task

Mistakes = Callable[[str], list[str]]
BINARY = "task: {kind: binary, positive: unsafe, threshold: 0.5}\n"
RULES = "rules: [{metric: recall, at_least: 0.5}]\n"
PRICED = "rules: [{metric: recall, at_least: 0.5}, {metric: cost_per_1k, max_ratio: 0.9}]\n"
MODEL = "model: {baseline: %s, candidate: b}\n"


def _step(step: str) -> str:
    return f"{BINARY}{RULES}compress: [{step}]\n"


def _expect(expectation: str) -> str:
    return f"{BINARY}{RULES}data: {{expect: [{expectation}]}}\n"


def _billing(billing: str) -> str:
    return f"{BINARY}{PRICED}cost: {{billing: {{{billing}}}}}\n"


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


def test_a_threshold_is_each_models_own() -> None:
    own = {"baseline": 0.5, "candidate": 0.4}
    task = Task.model_validate({"kind": "binary", "positive": "a", "threshold": own})
    assert (task.threshold_of("baseline"), task.threshold_of("candidate")) == (0.5, 0.4)
    own["candidate"] = "tuned"
    tuned = Task.model_validate({"kind": "binary", "positive": "a", "threshold": own})
    assert tuned.with_threshold(0.3).threshold_of("candidate") == 0.3
