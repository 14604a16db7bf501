"""Intervals in the engine: a key's numbers or times as the names of what they lie in."""

from __future__ import annotations

from collections.abc import Sequence

from prunegate.data.predictions.columns import EXAMPLES, quoted, shown, sql_text
from prunegate.data.predictions.scanned import TEXTS, Scanned
from prunegate.data.predictions.typed_columns import text_sql
from prunegate.errors import TableError
from prunegate.policy.intervals import Intervals, Period, names_of_bins

_FORMATS: dict[Period, str] = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "year": "%Y"}
_ZONE = r"^[0-9-]{10}[T ][0-9:.]+(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_TIMES = ("date", "timestamp")


def interval_sql(
    scanned: Scanned, column: str, intervals: Intervals
) -> tuple[str, tuple[float, ...]]:
    """SQL for the name of the interval that a cell lies in, and the edges between quantiles.

    Raises:
        TableError: cells that hold no number, or no time.
    """
    if intervals.every is not None:
        time = _time(scanned, column)
        _require_all(scanned, column, time, "time ('every' needs one, as in 2026-11-28 09:30)")
        return _period(time, intervals.every), ()
    number = _number(scanned, column)
    _require_all(scanned, column, number, "number ('bins' and 'quantiles' need one)")
    if intervals.quantiles is None:
        return _named(number, intervals.bins, names_of_bins(intervals.bins)), ()
    edges = _edges(scanned, number, intervals.quantiles)
    names = [f"q{place}" for place in range(1, intervals.quantiles + 1)]
    return _named(number, edges, names, closed=True), edges


def _number(scanned: Scanned, column: str) -> str:
    cell, kind = quoted(column), scanned.types[column]
    if kind in TEXTS:
        return f"CASE WHEN NOT contains({cell}, '_') THEN TRY_CAST({cell} AS DOUBLE) END"
    if kind in ("boolean", *(_TIMES[:1])) or kind.startswith(_TIMES[1]):
        return "CAST(NULL AS DOUBLE)"
    text = text_sql(cell, kind) if kind == "float" else cell
    return f"TRY_CAST({text} AS DOUBLE)"


def _time(scanned: Scanned, column: str) -> str:
    """A time without a zone; moments in UTC."""
    cell, kind = quoted(column), scanned.types[column]
    if kind == "timestamp with time zone":
        return f"make_timestamp(epoch_us({cell}))"
    if kind in _TIMES or kind.startswith("timestamp"):
        return f"CAST({cell} AS TIMESTAMP)"
    if kind not in TEXTS:
        return "CAST(NULL AS TIMESTAMP)"
    moment = f"make_timestamp(epoch_us(TRY_CAST({cell} AS TIMESTAMPTZ)))"
    zoned = f"regexp_matches({cell}, {sql_text(_ZONE)})"
    return f"CASE WHEN {zoned} THEN {moment} ELSE TRY_CAST({cell} AS TIMESTAMP) END"


def _period(time: str, every: Period) -> str:
    if every == "quarter":
        return f"strftime({time}, '%Y') || '-Q' || quarter({time})"
    return f"strftime({time}, {sql_text(_FORMATS[every])})"


def _named(
    number: str,
    edges: Sequence[float],
    names: Sequence[str],
    *,
    closed: bool = False,
) -> str:
    """The name of what a number lies in; an edge belongs to what is below it where closed."""
    below = "<=" if closed else "<"
    cases = " ".join(
        f"WHEN {number} {below} {edge!r} THEN {sql_text(name)}"
        for edge, name in zip(edges, names, strict=False)
    )
    missing = f"WHEN {number} IS NULL OR isnan({number}) THEN NULL"
    return f"CASE {missing} {cases} ELSE {sql_text(names[len(edges)])} END"


def _edges(scanned: Scanned, number: str, parts: int) -> tuple[float, ...]:
    """The largest number of each part but the last."""
    shares = ", ".join(f"{place}/{parts}.0" for place in range(1, parts))
    (found,) = scanned.relation.aggregate(f"quantile_disc({number}, [{shares}])").fetchall()[0]
    return tuple(map(float, found or [0.0] * (parts - 1)))


def _require_all(scanned: Scanned, column: str, value: str, words: str) -> None:
    cell = quoted(column)
    wrong = scanned.relation.filter(
        f"CAST({cell} AS VARCHAR) <> '' AND lower(CAST({cell} AS VARCHAR)) <> 'nan' "
        f"AND ({value}) IS NULL"
    )
    (rows,) = wrong.aggregate("count(*)").fetchall()[0]
    if rows:
        text = wrong.project(f"CAST({cell} AS VARCHAR) AS t")
        some = ", ".join(
            shown(row[0]) for row in text.distinct().order("t").limit(EXAMPLES).fetchall()
        )
        raise TableError(
            f"{scanned.name}: column {shown(column)}: {rows:,} rows hold no {words} (for example "
            f"{some}). Nothing was judged; correct the table"
        )
