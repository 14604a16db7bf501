"""Bundles with something changed, and what both verifiers say of them."""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate import cli
from prunegate.audit.approvals.request import FORMAT
from prunegate.audit.bundle import layout, verify_record
from prunegate.audit.bundle.layout import manifest_of, sha256
from prunegate.audit.bundle.verify import Trusted, checks
from prunegate.audit.log.note import parse_vkey, vkey_of
from prunegate.audit.log.trust_policy import Party
from prunegate.audit.read import StoredRecord
from prunegate.audit.signing.decision import decision_statement
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import openssh_line
from prunegate.audit.signing.ssh_signature import NAMESPACE, ssh_sign
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.report.render import render

VERIFIER = Path(verify_record.__file__)
NOW = datetime(2026, 11, 28, 9, 0, 0, tzinfo=UTC)
CREATED = "2026-11-28T08:00:00Z"
ORIGIN = "agency.example/audit"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
CLIENT = Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32)
CLIENT_P256 = ec.derive_private_key(7, ec.SECP256R1())
GATE = ec.derive_private_key(5, ec.SECP256R1())
STRANGER = ec.derive_private_key(6, ec.SECP256R1())
PICTURE, OTHER_PICTURE = (b"\x89PNG\r\n\x1a\n" + bytes([n]) * 40 for n in (1, 2))
TWIN = "test-result.intoto.json"
POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [display, video]}]
rules: [{metric: recall, slices: all, max_drop: 0.02}]
"""


def entry(kind: str, name: str, predicate: dict[str, Any], digest: str) -> bytes:
    statement = Statement(
        subjects=(Subject(name=name, sha256=digest),),
        predicate_type=f"urn:prunegate:{kind}:v1",
        predicate=predicate,
    )
    return sign_envelope(statement.to_bytes(), [])


def page(stored: StoredRecord, picture: bytes = PICTURE) -> bytes:
    pictures = dict.fromkeys(stored.record.pictures, picture)
    made = render(stored.record, digest=stored.digest, pictures=pictures, content=stored.content)
    return made.encode()


def decision(stored: StoredRecord, content: bytes, twin: bytes, key: Any = GATE) -> bytes:
    made = decision_statement(stored.record, stored.digest, report_sha256=sha256(content))
    named = {"record.json": stored.content, "report.html": content, TWIN: twin}
    evidence = [{"name": n, "digest": {"sha256": sha256(c)}} for n, c in named.items()]
    made = replace(made, predicate={**made.predicate, "created": CREATED, "evidence": evidence})
    made.predicate["created"] = stored.record.created
    return sign_envelope(made.to_bytes(), [key])


def approval(record: str, report: str, key: Any, role: str = "client", **changes: Any) -> bytes:
    answer = {"conditions": "", "date": "", "decision": "reject", "expires": "", "role": role}
    said = {"format": FORMAT, "record": record, "report": report, "sentences": {"reject": "No."}}
    request = json.dumps({"answer": answer, **said}, indent=1)
    predicate = {
        "created": CREATED,
        "kind": "signed",
        "person": "Ann B",
        "organisation": "Client",
        "request": request,
        "signature": ssh_sign(key, NAMESPACE, request.encode()),
        "rationale": None,
        "cosigned": None,
        **changes,
    }
    return entry("approval", "record.json", predicate, record)


VKEY = str(vkey_of(LOG_KEY, ORIGIN))


def single(files: dict[str, bytes], *, told: bool = True) -> list[tuple[str, str]]:
    """What the single-file verifier says, in process."""
    pem = openssh_line(GATE.public_key()).encode()
    known = argparse.Namespace(
        log_key=[verify_record.vkey(VKEY)] if told else None,
        key=[pem] if told else [],
        checkpoint=None,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify_record, "read_bundle", lambda _: dict(files))
        return list(verify_record.check(Path(), known, {}))


def ours(files: dict[str, bytes], *, told: bool = True) -> dict[str, str]:
    """What prunegate says of everything but the page's rendering, which the page's tests attack."""
    trusted = Trusted(keys=(GATE.public_key(),), logs=(Party(name=ORIGIN, key=parse_vkey(VKEY)),))
    return {c.name: c.status for c in checks(files, trusted if told else Trusted())}


def caught(files: dict[str, bytes], *, told: bool = True) -> bool:
    """That both say that something is wrong; they have to agree."""
    one = any(word == "WRONG" for word, _ in single(files, told=told))
    two = "broken" in ours(files, told=told).values()
    assert one == two, (single(files, told=told), ours(files, told=told))
    return one


def righted(files: dict[str, bytes], **changes: bytes | None) -> dict[str, bytes]:
    """The files with some changed or gone, and the manifest put right."""
    found = {name: c for name, c in {**files, **changes}.items() if c is not None}
    return {**found, layout.MANIFEST: manifest_of(found)}


def of_kind(files: dict[str, bytes], kind: str, ending: str = ".json") -> list[str]:
    return [n for n in sorted(files) if n.startswith(f"entries/{kind}-") and n.endswith(ending)]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


BOUND = ("record.json", "report.html", "decision.json", "checkpoint", "decision.tlog-proof", TWIN)
EXTRA = (
    "NOTE.txt",
    "Record.json",
    "entries/note.txt",
    "keys/x.pub",
    "entries/decision-9.tlog-proof",
)
KNOWN = argparse.Namespace(log_key=None, key=[], checkpoint=None)


def command(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["prunegate", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    return int(stopped.value.code or 0)


def details(files: dict[str, bytes], *, told: bool = True) -> dict[str, str]:
    """What prunegate says of each check."""
    trusted = Trusted(keys=(GATE.public_key(),), logs=(Party(name=ORIGIN, key=parse_vkey(VKEY)),))
    return {c.name: c.detail for c in checks(files, trusted if told else Trusted())}


def resigned(files: dict[str, bytes], kind: str | None = None, **changes: Any) -> dict[str, bytes]:
    """The files with another decision, signed by the very key that decides, and in no log."""
    payload = json.loads(base64.b64decode(json.loads(files["decision.json"])["payload"]))
    made = Statement(
        subjects=tuple(
            Subject(name=s["name"], sha256=s["digest"]["sha256"]) for s in payload["subject"]
        ),
        predicate_type=kind or payload["predicateType"],
        predicate={**payload["predicate"], **changes},
    )
    bare = {n: c for n, c in files.items() if not n.startswith("entries/") and "tlog" not in n}
    return righted(bare, **{"decision.json": sign_envelope(made.to_bytes(), [GATE])})


PACKED = {
    "too many bytes": ("LARGEST", 10, {}, "larger than the 10 bytes"),
    "too many files": ("MOST", 3, {}, "more than the 3 files"),
    "packed oddly": (None, 0, {"compress_type": zipfile.ZIP_LZMA}, "packed in a way that is not"),
    "a link": (None, 0, {"external_attr": 0o120777 << 16}, "a link or device; plain files only"),
    "a device": (None, 0, {"external_attr": 0o020666 << 16}, "a link or device; plain files only"),
}
