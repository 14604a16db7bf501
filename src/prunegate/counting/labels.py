"""Labels: a task of several classes, where the models' columns hold the label they chose.

Labels are compared as texts (1, 1.0 and ``1`` are one label); the classes are those of the label
column. With ``task: classes`` in the policy every label has to be one of them.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from prunegate.counting.column_reading import (
    BASELINE,
    CANDIDATE,
    DIFFERS,
    LABEL,
    ColumnCheck,
    N,
    Reading,
    flag_expression,
    text,
)
from prunegate.counting.labellable import unlabelled_hint
from prunegate.counting.tallies import LabelCounts, Tally, Triple
from prunegate.data.predictions.columns import EXAMPLES, shown
from prunegate.data.predictions.spelled import Spelling, canonical
from prunegate.policy.naming import value_text

_MODELS = {BASELINE: "baseline", CANDIDATE: "candidate"}
_ANSWERS = (LABEL, BASELINE, CANDIDATE)


def _spells(label: str) -> tuple[Spelling, str] | None:
    """The number or yes-or-no that a label spells; None: it is a word."""
    kinds: tuple[Spelling, ...] = ("boolean", "number")
    found = ((kind, canonical(label.strip(), kind)) for kind in kinds)
    return next(((kind, value) for kind, value in found if value is not None), None)


@dataclass(frozen=True, kw_only=True)
class Labels(Reading):
    """Labels of several classes."""

    cells: ClassVar[tuple[str, ...]] = _ANSWERS

    def derived(self) -> Mapping[str, nw.Expr]:
        label, baseline, candidate = (text(column) for column in self._columns)
        return {
            LABEL: label,
            BASELINE: baseline,
            CANDIDATE: candidate,
            DIFFERS: flag_expression(baseline != candidate, nw.lit(value=True)),
        }

    def of_values(self) -> Sequence[ColumnCheck]:
        empty = [
            ColumnCheck(
                column=column,
                words=self._none(name),
                broken=text(column).is_null(),
                empty=name,
                hint=unlabelled_hint(self.policy) if name == LABEL else "",
            )
            for column, name in zip(self._columns, _ANSWERS, strict=True)
        ]
        if not self.policy.task.classes:
            return empty
        known = [value_text(value) for value in self.policy.task.classes]
        unknown = [
            ColumnCheck(
                column=column,
                words="a label that 'task: classes' does not list",
                broken=~text(column).is_in(known).fill_null(value=True),
            )
            for column in self._columns
        ]
        return (*empty, *unknown)

    def _none(self, role: str) -> str:
        """What a row without an answer has, for people."""
        scored = self.policy.data.scores is not None and role != LABEL
        return "no finite score for each of the classes, and no other" if scored else "no label"

    def second_look(self, lines: Sequence[Mapping[str, Any]], failed: Set[str]) -> list[str]:
        """Labels that look the same must be the same: a wrong spelling would count as an error."""
        del failed
        strange = [
            *self._spelled_otherwise(lines, BASELINE),
            *self._spelled_otherwise(lines, CANDIDATE),
        ]
        found = {line[name] for line in lines for name in _ANSWERS if line[name] is not None}
        alike: dict[str, list[str]] = {}
        for label in sorted(found):
            alike.setdefault(value_text(label), []).append(label)
        return strange + [
            f"the label {shown(text)} is spelled in two ways ({', '.join(map(ascii, spelled))}); "
            "make them the same"
            for text, spelled in alike.items()
            if len(spelled) > 1
        ]

    def _spelled_otherwise(self, lines: Sequence[Mapping[str, Any]], role: str) -> list[str]:
        """A model's labels that are no label of the table, but spell a value that one spells."""
        known = {line[LABEL] for line in lines if line[LABEL] is not None}
        values = {value: label for label in sorted(known) if (value := _spells(label))}
        rows: dict[str, int] = {}
        meant: dict[str, str] = {}
        for line in lines:
            label = line[role]
            value = None if label is None or label in known else _spells(label)
            if value is not None and value in values:
                rows[label] = rows.get(label, 0) + int(line[N])
                meant[label] = values[value]
        if not rows:
            return []
        shown_labels = sorted(rows)[:EXAMPLES]
        some = ", ".join(map(repr, shown_labels))
        there = ", ".join(repr(meant[label]) for label in shown_labels)
        column = self._columns[_ANSWERS.index(role)]
        told = (
            f"{sum(rows.values()):,} {_MODELS[role]} labels ({some}) are no label of the table, "
            f"which has {there}; spell them as the label column does"
        )
        return [f"column {shown(column)}: {told}"]

    def aggregates(self) -> Mapping[str, nw.Expr]:
        return {}

    def cell(self, row: Mapping[str, Any], suffix: str = "") -> Triple:
        label, baseline, candidate = (value_text(row[name + suffix]) for name in _ANSWERS)
        return label, baseline, candidate

    def tally(self, row: Mapping[str, Any]) -> Tally:
        return LabelCounts(cells={self.cell(row): int(row[N])})

    @property
    def _columns(self) -> tuple[str, str, str]:
        columns = self.policy.columns
        return columns.label, columns.baseline, columns.candidate
