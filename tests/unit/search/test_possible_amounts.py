"""Amounts that cannot be removed are refused before the first attempt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from prunegate.errors import InputError
from prunegate.models.kept_units import KeptUnits
from prunegate.policy.steps import SearchSection, Step
from prunegate.search.possible_amounts import require_removable

KEPT = KeptUnits.whole({"heads": (4, 4, 4), "neurons": (10, 20, 10), "layers": (3,)})


def refusal(*steps: dict[str, Any], ranges: dict[int, tuple[float, float]]) -> str | None:
    policy: Any = SimpleNamespace(compress=[Step.model_validate({"prune": one}) for one in steps])
    vary = [{"step": step, "amount": ends} for step, ends in ranges.items()]
    try:
        require_removable(policy, SearchSection.model_validate({"vary": vary}), KEPT)
    except InputError as error:
        return str(error)
    return None


@pytest.mark.parametrize("scope", ["global", "per_layer", "budget"])
def test_the_upper_end_is_refused_with_the_largest_that_goes(scope: str) -> None:
    step = {"what": "heads", "amount": 0.2, "scope": scope}
    said = refusal(step, ranges={1: (0.3, 0.9)})
    assert said is not None
    assert said.startswith("search, step 1, amount 0.9 of 'vary': ")
    assert said.endswith("The largest amount possible is 0.75.")
    assert refusal(step, ranges={1: (0.3, 0.75)}) is None


def test_every_range_that_cannot_be_is_told_at_once() -> None:
    steps = [{"what": what, "amount": 0.2} for what in ("heads", "neurons")]
    said = refusal(*steps, ranges={1: (0.3, 0.9), 2: (0.001, 0.5)}) or ""
    assert "step 1, amount 0.9" in said
    assert "step 2, amount 0.001" in said
    assert "less than half a unit" in said
    assert said.count("largest amount") == 1


def test_what_earlier_steps_of_the_kind_leave_is_what_can_go() -> None:
    """Of 12 heads 6 are left in 3 layers, of which 3 can go."""
    steps = [{"what": "heads", "amount": 0.5}, {"what": "heads", "amount": 0.2}]
    said = refusal(*steps, ranges={2: (0.1, 0.75)})
    assert said is not None
    assert said.startswith("search, step 2, amount 0.75 of 'vary': amount: 5 of 6 units")
    assert said.endswith("The largest amount possible is 0.5.")
    assert refusal(*steps, ranges={2: (0.1, 0.5)}) is None


def test_layers_that_go_first_take_their_heads_with_them() -> None:
    steps = [{"what": "layers", "amount": 0.34}, {"what": "heads", "amount": 0.2}]
    said = refusal(*steps, ranges={2: (0.3, 0.9)}) or ""
    assert "7 of 8 units would have to go, but at most 6 can" in said


def test_a_step_that_varies_counts_with_its_least() -> None:
    """What only its larger amounts rule out is for the attempts to find."""
    steps = [{"what": "heads", "amount": 0.2}] * 2
    assert refusal(*steps, ranges={1: (0.1, 0.6), 2: (0.1, 0.7)}) is None
    assert "largest amount possible is 0.727272" in (
        refusal(*steps, ranges={1: (0.1, 0.6), 2: (0.1, 0.8)}) or ""
    )


def test_a_step_that_does_not_vary_is_told_too() -> None:
    steps = [{"what": "heads", "amount": 0.9}, {"what": "neurons", "amount": 0.2}]
    said = refusal(*steps, ranges={2: (0.1, 0.5)}) or ""
    assert said.startswith("compress, step 1: amount: 11 of 12 units")


def test_what_only_an_attempt_can_tell_is_left_to_it() -> None:
    below = [{"what": "heads", "amount": {"share_below": 0.1}}, {"what": "heads", "amount": 0.2}]
    assert refusal(*below, ranges={2: (0.3, 0.9)}) is None
    pooled = [{"what": "heads", "amount": 0.2}, {"what": "heads", "amount": 0.2}]
    pooled[1]["scope"] = "per_layer"
    assert refusal(*pooled, ranges={2: (0.1, 0.9)}) is None
    assert refusal({"what": "weights", "amount": 0.2}, ranges={1: (0.3, 0.99)}) is None
