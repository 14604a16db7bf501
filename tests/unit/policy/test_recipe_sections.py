"""``compress`` and ``search`` in a policy: what a step may be, and what has to agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from prunegate.criteria import CRITERIA
from prunegate.errors import PolicyError
from prunegate.policy.load import parse_policy
from prunegate.policy.step_order import misplaced
from prunegate.policy.steps import Prune, Rows, Step

HEAD = """\
prunegate: 1
name: steps
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.02}]
model: {baseline: base, initial: start}
"""
HEADS = "compress: [{prune: {what: heads, amount: 0.4}}]\n"


def messages(text: str) -> str:
    with pytest.raises(PolicyError) as refused:
        parse_policy(HEAD + text)
    return str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["heads", "neurons", "filters", "layers", "weights"])
@pytest.mark.parametrize("criterion", ["taylor", "magnitude", "activation", "random"])
@pytest.mark.parametrize("amount", ["0.4", "{keep: 64}"])
def test_every_way_to_prune_is_a_step(what: str, criterion: str, amount: str) -> None:
    step = f"{{prune: {{what: {what}, criterion: {criterion}, amount: {amount}}}}}"
    (found,) = parse_policy(f"{HEAD}compress: [{step}]\n").compress
    assert isinstance(found.prune, Prune)
    ranked = criterion in ("taylor", "activation")
    assert found.rows == (Rows(split="calibration") if ranked else None)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("{prune: {what: heads}}", "'amount' is needed"),
        ("{prune: {what: '2:4', amount: 0.5}}", "only 2:4, which is always half, has none"),
        ("{prune: {what: '2:4', cycles: 2}}, {finetune: {steps: 1}}", "remove 'cycles'"),
        ("{prune: {what: weights, amount: {share_below: 0.1}}}", "share_below is for units"),
        (
            "{prune: {what: heads, amount: {share_below: 0.1}, cycles: 2}}",
            "share_below cannot be spread over cycles",
        ),
        (
            "{prune: {what: heads, amount: 0.4, cycles: 2}}",
            "prune.cycles: 'cycles' needs a finetune step right after",
        ),
        (
            "{prune: {what: heads, amount: 0.4, rewind: early}}, {finetune: {steps: 1}}",
            "model: {early: FOLDER}",
        ),
        (
            "{prune: {what: heads, amount: 0.4, rewind: initial}}",
            "prune.rewind: 'rewind' needs a finetune step right after",
        ),
        ("{prune: {what: heads, amount: 0.4, criterion: wanda}}", "criterion"),
        (
            "{prune: {what: heads, amount: 0.4, criterion: magnitude, data: {split: train}}}",
            "looks at no data",
        ),
        ("{finetune: {steps: 1, split: gate}}", "the gate split is for judging only"),
        ("{finetune: {steps: 1, split: train, data: {split: train}}}", "give one of the two"),
        ("{quantize: {to: int4}}", "int8"),
        ("{quantize: {engine: torch, kind: static}}", "static int8 runs in onnxruntime"),
        ("{quantize: {kind: dynamic, data: {split: train}}}", "only static int8 looks at data"),
        ("{quantize: {}}, {finetune: {steps: 1}}", "a model after 'quantize' cannot be pruned"),
        ("{export: onnx}, {prune: {what: heads, amount: 0.4}}", "a model after 'export' cannot"),
        ("{export: onnx}, {export: onnx}", "is 'export' already"),
        ("{quantize: {engine: torch}}, {export: onnx}", "int8 of torch cannot be exported"),
        ("{prune: {what: heads, amount: 0.4}, export: onnx}", "a step is one of"),
        ("{}", "a step is one of"),
    ],
)
def test_steps_that_cannot_be_are_told_with_their_line(steps: str, expected: str) -> None:
    message = messages(f"compress: [{steps}]\n")
    assert expected in message
    assert "6: compress" in message


@pytest.mark.parametrize(
    ("step", "rows"),
    [
        ("{prune: {what: heads, amount: 0.4, criterion: magnitude}}", None),
        ("{prune: {what: heads, amount: 0.4, criterion: magnitude, scope: budget}}", "calibration"),
        ("{finetune: {steps: 1}}", "train"),
        ("{finetune: {steps: 1, split: calibration}}", "calibration"),
        ("{quantize: {}}", None),
        ("{quantize: {kind: static}}", "calibration"),
        ("{quantize: {kind: static, data: {split: train}}}", "train"),
        ("{export: onnx}", None),
    ],
)
def test_a_step_says_which_rows_it_looks_at(step: str, rows: str | None) -> None:
    policy = parse_policy(f"{HEAD}compress: [{step}]\n")
    (found,) = policy.compress
    assert found.rows == (Rows(split=rows) if rows else None)
    assert policy.rows_of_steps == ({1: found.rows} if rows else {})


@pytest.mark.parametrize("what", ["weights", "'2:4'"])
def test_weights_take_a_criterion_that_scores_weights(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    units_alone = replace(CRITERIA["activation"], scores_weights=False)
    monkeypatch.setattr("prunegate.policy.steps.CRITERIA", {**CRITERIA, "activation": units_alone})
    amount = ", amount: 0.4" if what == "weights" else ""
    step = f"{{prune: {{what: {what}, criterion: activation{amount}}}}}"
    assert (
        "criterion activation does not score single weights; use one of: taylor, magnitude, random"
    ) in messages(f"compress: [{step}]\n")
    parse_policy(
        f"{HEAD}compress: [{{prune: {{what: heads, criterion: activation, amount: 0.4}}}}]"
    )


CYCLES = {"prune": {"what": "heads", "amount": 0.4, "cycles": 2}}
TRAIN, INT8, ONNX = {"finetune": {"steps": 1}}, {"quantize": {}}, {"export": "onnx"}


@pytest.mark.parametrize(
    ("recipe", "index", "refusal"),
    [
        ([CYCLES, TRAIN], None, ""),
        ([TRAIN, CYCLES], 1, "step 2: cycles and rewind need a fine-tuning right after it."),
        ([CYCLES, CYCLES, TRAIN], 0, "step 1: cycles and rewind need a fine-tuning right after"),
        ([TRAIN, INT8, TRAIN], 2, "a model after 'quantize' cannot be changed any more."),
        ([ONNX, INT8, ONNX], 2, "'export' stands twice in the recipe; keep one."),
        (
            [
                {"prune": {"what": "weights", "amount": 0.5}},
                {"prune": {"what": "heads", "amount": 0.4, "compensate": "ridge"}},
            ],
            1,
            "step 2: compensation would fill the zeros of step 1; move it before that one.",
        ),
    ],
)
def test_a_program_is_told_which_step_stands_where_it_cannot(
    recipe: list[dict[str, Any]], index: int | None, refusal: str
) -> None:
    """Steps are counted from 1 for people, from 0 for programs."""
    found = list(misplaced([Step.model_validate(one) for one in recipe]))
    assert [one.index for one in found] == ([] if index is None else [index])
    assert all(one.refusal.startswith(refusal) for one in found)


def test_int8_and_onnx_may_follow_each_other() -> None:
    for steps in ("{quantize: {}}, {export: onnx}", "{export: onnx}, {quantize: {kind: static}}"):
        assert len(parse_policy(f"{HEAD}compress: [{steps}]\n").compress) == 2


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("{vary: []}", "vary"),
        ("{vary: [{step: 2, amount: [0.1, 0.5]}]}", "step 2 of 'compress' is no prune step"),
        ("{vary: [{step: 1, amount: [0.5, 0.1]}]}", "the smallest first"),
        ("{vary: [{step: 1, amount: [0, 0.5]}]}", "amount"),
        (
            "{vary: [{step: 1, amount: [0.1, 0.5]}, {step: 1, amount: [0.1, 0.5]}]}",
            "varies step 1 already",
        ),
        (
            "{vary: [{step: 1, amount: [0.1, 0.5]}], objective: cost_per_1k}",
            "needs a 'cost' section",
        ),
        ("{vary: [{step: 1, amount: [0.1, 0.5]}], objective: beauty}", "objective"),
        ("{vary: [{step: 1, amount: [0.1, 0.5]}], confidence: 0.9}", "less than the gate's 0.95"),
        ("{vary: [{step: 1, amount: [0.1, 0.5]}], confidence: 1.0}", "confidence"),
        ("{vary: [{step: 1, amount: [0.1, 0.5]}], control: 3}", "control"),
        ("{vary: [{step: 1, amount: [0.1, 0.5]}], control: {draws: -1}}", "control.draws"),
        ("{vary: [{step: 1, amount: [0.1, 0.5]}], control: {draws: 21}}", "control.draws"),
        (
            "{vary: [{step: 1, amount: [0.1, 0.5]}], control: {scope: global}}",
            "no step that varies says scope: budget, so there is nothing to compare by global",
        ),
    ],
)
def test_a_search_that_cannot_be_is_told(search: str, expected: str) -> None:
    message = messages(f"{HEADS}search: {search}\n")
    assert expected in message
    assert "7: search" in message


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("{what: layers, amount: 0.4}", "it is for heads, neurons and filters"),
        ("{what: heads, amount: 0.4, criterion: magnitude}", "it looks at no rows to plan on"),
        ("{what: heads, amount: 0.4, cycles: 2}}, {finetune: {steps: 9}", "not in cycles"),
        ("{what: heads, amount: 0.4, scope: per_layer}", "no step that varies says scope: global"),
    ],
)
def test_a_budget_to_compare_with_that_cannot_be_planned_is_told(step: str, expected: str) -> None:
    vary = "vary: [{step: 1, amount: [0.1, 0.5]}], control: {scope: budget}"
    assert expected in messages(f"compress: [{{prune: {step}}}]\nsearch: {{{vary}}}\n")


def test_the_search_split_is_not_learnt_from() -> None:
    steps = "compress: [{prune: {what: heads, amount: 0.4, data: {split: search}}}]\n"
    message = messages(f"{steps}search: {{vary: [{{step: 1, amount: [0.1, 0.5]}}]}}\n")
    assert "the search split chooses between candidates" in message


SCORED = """\
prunegate: 1
name: x
task: {kind: score, range: [0, 1]}
rules: [{metric: mae, at_most: 0.5}]
model: {baseline: b, candidate: {folder: c, SAID}}
data: {table: t.csv}
"""


@pytest.mark.parametrize("said", ["classes: [a, b]", "activation: sigmoid"])
def test_what_is_said_of_classes_has_no_place_where_models_answer_with_numbers(said: str) -> None:
    with pytest.raises(PolicyError, match="answer with a number as it stands; remove it"):
        parse_policy(SCORED.replace("SAID", said))


def test_numbers_are_not_softened() -> None:
    recipe = SCORED.replace(", candidate: {folder: c, SAID}", "") + (
        "compress: [{prune: {what: heads, amount: 0.5}}, "
        "{finetune: {steps: 1, teacher: baseline, weight: 0.5, temperature: 2}}]\n"
    )
    with pytest.raises(PolicyError, match="a score is a number; remove it"):
        parse_policy(recipe)
