"""Problems: everything wrong with a predictions table, told at once.

The one pass that counts also finds out how many rows fail each check; only for those that do is the
table asked for three examples. One error lists every problem, so that a table is put right once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import ColumnCheck, Reading
from prunegate.counting.number_hints import number_hint
from prunegate.data.predictions.columns import EXAMPLES, shown
from prunegate.data.predictions.uniqueness import Duplicates
from prunegate.errors import TableError


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Rows of one column that cannot be judged."""

    column: str
    rows: int
    words: str
    examples: tuple[str, ...] = ()
    hint: str = ""
    """What was probably meant."""

    def __str__(self) -> str:
        noun = "row" if self.rows == 1 else "rows"
        some = f" (for example {', '.join(self.examples)})" if self.examples else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"column {shown(self.column)}: {self.rows:,} {noun} with {self.words}{some}{hint}"


def require_none(name: str, problems: Sequence[str]) -> None:
    """Pass if there is no problem.

    Raises:
        TableError: listing all of them.
    """
    if not problems:
        return
    if len(problems) == 1:
        raise TableError(f"{name}: {problems[0]}. Nothing was judged; correct the table")
    lines = "\n".join(f"  {problem}" for problem in problems)
    raise TableError(
        f"{name}: {len(problems)} problems; nothing was judged, correct the table:\n{lines}"
    )


def of_check(reading: Reading, check: ColumnCheck, rows: int) -> str:
    """A failed check with examples, by id where the table was opened with ids."""
    found = _some_rows(reading, check.broken, check.column)
    hint = number_hint([value for _, value in found], share=check.share) or check.hint
    problem = Problem(
        column=check.called or check.column,
        rows=rows,
        words=check.words,
        examples=_examples(found),
        hint=hint,
    )
    return str(problem)


def examples(reading: Reading, broken: nw.Expr, column: str) -> tuple[str, ...]:
    """Three of the rows: value and id, the smallest ids first."""
    return _examples(_some_rows(reading, broken, column))


def _some_rows(reading: Reading, broken: nw.Expr, column: str) -> list[tuple[Any, Any]]:
    """Id and value of three of the rows."""
    key = reading.policy.columns.id
    frame = reading.table.frame.filter(broken)
    if key in reading.table.kinds:
        found = frame.sort(key).select(nw.col(key).alias("id"), nw.col(column).alias("value"))
    else:
        found = frame.select(nw.lit(None).alias("id"), nw.col(column).alias("value"))
    with reading.table.reading():
        return list(found.head(EXAMPLES).collect().rows())


def _examples(rows: Sequence[tuple[Any, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_example(identifier, value) for identifier, value in rows))


def _example(identifier: Any, value: Any) -> str:
    said = "nothing" if value is None or value == "" else shown(value)
    return said if identifier is None else f"{said} at id {shown(str(identifier))}"


def of_ids(column: str, found: Duplicates) -> list[str]:
    """What is wrong with the ids."""
    problems = []
    if found.missing:
        problems.append(Problem(column=column, rows=found.missing, words="no id"))
    if found.surplus:
        some = tuple(map(shown, found.examples[:EXAMPLES]))
        words = "an id that another row has already"
        problems.append(Problem(column=column, rows=found.surplus, words=words, examples=some))
    return list(map(str, problems))
