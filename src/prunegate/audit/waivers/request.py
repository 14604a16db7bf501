"""Waiver request: the text that an approver signs so that one finding is let pass for a time.

It names the record whose finding it is, what of the policy makes it what it is (``terms``), the
candidate by digest, the finding with its figures, and why, who asks, who owns it and until when.
Unlike an approval's request nothing in it is left to fill in: whoever asks has written it, and the
signature says yes. So the bytes are canonical, and one changed character is another request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from prunegate.audit.approvals.person import same_person
from prunegate.audit.canonical import digest, plain_json
from prunegate.audit.record import DecisionRecord
from prunegate.audit.signing.decision import clipped
from prunegate.audit.signing.strict_json import parse_canonical_object, require_keys
from prunegate.errors import EvidenceError, InputError
from prunegate.text.said import said
from prunegate.text.time import short_code
from prunegate.verdict.finding import Finding
from prunegate.verdict.waiver import Waiver

FORMAT = "urn:prunegate:waiver-request:v1"
RESTS_ON = ("task", "slices", "group", "evidence", "cost")
"""Sections of a policy that a rule's meaning rests on."""
PLACE = ("rule", "metric", "slice", "class_label", "check")
"""Fields that say which finding it is; the rule's number is that in the record."""
SHOWN = ("limit", "limit_kind", "status", "baseline", "candidate", "difference", "n")
"""Fields of the finding that its approver sees."""

_MOMENT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What somebody asks for."""

    reason: str
    owner: str
    """Who sees to it that the finding goes away."""
    author: str
    """Who asks."""
    asked: str
    """UTC, to the second; the term counts from here."""
    expires: str
    """UTC, to the second."""


ASK = tuple(field.name for field in fields(Ask))


@dataclass(frozen=True, kw_only=True)
class WaiverRequest:
    """A request, read back."""

    ask: Ask
    record: str
    """sha256 of the record."""
    terms: str
    candidate: tuple[str, ...]
    finding: dict[str, Any]
    """The finding's place and figures."""
    document: dict[str, Any]
    """All of it."""


def terms_of(document: dict[str, Any], rule: int) -> str:
    """What a rule means, in one digest: itself as written, and what of its policy it rests on.

    Args:
        document: the policy, as a record holds it.
        rule: its index.
    """
    parts = {name: document.get(name) for name in RESTS_ON}
    return digest({"rule": document["rules"][rule], **parts})


def waiver_document(
    record: DecisionRecord, record_sha256: str, finding: Finding, ask: Ask
) -> dict[str, Any]:
    """The request for one finding of a record.

    Raises:
        InputError: the record does not tell its candidate.
    """
    if record.attempt is None:
        raise InputError(
            "this record does not tell its candidate by digest (nobody counted its attempts), so "
            "nothing in it can be waived; judge its files with 'prunegate gate --audit DIR'"
        )
    name = clipped(record.policy.name)
    of = "" if finding.class_label is None else f" of class {clipped(finding.class_label)}"
    about = f"{finding.metric} {finding.check}{of} on {clipped(finding.slice)}"
    return {
        "format": FORMAT,
        "record": record_sha256,
        "policy": {"name": name, "sha256": record.policy.sha256},
        "candidate": list(record.attempt.candidate),
        "terms": terms_of(record.policy.document, finding.rule),
        "finding": {field: plain_json(getattr(finding, field)) for field in (*PLACE, *SHOWN)},
        "sentence": (
            f"I have read the report with the code {short_code(record_sha256)} of {name}. I accept "
            f"for this candidate, until {ask.expires}, that {about} does not hold."
        ),
        **plain_json(ask),
    }


def parse_waiver(content: bytes, where: str) -> WaiverRequest:
    """Read a request; ``where`` names it in messages.

    Raises:
        EvidenceError: it is none.
    """
    value = parse_canonical_object(content, where)
    if value.get("format") != FORMAT:
        raise EvidenceError(f"{where}: no waiver request of this version ({FORMAT})")
    known = {"format", "record", "policy", "candidate", "terms", "finding", "sentence", *ASK}
    require_keys(value, frozenset(known), where)
    require_keys(value["finding"], frozenset((*PLACE, *SHOWN)), f"{where}: finding")
    texts = all(isinstance(value[name], str) for name in ("record", "terms", "sentence", *ASK))
    listed = isinstance(value["candidate"], list) and value["candidate"]
    if not texts or not listed or not all(isinstance(one, str) for one in value["candidate"]):
        raise EvidenceError(f"{where}: a text of it is missing; take the file again")
    ask = Ask(**{name: value[name] for name in ASK})
    if not all(_MOMENT.fullmatch(one) for one in (ask.asked, ask.expires)):
        raise EvidenceError(f"{where}: 'asked' and 'expires' are no times such as {_EXAMPLE}")
    return WaiverRequest(
        ask=ask,
        record=value["record"],
        terms=value["terms"],
        candidate=tuple(value["candidate"]),
        finding=value["finding"],
        document=value,
    )


_EXAMPLE = "2026-12-31T12:00:00Z"


def as_waiver(
    request: WaiverRequest, *, entry: str, rule: int, created: str, approver: str, key: str
) -> Waiver:
    """What a signed request waives.

    Args:
        request: as signed.
        entry: sha256 of the entry that holds it.
        rule: the index that its rule has in the policy at hand.
        created: when it was brought in.
        approver: who signed.
        key: fingerprint of her key.
    """
    about = request.finding
    return Waiver(
        entry=entry,
        rule=rule,
        slice=about["slice"],
        check=about["check"],
        class_label=about["class_label"],
        terms=request.terms,
        candidate=request.candidate,
        **plain_json(request.ask),
        approver=approver,
        key=key,
        created=created,
    )


def latest(asked: str, created: str, max_days: int) -> datetime:
    """The latest moment at which a waiver may end: its term counts from the earlier of both."""
    return datetime.fromisoformat(min(asked, created)) + timedelta(days=max_days)


def not_in_force(waiver: Waiver, at: str, max_days: int) -> str | None:
    """Why a waiver waives nothing at a time, as the end of a sentence; None: it does.

    Args:
        waiver: what is waived.
        at: UTC, to the second, as records spell it.
        max_days: the policy's longest term.
    """
    times = (waiver.asked, waiver.created, waiver.expires, at)
    if not all(_MOMENT.fullmatch(one) for one in times):
        return "one of its times is not in UTC, to the second"
    if at >= waiver.expires:
        return said("waiver.expired", at=waiver.expires)
    if at < waiver.created or at < waiver.asked:
        return "it is dated later than the verdict"
    if datetime.fromisoformat(waiver.expires) > latest(waiver.asked, waiver.created, max_days):
        return said("waiver.too_long", days=max_days)
    if same_person(waiver.author, waiver.approver):
        return "its approver is the one who asked for it"
    return None
