"""Column names: which of a table's columns are meant, and names that cannot be told apart.

A name is found as it is spelt, else in its normalised Unicode form (NFC), never by ignoring case:
``ID`` is not ``id``. Names that differ in nothing but case, blanks or normalisation are refused:
engines, and people, disagree about which of them is meant.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence

from prunegate.errors import MissingColumnsError, TableError

_SHOWN = 12
EXAMPLES = 3
"""Rows, ids or values that a message shows of many."""
DELIMITERS = (",", ";", "\t", "|")
"""Of a CSV file: the first under which the header holds the columns needed."""


def match_columns(wanted: Sequence[str], available: Sequence[str], where: str) -> dict[str, str]:
    """Return for each wanted column the spelling that the table has.

    Args:
        wanted: Names that are needed.
        available: Every column name of the table, in its order.
        where: The table's name, for messages.

    Raises:
        TableError: names that clash, or wanted names that are not there.
    """
    _refuse_clashes(available, where)
    spelt = {nfc(name): name for name in available}
    missing = [name for name in dict.fromkeys(wanted) if nfc(name) not in spelt]
    if missing:
        raise MissingColumnsError(_missing(missing, available, where), missing)
    return {name: spelt[nfc(name)] for name in wanted}


def quoted(name: str) -> str:
    """Return a column name as a SQL identifier.

    >>> print(quoted('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """Return a text as a SQL literal.

    >>> print(sql_text("it's"))
    'it''s'
    """
    return "'" + text.replace("'", "''") + "'"


def let_sql(name: str, value: str, body: str) -> str:
    """Return SQL of a body in which a name stands for a value, worked out once a row.

    >>> let_sql("x", "a + b", "x * x")
    '([x * x for x in [a + b]])[1]'
    """
    return f"([{body} for {name} in [{value}]])[1]"


def shown(name: object) -> str:
    """Return a name for a message: escaped, so that control and bidirectional marks stay inert."""
    text = ascii(name) if not str(name).isprintable() else repr(name)
    return text if len(text) <= 80 else text[:77] + "..."


def value_shown(value: object) -> str:
    """A cell's value for a message, as a file has it: -3, where an engine holds -3.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return shown(value)


def is_empty(value: object) -> bool:
    """Whether a cell says nothing: null, NaN or no text."""
    return value is None or value != value or value == ""  # noqa: PLR0124  # NaN differs from itself


def _refuse_clashes(available: Sequence[str], where: str) -> None:
    alike: dict[str, list[str]] = {}
    for name in available:
        alike.setdefault(" ".join(nfc(name).casefold().split()), []).append(name)
    clashes = [" and ".join(map(shown, names)) for names in alike.values() if len(names) > 1]
    if clashes:
        raise TableError(
            f"{where}: columns that cannot be told apart: {'; '.join(clashes)}. "
            "Give each column a name of its own (case, blanks around it and Unicode form do not "
            "count)."
        )


def _missing(missing: Sequence[str], available: Sequence[str], where: str) -> str:
    lines = [f"{where}: missing {'column' if len(missing) == 1 else 'columns'}:"]
    for name in missing:
        near = difflib.get_close_matches(name, available, n=1) or [
            other for other in available if other.casefold() == name.casefold()
        ]
        hint = f" (did you mean {shown(near[0])}?)" if near else ""
        lines.append(f"  {shown(name)}{hint}")
    more = f" and {len(available) - _SHOWN} more" if len(available) > _SHOWN else ""
    names = ", ".join(shown(name) for name in available[:_SHOWN]) or "none"
    lines.append(f"  The table has: {names}{more}.")
    lines.append("  Add the column, or name it in the policy under 'data: columns:'.")
    return "\n".join(lines)


def nfc(name: str) -> str:
    """Return a name as it is composed everywhere here, however the table spells it."""
    return unicodedata.normalize("NFC", name)


def escape_glob(text: str) -> str:
    """Return a path in which DuckDB finds no glob.

    >>> escape_glob("a[1]*.csv")
    'a[[]1][*].csv'
    """
    return "".join(f"[{char}]" if char in "*?[" else char for char in text)
