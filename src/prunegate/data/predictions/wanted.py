"""Wanted: which columns of a table are needed, and what each is to be handed over as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prunegate.data.predictions.label_columns import DerivedColumn
from prunegate.data.predictions.true_class import TrueClass
from prunegate.policy.intervals import Intervals


@dataclass(frozen=True, kw_only=True)
class WantedColumns:
    """Columns, and how they are read."""

    names: tuple[str, ...]
    """Each once, as the policy names them."""
    text: frozenset[str] = frozenset()
    """Of these, the ones to hand over as text whatever they are."""
    numeric: frozenset[str] = frozenset()
    """Of these, the ones whose texts become numbers or booleans if all of them spell such."""
    named: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Of the text columns, the ones whose values are spelled in one way (``spelled.py``), with the
    texts that the policy calls some of the values by."""
    names_rows: frozenset[str] = frozenset()
    """Of the text columns, the ones that name rows or groups of them: 7.0 in a text is 7."""
    left_out: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Values by column whose rows are left out and counted."""
    intervals: Mapping[str, Intervals] = field(default_factory=dict)
    """Of the text columns, the ones whose numbers or times are put into intervals."""
    answers: Mapping[str, DerivedColumn] = field(default_factory=dict)
    """The columns that do not lie in the table, but follow from its scores per class."""
    of_true: Mapping[str, TrueClass] = field(default_factory=dict)
    """The columns that say how a list of probabilities, one of ``answers``, treats the label."""

    @property
    def scanned(self) -> tuple[str, ...]:
        """What is scanned: the columns, and the lists that others follow from."""
        lists = (found.scores for found in self.of_true.values())
        return tuple(dict.fromkeys((*self.names, *lists)))
