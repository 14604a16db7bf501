"""Request: the text that a signer signs, ``approval-request.json``; it needs no tool of ours.

It names by digest what is agreed to (record, page, policy, models, data), carries the sentence of
each decision, and the state of the audit log that its signer has before her eyes. At its very
beginning stands ``answer``, empty fields for the signer to fill in with any editor::

    {"answer":{"conditions":"","date":"","decision":"","expires":"","role":""},"baseline":...

An unanswered request is never an approval. The bytes are signed as they lie in the file, so an
editor's blanks and line ends do no harm; everything but the answer has to be what the record gives.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from prunegate.audit.canonical import canonical_bytes, plain_json
from prunegate.audit.read import parse_json
from prunegate.audit.record import DecisionRecord
from prunegate.audit.signing.decision import clipped
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.messages import literal, suggest
from prunegate.text.escape import escaped, one_line
from prunegate.text.time import short_code

FORMAT = "urn:prunegate:approval-request:v1"
FILE = "approval-request.json"
"""Name of the file beside the report."""
SIGN_WITH = "ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n prunegate-signoff"
SIGN = f"{SIGN_WITH} {FILE}"
"""What a signer types, with the key that she has."""
LARGEST = 24 << 10
"""Bytes; a request has to fit into an entry of the log, and an answer into the request."""
LONGEST = 2000
"""Characters of conditions."""
MOST_DATA = 16
"""Files of data that are named; the record names them all."""

Decision = Literal["approve", "reject", "discuss"]

_ROLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

BLANK = {"conditions": "", "date": "", "decision": "", "expires": "", "role": ""}
"""The answer of a request that nobody has answered."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the signer says."""

    decision: Decision
    role: str
    """In whose place she speaks: ``client``, for example."""
    conditions: str = ""
    """Conditions of an approval, or the reasons of a rejection; may be empty."""
    date: str = ""
    """When she says so, a UTC day or time; may be empty. Who says the same thing twice needs it:
    the very same bytes count once, so that nobody can bring an old word in again."""
    expires: str = ""
    """UTC day (through its end) or time at which the approval ends; empty: only the policy's term
    ends it."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The state of the audit log that a signer saw."""

    origin: str
    size: int
    root: str
    """Base64, as in the checkpoint."""


@dataclass(frozen=True, kw_only=True)
class ApprovalRequest:
    """What is signed, read back."""

    answer: Answer
    seen: Seen | None
    """None: there was no log."""
    record: str
    """sha256 of the record."""
    report: str
    """sha256 of the page."""
    sentence: str
    """What exactly was agreed to."""
    rest: dict[str, Any]
    """Everything but answer and checkpoint, as in the file."""


def request_document(
    record: DecisionRecord, record_sha256: str, report_sha256: str, seen: Seen | None
) -> dict[str, Any]:
    """The request for a record, not answered yet.

    Args:
        record: the decision.
        record_sha256: of its canonical bytes.
        report_sha256: of its page.
        seen: the log's state, where there is a log.
    """
    name = clipped(record.policy.name)
    read = f"I have read the report with the code {short_code(record_sha256)}, whose decision is"
    read += f" {record.outcome.upper()} for {name}."
    if record.waivers:
        count = len(record.waivers)
        read += f" {count} {'finding is' if count == 1 else 'findings are'} waived in it."
    data = [
        {"role": clipped(i.role), "name": clipped(i.name), "sha256": i.sha256}
        for i in record.inputs
    ]
    return {
        "answer": plain_json(BLANK),
        "format": FORMAT,
        "record": record_sha256,
        "report": report_sha256,
        "policy": {"name": name, "sha256": record.policy.sha256},
        "candidate": record.model_digest("candidate"),
        "baseline": record.model_digest("baseline"),
        "data": data[:MOST_DATA],
        "data_not_named": len(data[MOST_DATA:]),
        "outcome": record.outcome,
        "decided": record.created,
        "revalidate_on": record.revalidate_on,
        "sentences": {
            "approve": f"{read} I accept this decision, under the conditions that I state, if any.",
            "reject": f"{read} I do not accept it.",
            "discuss": f"{read} I have questions and accept nothing yet.",
        },
        "checkpoint": plain_json(seen),
    }


def answered_bytes(document: dict[str, Any], answer: Answer) -> bytes:
    """The canonical bytes of a request with an answer in it."""
    return canonical_bytes({**document, "answer": plain_json(answer)})


def parse_request(content: bytes, where: str) -> ApprovalRequest:
    """Read an answered request, edited by whatever editor; ``where`` names it in messages.

    Raises:
        InputError: no request, or one whose answer is missing or unusable.
    """
    value = _object(content, where)
    answer = parse_answer(value.get("answer"), where)
    sentences = value.get("sentences")
    sentence = sentences.get(answer.decision) if isinstance(sentences, dict) else None
    texts = (value.get("record"), value.get("report"), sentence)
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"{where}: lacks its record, report or sentences; take the file again")
    return ApprovalRequest(
        answer=answer,
        seen=_seen(value.get("checkpoint"), where),
        record=str(value["record"]),
        report=str(value["report"]),
        sentence=str(sentence),
        rest={key: part for key, part in value.items() if key not in ("answer", "checkpoint")},
    )


def require_about(request: ApprovalRequest, document: dict[str, Any], where: str) -> None:
    """That a request says of its record exactly what the record gives.

    Args:
        request: as read.
        document: from ``request_document``; its answer and checkpoint are not compared.
        where: names the request in messages.

    Raises:
        EvidenceError: it is about another record, or was changed beyond its answer.
    """
    if request.record != document["record"]:
        raise EvidenceError(
            f"{where}: is about another record ({literal(request.record[:12])}), not about "
            f"{document['record'][:12]}; an approval counts for its own record only"
        )
    expected = {k: v for k, v in document.items() if k not in ("answer", "checkpoint")}
    for key in dict.fromkeys((*expected, *request.rest)):
        got, wanted = request.rest.get(key), expected.get(key)
        if (key in request.rest) != (key in expected) or plain_json(got) != wanted:
            raise EvidenceError(
                f"{where}: '{escaped(key)[:40]}' is not what the record gives; only the fields of "
                "'answer' may be filled in. Take the file again and sign that"
            )


def parse_answer(value: Any, where: str) -> Answer:
    """The four fields of an answer, checked.

    Raises:
        InputError: one is missing, unknown or unusable.
    """
    fields = sorted(BLANK)
    if not isinstance(value, dict) or set(value) != set(fields):
        raise InputError(f"{where}: 'answer' has the fields {', '.join(fields)} and no other")
    if not all(isinstance(value[name], str) for name in fields):
        raise InputError(f"{where}: the fields of 'answer' are texts in double quotes")
    decision, role = value["decision"], value["role"]
    if not decision and not role:
        raise InputError(
            f"{where}: is not answered yet. Write decision (approve, reject or discuss) and role "
            f"between the empty quotes at the beginning of the file, then sign it: {SIGN}"
        )
    if decision not in get_args(Decision):
        hint = suggest(decision, get_args(Decision))
        raise InputError(f"{where}: the decision {literal(decision)} is not known; {hint}")
    if not _ROLE.fullmatch(role):
        raise InputError(f"{where}: the role {literal(role)} is no name of a role such as client")
    if len(value["conditions"]) > LONGEST:
        raise InputError(f"{where}: conditions of more than {LONGEST:,} characters; point to them")
    for name in ("date", "expires"):
        if value[name]:
            expiry(value[name], where)
    return Answer(**value)


def expiry(text: str, where: str = "expires") -> datetime:
    """The moment at which an approval ends: a UTC day ends with its midnight.

    Raises:
        InputError: neither a day nor a time in UTC.
    """
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=1)
        if _SECOND.fullmatch(text):
            return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        pass
    if text == "9999-12-31":
        raise InputError(f"{where}: {text} is the last day that there is; write 2026-12-31 or so")
    raise InputError(
        f"{where}: {literal(text)} is no day or UTC time; write 2026-12-31 or 2026-12-31T12:00:00Z"
    )


def _object(content: bytes, where: str) -> dict[str, Any]:
    if len(content) > LARGEST:
        raise InputError(f"{where}: larger than a request may be ({LARGEST:,} bytes)")
    try:
        text = content.decode("utf-8-sig")  # some editors put a mark at the beginning
        value = parse_json(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where}: not JSON ({one_line(str(error))}); take the file again and write between "
            "the quotes only"
        ) from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise InputError(f"{where}: no approval request of this version ({FORMAT})")
    return value


def _seen(value: Any, where: str) -> Seen | None:
    if value is None:
        return None
    good = isinstance(value, dict) and set(value) == {"origin", "size", "root"}
    if not good or not isinstance(value["origin"], str) or type(value["size"]) is not int:
        raise InputError(f"{where}: 'checkpoint' is not origin, size and root")
    try:
        whole = len(base64.b64decode(value["root"], validate=True)) == 32
    except (TypeError, ValueError):
        whole = False
    if not whole or value["size"] < 0:
        raise InputError(f"{where}: 'checkpoint' has no root or size of a log")
    return Seen(**value)
