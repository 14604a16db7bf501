"""Steps ready to run: the policy's own, with only the rows and weights that they need; and what a
candidate keeps of them, key by key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prunegate.compress.recorded_step import recorded_step, rows_in_words
from prunegate.compress.steps import PreparedStep, Stage, prepare_steps, unroll
from prunegate.compress.work import Work
from prunegate.criteria import CRITERIA
from prunegate.errors import InternalError, ModelError
from prunegate.io.progress import silent
from prunegate.policy.step_order import misplaced
from prunegate.policy.steps import Finetune, Prune, Quantize, Rows, Step, StepSection

pytestmark = pytest.mark.models


@dataclass(frozen=True)
class Asked:
    """Stands for examples; remembers what was asked for."""

    rows: Rows

    def __len__(self) -> int:
        return 7


def section(*steps: dict[str, Any]) -> tuple[Step, ...]:
    return tuple(Step.model_validate(step) for step in steps)


def recipe(*steps: dict[str, Any]) -> tuple[Any, ...]:
    """The recipe of a section, with the rows that were asked for in the place of examples."""
    asked: Any = Asked
    earlier: Any = "the weights of {}".format
    return prepare_steps(section(*steps), asked, earlier)


HEADS = {"prune": {"what": "heads", "amount": 0.4}}
TUNE = {"finetune": {"steps": 1}}
STEPS: list[dict[str, Any]] = [
    HEADS,
    {"prune": {"what": "heads", "amount": 0.4, "criterion": "magnitude"}},
    {"prune": {"what": "2:4", "criterion": "activation", "data": {"split": "train"}}},
    {"prune": {"what": "neurons", "amount": {"keep": 3}, "cycles": 2, "rewind": "initial"}},
    TUNE,
    {"finetune": {"epochs": 1, "data": {"split": "calibration", "limit": 5}}},
    {"quantize": {}},
    {"quantize": {"kind": "static", "data": {"split": "train"}}},
    {"quantize": {"engine": "torch"}},
    {"export": "onnx"},
]


def test_an_empty_section_is_an_empty_recipe() -> None:
    assert recipe() == ()


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_the_policys_own_with_what_it_needs(step: dict[str, Any]) -> None:
    (own,) = section(step)
    (found,) = recipe(step)
    rewinds = own.prune is not None and own.prune.rewind != "none"
    assert found == PreparedStep(
        step=own,
        data=None if own.rows is None else Asked(own.rows),  # type: ignore[arg-type]  # stands for examples
        rewind_to="the weights of initial" if rewinds else None,  # type: ignore[arg-type]  # stands for a model
    )


@pytest.mark.parametrize("criterion", [n for n, c in CRITERIA.items() if not c.looks_at_rows])
def test_rows_are_not_asked_for_where_nothing_is_ranked_with_them(criterion: str) -> None:
    (step,) = recipe({"prune": {"what": "heads", "criterion": criterion, "amount": 0.5}})
    assert step.data is None


def test_weights_to_go_back_to_come_with_a_step_that_rewinds_and_with_no_other() -> None:
    rewinding, plain = section(STEPS[3], HEADS)
    weights: Any = "weights"
    for step, given_weights in ((rewinding, None), (plain, weights)):
        with pytest.raises(ModelError, match="needs 'rewind_to'"):
            PreparedStep(step=step, rewind_to=given_weights)


RECORDED = [
    (
        {"what": "heads", "amount": 0.25, "data": {"split": "train", "limit": 5}},
        (
            '{"step": "prune", "what": "heads", "criterion": "taylor", "scope": "global", '
            '"min_per_layer": 1, "fraction": 0.25, "removed": 3, "data": "train, at most 5", '
            '"rows": 7}'
        ),
    ),
    (
        {
            "what": "neurons",
            "criterion": "magnitude",
            "amount": {"keep": 4},
            "scope": "per_layer",
            "min_per_layer": 2,
            "cycles": 2,
            "rewind": "early",
        },
        (
            '{"step": "prune", "what": "neurons", "criterion": "magnitude", "scope": "per_layer", '
            '"min_per_layer": 2, "keep": 4, "removed": 3, "cycle": 1, "cycles": 2, '
            '"rewind": "early", "data": "", "rows": 0}'
        ),
    ),
    (
        {"what": "heads", "amount": 0.25, "compensate": "ridge", "criterion": "magnitude"},
        (
            '{"step": "prune", "what": "heads", "criterion": "magnitude", "scope": "global", '
            '"min_per_layer": 1, "fraction": 0.25, "compensate": "ridge", "ridge": 0.01, '
            '"removed": 3, "data": "calibration", "rows": 7}'
        ),
    ),
    (
        {"what": "layers", "criterion": "random", "amount": {"share_below": 0.1}},
        (
            '{"step": "prune", "what": "layers", "criterion": "random", "scope": "global", '
            '"min_per_layer": 1, "share_below": 0.1, "removed": 3, "data": "", "rows": 0}'
        ),
    ),
    (
        {"what": "2:4", "criterion": "activation"},
        (
            '{"step": "prune", "what": "2:4", "criterion": "activation", "scope": "global", '
            '"min_per_layer": 1, "removed": 3, "data": "calibration", "rows": 7}'
        ),
    ),
]


@pytest.mark.parametrize(("prune", "kept"), RECORDED)
def test_what_is_kept_of_a_pruning(prune: dict[str, Any], kept: str) -> None:
    """The keys, their order and their values are a format that candidates were saved in."""
    first = unroll(recipe({"prune": prune}, TUNE))[0]
    assert json.dumps(recorded_step(first, removed=3)) == kept


@pytest.mark.parametrize(
    ("step", "kept"),
    [
        (
            {"finetune": {"epochs": 2, "split": "calibration", "flips": False}},
            (
                '{"step": "finetune", "epochs": 2.0, "learning_rate": 0.0001, "batch_size": 64, '
                '"weight_decay": 0.01, "warmup": 0.05, "flip": false, "data": "calibration", '
                '"rows": 7}'
            ),
        ),
        (
            {"finetune": {"steps": 9, "learning_rate": 0.01, "batch_size": 8}},
            (
                '{"step": "finetune", "steps": 9, "learning_rate": 0.01, "batch_size": 8, '
                '"weight_decay": 0.01, "warmup": 0.05, "flip": true, "data": "train", "rows": 7}'
            ),
        ),
        (
            {"finetune": {"steps": 9, "teacher": "baseline", "weight": 0.5}},
            (
                '{"step": "finetune", "steps": 9, "learning_rate": 0.0001, "batch_size": 64, '
                '"weight_decay": 0.01, "warmup": 0.05, "flip": true, "teacher": "baseline", '
                '"weight": 0.5, "temperature": 2.0, "data": "train", "rows": 7}'
            ),
        ),
        (
            {"quantize": {"kind": "static", "per_channel": False, "embeddings": True}},
            (
                '{"step": "quantize", "to": "int8", "kind": "static", "engine": "onnxruntime", '
                '"per_channel": false, "embeddings": true, "data": "calibration", "rows": 7}'
            ),
        ),
        (
            {"quantize": {"engine": "torch"}},
            (
                '{"step": "quantize", "to": "int8", "kind": "dynamic", "engine": "torch", '
                '"per_channel": true, "data": "", "rows": 0}'
            ),
        ),
        ({"export": "onnx"}, '{"step": "export", "to": "onnx"}'),
    ],
)
def test_what_is_kept_of_the_other_steps(step: dict[str, Any], kept: str) -> None:
    (one,) = unroll(recipe(step))
    assert json.dumps(recorded_step(one)) == kept


class Wider(Step):
    """A step that nobody has given a place yet."""

    distill: StepSection | None = None


def test_a_kind_of_step_without_a_place_is_no_export() -> None:
    step = Wider.model_validate({"distill": {}})
    assert (step.kind, step.rows) == ("distill", None)
    with pytest.raises(ValidationError, match=r"distill: \{\.\.\.\}"):
        Wider.model_validate({"distill": {}, **TUNE})
    (one,) = unroll((PreparedStep(step=step),))
    work: Any = SimpleNamespace()
    for place in (recorded_step, lambda one: Work.do(work, one, silent)):
        with pytest.raises(InternalError, match="'distill'"):
            place(one)


def test_no_setting_of_the_policy_is_forgotten() -> None:
    """A new key of the policy has to be recorded; this fails until it is looked at."""
    assert set(Finetune.model_fields) == {
        *("epochs", "steps", "learning_rate", "batch_size", "weight_decay", "flips", "data"),
        *("split", "teacher", "weight", "temperature"),
    }
    assert set(Prune.model_fields) == {
        *("what", "criterion", "amount", "scope", "min_per_layer", "cycles", "rewind", "data"),
        *("compensate", "plans"),
    }
    assert set(Quantize.model_fields) == {
        *("to", "kind", "engine", "per_channel", "embeddings", "data")
    }


@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=6))
def test_one_rule_book_says_which_steps_can_follow(steps: list[dict[str, Any]]) -> None:
    """What the policy's check finds is what a program is refused for, and nothing else is."""
    found = list(misplaced(section(*steps)))
    assert all(0 <= one.index < len(steps) for one in found)
    if found:
        with pytest.raises(ModelError) as refused:
            unroll(recipe(*steps))
        assert str(refused.value) == found[0].refusal
    else:
        assert len(unroll(recipe(*steps))) >= len(steps)


@pytest.mark.parametrize(
    ("steps", "refusal"),
    [
        ([{"quantize": {}}, HEADS], "a model after 'quantize' cannot be changed any more."),
        ([{"export": "onnx"}] * 2, "'export' stands twice in the recipe; keep one."),
        (
            [{"quantize": {"engine": "torch"}}, {"export": "onnx"}],
            "int8 of torch cannot be exported; quantize with engine onnxruntime.",
        ),
        (
            [STEPS[3], HEADS, TUNE],
            "step 1: cycles and rewind need a fine-tuning right after it.",
        ),
    ],
)
def test_a_program_is_refused_in_these_words(steps: list[Any], refusal: str) -> None:
    with pytest.raises(ModelError) as refused:
        unroll(recipe(*steps))
    assert str(refused.value) == refusal


def test_a_learning_rate_past_float32_is_refused_before_anything_is_done() -> None:
    with pytest.raises(ModelError, match="learning_rate out of range"):
        unroll(recipe(HEADS, {"finetune": {"steps": 1, "learning_rate": 1e38}}))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"split": "train"}, "train"),
        ({"split": "calibration", "limit": 9000}, "calibration, at most 9,000"),
        ({"split": "train", "where": {"a": True}}, "train, a=true"),
        ({"split": "train", "where": {"a": ["x", 1, False], "b": 2}}, "train, a=x|1|false, b=2"),
    ],
)
def test_rows_in_words(rows: dict[str, Any], words: str) -> None:
    assert rows_in_words(Rows.model_validate(rows)) == words


def test_stages_are_told_as_plain_verbs() -> None:
    told = [
        Stage(place=f"step {n} of 3", verb=verb, of_units=n == 1).words("candidate")
        for n, verb in ((1, "rank heads"), (2, "quantize"), (3, "fine-tune"))
    ]
    assert told == [
        "rank heads (step 1 of 3)",
        "quantize the candidate (step 2 of 3)",
        "fine-tune the candidate (step 3 of 3)",
    ]
