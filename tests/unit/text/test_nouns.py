"""Every noun that is counted has both of its forms."""

from __future__ import annotations

from typing import get_args

import pytest

from prunegate.data.labelled.rows import Reads
from prunegate.metrics.task_traits import TRAITS
from prunegate.policy.steps import UnitKind
from prunegate.text.nouns import NOUNS, one_of
from prunegate.text.numbers import number_of

UNITS = ("rows", "positives")
"""Of what a finding asks for."""
COUNTED = {
    *(traits.noun for traits in TRAITS.values()),
    *get_args(Reads),
    *get_args(UnitKind),
    *UNITS,
}


@pytest.mark.parametrize("noun", sorted(COUNTED))
def test_what_is_counted_has_a_singular_of_its_own(noun: str) -> None:
    assert noun in NOUNS
    assert one_of(noun) != noun
    assert number_of(2, one_of(noun)) == f"2 {noun}"
