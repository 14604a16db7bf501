"""Entries are read strictly: one spelling, one form."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from prunegate_test_logs import entry

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.log.entry import read_entry
from prunegate.errors import InputError


def envelope(payload: bytes, **changes: Any) -> dict[str, Any]:
    encoded = base64.b64encode(payload).decode()
    kind = "application/vnd.in-toto+json"
    return {"payload": encoded, "payloadType": kind, "signatures": [], **changes}


def statement(**changes: Any) -> dict[str, Any]:
    return {**json.loads(base64.b64decode(json.loads(entry(1))["payload"])), **changes}


def of_evidence(listed: Any) -> bytes:
    predicate = {"created": "2026-11-28T08:00:00Z", "evidence": listed}
    return canonical_bytes(envelope(canonical_bytes(statement(predicate=predicate))))


def test_floats_and_other_letters_are_read_in_their_rfc_8785_form() -> None:
    predicate = {"created": "2026-11-28T08:00:00Z", "é": "ü", "x": 1e30, "y": 0.5}
    payload = canonical_bytes(statement(predicate=predicate))
    signed = [{"keyid": "0a" * 32, "sig": "AAAA"}]
    facts = read_entry(canonical_bytes(envelope(payload, signatures=signed)))
    assert facts.signers == ("0a" * 32,)
    with pytest.raises(InputError, match="the statement: its bytes are not canonical JSON"):
        read_entry(canonical_bytes(envelope(payload.replace(b"1e+30", b"1.0e+30"))))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[]", "the envelope: a JSON object was expected"),
        (b"{", "the envelope: not JSON"),
        (b"[" * 100_000, "the envelope: not JSON"),
        (
            entry(1).replace(b',"payloadType"', b', "payloadType"'),
            "envelope: its bytes are not canonical",
        ),
        (entry(1).replace(b"{", b'{"payload":"AAAA",', 1), 'the key "payload" occurs twice'),
        (entry(1).replace(b"[]", b'[{"keyid":"a"}]'), "lacks the field 'sig'"),
        (entry(1).replace(b"in-toto", b"in-tutu"), "its payload type is"),
        (canonical_bytes(envelope(b"x")), "the statement: not JSON"),
        (canonical_bytes(envelope(canonical_bytes(statement(subject=[{}])))), "lacks the field"),
        (canonical_bytes(envelope(canonical_bytes(statement(_type="x")))), "its type is"),
        (canonical_bytes(envelope(canonical_bytes(statement(predicate={})))), "created"),
        *((of_evidence(one), "evidence is not a list of") for one in (3, [3], [{"digest": "a"}])),
        (of_evidence([{"digest": {"sha256": "A" * 64}}]), "evidence is not a list of"),
        (of_evidence([{"digest": {"sha256": "a" * 64}, "name": 3}]), "evidence is no text"),
        (
            canonical_bytes(
                envelope(canonical_bytes(statement(predicate={"created": "2026-13-01T00:00:00Z"})))
            ),
            "created",
        ),
    ],
)
def test_what_is_no_entry_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_entry(content)
