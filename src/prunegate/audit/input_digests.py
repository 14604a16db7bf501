"""Inputs: the files behind a verdict beside its predictions, by content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prunegate.audit.record import Input
from prunegate.io.hashing import file_sha256

if TYPE_CHECKING:
    from prunegate.policy.load import PolicyFile


def measurements_input(path: Path) -> Input:
    """A measurements file that somebody gave; the record holds what was read from it in full.

    Raises:
        InputError: it cannot be read.
    """
    return Input(role="measurements", name=path.name, sha256=file_sha256(path))


def claims_input(source: PolicyFile) -> Input | None:
    """The file of stated figures beside a policy; the record's policy holds the figures."""
    if source.claims is None:
        return None
    return Input(role="claims", name=source.claims.path.name, sha256=source.claims.sha256)
