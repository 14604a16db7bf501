"""Loss change: by how much the candidate is worse than the baseline on each row.

One expression per kind of task, computed in the engine. Above 0 the candidate lost, below 0 it
gained, 0 is no change; null is a row that cannot be read, which makes the table bad input.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import BASELINE, CANDIDATE, LABEL
from prunegate.counting.decisions import Decisions
from prunegate.data.predictions.table import Table
from prunegate.errors import TableError
from prunegate.policy.schema import Policy

CHANGE = "prunegate__change"
"""Name of the derived column: float64, or null."""


def is_whole(policy: Policy) -> bool:
    """Whether rows are decided right or wrong, so that a change is -1, 0 or 1."""
    return policy.task.kind in ("binary", "multiclass")


def with_change(policy: Policy, table: Table) -> nw.LazyFrame[Any]:
    """The table with the column ``CHANGE`` beside its own.

    Binary and multiclass: wrong now minus wrong before. Score: the baseline's quality score minus
    the candidate's, also where a rule speaks of errors. Language: the candidate's summed negative
    log-likelihood minus the baseline's, per document.

    Raises:
        TableError: a column does not hold what the task kind needs.
    """
    columns = policy.data.columns
    if policy.task.kind == "binary":
        frame = Decisions(policy=policy, table=table).frame()
        return frame.with_columns(_wrong_now_less_before(LABEL, BASELINE, CANDIDATE))
    if policy.task.kind == "multiclass":
        names = (columns.label, columns.baseline, columns.candidate)
        if len({table.kinds[name] == "text" for name in names}) > 1:
            raise TableError(
                f"columns {', '.join(repr(name) for name in names)} hold different kinds of "
                "values; in a multiclass task all three hold labels"
            )
        return table.frame.with_columns(_wrong_now_less_before(*names))
    before, after = _number(table, columns.baseline), _number(table, columns.candidate)
    change = before - after if policy.task.kind == "score" else after - before
    return table.frame.with_columns(nw.when(change.is_finite()).then(change).alias(CHANGE))


def _wrong_now_less_before(label: str, baseline: str, candidate: str) -> nw.Expr:
    """1 lost, -1 gained, 0 otherwise; null where any of the three is."""
    before, after = (nw.col(name) != nw.col(label) for name in (baseline, candidate))
    lost, gained = after & ~before, before & ~after
    readable = ~(nw.col(label).is_null() | nw.col(baseline).is_null() | nw.col(candidate).is_null())
    change = (
        nw.when(lost)
        .then(nw.lit(1.0))
        .otherwise(nw.when(gained).then(nw.lit(-1.0)).otherwise(nw.lit(0.0)))
    )
    return nw.when(readable).then(change).alias(CHANGE)


def _number(table: Table, column: str) -> nw.Expr:
    if table.kinds[column] != "number":
        raise TableError(f"column '{column}' does not hold numbers throughout; correct the table")
    return nw.col(column).cast(nw.Float64)
