"""Amounts that cannot be removed are refused before the first attempt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.compress.select import removals
from prunegate.errors import InputError, ModelError
from prunegate.models.kept_units import KeptUnits
from prunegate.policy.steps import Prune, SearchSection, Step
from prunegate.search.possible_amounts import largest_amount, require_removable

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


def test_what_only_an_attempt_can_tell_is_left_to_it() -> None:
    """Layers that go first take an unknown number of heads with them."""
    steps = [{"what": "layers", "amount": 0.34}, {"what": "heads", "amount": 0.2}]
    assert refusal(*steps, ranges={2: (0.3, 0.9)}) is None
    assert refusal({"what": "weights", "amount": 0.2}, ranges={1: (0.3, 0.99)}) is None


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    least=st.integers(1, 4),
    scope=st.sampled_from(["global", "per_layer"]),
)
def test_the_largest_amount_goes_and_a_unit_more_does_not(
    sizes: list[int], least: int, scope: Any
) -> None:
    """Against the count of removals itself."""
    wanted = Prune(what="heads", amount=0.5, scope=scope, min_per_layer=least)
    most = largest_amount(wanted, tuple(sizes))
    if most > 0:
        gone = removals(most, sizes, scope=scope, min_per_layer=least)
        assert sum(gone) > 0
    beyond = most + 1.01 / (sum(sizes) if scope == "global" else min(sizes))
    if beyond < 1:
        with pytest.raises(ModelError, match=r"min_per_layer"):
            removals(beyond, sizes, scope=scope, min_per_layer=least)
