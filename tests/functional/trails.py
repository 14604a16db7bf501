"""An audit folder from fixed keys, with everything that its page tells of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate.audit.approvals.cosigning import cosigned, seen_in
from prunegate.audit.approvals.enrolments import Enrolment, Revocation
from prunegate.audit.approvals.request import BLANK, FORMAT
from prunegate.audit.approvals.signers_file import FILE, allow
from prunegate.audit.canonical import canonical_bytes, plain_json
from prunegate.audit.history import Terms
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.seal import begin_log, seal_log
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import openssh_line
from prunegate.audit.signing.ssh_signature import NAMESPACE, fingerprint, key_blob, ssh_sign
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.audit.waivers import request as waivers
from prunegate.policy.approvals import Approvals, Required

LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
ANN = Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32)
BOB = Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)
GATE = ec.derive_private_key(5, ec.SECP256R1())
START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 28, 9, 0, 0, tzinfo=UTC)
HOSTILE = "</template><script>alert(1)</script>\u202eevil {{ 7*7 }}"
WANTED = Approvals(
    required=(Required(role="client"), Required(role="owner")),
    distinct=("person",),
    attested="count",
)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def day(number: int, hours: int = 0) -> datetime:
    return START + timedelta(days=number, hours=hours)


def spelled(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def put(
    audit: Path,
    what: str,
    subjects: Mapping[str, str],
    at: datetime,
    /,
    *,
    key: Any = None,
    **said: Any,
) -> str:
    """Pend an entry of any kind; its sha256."""
    statement = Statement(
        subjects=tuple(Subject(name=name, sha256=digest) for name, digest in subjects.items()),
        predicate_type=f"urn:prunegate:{what}:v1",
        predicate={"created": spelled(at), **said},
    )
    return add_pending(sign_envelope(statement.to_bytes(), [key] if key else []), audit).name


def sealed(audit: Path, at: datetime) -> None:
    seal_log(audit, LOG_KEY, read_entry, at)


def decide(
    audit: Path,
    name: str,
    outcome: str,
    at: datetime,
    *,
    attempt: int = 1,
    policy: str = "brand-safety",
    rules: str = "rules",
    **more: Any,
) -> None:
    """Pend a decision about candidate ``name``; its record is ``record name``."""
    codes = {"approve": 0, "reject": 3, "inconclusive": 4}
    put(
        audit,
        "decision",
        {
            "record.json": sha(f"record {name}"),
            "report.html": sha(f"page {name}"),
            "policy": sha(f"policy {policy}"),
            "candidate": sha(name),
        },
        at,
        key=GATE,
        policy={"name": policy, "sha256": sha(f"policy {policy}")},
        record=sha(f"record {name}"),
        outcome=outcome,
        exit_code=codes[outcome],
        command="gate",
        statement=f"Of 100 candidates as bad as the limit, at most 5 pass. Candidate {name}.",
        findings={},
        attempt={
            "gate_set": sha("gate set"),
            "contents": sha("contents"),
            "candidate": [sha(name)],
            "baseline": [sha("old")],
            "rules": sha(rules),
            "number": attempt,
            "alpha": "0.05",
        },
        **more,
    )


def say(
    audit: Path,
    name: str,
    decision: str,
    at: datetime,
    *,
    role: str = "client",
    key: Any = ANN,
    witness: Any = None,
    cosigns: bool = True,
    **more: str,
) -> None:
    """Pend a signed word on the decision about ``name``."""
    seen = seen_in(audit)
    request = _request(name, decision, role, more, plain_json(seen))
    put(
        audit,
        "approval",
        {"record.json": sha(f"record {name}")},
        at,
        kind="signed",
        person="ann@client.example",
        organisation="Client",
        request=request,
        signature=ssh_sign(key, NAMESPACE, request.encode()),
        rationale=None,
        cosigned=cosigned(audit, seen, witness or key, "a signer", at) if cosigns else None,
    )


def attest(audit: Path, name: str, at: datetime) -> None:
    """Pend what the agency says that the owner said."""
    put(
        audit,
        "approval",
        {"record.json": sha(f"record {name}")},
        at,
        key=GATE,
        kind="attested",
        person="Olu Owner",
        organisation="Agency",
        request=_request(name, "approve", "owner", {}, None),
        signature=None,
        rationale="e-mail of 9 March",
        cosigned=None,
    )


def _request(name: str, decision: str, role: str, more: Mapping[str, str], seen: Any) -> str:
    return canonical_bytes(
        {
            "answer": {**BLANK, "decision": decision, "role": role, **more},
            "format": FORMAT,
            "record": sha(f"record {name}"),
            "report": sha(f"page {name}"),
            "sentences": {word: f"I {word}." for word in ("approve", "reject", "discuss")},
            "checkpoint": seen,
        }
    ).decode()


def waive(
    audit: Path,
    name: str,
    at: datetime,
    *,
    key: Any = BOB,
    person: str = "bob@client.example",
    place: str = "content_type=video",
    reason: str = "relabelled in June",
    expires: str = "2026-12-31T00:00:00Z",
    signed: str | None = None,
) -> str:
    """Pend a signed waiver for candidate ``name``; its sha256.

    ``signed`` is what was signed in place of the request: then the signature does not hold.
    """
    answers, policy = sha(f"answers {name}"), sha("policy brand-safety")
    ask = waivers.Ask(
        reason=reason, owner="Kim", author="Lee, agency", asked=spelled(at), expires=expires
    )
    finding = dict.fromkeys((*waivers.PLACE, *waivers.SHOWN))
    finding |= {"rule": 1, "metric": "recall", "slice": place, "check": "max_drop"}
    request = canonical_bytes(
        {
            "format": waivers.FORMAT,
            "record": sha(f"record {name}, first"),
            "policy": {"name": "brand-safety", "sha256": policy},
            "candidate": [answers, sha(name)],
            "terms": sha("terms"),
            "finding": {**finding, "status": "fail"},
            "sentence": "I accept it.",
            **plain_json(ask),
        }
    ).decode()
    return put(
        audit,
        "waiver",
        {
            "record.json": sha(f"record {name}, first"),
            "policy": policy,
            "candidate answers": answers,
            "candidate": sha(name),
        },
        at,
        person=person,
        organisation="Client",
        request=request,
        signature=ssh_sign(key, NAMESPACE, (signed or request).encode()),
    )


def enrol(audit: Path, person: str, role: str, key: Any, at: datetime) -> None:
    found = Enrolment(
        created=spelled(at),
        person=person,
        organisation="Client" if role == "client" else "Agency",
        role=role,
        key=openssh_line(key.public_key()),
        by="Kim, account lead",
        channel="video call",
    )
    if role != "gate":
        allow(audit / FILE, found)
    add_pending(sign_envelope(found.statement().to_bytes(), []), audit)


def revoke(audit: Path, key: Any, at: datetime) -> None:
    found = Revocation(
        created=spelled(at),
        fingerprint=fingerprint(key_blob(key.public_key())),
        reason="laptop lost",
    )
    add_pending(sign_envelope(found.statement().to_bytes(), []), audit)


def whole_trail(folder: Path) -> Path:
    """Three candidates of one policy, one of another, with all that can happen to them."""
    audit = folder / "audit"
    begin_log(audit, "agency.example/brand-safety", LOG_KEY)
    enrol(audit, "ann@client.example", "client", ANN, day(0))
    enrol(audit, "bob@client.example", "client", BOB, day(0))
    enrol(audit, "gate@agency.example", "gate", GATE, day(0))
    put(
        audit,
        "seal",
        {"policy": sha("policy brand-safety"), "gate set": sha("gate set")},
        day(1),
        policy={"name": "brand-safety", "sha256": sha("policy brand-safety")},
        rules=sha("rules"),
        gate_set=sha("gate set"),
        contents=sha("contents"),
        rows=3200,
    )
    sealed(audit, day(1, 1))
    decide(audit, "one", "reject", day(2))
    decide(audit, "two", "approve", day(5), attempt=2, revalidate="2026-09-01")
    say(audit, "two", "approve", day(6), conditions="Only for display.")
    attest(audit, "two", day(7))
    sealed(audit, day(8))
    put(
        audit,
        "loosening",
        {"old policy": sha("older"), "new policy": sha("policy brand-safety")},
        day(30),
        reason="The client accepts two points on video until June.",
        old={"sha256": sha("older")},
        new={"sha256": sha("policy brand-safety")},
        changes={"loosened": 1, "tightened": 0, "neutral": 0},
        loosened=[
            {"where": "rule 1", "told": "x", "sentence": "recall may fall by 3 points, not 2"}
        ],
        loosened_not_named=2,
    )
    decide(
        audit,
        "three",
        "approve",
        day(40),
        attempt=3,
        rules="other rules",
        search={"attempts": 12},
        waivers=[waive(audit, "three", day(39))],
    )
    say(audit, "three", "approve", day(41), key=BOB, expires="2026-12-31")
    attest(audit, "three", day(42))
    decide(audit, HOSTILE[:40], "inconclusive", day(43), policy=HOSTILE)
    waive(
        audit,
        "three",
        day(44),
        key=ANN,
        person="ann@client.example",
        place=HOSTILE,
        reason=HOSTILE,
        expires="2026-06-30T12:00:00Z",
    )
    waive(audit, "three", day(44, 1), place="content_type=ugc", expires="2026-07-31T00:00:00Z")
    put(
        audit, "surprise", {"something": sha("x")}, day(45), note=HOSTILE, deep={"a": {"b": [1, 2]}}
    )
    sealed(audit, day(46))
    say(audit, "three", "discuss", day(50), key=ANN)
    revoke(audit, ANN, day(60))
    return audit


def terms() -> dict[str, Terms]:
    """What the records of the approved candidates say."""
    return {
        sha("record two"): Terms(
            approvals=WANTED,
            revalidate_at=datetime(2026, 9, 1, tzinfo=UTC),
            before_predictions=True,
        ),
        sha("record three"): Terms(approvals=WANTED),
    }
