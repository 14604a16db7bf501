"""What a page decides about, by what was asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from prunegate.edge.description import ShownDecision, classes_of, decision_about, one_by_one
from prunegate.errors import ModelError

pytestmark = pytest.mark.models
CLASSES = ("safe", "adult", "hate")


@pytest.mark.parametrize(
    ("several", "positive", "thresholds", "kind", "wanted"),
    [
        (False, None, {}, "likeliest", {}),
        (False, "adult", {}, "positive", {"adult": 0.5}),
        (False, "adult", {"adult": 0.31}, "positive", {"adult": 0.31}),
        (True, None, {"hate": 0.2}, "each", {"safe": 0.5, "adult": 0.5, "hate": 0.2}),
        (True, "hate", {"hate": 0.2}, "positive", {"hate": 0.2}),
    ],
)
def test_decisions(
    several: bool,
    positive: str | None,
    thresholds: dict[str, float],
    kind: str,
    wanted: dict[str, float],
) -> None:
    found = decision_about(CLASSES, several, positive, thresholds)
    assert found == ShownDecision(kind=kind, thresholds=wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "none"])
@pytest.mark.parametrize("problem", [None, "multi_label_classification"])
def test_the_model_says_whether_classes_are_decided_one_by_one(
    count: int, activation: str, problem: str | None
) -> None:
    names = {str(number): f"c{number}" for number in range(count)}
    model: Any = SimpleNamespace(
        config={"id2label": names, "problem_type": problem}, activation=activation
    )
    wanted = activation == "sigmoid" or (activation == "none" and problem is not None)
    assert one_by_one(model, count) == one_by_one(model, None) == wanted
    assert not one_by_one(model, 1)


@pytest.mark.parametrize(("positive", "thresholds"), [("", {}), (None, {"": 0.5})])
def test_no_class_is_called_nothing(positive: str | None, thresholds: dict[str, float]) -> None:
    with pytest.raises(ModelError, match="no class ''"):
        decision_about(CLASSES, False, positive, thresholds)


@pytest.mark.parametrize(("positive", "thresholds"), [("nude", {}), (None, {"nude": 0.5})])
def test_a_class_that_is_not_there_is_refused(
    positive: str | None, thresholds: dict[str, float]
) -> None:
    with pytest.raises(ModelError, match="no class 'nude'; it has safe, adult, hate"):
        decision_about(CLASSES, False, positive, thresholds)


@pytest.mark.parametrize(
    ("names", "columns", "shown"),
    [
        (("unsafe",), 1, ("not unsafe", "unsafe")),
        (("unsafe",), None, ("not unsafe", "unsafe")),
        (("safe", "unsafe"), 1, ("safe", "unsafe")),
        (("safe", "unsafe"), 2, ("safe", "unsafe")),
        (("unsafe",), 2, None),
        (("safe", "unsafe"), 3, None),
        (CLASSES, 1, None),
    ],
)
def test_classes_are_as_many_as_a_model_answers_with(
    names: tuple[str, ...], columns: int | None, shown: tuple[str, ...] | None
) -> None:
    """One name is of one output; of two it could be either's."""
    config = {"id2label": {str(number): name for number, name in enumerate(names)}}
    model: Any = SimpleNamespace(config=config, activation="sigmoid", place="m")
    if shown is not None:
        assert classes_of(model, columns) == shown
        return
    with pytest.raises(ModelError, match=f"answers with {columns} numbers for {len(names)} class"):
        classes_of(model, columns)
