"""From policy to recipe: every setting arrives, and only needed rows are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.compress.finetune import Schedule
from prunegate.compress.from_policy import rows_in_words, stage_in_words, steps_of
from prunegate.compress.select import Amount
from prunegate.compress.steps import ExportStep, FinetuneStep, PruneStep, QuantizeStep
from prunegate.compress.structured import Cut
from prunegate.compress.unstructured import Thinning
from prunegate.policy.steps import Finetune, Prune, Quantize, Rows, Step


@dataclass(frozen=True)
class Asked:
    """Stands for examples; remembers what was asked for."""

    rows: Rows


def section(*steps: dict[str, Any]) -> tuple[Step, ...]:
    return tuple(Step.model_validate(step) for step in steps)


def _never_rewound(_when: str) -> Any:
    raise AssertionError("earlier weights were asked for")


def recipe(*steps: dict[str, Any]) -> tuple[Any, ...]:
    """The recipe of a section, with the rows that were asked for in the place of examples."""
    asked: Any = Asked
    return steps_of(section(*steps), asked, _never_rewound)


def test_an_empty_section_is_an_empty_recipe() -> None:
    assert recipe() == ()


def test_every_setting_of_a_prune_step_arrives() -> None:
    given_step = {
        "what": "neurons",
        "criterion": "taylor",
        "amount": 0.25,
        "scope": "per_layer",
        "min_per_layer": 3,
        "data": {"split": "train", "where": {"content_type": "display"}, "limit": 50},
    }
    (step,) = recipe({"prune": given_step})
    assert isinstance(step, PruneStep)
    assert step.cut == Cut(
        what="neurons",
        amount=Amount(fraction=0.25),
        criterion="taylor",
        scope="per_layer",
        min_per_layer=3,
    )
    asked: Any = step.data
    assert asked == Asked(
        Rows.model_validate({"split": "train", "where": {"content_type": "display"}, "limit": 50})
    )
    assert step.data_name == "train, content_type=display, at most 50"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (0.5, Amount(fraction=0.5)),
        ({"share_below": 0.1}, Amount(share_below=0.1)),
        ({"keep": 4}, Amount(keep=4)),
    ],
)
def test_every_kind_of_amount_is_understood(written: Any, meant: Amount) -> None:
    (step,) = recipe({"prune": {"what": "heads", "amount": written}})
    assert isinstance(step, PruneStep)
    assert step.cut.amount == meant


@pytest.mark.parametrize("criterion", ["magnitude", "random"])
def test_rows_are_not_asked_for_where_nothing_is_ranked_with_them(criterion: str) -> None:
    def never(_rows: Rows) -> Any:
        raise AssertionError("rows were asked for")

    prune = {"what": "heads", "criterion": criterion, "amount": 0.5}
    (step,) = steps_of(section({"prune": prune}), never, _never_rewound)
    assert isinstance(step, PruneStep)
    assert step.data is None
    assert step.data_name == ""


FINETUNES = st.builds(
    lambda length, **rest: {**length, **rest},
    st.one_of(
        st.fixed_dictionaries({"steps": st.integers(1, 10_000)}),
        st.fixed_dictionaries({"epochs": st.floats(0.01, 100)}),
    ),
    learning_rate=st.floats(1e-8, 1.0),
    batch_size=st.integers(1, 4096),
    weight_decay=st.floats(0, 1),
    flips=st.booleans(),
)


@given(FINETUNES)
def test_every_setting_of_a_finetune_step_arrives(written: dict[str, Any]) -> None:
    (step,) = recipe({"finetune": written})
    assert isinstance(step, FinetuneStep)
    assert step.schedule == Schedule(
        epochs=written.get("epochs"),
        steps=written.get("steps"),
        learning_rate=written["learning_rate"],
        batch_size=written["batch_size"],
        weight_decay=written["weight_decay"],
        flip=written["flips"],
    )
    asked: Any = step.data
    assert asked == Asked(Rows(split="train"))


def test_no_setting_of_the_policy_is_forgotten() -> None:
    """A new key of the policy has to be passed on; this fails until it is looked at."""
    assert set(Finetune.model_fields) == {
        *("epochs", "steps", "learning_rate", "batch_size", "weight_decay", "flips", "data"),
        "split",
    }
    assert set(Prune.model_fields) == {
        *("what", "criterion", "amount", "scope", "min_per_layer", "cycles", "rewind", "data")
    }
    assert set(Quantize.model_fields) == {
        *("to", "kind", "engine", "per_channel", "embeddings", "data")
    }


def test_the_order_stays() -> None:
    heads = {"prune": {"what": "heads", "amount": 0.5}}
    train = {"finetune": {"steps": 1}}
    kinds = [type(step) for step in recipe(train, heads, train)]
    assert kinds == [FinetuneStep, PruneStep, FinetuneStep]


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
        stage_in_words(f"step {n} of 3: {verb}", "candidate")
        for n, verb in ((1, "rank heads"), (2, "quantize"), (3, "fine-tune"))
    ]
    assert told == [
        "rank heads (step 1 of 3)",
        "quantize the candidate (step 2 of 3)",
        "fine-tune the candidate (step 3 of 3)",
    ]


def test_cycles_weights_and_rewinding_arrive() -> None:
    earlier: Any = {"initial": "the initial weights"}
    find: Any = Asked
    prune = {"what": "weights", "criterion": "magnitude", "amount": 0.8, "scope": "per_layer"}
    steps = steps_of(
        section(
            {"prune": {**prune, "cycles": 3, "rewind": "initial", "min_per_layer": 2}},
            {"prune": {"what": "2:4", "criterion": "activation"}},
        ),
        find,
        earlier.__getitem__,
    )
    first, second = steps
    assert isinstance(first, PruneStep)
    assert isinstance(second, PruneStep)
    assert first.cut == Thinning(
        what="weights",
        amount=Amount(fraction=0.8),
        criterion="magnitude",
        scope="per_layer",
        min_per_layer=2,
    )
    assert first.cycles == 3
    assert first.rewind is not None
    assert (first.rewind.to, first.rewind.weights) == ("initial", "the initial weights")
    assert second.cut == Thinning(what="2:4", criterion="activation")
    assert second.data == Asked(Rows(split="calibration"))


def test_quantizing_and_exporting_arrive() -> None:
    static = {"kind": "static", "per_channel": False, "embeddings": True}
    torch_int8 = {"to": "int8", "engine": "torch", "kind": "weight_only"}
    steps = recipe({"quantize": static}, {"export": "onnx"}, {"quantize": torch_int8})
    assert steps == (
        QuantizeStep(
            kind="static",
            per_channel=False,
            embeddings=True,
            data=Asked(Rows(split="calibration")),  # type: ignore[arg-type]  # stands for examples
            data_name="calibration",
        ),
        ExportStep(),
        QuantizeStep(kind="weight_only", engine="torch"),
    )
