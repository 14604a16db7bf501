"""A packed record is the record, and nothing that somebody packed is more than a record."""

from __future__ import annotations

import base64
import bz2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.canonical import canonical_bytes
from prunegate.errors import EvidenceError
from prunegate.report.embedded_record import LARGE, carried_record, embedded, packed_as_in


@pytest.mark.slow
@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_page_gives_back_the_very_bytes(text: str) -> None:
    content = canonical_bytes({"big": text * (LARGE // len(text) + 1)})
    page = str(embedded(content))
    assert page.isascii()
    assert page.count("<") == page.count(">") == 2
    assert carried_record(page).encode() == content


def test_many_findings_are_an_eighth() -> None:
    keys = [f"a key of a finding {n}" for n in range(30)]
    rows = [dict.fromkeys(keys, None) | {keys[0]: n, keys[1]: f"n{n}"} for n in range(900)]
    content = canonical_bytes({"findings": rows})
    assert len(str(embedded(content))) * 8 < len(content)


def held(packed: bytes) -> str:
    return f'<template id="record">bzip2:{base64.b64encode(packed).decode()}</template>'


def test_a_page_is_the_same_however_its_record_is_packed() -> None:
    content = canonical_bytes({"big": "words " * LARGE})
    page = f"<p>{embedded(content)}</p>"
    other = held(bz2.compress(content, 1))
    assert other not in page
    assert packed_as_in(f"<p>{other}</p>", page) == f"<p>{other}</p>"
    assert packed_as_in(f"<b>{other}</b>", page) != f"<b>{other}</b>"
    plain = f"<p>{embedded(b'{}')}</p>"
    assert packed_as_in(plain, page) == page


PACKED = bz2.compress(b"{}")


@pytest.mark.parametrize(
    "packed",
    [b"", b"{}", PACKED[:-1], PACKED + b"x", PACKED + PACKED, bz2.compress(b"\xff")],
)
def test_what_is_not_one_packed_record_is_no_evidence(packed: bytes) -> None:
    with pytest.raises(EvidenceError, match="damaged"):
        carried_record(held(packed))


def test_what_is_no_base64_is_no_evidence() -> None:
    with pytest.raises(EvidenceError, match="damaged"):
        carried_record('<template id="record">bzip2:{}</template>')


def test_no_packed_record_is_larger_than_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunegate.report.embedded_record.LARGEST", 1000)
    assert carried_record(held(bz2.compress(b" " * 1000))) == " " * 1000
    with pytest.raises(EvidenceError, match="larger than any"):
        carried_record(held(bz2.compress(b" " * 1001)))
