"""Small logs for the tests: keys from fixed seeds, entries of the real form, a fixed clock."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.seal import Sealed, begin_log, seal_log

ORIGIN = "agency.example/audit"
NOW = datetime(2026, 11, 28, 9, 0, 0, tzinfo=UTC)


def key(seed: int = 1) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def entry(
    number: int,
    created: str = "2026-11-28T08:00:00Z",
    evidence: tuple[str, ...] = (),
    kind: str = "decision",
    **said: object,
):
    """A canonical envelope about subject ``number``; no whole entry of its kind by itself."""
    about = hashlib.sha256(b"record %d" % number).hexdigest()
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicate": {
            **said,
            "created": created,
            "evidence": [{"digest": {"sha256": d}, "name": "evidence"} for d in evidence],
        },
        "predicateType": f"urn:prunegate:{kind}:v1",
        "subject": [{"digest": {"sha256": about}, "name": f"candidate-{number}"}],
    }
    envelope = {
        "payload": base64.b64encode(_canonical(statement)).decode(),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [],
    }
    return _canonical(envelope)


def new_log(folder: Path, entries: int = 0) -> Path:
    """A begun log with so many entries sealed."""
    audit = folder / "audit"
    begin_log(audit, ORIGIN, key())
    if entries:
        for number in range(entries):
            add_pending(entry(number), audit)
        sealed(audit)
    return audit


def sealed(audit: Path, now: datetime = NOW) -> Sealed:
    return seal_log(audit, key(), read_entry, now)


def put_evidence(audit: Path, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    (audit / "evidence").mkdir(exist_ok=True)
    (audit / "evidence" / digest).write_bytes(content)
    return digest


def files(audit: Path) -> list[Path]:
    """Every file of the log, in a fixed order; its index is a cache, and no part of it."""
    found = (path for path in audit.rglob("*") if path.is_file())
    return sorted(path for path in found if path.parent.name != ".index")
