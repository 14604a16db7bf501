"""The bar of a decision: the earliest seal of its gate set that says the same, by enumeration."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from prunegate.audit.history import _bar

DECIDED = 5
SEALS = [
    {"gate_set": gate_set, "rules": rules, "contents": contents, "created": created}
    for gate_set, rules, contents, created in product("gh", "rs", "cd", (4, DECIDED, 6))
]


def entry(created: int, **predicate: Any) -> Any:
    return SimpleNamespace(
        facts=SimpleNamespace(created=created), statement=SimpleNamespace(predicate=predicate)
    )


def seals(said: tuple[dict[str, Any], ...]) -> list[Any]:
    return [entry(**one) for one in said]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_decision_is_held_to_the_earliest_seal_that_is_the_same(count: int) -> None:
    decision = entry(DECIDED, attempt={"gate_set": "g", "rules": "r", "contents": "c"})
    for said in product(SEALS, repeat=count):
        made = seals(said)
        mine = [
            place
            for place, one in enumerate(said)
            if one["gate_set"] == "g" and one["created"] <= DECIDED
        ]
        same = [
            place for place in mine if (said[place]["rules"], said[place]["contents"]) == ("r", "c")
        ]
        wanted = (
            ("same", made[same[0]])
            if same
            else ("other", made[mine[-1]])
            if mine
            else ("none", None)
        )
        assert _bar(decision, made) == wanted


def test_without_a_gate_set_there_is_no_bar() -> None:
    assert _bar(entry(DECIDED), seals((SEALS[0],))) == ("none", None)
