"""Counts file: joint counts that a warehouse made, checked for what the query could not read.

The lines of ``prunegate sql`` say beside the counts what was not counted; a file that was made in
another way may lack these columns, and is then taken as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw

from prunegate.counting.counts_table import wrong_lines
from prunegate.counting.tasks.every import task_of
from prunegate.counting.tasks.joint_lines import DECISIONS, ROWS, refuse_weights_of_counts
from prunegate.counting.warehouse_query import (
    FINGERPRINT,
    IGNORED,
    OTHER_HIGH,
    OTHER_LOW,
    REPEATED,
    UNREAD,
    query_fingerprint,
)
from prunegate.data.predictions.open_table import open_table
from prunegate.data.predictions.table import Table
from prunegate.errors import MissingColumnsError, TableError
from prunegate.policy.schema import Policy

_BESIDE = (UNREAD, OTHER_LOW, OTHER_HIGH, REPEATED, FINGERPRINT)
_WHY = {
    "label": "have no label",
    "baseline": "have no score or label of the baseline that can be read",
    "candidate": "have no score or label of the candidate that can be read",
}
"""What a line of rows that could not be read says, in words."""
Line = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class CountsFile:
    """A counts file, read and found whole."""

    table: Table
    """The file, open."""
    frame: Any
    """Its lines, as ``read_counts`` takes them."""
    ignored: int
    """Rows whose label the policy leaves out."""
    fingerprint: str | None
    """Of what the query counted; None: the file does not say by what query it was made."""


def read_counts_file(policy: Policy, path: Path) -> CountsFile:
    """Read joint counts from a file: CSV, Parquet or Arrow.

    Raises:
        TableError: it cannot be read, lacks a column, was made for other rules of counting, or
            holds rows that the query could not read, or lines that are no counts; one error lists
            all of it.
        UnsupportedError: a task that no joint counts can stand for.
    """
    task = task_of(policy)
    if task.reads_counts is None:
        raise task.no_counts()
    refuse_weights_of_counts(policy)
    table = _open(policy, path)
    with table.reading():
        frame: Any = table.frame.collect()
    present = [name for name in _BESIDE if name in frame.columns]
    lines = [dict(zip(frame.columns, row, strict=True)) for row in frame.rows()]
    kept = [(place, line) for place, line in enumerate(lines, start=1) if not line.get(UNREAD)]
    if problems := [*_problems(policy, lines, present), *wrong_lines(policy, kept)]:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise TableError(f"{table.name}: the counts cannot be judged:\n{listed}")
    return CountsFile(
        table=table,
        frame=frame.filter(nw.col(UNREAD).is_null()) if UNREAD in present else frame,
        ignored=sum(int(line[ROWS] or 0) for line in lines if line.get(UNREAD) == IGNORED),
        fingerprint=lines[0][FINGERPRINT] if FINGERPRINT in present else None,
    )


def _open(policy: Policy, path: Path) -> Table:
    group = () if policy.group is None else (policy.group,)
    needed = (*policy.keys, *group, *DECISIONS, ROWS)
    try:
        return _opened(policy, path, (*needed, *_BESIDE))
    except MissingColumnsError as error:
        if any(name in needed for name in error.missing):
            return _opened(policy, path, needed)  # names just these
        return _opened(policy, path, (*needed, *(b for b in _BESIDE if b not in error.missing)))


def _opened(policy: Policy, path: Path, wanted: tuple[str, ...]) -> Table:
    numbers = [ROWS, REPEATED] if task_of(policy).as_text else [*DECISIONS, ROWS, REPEATED]
    return open_table(
        path,
        wanted,
        text_columns=[name for name in wanted if name not in numbers],
        numeric_columns=[name for name in wanted if name in numbers],
    )


def _problems(policy: Policy, lines: Sequence[Line], present: Sequence[str]) -> Iterator[str]:
    if FINGERPRINT in present:
        yield from _of_another_query(policy, lines)
    if UNREAD in present:
        yield from _of_unread(lines)
    if OTHER_LOW in present and OTHER_HIGH in present and policy.task.traits.yes_no:
        others = {
            str(line[name]) for line in lines for name in (OTHER_LOW, OTHER_HIGH) if line[name]
        }
        if len(others) > 1:
            shown = ", ".join(repr(one) for one in sorted(others)[:3])
            yield f"there are other labels beside the positive one: {shown}; there may be one only"
    if REPEATED in present:
        repeated = max((int(line[REPEATED] or 0) for line in lines), default=0)
        if repeated:
            yield (
                f"{repeated:,} rows have no id, or one that another row has; give every row its own"
            )


def _of_another_query(policy: Policy, lines: Sequence[Line]) -> Iterator[str]:
    made = {str(line[FINGERPRINT]) for line in lines}
    if made != {query_fingerprint(policy)}:
        yield (
            "they were made by the query of another policy (its task, columns, slicing keys or "
            "group differ); print the query again with 'prunegate sql' and run it"
        )


def _of_unread(lines: Sequence[Line]) -> Iterator[str]:
    rows: dict[str, int] = {}
    for line in lines:
        if line[UNREAD] and line[UNREAD] != IGNORED:
            rows[str(line[UNREAD])] = rows.get(str(line[UNREAD]), 0) + int(line[ROWS] or 0)
    for what, count in sorted(rows.items()):
        yield f"{count:,} rows {_WHY.get(what, 'could not be read')}; mend or remove them"
