"""Columns: the rows of a large record, each key and each repeated value spelled once.

A page of hundreds of slices carries a record of thousands of findings, of which two thirds are the
same thirty keys. Written by columns the record is a third as long, and what is left packs better.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

from prunegate.errors import EvidenceError

COLUMNS, TEXTS, REST = "columns", "texts", "rest"
_FEWEST = 8
"""Rows from which on columns are shorter."""
_PART = "; "
"""Where sentences are taken apart: what follows is the same in many."""
LARGEST = 64 << 20
"""Characters that a record may have when its rows are written out again."""

TOO_LARGE = "the record in the page is larger than any; take the page as made"


def by_columns(record: dict[str, Any]) -> dict[str, Any]:
    """The record with every long list of objects by columns, and of sentences by their parts.

    >>> by_columns({"a": 1, "rows": [{"x": 7}] * 8})
    {'columns': {'rows': {'n': 8, 'keys': {'x': {'values': [7]}}}}, 'texts': {}, 'rest': {'a': 1}}
    """
    tables = {key: _table(value) for key, value in record.items() if _is_list(value, dict)}
    texts = {key: _parts(value) for key, value in record.items() if _is_list(value, str)}
    rest = {key: value for key, value in record.items() if key not in tables | texts}
    return {COLUMNS: tables, TEXTS: texts, REST: rest}


def by_rows(document: Any) -> Any:
    """The record whose columns these are.

    Raises:
        EvidenceError: they are no record's columns, or would be larger than any record.
    """
    try:
        record = dict(document[REST])
        record |= {key: _rows(table) for key, table in document[COLUMNS].items()}
        record |= {key: _texts(parts) for key, parts in document[TEXTS].items()}
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError("the record in the page is not whole; take the page as made") from error
    return record


def _is_list(value: Any, kind: type) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= _FEWEST
        and all(isinstance(row, kind) for row in value)
    )


def _parts(texts: list[str]) -> dict[str, Any]:
    """Sentences as places of their parts, each part once."""
    split = [text.split(_PART) for text in texts]
    places = {part: number for number, part in enumerate(dict.fromkeys(chain(*split)))}
    return {"parts": list(places), "at": [[places[part] for part in text] for text in split]}


def _texts(document: Any) -> list[str]:
    parts = document["parts"]
    found = [[parts[_place(at)] for at in text] for text in document["at"]]
    if sum(len(part) + len(_PART) for text in found for part in text) > LARGEST:
        raise EvidenceError(TOO_LARGE)
    return [_PART.join(text) for text in found]


def _place(at: Any) -> int:
    if type(at) is not int or at < 0:
        raise ValueError("a place is a whole number from 0")
    return at


def _table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    keys = sorted({key for row in rows for key in row})
    return {"n": len(rows), "keys": {key: _column(key, rows) for key in keys}}


def _column(key: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The values of one key: each once with its rows where they repeat; rows that lack it."""
    lacks = [number for number, row in enumerate(rows) if key not in row]
    found = [row[key] for row in rows if key in row]
    texts = [json.dumps(value) for value in found]
    places = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    column: dict[str, Any] = {"lacks": lacks} if lacks else {}
    if len(places) * 2 > len(found):
        return {**column, "each": found}
    column["values"] = [json.loads(text) for text in places]
    return column if len(places) == 1 else {**column, "at": [places[text] for text in texts]}


def _rows(table: Any) -> list[dict[str, Any]]:
    count = table["n"]
    if not isinstance(count, int) or count * len(table["keys"]) > LARGEST:
        raise EvidenceError(TOO_LARGE)
    rows: list[dict[str, Any]] = [{} for _ in range(count)]
    size = 0
    for key, column in table["keys"].items():
        lacks = frozenset(column.get("lacks", ()))
        places = [number for number in range(count) if number not in lacks]
        for number, value in zip(places, _values(column, len(places)), strict=True):
            size += len(key) + (len(value) if isinstance(value, str) else 1)
            rows[number][key] = value
    if size > LARGEST:
        raise EvidenceError(TOO_LARGE)
    return rows


def _values(column: Any, count: int) -> list[Any]:
    if "each" in column:
        return list(column["each"])
    values = column["values"]
    if "at" not in column:
        (value,) = values
        return [value] * count
    return [values[_place(at)] for at in column["at"]]
