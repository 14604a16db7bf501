"""Proof file (C2SP tlog-proof): one entry's place in the log, checkable offline for ever.

::

    c2sp.org/tlog-proof@v1
    index 73894
    <one hash per line, from the leaf's sibling up>

    <the signed checkpoint, verbatim>
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from prunegate.audit.log.checkpoint import SignedCheckpoint, parse_checkpoint
from prunegate.audit.log.merkle import HASH_SIZE, includes, leaf_hash
from prunegate.audit.log.note import strict_base64
from prunegate.audit.log.trust_policy import Trust, TrustPolicy, judge_checkpoint
from prunegate.errors import EvidenceError, InputError
from prunegate.text.escape import escaped

SUFFIX = ".tlog-proof"
HEADER = "c2sp.org/tlog-proof@v1"

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_LARGEST = 2_000_000
_LONGEST_PATH = 63


@dataclass(frozen=True, kw_only=True)
class TlogProof:
    """That an entry has a number in the tree of a checkpoint."""

    index: int
    """The entry's number in the log, from 0."""
    path: tuple[bytes, ...]
    """RFC 6962 inclusion proof, the leaf's sibling first."""
    checkpoint: bytes
    """The signed checkpoint, verbatim."""
    extra: bytes | None = None
    """Opaque data that nothing vouches for."""

    def format(self) -> bytes:
        """The file's bytes."""
        extra = [] if self.extra is None else [f"extra {base64.b64encode(self.extra).decode()}"]
        path = [base64.b64encode(node).decode() for node in self.path]
        lines = [HEADER, *extra, f"index {self.index}", *path, ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint


def parse_tlog_proof(content: bytes) -> tuple[TlogProof, SignedCheckpoint]:
    """Read a proof file, strictly; nothing is verified.

    Raises:
        InputError: it is not to the byte what the specification says.
    """
    if len(content) > _LARGEST:
        raise InputError("a proof of more than two megabytes is not read")
    head, gap, checkpoint = content.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InputError("the proof holds other than ASCII before its checkpoint") from error
    if lines[0] != HEADER or not gap:
        raise InputError(f"no proof: the first line is {HEADER}, an empty line ends the hashes")
    extra = None
    rest = lines[1:]
    if rest and rest[0].startswith("extra "):
        extra = strict_base64(rest[0].removeprefix("extra "), "the proof's extra data")
        rest = rest[1:]
    index = _INDEX.fullmatch(rest[0]) if rest else None
    if index is None:
        raise InputError(f"'index <number>' expected, got: {escaped(rest[0] if rest else '')[:60]}")
    path = tuple(strict_base64(line, "a hash of the proof") for line in rest[1:])
    if len(path) > _LONGEST_PATH or any(len(node) != HASH_SIZE for node in path):
        raise InputError("the proof's hashes are not at most 63 of 32 bytes each")
    proof = TlogProof(index=int(index[1]), path=path, checkpoint=checkpoint, extra=extra)
    return proof, parse_checkpoint(checkpoint)


def verify_tlog_proof(content: bytes, entry: bytes, policy: TrustPolicy) -> Trust:
    """Verify that the log holds ``entry``, by a proof file and a trust policy.

    Returns:
        Who vouches for it; its quorum is met.

    Raises:
        InputError: the file is no proof.
        EvidenceError: signatures, quorum or inclusion do not hold.
    """
    proof, signed = parse_tlog_proof(content)
    trust = judge_checkpoint(policy, signed)
    if not trust.quorum_met:
        held = ", ".join(escaped(name) for name in trust.cosignatures) or "nobody"
        raise EvidenceError(
            f"the checkpoint is cosigned by {held}, which is not the quorum "
            f"{escaped(policy.quorum)}"
        )
    tree = signed.checkpoint
    if not includes(leaf_hash(entry), proof.index, tree.size, proof.path, tree.root):
        raise EvidenceError(
            f"the proof does not lead from this entry (as number {proof.index}) to the root of the"
            f" checkpoint of size {tree.size}: it belongs to another entry, or one was changed"
        )
    return trust
