"""A record by columns is the record, and no columns of somebody's are more than a record."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.canonical import canonical_bytes
from prunegate.errors import EvidenceError, InputError
from prunegate.report.embedded_record import LARGE, carried_record, embedded, packed_as_in
from prunegate.report.record_columns import by_columns, by_rows

CELLS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(0, 1) | st.text(max_size=3)
ROWS = st.lists(st.dictionaries(st.sampled_from("abcd"), CELLS | st.lists(CELLS)), max_size=20)
TEXTS = st.lists(st.text("a; ", max_size=6), max_size=20)
RECORDS = st.dictionaries(
    st.sampled_from(["columns", "rest", "texts", "findings"]), ROWS | CELLS | TEXTS
)


@given(RECORDS)
def test_columns_hold_the_record(record: dict[str, Any]) -> None:
    packed = json.loads(json.dumps(by_columns(record)))
    assert canonical_bytes(by_rows(packed)) == canonical_bytes(record)


@given(RECORDS, st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_page_gives_back_the_very_bytes(record: dict[str, Any], text: str) -> None:
    content = canonical_bytes({**record, "big": text * (LARGE // len(text) + 1)})
    page = str(embedded(content))
    assert page.isascii()
    assert page.count("<") == page.count(">") == 2
    assert canonical_bytes(json.loads(carried_record(page))) == content


def test_many_findings_are_an_eighth() -> None:
    keys = [f"a key of a finding {n}" for n in range(30)]
    rows = [dict.fromkeys(keys, None) | {keys[0]: n, keys[1]: f"n{n}"} for n in range(900)]
    content = canonical_bytes({"findings": rows})
    assert len(str(embedded(content))) * 8 < len(content)


def held(packed: bytes) -> str:
    return f'<template id="record">zlib:{base64.b64encode(packed).decode()}</template>'


def columns(**table: Any) -> str:
    document = {"columns": {"rows": table}, "texts": {}, "rest": {}}
    return held(zlib.compress(json.dumps(document).encode()))


def test_a_page_is_the_same_however_its_record_is_packed() -> None:
    content = canonical_bytes({"big": "words " * LARGE})
    page = f"<p>{embedded(content)}</p>"
    text = page.partition("zlib:")[2].partition("<")[0]
    other = held(zlib.compress(zlib.decompress(base64.b64decode(text)), 1))
    assert text not in other
    assert packed_as_in(f"<p>{other}</p>", page) == f"<p>{other}</p>"
    assert packed_as_in(f"<b>{other}</b>", page) != f"<b>{other}</b>"
    plain = f"<p>{embedded(b'{}')}</p>"
    assert packed_as_in(plain, page) == page


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"n": 2, "keys": {"a": {"values": [1], "at": [0, 1]}}},
        {"n": 2, "keys": {"a": {"values": [1], "at": [0, -1]}}},
        {"n": 2, "keys": {"a": {"values": [1], "at": [0, True]}}},
        {"n": 2, "keys": {"a": {"each": [1]}}},
        {"n": 2, "keys": {"a": {"values": [1, 2]}}},
        {"n": "2", "keys": {}},
        {"n": 1 << 40, "keys": {"a": {"values": [1]}}},
        {"n": 1 << 20, "keys": {"a": {"values": ["x" * 100]}}},
    ],
)
def test_what_is_no_record_by_columns_is_no_evidence(table: dict[str, Any]) -> None:
    with pytest.raises((EvidenceError, InputError)):
        carried_record(columns(**table))


@pytest.mark.parametrize("at", [[[1]], [[-1]], [["0"]], [0], [[0] * 1000] * 100, None])
def test_what_is_no_sentence_by_parts_is_no_evidence(at: Any) -> None:
    document = {"columns": {}, "texts": {"reasons": {"parts": ["x" * 1000], "at": at}}, "rest": {}}
    with pytest.raises(EvidenceError):
        by_rows(document)


PACKED = zlib.compress(b"{}")


@pytest.mark.parametrize(
    "packed",
    [b"", b"{}", PACKED[:-1], PACKED + b"x", PACKED + PACKED, zlib.compress(b"[" * 9)],
)
def test_what_is_not_one_packed_record_is_no_evidence(packed: bytes) -> None:
    with pytest.raises(EvidenceError):
        carried_record(held(packed))


def test_no_packed_record_is_larger_than_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunegate.report.embedded_record.LARGEST", 1000)
    with pytest.raises(EvidenceError, match="larger than any"):
        carried_record(held(zlib.compress(b" " * 1001)))
