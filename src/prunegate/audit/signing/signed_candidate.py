"""The files of a candidate, if they are those that a record approves; else which one differs.

A record names its candidate by one digest over all files. Where the folder that was judged is still
at hand (``run`` leaves it beside the record), a folder that differs from it is told file by file;
without it only a file that was added can be found.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prunegate.audit.record import DecisionRecord
from prunegate.audit.signing.model_signature import SIGNATURE_FILE
from prunegate.errors import EvidenceError, InputError, ModelError
from prunegate.models.digest import FileDigest, list_digest, tree_files
from prunegate.text.escape import escaped


def files_of(
    candidate: Path, record: DecisionRecord, *, beside: Path | None = None
) -> tuple[FileDigest, ...]:
    """Every file of a candidate's folder, hashed once; an earlier model.sig is left out.

    Args:
        candidate: the folder.
        record: of its verdict.
        beside: where the folder that was judged may still lie.

    Raises:
        InputError: the record does not say which candidate it is about.
        ModelError: no such folder, or something in it that is no regular file.
        EvidenceError: it is another model; what differs is named as far as it can be told.
    """
    wanted = record.model_digest("candidate")
    if wanted is None:
        raise InputError(
            "the record names no candidate by digest, so nobody can tell whether it is this one; "
            "judge what 'prunegate run' predicted, or name the folder in the policy: "
            "'model: {candidate: DIR}'"
        )
    files = tuple(file for file in tree_files(candidate) if file.path != SIGNATURE_FILE)
    if not files or not _is(files, wanted):
        found = list_digest(files)[:12] if files else "empty"
        told = _difference(files, wanted, candidate, beside)
        raise EvidenceError(
            f"{candidate} is not the candidate of the record: its digest is {found}, the record's "
            f"{wanted[:12]}; {told}"
        )
    return files


def _is(files: Sequence[FileDigest], wanted: str) -> bool:
    """Whether files have a digest, also where an earlier version worked it out, papers and all."""
    return wanted in (list_digest(files), list_digest(files, papers=True))


def _difference(
    files: Sequence[FileDigest], wanted: str, candidate: Path, beside: Path | None
) -> str:
    """Which file makes the difference, in words."""
    for file in files:
        rest = tuple(other for other in files if other is not file)
        if rest and _is(rest, wanted):
            return f"{escaped(file.path)} was added"
    kept = _kept(wanted, candidate, beside)
    if kept is None:
        return "give the folder that was judged"
    here, there = ({file.path: file.sha256 for file in one} for one in (files, kept))
    name = min(path for path in {*here, *there} if here.get(path) != there.get(path))
    if name not in here:
        return f"{escaped(name)} is missing"
    return f"{escaped(name)} was {'changed' if name in there else 'added'}"


def _kept(wanted: str, candidate: Path, beside: Path | None) -> tuple[FileDigest, ...] | None:
    """The files that were judged, where they still lie beside the record."""
    if beside is None or beside.resolve() == candidate.resolve():
        return None
    try:
        kept = tree_files(beside)
        return kept if _is(kept, wanted) else None
    except ModelError:
        return None
