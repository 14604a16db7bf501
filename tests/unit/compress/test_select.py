"""Selection: what is asked for is what is done."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from prunegate.compress.select import select_survivors
from prunegate.errors import ModelError
from prunegate.policy.steps import Keep, Prune, Scope, ShareBelow

layers_of_scores = st.lists(
    st.lists(st.floats(0, 1, width=16), min_size=1, max_size=6).map(np.array),
    min_size=1,
    max_size=5,
)


def removed(scores: list[Any], kept: tuple[tuple[int, ...], ...]) -> list[int]:
    return [layer.size - len(left) for layer, left in zip(scores, kept, strict=True)]


@given(
    scores=layers_of_scores,
    fraction=st.floats(0.01, 0.99),
    minimum=st.integers(1, 3),
    scope=st.sampled_from(["global", "per_layer"]),
)
def test_exactly_the_fraction_goes_or_an_error_says_what_could(
    scores: list[Any], fraction: float, minimum: int, scope: Scope
) -> None:
    groups = [scores] if scope == "global" else [[layer] for layer in scores]
    wanted = [math.floor(fraction * sum(a.size for a in group) + 0.5) for group in groups]
    possible = [sum(max(0, a.size - minimum) for a in group) for group in groups]
    if any(not want or want > can for want, can in zip(wanted, possible, strict=True)):
        with pytest.raises(ModelError, match=r"at most|half a unit"):
            select_survivors(scores, fraction, scope=scope, min_per_layer=minimum)
        return
    kept = select_survivors(scores, fraction, scope=scope, min_per_layer=minimum)
    gone = removed(scores, kept)
    assert (gone if scope == "per_layer" else [sum(gone)]) == wanted
    for layer, left in zip(scores, kept, strict=True):
        assert len(left) >= min(minimum, layer.size)
        assert list(left) == sorted(set(left))
        # Nothing that stays in a layer scores lower than what goes from it.
        going = np.delete(layer, list(left))
        assert going.size == 0 or going.max() <= layer[list(left)].min()


@given(scores=layers_of_scores, data=st.data())
def test_keep_keeps_that_many(scores: list[Any], data: st.DataObject) -> None:
    units = sum(layer.size for layer in scores)
    assume(units > len(scores))
    keep = data.draw(st.integers(len(scores), units - 1))
    assert sum(map(len, select_survivors(scores, Keep(keep=keep)))) == keep


def test_keep_per_layer_keeps_that_many_in_each() -> None:
    scores = [np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])]
    assert select_survivors(scores, Keep(keep=2), scope="per_layer") == ((0, 2), (1, 2))
    with pytest.raises(ModelError, match="keep 4 of 3"):
        select_survivors(scores, Keep(keep=4), scope="per_layer")


def test_global_scope_takes_the_lowest_wherever_it_is_but_leaves_the_minimum() -> None:
    scores = [np.array([0.1, 0.2, 0.3]), np.array([0.9, 0.8, 0.7])]
    assert select_survivors(scores, 0.5) == ((2,), (0, 1))
    assert select_survivors(scores, Keep(keep=4), min_per_layer=2) == ((1, 2), (0, 1))
    with pytest.raises(ModelError, match=r"3 of 6 units .* at most 2 can with 2 left"):
        select_survivors(scores, 0.5, min_per_layer=2)


def test_a_fraction_of_less_than_half_a_unit_is_refused() -> None:
    with pytest.raises(ModelError, match=r"0\.1 of 4 units is less than half a unit"):
        select_survivors([np.arange(4.0)] * 3, 0.1, scope="per_layer")


def test_share_below_takes_every_unit_under_the_share() -> None:
    scores = [np.array([1.0, 98.0, 1.0]), np.array([50.0, 30.0, 20.0])]
    assert select_survivors(scores, ShareBelow(share_below=0.02)) == ((1,), (0, 1, 2))
    with pytest.raises(ModelError, match="3 units of layer 0 would have to go"):
        select_survivors([np.ones(3)], ShareBelow(share_below=0.5))


@pytest.mark.parametrize(
    ("amount", "scope", "message"),
    [
        (ShareBelow(share_below=0.01), "global", r"less than 0\.01 .* least carries 0\.01\)"),
        (Keep(keep=6), "global", "keep 6 is what there is"),
        (Keep(keep=3), "per_layer", "keep 3 is what there is"),
    ],
)
def test_an_amount_that_removes_nothing_is_refused(amount: Any, scope: Any, message: str) -> None:
    scores = [np.array([1.0, 98.0, 1.0]), np.array([50.0, 30.0, 20.0])]
    with pytest.raises(ModelError, match=message):
        select_survivors(scores, amount, scope=scope)


def test_ties_go_to_the_earlier_layer_then_the_smaller_index() -> None:
    scores = [np.zeros(3), np.zeros(3)]
    assert select_survivors(scores, 0.5) == ((2,), (1, 2))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        None,
        0.0,
        1.0,
        math.nan,
        {"share_below": 0.5, "keep": 3},
        {"share_below": 0.0},
        {"share_below": 1.0},
        {"share_below": math.nan},
        {"keep": 0},
    ],
)
def test_amounts_that_mean_nothing_are_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="amount"):
        Prune.model_validate({"what": "heads", "amount": wrong})


@pytest.mark.parametrize("share", [0.0, 1.0, math.nan])
def test_a_share_that_no_policy_was_asked_about_is_refused(share: float) -> None:
    with pytest.raises(ModelError, match="between 0 and 1"):
        select_survivors([np.ones(4)], share)


def test_scores_and_settings_that_mean_nothing_are_refused() -> None:
    half = 0.5
    for scores in ([np.array([1.0, np.nan])], [np.array([])], []):
        with pytest.raises(ModelError, match="scores"):
            select_survivors(scores, half)
    with pytest.raises(ModelError, match="min_per_layer"):
        select_survivors([np.ones(2)], half, min_per_layer=0)
    with pytest.raises(ModelError, match="scope"):
        select_survivors([np.ones(2)], half, scope="sideways")  # type: ignore[arg-type] # the point
