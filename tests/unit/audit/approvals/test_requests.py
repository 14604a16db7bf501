"""The request: what a client edits and signs, and everything that is no answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from prunegate.audit.approvals.request import (
    BLANK,
    SIGN,
    Answer,
    Seen,
    answered_bytes,
    expiry,
    parse_request,
    require_about,
)
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.signing.ssh_signature import NAMESPACE
from prunegate.errors import EvidenceError, InputError


def document(**more: Any) -> dict[str, Any]:
    return {
        "answer": dict(BLANK),
        "baseline": None,
        "checkpoint": None,
        "format": "urn:prunegate:approval-request:v1",
        "record": "a" * 64,
        "report": "b" * 64,
        "sentences": {"approve": "Yes.", "reject": "No.", "discuss": "Hm."},
        **more,
    }


def filled(**answer: str) -> bytes:
    given = {**BLANK, "decision": "approve", "role": "client", **answer}
    return canonical_bytes(document(answer=given))


def test_the_command_names_the_namespace_of_approvals() -> None:
    assert f"-n {NAMESPACE} " in SIGN


def test_the_answer_stands_first_and_an_editor_does_no_harm() -> None:
    plain = canonical_bytes(document())
    assert plain.startswith(b'{"answer":{')
    text = json.dumps(json.loads(filled()), indent=2).replace("\n", "\r\n")
    request = parse_request(b"\xef\xbb\xbf" + text.encode() + b"\r\n", "r")
    assert request.answer == Answer(decision="approve", role="client")
    assert request.sentence == "Yes."
    require_about(request, document(), "r")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"decision": "", "role": ""}, "is not answered yet"),
        ({"decision": "aprove"}, "did you mean 'approve'"),
        ({"decision": "Approve"}, "did you mean 'approve'"),
        ({"role": ""}, "is no name of a role"),
        ({"role": "a b"}, "is no name of a role"),
        ({"conditions": "x" * 2001}, "more than 2,000 characters"),
        ({"expires": "soon"}, "write 2026-12-31"),
        ({"expires": "2026-02-30"}, "write 2026-12-31"),
        ({"expires": "2026-12-31T12:00:00"}, "write 2026-12-31"),
        ({"expires": "9999-12-31"}, "write 2026-12-31"),
        ({"date": "today"}, "write 2026-12-31"),
        ({"more": "x"}, "and no other"),
    ],
)
def test_what_is_no_answer(answer: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse_request(filled(**answer), "r")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not JSON"),
        (b"{}", "no approval request"),
        (b"[]", "no approval request"),
        (filled().replace(b'"role":"client"', b'"role":"client","role":"legal"'), "occurs twice"),
        (filled().replace(b'"baseline":null', b'"baseline":NaN'), "no JSON number"),
        (filled().replace(b'"checkpoint":null', b'"checkpoint":{"size":1}'), "origin, size and"),
        (filled().replace(b'"Yes."', b"3"), "lacks its record"),
        (b"[" * 20_000, "not JSON"),
        (filled() + b" " * 25_000, "larger than"),
        (filled()[:-3], "not JSON"),
        (b"\xff" + filled(), "not JSON"),
    ],
)
def test_what_is_no_request(content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse_request(content, "r")


@pytest.mark.parametrize(
    "seen",
    [
        {"size": 3, "root": 3},
        {"size": 3, "root": "AAAA"},
        {"size": 3, "root": "A" * 43},
        {"size": -1, "root": "A" * 43 + "="},
    ],
)
def test_a_log_that_was_seen_has_a_root_and_a_size(seen: dict[str, Any]) -> None:
    said = canonical_bytes({"origin": "a.example", **seen})
    content = filled().replace(b'"checkpoint":null', b'"checkpoint":' + said)
    with pytest.raises(InputError, match="r: 'checkpoint' has no root or size of a log"):
        parse_request(content, "r")


@pytest.mark.parametrize("key", ["baseline", "sentences", "report", "new", "format"])
def test_nothing_but_the_answer_may_be_changed(key: str) -> None:
    request = parse_request(filled(), "r")
    with pytest.raises(EvidenceError, match=f"'{key}' is not what the record gives"):
        require_about(request, document(**{key: "x"}), "r")
    with pytest.raises(EvidenceError, match="is about another record"):
        require_about(request, document(record="c" * 64), "r")


def test_what_was_seen_is_read_back() -> None:
    seen = Seen(origin="a.example", size=3, root="A" * 43 + "=")
    made = document(checkpoint={"origin": seen.origin, "root": seen.root, "size": 3})
    answer = Answer(decision="discuss", role="client", conditions="When?", expires="2026-12-31")
    request = parse_request(answered_bytes(made, answer), "r")
    assert (request.seen, request.answer, request.sentence) == (seen, answer, "Hm.")


def test_a_day_holds_through_its_end() -> None:
    assert f"{expiry('2026-12-31'):%Y-%m-%dT%H:%M:%SZ}" == "2027-01-01T00:00:00Z"
    assert f"{expiry('2026-12-31T12:00:00Z'):%Y-%m-%dT%H:%M:%SZ}" == "2026-12-31T12:00:00Z"
