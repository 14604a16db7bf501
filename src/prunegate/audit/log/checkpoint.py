"""Checkpoint (C2SP tlog-checkpoint): which log, how many entries, and the root over all of them.

The text of a signed note in three lines: origin, size, root in base64. Whoever keeps one can later
hold the log to it.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from prunegate.audit.log.merkle import EMPTY_ROOT, HASH_SIZE
from prunegate.audit.log.note import Note, parse_note, strict_base64
from prunegate.errors import InputError
from prunegate.text.escape import escaped

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LARGEST = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a log states of itself."""

    origin: str
    """Unique name of the log."""
    size: int
    """How many entries it holds."""
    root: bytes
    """RFC 6962 root over them, 32 bytes."""
    extensions: tuple[str, ...] = ()
    """Further lines, which we never write and only carry."""

    def text(self) -> str:
        """The note's text, to the byte."""
        root = base64.b64encode(self.root).decode()
        return "".join(f"{s}\n" for s in (self.origin, self.size, root, *self.extensions))


@dataclass(frozen=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint and the note that it was read from, signatures not verified yet."""

    checkpoint: Checkpoint
    """What the text says."""
    note: Note
    """Text and signatures as they stood."""


def parse_checkpoint(content: bytes) -> SignedCheckpoint:
    """Read a signed checkpoint, strictly; no signature is verified.

    Raises:
        InputError: it is not to the byte what the specification says.
    """
    note = parse_note(content)
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise InputError("a checkpoint has three lines (origin, size, root) and no empty one")
    origin, size, root, *extensions = lines
    if not _SIZE.fullmatch(size) or int(size) > _LARGEST:
        raise InputError(f"the checkpoint's second line is no tree size: {escaped(size)[:40]}")
    digest = strict_base64(root, "the checkpoint's root")
    if len(digest) != HASH_SIZE:
        raise InputError(f"the checkpoint's root has {len(digest)} bytes, SHA-256 has 32")
    if size == "0" and digest != EMPTY_ROOT:
        raise InputError("the checkpoint has size 0, but its root is not the empty tree's")
    found = Checkpoint(origin=origin, size=int(size), root=digest, extensions=tuple(extensions))
    return SignedCheckpoint(checkpoint=found, note=note)
