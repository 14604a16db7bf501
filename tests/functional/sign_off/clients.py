"""A client with nothing but ssh-keygen, and another program that writes entries."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate import cli
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.seal import seal_log
from prunegate.audit.signing.ssh_signature import NAMESPACE
from prunegate.cli.approve import page_digest

POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.05}]
approvals: {required: [{role: client, count: 1}], distinct: [key, person], max_age_days: 30}
"""
DAY = 86_400
START = 1_700_000_000
PAGE_DIGEST = page_digest
CLIENT = "ann@client.example"
Say = Callable[..., tuple[int, str]]
GATE = ("gate", "p.yaml", "--predictions", "t.csv", "-q")
LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)


def page_as_it_is(page: Path, record: str) -> str:
    """The page's digest without making it again; the tests about the page do that."""
    del record
    return hashlib.sha256(page.read_bytes()).hexdigest()


def keygen(*arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["ssh-keygen", *arguments], input=stdin, capture_output=True, check=True, timeout=30
    )


def enrol(person: str = CLIENT, key: str = "ann.pub", role: str = "client", *more: str) -> None:
    about = ("--organisation", "Client", "--by", "Kim", "--channel", "video call")
    options = ("--person", person, "--key", key, "--role", role, *about, *more)
    invoke("enrol", *options)


def invoke(*arguments: str) -> str:
    done = CliRunner().invoke(cli.cli, ("audit", *arguments))
    if done.exception is not None:
        raise done.exception
    assert done.exit_code == 0
    return done.output


def answer(decision: str = "approve", role: str = "client", expires: str = "") -> Path:
    """What a client does with an editor: write between the quotes at the beginning."""
    request = Path("o/approval-request.json")
    text = request.read_text(encoding="utf-8")
    assert text.startswith(
        '{"answer":{"conditions":"","date":"","decision":"","expires":"","role":""},'
    )
    text = text.replace('"decision":""', f'"decision":"{decision}"', 1)
    text = text.replace('"role":""', f'"role":"{role}"', 1)
    text = text.replace('"expires":""', f'"expires":"{expires}"', 1)
    signed = Path("mail/approval-request.json")
    signed.parent.mkdir(exist_ok=True)
    signed.write_text(text + "\n", encoding="utf-8")  # as editors end a file
    return signed


def sign(request: Path, key: str = "ann", namespace: str = NAMESPACE) -> Path:
    signature = request.with_name(f"{request.name}.sig")
    signature.unlink(missing_ok=True)
    keygen("-Y", "sign", "-q", "-f", key, "-n", namespace, str(request))
    return signature


def bring_in(say: Say, signature: Path, record: str = "o") -> tuple[int, str]:
    return say("approve", record, "--signature", str(signature))


def evidence() -> tuple[str, str]:
    """Request and signature of the one approval that is pending."""
    import base64

    for path in Path("audit/pending").iterdir():
        envelope = json.loads(path.read_bytes())
        statement = json.loads(base64.b64decode(envelope["payload"]))
        if statement["predicateType"] == "urn:prunegate:approval:v1":
            predicate = statement["predicate"]
            return predicate["request"], predicate["signature"]
    raise AssertionError("no approval is pending")


def seal_all(audit: Path, key: Ed25519PrivateKey) -> None:
    seal_log(audit, key, read_entry, datetime.fromtimestamp(START, UTC))


def predicate_of(path: Path) -> dict[str, Any]:
    import base64

    statement = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
    return {**statement["predicate"], "kind of entry": statement["predicateType"].split(":")[2]}


def pend_changed(path: Path, named: str | None = None, **changes: object) -> Path:
    """Pend an entry again with another predicate (and subject), as another program could."""
    import base64

    from prunegate.audit.canonical import canonical_bytes

    envelope = json.loads(path.read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["predicate"].update(changes)
    if named is not None:
        statement["subject"] = [{"name": "a key", "digest": {"sha256": named}}]
    payload = base64.b64encode(canonical_bytes(statement)).decode()
    entry = canonical_bytes({**envelope, "payload": payload})
    place = path.parent / hashlib.sha256(entry).hexdigest()
    place.write_bytes(entry)
    return place


def pending_of(kind: str) -> Path:
    (found,) = [
        p for p in Path("audit/pending").iterdir() if predicate_of(p)["kind of entry"] == kind
    ]
    return found
