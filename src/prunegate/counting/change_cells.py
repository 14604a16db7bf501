"""Change cells: rows and changes of the loss by the joint values of some columns.

One GROUP BY inside the engine gives a line per combination of values that occurs, at most
``MOST_CELLS`` of them: everything about slices (support, lost, gained, summed change) follows from
these. Apart from them only discordant rows ever leave the engine, at most ``MOST_UNITS`` of them,
and only where signs cannot be flipped from counts: changes that are not whole, or groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from prunegate.counting.loss_change import CHANGE
from prunegate.counting.slices import KeyTexts
from prunegate.counting.tasks.every import task_of
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.table import Table
from prunegate.errors import InputError, TableError
from prunegate.policy.schema import Policy
from prunegate.stats.sign_flips import NormalFlips, SignFlips, UnitFlips, WholeFlips

MOST_CELLS = 1_000_000
MOST_UNITS = 2_000_000
_ROWS, _LOST, _GAINED, _SUM, _SQUARES, _BROKEN = (
    f"prunegate__{name}" for name in ("rows", "lost", "gained", "sum", "squares", "broken")
)
Codes = NDArray[np.int64]
Levels = tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """One entry per combination of values that occurs, in the order of the values' texts."""

    columns: tuple[str, ...]
    levels: Levels
    """The texts of each column's values, ascending; None (missing) last."""
    codes: Codes
    """[cells, columns]: places in ``levels``."""
    rows: NDArray[np.int64]
    lost: NDArray[np.int64]
    gained: NDArray[np.int64]
    change: NDArray[np.float64]
    """Summed change of the loss."""
    squares: NDArray[np.float64]
    """Summed squared change."""

    @property
    def moved(self) -> NDArray[np.int64]:
        """Rows of each cell on which the two models differ in loss, [cells]."""
        return self.lost + self.gained


def read_cells(policy: Policy, table: Table, columns: Sequence[str]) -> Cells:
    """Count a table by the joint values of some of its columns, which hold text.

    Raises:
        InputError: more than ``MOST_CELLS`` combinations.
        TableError: rows whose change cannot be computed, or a value spelled in two ways.
    """
    change = nw.col(CHANGE)
    counted = (
        _keyed(policy, table, columns)
        .group_by(*columns)
        .agg(
            nw.len().alias(_ROWS),
            (change > 0).sum().alias(_LOST),
            (change < 0).sum().alias(_GAINED),
            change.sum().alias(_SUM),
            (change * change).sum().alias(_SQUARES),
            change.is_null().sum().alias(_BROKEN),
        )
        .head(MOST_CELLS + 1)
    )
    found = _collect(table, counted)
    if found.num_rows > MOST_CELLS:
        raise InputError(
            f"{table.name}: more than {MOST_CELLS:,} combinations of values in {len(columns)} "
            "columns; name fewer columns, or columns with fewer values"
        )
    if broken := int(_numbers(found, _BROKEN).sum()):
        raise TableError(
            f"{table.name}: {broken:,} rows without a readable label, baseline or candidate; "
            "correct these rows, none may be left out"
        )
    levels = tuple(_levels(column, found[column]) for column in columns)
    codes = _encode(found, columns, levels)
    order = np.lexsort(codes.T[::-1])
    return Cells(
        columns=tuple(columns),
        levels=levels,
        codes=codes[order],
        rows=_numbers(found, _ROWS)[order].astype(np.int64),
        lost=_numbers(found, _LOST)[order].astype(np.int64),
        gained=_numbers(found, _GAINED)[order].astype(np.int64),
        change=_numbers(found, _SUM)[order],
        squares=_numbers(found, _SQUARES)[order],
    )


def flips_of(policy: Policy, table: Table, cells: Cells) -> tuple[SignFlips, str]:
    """How the signs of a table's changes are flipped, and the method in words.

    Flipped are groups where the policy names a group column, else rows: by count where changes are
    whole, one by one up to ``MOST_UNITS`` discordant rows, and by a normal number a cell beyond.

    Raises:
        InputError: more than ``MOST_UNITS`` pairs of a cell and a group with a change.
        TableError: rows without a group.
    """
    if policy.group is not None:
        entries = _by_group(policy, table, cells, policy.group)
        return UnitFlips(changes=entries), f"signs flipped by {policy.group}"
    if policy.task.traits.decided:  # a change is -1, 0 or 1
        return WholeFlips(moved=cells.moved), "signs flipped row by row"
    if int(cells.moved.sum()) > MOST_UNITS:
        return NormalFlips(
            squares=cells.squares
        ), "signs flipped row by row, as a normal sum a cell"
    return UnitFlips(changes=_by_row(policy, table, cells)), "signs flipped row by row"


def _by_group(policy: Policy, table: Table, cells: Cells, group: str) -> Any:
    summed = (
        _keyed(policy, table, cells.columns)
        .group_by(*cells.columns, group)
        .agg(nw.col(CHANGE).sum().alias(_SUM))
        .filter((nw.col(_SUM) != 0) | nw.col(group).is_null())
        .head(MOST_UNITS + 1)
    )
    found = _collect(table, summed)
    if found[group].null_count:
        raise TableError(f"column {shown(group)} has rows without a value; every row needs a group")
    if found.num_rows > MOST_UNITS:
        raise InputError(
            f"{table.name}: the two models differ in more than {MOST_UNITS:,} combinations of a "
            "group and the values of the columns; name fewer columns"
        )
    names, units = np.unique(np.asarray(found[group].to_pylist(), object), return_inverse=True)
    return _sparse(
        _places(found, cells), units, _numbers(found, _SUM), (len(cells.rows), len(names))
    )


def _by_row(policy: Policy, table: Table, cells: Cells) -> Any:
    frame = _keyed(policy, table, cells.columns).filter(nw.col(CHANGE) != 0)
    found = _collect(table, frame.select(*cells.columns, CHANGE))
    places, values = _places(found, cells), _numbers(found, CHANGE)
    order = np.lexsort((values, places))  # the engine's own order is not the same twice
    units = np.arange(len(values))
    return _sparse(places[order], units, values[order], (len(cells.rows), len(units)))


def _sparse(
    rows: Codes, columns: Codes, values: NDArray[np.float64], shape: tuple[int, int]
) -> Any:
    from scipy.sparse import csr_array

    return csr_array((values, (rows, columns)), shape=shape)


def _keyed(policy: Policy, table: Table, columns: Sequence[str]) -> nw.LazyFrame[Any]:
    """The table with its change; an empty text is a missing value."""
    frame = task_of(policy).with_change(policy, table)
    return frame.with_columns(*(nw.when(nw.col(c) != "").then(nw.col(c)).alias(c) for c in columns))


def _collect(table: Table, frame: nw.LazyFrame[Any]) -> pa.Table:
    with table.reading():
        return frame.collect().to_arrow()


def _numbers(found: pa.Table, column: str) -> NDArray[np.float64]:
    values: NDArray[np.float64] = found[column].to_numpy().astype(np.float64)
    return values


def _levels(column: str, values: Any) -> tuple[str | None, ...]:
    texts = KeyTexts(keys=(column,))
    found = {texts.of([value])[0] for value in values.unique().to_pylist()}
    ordered = sorted(text for text in found if text is not None)
    return (*ordered, None) if None in found else tuple(ordered)


def _encode(found: pa.Table, columns: Sequence[str], levels: Levels) -> Codes:
    """[rows, columns]: where each value's text stands among the levels."""
    codes = np.empty((found.num_rows, len(columns)), np.int64)
    for place, (column, texts) in enumerate(zip(columns, levels, strict=True)):
        where = {text: code for code, text in enumerate(texts)}
        coded = found[column].combine_chunks().dictionary_encode()
        reader = KeyTexts(keys=(column,))
        known = np.array([where[reader.of([v])[0]] for v in coded.dictionary.to_pylist()], np.int64)
        indices = coded.indices.fill_null(len(known)).to_numpy()
        codes[:, place] = np.append(known, where.get(None, -1))[indices]
    return codes


def _places(found: pa.Table, cells: Cells) -> Codes:
    """Which cell each line of another result belongs to."""
    codes = _encode(found, cells.columns, cells.levels)
    keys = row_keys(np.vstack([cells.codes, codes]), [len(texts) for texts in cells.levels])
    mine, others = keys[: len(cells.codes)], keys[len(cells.codes) :]
    order = np.argsort(mine)
    return order[np.searchsorted(mine[order], others)]


def mask_of(cells: Cells, allowed: Mapping[str, set[str]]) -> NDArray[np.bool_]:
    """The cells whose values are among the allowed ones, column by column; bool [cells]."""
    mask = np.ones(len(cells.rows), np.bool_)
    for column, texts in allowed.items():
        place = cells.columns.index(column)
        mask &= np.array([level in texts for level in cells.levels[place]])[cells.codes[:, place]]
    return mask


def row_keys(codes: Codes, sizes: Sequence[int]) -> Codes:
    """One number per line of codes, equal exactly where the lines are equal."""
    keys = np.zeros(len(codes), np.int64)
    span = 1
    for place, size in enumerate(sizes):
        if span > 2**62 // max(size, 1):
            _, keys = np.unique(keys, return_inverse=True)
            span = len(codes)
        keys = keys * size + codes[:, place]
        span *= size
    return keys
