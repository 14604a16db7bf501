"""Label sets, read: a yes or no of the truth and of both models for every label of a row.

Each label has three columns (``label_hate``, ``baseline_hate``, ``candidate_hate``), which may
follow from lists. One pass sums up, per combination of slicing values, the eight counts of every
label, how decisions occur together within rows, and which rows are right as a whole.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import reduce
from itertools import combinations_with_replacement
from operator import add
from typing import Any

import narwhals as nw

from prunegate.counting.class_columns import beside_column, names_column
from prunegate.counting.cluster_sums import Clusters, Pair
from prunegate.counting.column_reading import (
    DIFFERS,
    EVERY,
    ColumnCheck,
    N,
    Reading,
    flag_expression,
    number,
    outside,
    texts_for_numbers,
)
from prunegate.counting.decisions import threshold_of_singles
from prunegate.counting.label_sets import WHOLE, LabelSets
from prunegate.counting.near_threshold import compared
from prunegate.counting.tallies import JointCounts, LabelCounts
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.label_columns import NO, YES
from prunegate.data.predictions.lists_beside import NAMES_DIFFER, SCORES_DIFFER
from prunegate.policy.task import Role

ROLES = ("label", "baseline", "candidate")
MODELS: tuple[Role, ...] = ("baseline", "candidate")
_WRONG: Mapping[Role, tuple[int, ...]] = {"baseline": (2, 3, 4, 5), "candidate": (1, 3, 4, 6)}
"""The cells (4 truth + 2 baseline + candidate) in which a model is wrong."""
_PARTED = (1, 2, 5, 6)
"""Those in which the models decide differently."""
_PAIRS = tuple(combinations_with_replacement(range(8), 2))


def flag(role: str, place: int) -> str:
    """A derived column: 1 or 0, of one label by its place; null where it cannot be read."""
    return f"prunegate__{role}_{place}"


def _cell(place: int) -> str:
    return f"prunegate__cell_{place}"


def _held(cell: int) -> str:
    return f"prunegate__held_{cell}"


def wrong(role: Role) -> str:
    """A derived column: how many labels of a row a model decides wrongly."""
    return f"prunegate__wrong_{role}"


@dataclass(frozen=True, kw_only=True)
class LabelSetReading(Reading):
    """Rows that have any number of labels."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the policy."""
        return self.policy.task.labels

    def column(self, role: str, label: str) -> str:
        """The column of one label."""
        return self.policy.label_column(role, label)

    def derived(self) -> Mapping[str, nw.Expr]:
        found = {
            flag(role, place): self.decision(role, label)
            for role in ROLES
            for place, label in enumerate(self.labels)
        }
        differing = [
            flag_expression(self._differs(label), nw.lit(value=True)).fill_null(1)
            for label in self.labels
        ]
        return {**found, DIFFERS: nw.max_horizontal(*differing)}

    def frame(self) -> nw.LazyFrame[Any]:
        """With what follows from the flags beside them."""
        return self._of_cells(self._with_cells())

    def grouped(self, sums: Mapping[str, nw.Expr]) -> nw.LazyFrame[Any]:
        """As of every reading; rows with the same cells are put together first.

        Most rows are decided alike, so that what is summed up a hundred times over is little.
        """
        keys, cells = self.policy.keys, [_cell(i) for i in range(len(self.labels))]
        summed = {N: self.rows(), DIFFERS: nw.col(DIFFERS).max(), **sums}
        frame = self._with_cells().group_by(*keys, *cells)
        alike = frame.agg(*(e.alias(name) for name, e in summed.items()))
        by = keys or (EVERY,)
        lines = self._of_cells(alike).with_columns(nw.lit(0).alias(EVERY)).group_by(*by)
        again = {N: nw.col(N).sum(), DIFFERS: nw.col(DIFFERS).max(), **self.aggregates()}
        again |= {name: nw.col(name).sum() for name in sums}
        return lines.agg(*(e.alias(name) for name, e in again.items()))

    def _with_cells(self) -> nw.LazyFrame[Any]:
        """With the cell of each label."""
        cells = {
            _cell(i): nw.col(flag("label", i)) * 4
            + nw.col(flag("baseline", i)) * 2
            + nw.col(flag("candidate", i))
            for i in range(len(self.labels))
        }
        return super().frame().with_columns(*(e.alias(name) for name, e in cells.items()))

    def _of_cells(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """With what the cells of a row come to together."""
        cells = [nw.col(_cell(i)) for i in range(len(self.labels))]
        found = {wrong(role): _sum(_is(c.is_in(_WRONG[role])) for c in cells) for role in MODELS}
        found[PARTED] = _sum(_is(cell.is_in(_PARTED)) for cell in cells)
        found |= {_held(k): _sum(_is(cell == k) for cell in cells) for k in range(8)}
        return frame.with_columns(*(e.alias(name) for name, e in found.items()))

    def of_values(self) -> Sequence[ColumnCheck]:
        return tuple(self._checks())

    def _checks(self) -> Iterator[ColumnCheck]:
        for role in ROLES:
            names, called = names_column(self.policy, role), getattr(self.policy.columns, role)
            if names in self.table.kinds:
                given = nw.col(names)
                words = "no list of labels"
                yield ColumnCheck(column=names, words=words, broken=given.is_null(), called=called)
                words = "a label that 'task: labels' does not list"
                unknown = (given != "").fill_null(value=False)
                yield ColumnCheck(column=names, words=words, broken=unknown, called=called)
            beside = beside_column(self.policy, role)
            if beside in self.table.kinds:
                scored = role != "label" and self.policy.task.threshold is not None
                words = SCORES_DIFFER if scored else NAMES_DIFFER
                differ = (nw.col(beside) != "").fill_null(value=False)
                yield ColumnCheck(column=beside, words=words, broken=differ, called=called)
            for label in self.labels:
                column = self.column(role, label)
                scored = self._threshold(role, label) is not None
                if scored:
                    yield self._scored(role, label)
                    continue
                words = "no yes or no (1 or 0)"
                broken = self._yes_no(column).is_null()
                yield ColumnCheck(column=column, words=words, broken=broken)

    def _scored(self, role: str, label: str) -> ColumnCheck:
        """The check of a label's scores, told of the column that the table has."""
        column, cells = self.column(role, label), getattr(self.policy.columns, role)
        broken = self._unscored(column)
        if cells not in self.table.beside:
            words = "no score between 0 and 1"
            return ColumnCheck(column=column, words=words, broken=broken, share=True)
        return ColumnCheck(
            column=column,
            words=f"no score of {shown(label)} between 0 and 1",
            broken=broken,
            share=True,
            called=cells,
            hint="if it holds names of labels, remove 'threshold' from 'task'",
        )

    def second_look(self, lines: Sequence[Mapping[str, Any]], failed: Set[str]) -> list[str]:
        del lines
        scored = [
            self.column(role, label)
            for role in MODELS
            for label in self.labels
            if self._threshold(role, label) is not None
        ]
        return texts_for_numbers(self, scored, failed)

    def thresholds(self) -> Mapping[str, float]:
        pairs = [(role, label) for role in MODELS for label in self.labels]
        found = {self.column(*pair): self._threshold(*pair) for pair in pairs}
        return compared(self.table, found)

    def aggregates(self) -> Mapping[str, nw.Expr]:
        rows = nw.col(N)
        found = {
            f"{_cell(i)}_{cell}": (_is(nw.col(_cell(i)) == cell) * rows).sum()
            for i in range(len(self.labels))
            for cell in range(8)
        }
        for one, other in _PAIRS:
            a, b = nw.col(_held(one)), nw.col(_held(other))
            found[f"prunegate__product_{one}{other}"] = (a * b * rows).sum()
            found[f"prunegate__shared_{one}{other}"] = (_is((a > 0) & (b > 0)) * rows).sum()
        before, after = (nw.col(wrong(role)) for role in MODELS)
        same = nw.col(PARTED) == 0
        ways = (
            (before == 0) & (after == 0),
            (before == 0) & (after > 0),
            (before > 0) & (after == 0),
            (before > 0) & (after > 0) & same,
            (before > 0) & (after > 0) & ~same,
        )
        return found | {
            f"prunegate__whole_{i}": (_is(way) * rows).sum() for i, way in enumerate(ways)
        }

    def tally(self, row: Mapping[str, Any]) -> LabelSets:
        labels = {
            label: JointCounts(cells=tuple(_whole(row, f"{_cell(i)}_{c}") for c in range(8)))
            for i, label in enumerate(self.labels)
        }
        whole = {cell: _whole(row, f"prunegate__whole_{i}") for i, cell in enumerate(WHOLE)}
        products: dict[Pair, int] = {}
        shared: dict[Pair, int] = {}
        for one, other in _PAIRS:
            if product := _whole(row, f"prunegate__product_{one}{other}"):
                both = _whole(row, f"prunegate__shared_{one}{other}")
                for pair in ((one, other), (other, one)):
                    products[pair], shared[pair] = product, both
        return LabelSets(
            labels=labels,
            whole=LabelCounts(cells={cell: n for cell, n in whole.items() if n}),
            clusters=Clusters(groups=int(row[N]), products=products, shared=shared),
        )

    def _threshold(self, role: str, label: str) -> float | None:
        if role == "label":
            return None
        model: Role = "baseline" if role == "baseline" else "candidate"
        return self.policy.task.threshold_of(model, label)

    def decision(self, role: str, label: str) -> nw.Expr:
        """1 or 0, of the truth or a model; null where the row cannot be read."""
        column, threshold = self.column(role, label), self._threshold(role, label)
        if threshold is None:
            return self._yes_no(column)
        if column in self.table.singles:
            threshold = threshold_of_singles(threshold)
        value = self._score(column)
        return flag_expression(value >= threshold, (value >= 0) & (value <= 1))

    def _yes_no(self, column: str) -> nw.Expr:
        if self.table.kinds[column] == "text":
            said = nw.col(column).str.strip_chars().str.to_lowercase()
            return flag_expression(said.is_in(YES), said.is_in((*YES, *NO)))
        value = number(column)
        return flag_expression(value == 1, (value == 0) | (value == 1))

    def _score(self, column: str) -> nw.Expr:
        scored = self.table.kinds[column] == "number"
        return number(column) if scored else nw.lit(None).cast(nw.Float64)

    def _unscored(self, column: str) -> nw.Expr:
        value = self._score(column)
        return outside(self, column, (value >= 0) & (value <= 1))

    def _differs(self, label: str) -> nw.Expr:
        one, other = (self.column(role, label) for role in MODELS)
        if self.table.kinds[one] != self.table.kinds[other]:
            return nw.lit(value=True)
        return nw.col(one) != nw.col(other)


PARTED = "prunegate__parted"
"""Derived column: how many labels of a row the models decide differently."""


def _is(condition: nw.Expr) -> nw.Expr:
    """1 or 0; 0 too where it is unknown, of which the checks tell."""
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))


def _sum(parts: Iterator[nw.Expr]) -> nw.Expr:
    return reduce(add, parts)


def _whole(row: Mapping[str, Any], name: str) -> int:
    return int(row[name] or 0)
