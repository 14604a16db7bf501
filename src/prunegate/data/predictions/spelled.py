r"""What texts spell: booleans, numbers and times, so that one table has one reading in any file.

A CSV has nothing but texts, and writers spell values in their own ways: pandas writes ``True``,
Polars ``true``, R ``TRUE``; a column of 1 and 2 with a gap in it is written ``1.0``. So a column of
texts is read as booleans, numbers or times where every text of it spells one, **and no value is
spelled in two ways**: no writer does that, and so a reading renames values and never puts two of
them together. Versions 1.1 and 1.10 stay two texts. The spelling that values have then is

* ``true``, ``false``;
* ``1`` for 1.0, else the shortest decimal: ``0.1``, ``1e-07``;
* ``2025-01-31``, and ``2025-01-31 09:30:00`` where there is a time of day; with a zone the same
  moment in UTC: ``2025-01-31 08:30:00+00``.

Nothing else is guessed: ``01``, ``yes``, ``NA`` and ``31.01.2025`` are texts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Literal

from prunegate.data.predictions.columns import sql_text

Spelling = Literal["boolean", "number", "time", "moment"]
"""What a column's values are; a moment is a time with a zone."""

_BOOLEAN = re.compile("true|True|TRUE|false|False|FALSE")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
_TIME = re.compile(f"{_DAY}([T ]{_CLOCK})?")
_ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_MOMENT = re.compile(f"{_DAY}[T ]{_CLOCK}{_ZONE}")


def spelling_of(texts: Iterable[str]) -> Spelling | None:
    """What a column with these different texts holds; None: texts."""
    found = set(texts)
    if not found:
        return None
    for spelling in _CANONICAL:
        values = {canonical(text, spelling) for text in found}
        if None not in values and len(values) == len(found):
            return spelling
    return None


def canonical(text: str, spelling: Spelling) -> str | None:
    """The one spelling of a value; None: the text spells no such value."""
    return _CANONICAL[spelling](text)


def canonical_sql(cell: str, spelling: Spelling) -> str:
    """The same, as SQL over a cell of text that is known to spell such a value."""
    return _SQL[spelling](cell)


def renamed_sql(cell: str, spelling: Spelling, named: Iterable[str]) -> str:
    """A cell of canonical text, called as somebody calls the value who spells it otherwise.

    Args:
        cell: SQL.
        spelling: what the column holds.
        named: texts that a policy calls values of the column by.
    """
    names: dict[str, set[str]] = {}
    for text in named:
        if (value := canonical(text, spelling)) is not None:
            names.setdefault(value, set()).add(text)
    other = {value: min(texts) for value, texts in names.items() if value not in texts}
    if not other:
        return cell
    cases = " ".join(f"WHEN {sql_text(v)} THEN {sql_text(n)}" for v, n in sorted(other.items()))
    return f"CASE {cell} {cases} ELSE {cell} END"


def number_sql(number: str) -> str:
    """A number of SQL's type DOUBLE as text, NaN as null."""
    return (
        f"CASE WHEN isnan({number}) THEN NULL "
        f"WHEN {number} = trunc({number}) AND abs({number}) < 1e15 "
        f"THEN CAST(CAST({number} AS BIGINT) AS VARCHAR) ELSE CAST({number} AS VARCHAR) END"
    )


def time_sql(cell: str) -> str:
    """Text of a time without a zone as its one spelling."""
    spaced = f"replace({cell}, 'T', ' ')"
    seconds = f"CASE WHEN length({spaced}) = 16 THEN {spaced} || ':00' ELSE {spaced} END"
    fraction = (
        f"CASE WHEN contains({cell}, '.') THEN regexp_replace({spaced}, '\\.?0+$', '') "
        f"ELSE {seconds} END"
    )
    return f"regexp_replace({fraction}, ' 00:00:00$', '')"


def _boolean(text: str) -> str | None:
    return text.lower() if _BOOLEAN.fullmatch(text) else None


def _number(text: str) -> str | None:
    if _WHOLE.fullmatch(text):
        return text
    if not _NUMBER.fullmatch(text) or not math.isfinite(value := float(text)):
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _time(text: str) -> str | None:
    if not _TIME.fullmatch(text) or not _exists(text):
        return None
    day, clock = text[:10], text[11:]
    whole, _, fraction = clock.partition(".")
    clock = whole + ":00" * (len(whole) == 5)
    fraction = fraction.rstrip("0")
    if fraction:
        return f"{day} {clock}.{fraction}"
    return day if clock in ("", "00:00:00") else f"{day} {clock}"


def _moment(text: str) -> str | None:
    if not _MOMENT.fullmatch(text) or not _exists(text):
        return None
    try:  # no engine here keeps a moment finer than microseconds
        found = datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    fraction = f".{found.microsecond:06d}".rstrip("0") if found.microsecond else ""
    return f"{found:%Y-%m-%d %H:%M:%S}{fraction}+00"


def _exists(text: str) -> bool:
    try:
        day = date.fromisoformat(text[:10])
        if len(text) > 10:
            datetime.fromisoformat(text[:19])
    except ValueError:
        return False
    return day.year >= 1000


_CANONICAL: dict[Spelling, Callable[[str], str | None]] = {
    "boolean": _boolean,
    "number": _number,
    "time": _time,
    "moment": _moment,
}
_SQL: dict[Spelling, Callable[[str], str]] = {
    "boolean": lambda cell: f"lower({cell})",
    "number": lambda cell: (
        f"CASE WHEN regexp_full_match({cell}, '-?[0-9]+') THEN {cell} "
        f"ELSE {number_sql(f'TRY_CAST({cell} AS DOUBLE)')} END"
    ),
    "time": time_sql,
    "moment": lambda cell: f"CAST(TRY_CAST({cell} AS TIMESTAMPTZ) AS VARCHAR)",
}
