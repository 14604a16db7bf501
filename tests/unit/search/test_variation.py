"""Other amounts in the policy's own steps; equal keys remove the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from prunegate.compress.select import select_survivors
from prunegate.policy.steps import SearchSection, Step
from prunegate.search.variation import amounts_key, at_random, criterion_of, varied, with_amounts

HEADS = (6, 6, 5)


class Kept:
    """A model's units, as far as a key asks."""

    def counts(self, kind: str) -> tuple[int, ...]:
        return HEADS if kind == "heads" else (40, 41, 42)


def policy(*steps: dict[str, Any]) -> Any:
    return SimpleNamespace(compress=tuple(Step.model_validate({"prune": s}) for s in steps))


def searched(*steps: int) -> SearchSection:
    vary = [{"step": step, "amount": (0.1, 0.9)} for step in steps]
    return SearchSection.model_validate({"vary": vary})


def one_key(which: Any, search: SearchSection, *amounts: float) -> Any:
    return amounts_key(which, search, cast(Any, Kept()), amounts)


def test_only_the_varied_amounts_change() -> None:
    made = policy(
        {"what": "heads", "amount": 0.2, "scope": "per_layer"}, {"what": "neurons", "amount": 0.3}
    )
    steps = with_amounts(made, searched(2), (0.55,))
    assert steps[0] == made.compress[0]
    assert steps[1].prune == made.compress[1].prune.model_copy(update={"amount": 0.55})
    assert varied(made, searched(2, 1)) == ("neurons (step 2)", "heads (step 1)")


def test_at_random_draws_and_needs_no_rows() -> None:
    steps = (
        *policy({"what": "heads", "amount": 0.2, "data": {"split": "train"}}).compress,
        Step.model_validate({"finetune": {"steps": 3}}),
    )
    drawn = at_random(steps)
    assert (criterion_of(steps), criterion_of(drawn)) == ("taylor", "random")
    assert drawn[0].rows is None
    assert drawn[1] == steps[1]
    assert drawn[0].prune is not None
    assert drawn[0].prune.amount == 0.2


@given(
    amounts=st.lists(st.floats(0.04, 0.7), min_size=2, max_size=2),
    scope=st.sampled_from(["global", "per_layer"]),
)
def test_equal_keys_are_equal_removals(amounts: list[float], scope: Any) -> None:
    """Against the selection itself, which is what decides."""
    made = policy({"what": "heads", "amount": 0.2, "scope": scope})
    rng = np.random.default_rng(0)
    scores = [rng.random(count) for count in HEADS]
    if scope == "per_layer":
        amounts = [max(0.1, amount) for amount in amounts]
    kept = [select_survivors(scores, amount, scope=scope) for amount in amounts]
    keys = [one_key(made, searched(1), amount) for amount in amounts]
    assert (keys[0] == keys[1]) == (kept[0] == kept[1])


def test_where_the_count_is_not_known_the_share_is_the_key() -> None:
    twice = policy({"what": "heads", "amount": 0.2}, {"what": "heads", "amount": 0.3})
    after_layers = policy({"what": "layers", "amount": 0.3}, {"what": "heads", "amount": 0.3})
    weights = policy({"what": "weights", "criterion": "magnitude", "amount": 0.3})
    for made, step in ((twice, 2), (after_layers, 2), (weights, 1)):
        one, other = (one_key(made, searched(step), a) for a in (0.5, 0.500001))
        assert one != other
