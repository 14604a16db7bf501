"""Witness: a signer keeps the log to the state that she saw, and cosigns it where her key can.

What she saw stands in the request that she signs. With an Ed25519 key at hand the checkpoint is
cosigned too (C2SP tlog-cosignature), so that a trust policy can ask for her.
"""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate.audit.approvals.request import Seen
from prunegate.audit.log.durable_files import sync_folder, write_durably
from prunegate.audit.log.folder import (
    CHECKPOINT,
    is_log,
    read_checkpoint,
    read_trust_policy,
    sealing,
)
from prunegate.audit.log.merkle import EMPTY_ROOT, consistency_proof, extends
from prunegate.audit.log.note import COSIGNATURE, Note, NoteSignature, cosign, vkey_of
from prunegate.audit.log.tiles import tile_nodes
from prunegate.audit.log.trust_policy import NONE, judge_checkpoint
from prunegate.errors import EvidenceError, InputError
from prunegate.text.escape import escaped

_WAIT_S = 10.0


def seen_in(audit: Path) -> Seen | None:
    """The state of the log in a folder; None: there is no log.

    Raises:
        EvidenceError: its checkpoint is malformed.
    """
    if not is_log(audit):
        return None
    found = read_checkpoint(audit).checkpoint
    root = base64.b64encode(found.root).decode("ascii")
    return Seen(origin=found.origin, size=found.size, root=root)


def require_seen(audit: Path, seen: Seen | None, where: str) -> None:
    """That the log in a folder is the one that a signer saw, grown at most.

    Args:
        audit: the audit folder.
        seen: what she saw.
        where: names her request in messages.

    Raises:
        EvidenceError: there is none, it is another one, it was cut, or it was rewritten.
    """
    if seen is None:
        return
    if not is_log(audit):
        raise EvidenceError(
            f"{where}: names the log {escaped(seen.origin)}, but there is no log in {audit}; give "
            "its folder with --audit"
        )
    now = read_checkpoint(audit).checkpoint
    if now.origin != seen.origin:
        raise EvidenceError(
            f"{where}: names the log {escaped(seen.origin)}, but {audit} holds "
            f"{escaped(now.origin)}; give the folder of the right one with --audit"
        )
    root = base64.b64decode(seen.root)
    if seen.size > now.size:
        raise EvidenceError(
            f"{where}: its signer saw a log of {seen.size} entries, {audit} holds {now.size}: it "
            "was cut"
        )
    if seen.size == 0:
        grown = root == EMPTY_ROOT
    elif seen.size == now.size:
        grown = root == now.root
    else:
        path = consistency_proof(seen.size, now.size, tile_nodes(audit, now.size))
        grown = extends(seen.size, root, now.size, now.root, path)
    if not grown:
        raise EvidenceError(
            f"{where}: the first {seen.size} entries of the log are not those that its signer saw: "
            "the log was rewritten"
        )


def cosigned(
    audit: Path, seen: Seen | None, key: object, person: str, now: datetime
) -> dict[str, str] | None:
    """The checkpoint with the signer's cosignature, and her verifier key; None where she cannot.

    The log's checkpoint file gets the cosignature too, unless the log has grown meanwhile.

    Raises:
        EvidenceError: the log's key did not sign its checkpoint.
    """
    if seen is None or not isinstance(key, Ed25519PrivateKey):
        return None
    signed = read_checkpoint(audit)
    if seen != seen_in(audit):  # sealed in this very moment; the request says what she saw
        return None
    judge_checkpoint(replace(read_trust_policy(audit), quorum=NONE), signed)
    name = witness_name(person)
    one = cosign(signed.note.text, name, key, int(now.timestamp()))
    _keep(audit, signed.note, one)
    vkey = vkey_of(key, name, COSIGNATURE)
    return {"note": signed.note.signed_too(one).encode().decode(), "vkey": str(vkey)}


def witness_name(person: str) -> str:
    """A person's name as a key name, which holds neither blanks nor plus signs."""
    return re.sub(r"[\s+]+", "-", person)


def _keep(audit: Path, note: Note, one: NoteSignature) -> None:
    try:
        with sealing(audit, _WAIT_S):
            now = read_checkpoint(audit).note
            if now.text == note.text:
                write_durably(audit / CHECKPOINT, now.signed_too(one).encode())
                sync_folder(audit)
    except OSError as error:
        raise InputError(f"{audit}: the checkpoint cannot be written ({error.strerror})") from error
