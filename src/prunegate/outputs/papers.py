"""Papers: the card beside a candidate's files, and files that are asked for.

An approved candidate's card is a model card with its results. Another's says how it was made, and
at which threshold it was judged, where that is one of its own: the card travels with the folder.

A README.md that somebody else wrote is never written over by itself: ours have a line that says so.
"""

from __future__ import annotations

from pathlib import Path

from prunegate.audit.read import StoredRecord
from prunegate.audit.signing.signed_candidate import files_of
from prunegate.errors import InputError
from prunegate.io.atomic import BILL, require_new, write_whole
from prunegate.models.digest import CARD, CARD_MARK
from prunegate.outputs.bill_of_materials import render_bill_of_materials
from prunegate.outputs.markdown import prose
from prunegate.outputs.model_card import render_model_card
from prunegate.report.own_threshold import in_english

CANDIDATE = "candidate"
"""The folder that a run leaves beside its record."""
_MOST = 1 << 20
"""Bytes in which a card of ours is looked for its line."""


def write_card_of_candidate(stored: StoredRecord, folder: Path) -> Path | None:
    """Write what the card of a candidate that was made here has to say; None: nothing new.

    Args:
        stored: the record, as it is kept.
        folder: of the verdict; ``candidate`` in it is the candidate's.

    Raises:
        InputError: it cannot be written.
    """
    candidate = folder / CANDIDATE
    card, judged_at = candidate / CARD, in_english(stored.record)
    if not candidate.is_dir():
        return None
    if stored.record.outcome == "approve":
        write_whole(card, model_card_for(stored, card, force=False))
        return card
    if not judged_at or not _is_ours(card):
        return None
    write_whole(card, card.read_bytes() + f"\n## Threshold\n\n{prose(judged_at)}\n".encode())
    return card


def model_card_for(stored: StoredRecord, target: Path, *, force: bool) -> bytes:
    """A model card for a place that is free, or has an earlier one of ours; nothing is written.

    Raises:
        InputError: a file of somebody else's is there, which nothing writes over.
    """
    if not _is_ours(target):
        require_new(target, force=force, kind=CARD_MARK.encode())
    return render_model_card(stored.record, stored.digest).encode()


def _is_ours(target: Path) -> bool:
    """Whether a file is a card that prunegate wrote."""
    if not target.is_file():
        return False
    with target.open("rb") as file:
        return CARD_MARK.encode() in file.read(_MOST).splitlines()


def bill_of_materials_for(
    stored: StoredRecord, target: Path, candidate: Path | None, *, force: bool
) -> bytes:
    """A bill of materials for a place that is free; nothing is written.

    Args:
        stored: the record.
        target: the file.
        candidate: the candidate's folder, whose files are listed; None: none are.
        force: write over a file that is there.

    Raises:
        InputError: the file is there, or the record names no candidate by digest.
        ModelError: no such folder, or something in it that is no regular file.
        EvidenceError: the folder holds another model than the record's.
    """
    require_new(target, force=force, kind=BILL)
    if candidate is not None and target.resolve().is_relative_to(candidate.resolve()):
        raise InputError(
            f"{target} lies inside of {candidate} and would change the digest by which the record "
            "knows it; write it beside the folder"
        )
    files = () if candidate is None else files_of(candidate, stored.record)
    return render_bill_of_materials(stored.record, stored.digest, files).encode()
