"""The log's folder: what lies where, its current checkpoint and trust policy, its lock.

::

    audit/checkpoint           the current signed checkpoint: what it covers is the log
    audit/trust.policy         whose signatures count
    audit/tile/...             hash tiles and entry bundles
    audit/pending/<sha256>     entries that wait to be sealed
    audit/evidence/<sha256>    what entries name by digest
    audit/.lock                held by the one sealer
    audit/.index/              where digests stand, a cache: :mod:`prunegate.audit.log.index`
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prunegate.audit.log.checkpoint import SignedCheckpoint, parse_checkpoint
from prunegate.audit.log.durable_files import locked, read_regular
from prunegate.audit.log.tiles import layout
from prunegate.audit.log.trust_policy import TrustPolicy, parse_trust_policy
from prunegate.errors import EvidenceError, InputError
from prunegate.io.partial import PARTIAL

CHECKPOINT = "checkpoint"
TRUST_POLICY = "trust.policy"
EVIDENCE = "evidence"
LOCK = ".lock"
INDEX = ".index"
"""A cache that only a seal makes: where it lies alone, the log beside it was taken away."""

_LARGEST = 1_000_000


@contextmanager
def as_evidence(where: str) -> Iterator[None]:
    """Turn a malformed file of the log into evidence that does not verify.

    Raises:
        EvidenceError: in the place of every ``InputError``.
    """
    try:
        yield
    except InputError as error:
        raise EvidenceError(f"{where}: {error}") from error


def read_checkpoint(audit: Path) -> SignedCheckpoint:
    """The current checkpoint, its signatures not verified.

    Raises:
        InputError: there is no log here.
        EvidenceError: it is malformed.
    """
    content = _read(audit, CHECKPOINT)
    with as_evidence(CHECKPOINT):
        return parse_checkpoint(content)


def read_trust_policy(audit: Path) -> TrustPolicy:
    """The log's trust policy.

    Raises:
        InputError: there is no log here.
        EvidenceError: it is malformed.
    """
    content = _read(audit, TRUST_POLICY)
    with as_evidence(TRUST_POLICY):
        return parse_trust_policy(content)


def is_log(audit: Path) -> bool:
    """Whether a log was begun in this folder, or what is left of one lies there."""
    return any((audit / name).exists() for name in (CHECKPOINT, TRUST_POLICY, "tile", INDEX))


def is_half_begun(audit: Path, policy: TrustPolicy) -> bool:
    """Whether all that lies there is this trust policy: its writer was killed before the rest."""
    others = any((audit / name).exists() for name in (CHECKPOINT, "tile", INDEX))
    return not others and _read(audit, TRUST_POLICY) == policy.format()


@contextmanager
def sealing(audit: Path, wait_s: float) -> Iterator[None]:
    """Be the one process that changes the log.

    Raises:
        InputError: another process is, for longer than ``wait_s``.
    """
    with locked(audit / LOCK, exclusive=True, wait_s=wait_s):
        yield


@contextmanager
def read_locked(audit: Path, wait_s: float) -> Iterator[None]:
    """Keep sealers out while the block reads; a folder without a lock file has none.

    Raises:
        InputError: a sealer holds the log for longer than ``wait_s``.
    """
    if not (audit / LOCK).exists():
        yield
        return
    with locked(audit / LOCK, exclusive=False, wait_s=wait_s):
        yield


def stored_files(audit: Path) -> Iterator[str]:
    """Paths of all files below ``tile/``, temporary ones left out; links are files here."""
    for folder, _, names in os.walk(audit / "tile"):
        for name in names:
            if not name.startswith(PARTIAL):
                yield (Path(folder) / name).relative_to(audit).as_posix()


def leftovers(audit: Path, size: int) -> list[str]:
    """Files below ``tile/`` that a log of this size does not consist of, sorted."""
    expected = set(layout(size))
    return sorted(path for path in stored_files(audit) if path not in expected)


def _read(audit: Path, name: str) -> bytes:
    try:
        return read_regular(audit / name, _LARGEST)
    except InputError as error:
        if isinstance(error.__cause__, PermissionError):
            raise
        raise EvidenceError(f"{name} was changed: {error}") from error
    except FileNotFoundError as error:
        if is_log(audit):
            raise EvidenceError(
                f"{name} is missing from {audit}, where a log was begun: bring it back (from the "
                "repository or a backup), or take a new folder (--audit DIR)"
            ) from error
        raise InputError(
            f"{audit}: there is no log here; begin one: prunegate audit init --origin NAME --key"
            " FILE"
        ) from error
