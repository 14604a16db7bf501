"""Begin a log: a trust policy that names its key, and a signed checkpoint over no entry."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate.audit.log.checkpoint import Checkpoint
from prunegate.audit.log.durable import make_folder, sync_folder, write_whole
from prunegate.audit.log.folder import CHECKPOINT, TRUST_POLICY, is_log, sealing
from prunegate.audit.log.merkle import EMPTY_ROOT
from prunegate.audit.log.note import Note, VerifierKey, sign, vkey_of
from prunegate.audit.log.trust_policy import Party, TrustPolicy
from prunegate.errors import InputError


def begin_log(audit: Path, origin: str, key: Ed25519PrivateKey) -> VerifierKey:
    """Begin an empty log under ``audit``; pending entries that lie there stay.

    Returns:
        The log's verifier key, for those who will check it.

    Raises:
        InputError: a log is already there, the origin is no key name, or it cannot be written.
    """
    vkey = vkey_of(key, origin)
    policy = TrustPolicy(logs=(Party(name=origin, key=vkey),))
    try:
        make_folder(audit)
        with sealing(audit, wait_s=10):
            if is_log(audit):
                raise InputError(
                    f"{audit}: a log is already here; use another folder (--audit DIR), or seal"
                    " into this one: prunegate audit seal"
                )
            write_whole(audit / TRUST_POLICY, policy.format())
            checkpoint = signed_checkpoint(Checkpoint(origin=origin, size=0, root=EMPTY_ROOT), key)
            write_whole(audit / CHECKPOINT, checkpoint.encode())
            sync_folder(audit)
    except OSError as error:
        raise InputError(f"{audit}: the log cannot be written ({error.strerror})") from error
    return vkey


def signed_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> Note:
    """A checkpoint with the log's signature under it."""
    text = checkpoint.text()
    return Note(text=text, signatures=(sign(text, checkpoint.origin, key),))
