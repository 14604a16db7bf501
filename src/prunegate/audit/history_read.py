"""Reading the history of an audit folder: verified first, then its records, then what was said."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from prunegate.audit.approvals.approval import APPROVAL, Approval, approval_in
from prunegate.audit.approvals.cosigning import require_seen
from prunegate.audit.approvals.enrolments import parse_utc
from prunegate.audit.approvals.folder_entries import Entry, Folder, read_folder
from prunegate.audit.approvals.request import Seen
from prunegate.audit.approvals.sign_off import RestsOn, VerifiedAnswer
from prunegate.audit.approvals.signers_file import FILE, signers_of
from prunegate.audit.approvals.trail import approvals_of, trail_of
from prunegate.audit.approvals.verified_approvals import Book, said_in
from prunegate.audit.history import History, Terms, history
from prunegate.audit.log.checkpoint import parse_checkpoint
from prunegate.audit.log.folder import EVIDENCE, as_evidence
from prunegate.audit.log.note import parse_vkey, verified_signatures
from prunegate.audit.read import parse_record
from prunegate.audit.recompute import policy_of, require_follows
from prunegate.audit.signing.decision import DECISION
from prunegate.audit.signing.ssh_signature import parse_ssh_signature
from prunegate.audit.waivers.backing import Backed, require_backed, require_listed
from prunegate.audit.waivers.verified_waivers import HeardWaiver, heard_waivers
from prunegate.errors import EvidenceError


@dataclass(frozen=True, kw_only=True)
class SeenLog:
    """The state of the log that a signer saw; this log is known to have grown from it."""

    size: int
    cosigned: bool
    """Whether she signed that checkpoint too, as a witness."""


@dataclass(frozen=True, kw_only=True)
class ReadHistory:
    """The history, and what was verified for it."""

    history: History
    folder: Folder
    records: int
    """Records that were at hand; each verdict was worked out again."""
    gone: int
    """Decisions whose record is not in the folder."""
    made: datetime
    """When, in UTC."""
    seen: Mapping[str, SeenLog]
    """What signers saw of the log, by the sha256 of their sign-off's entry."""
    waivers: Mapping[str, HeardWaiver]
    """By the sha256 of their entry."""


def read_history(audit: Path, now: datetime) -> ReadHistory:
    """Verify an audit folder and read its history.

    Raises:
        EvidenceError: the log, a record or a signature does not verify.
        InputError: the allowed signers cannot be read.
    """
    folder = read_folder(audit)
    decisions = [entry for entry in folder.entries if entry.facts.kind == DECISION]
    signers = signers_of(audit / FILE)
    book = Book(trail=trail_of(audit, folder, None), signers=signers)
    waivers = heard_waivers(book)
    terms = dict(_terms(audit, decisions, book))

    approvals = [entry for entry in folder.entries if entry.facts.kind == APPROVAL]

    @cache
    def hear(record: str) -> tuple[VerifiedAnswer, ...]:
        trail = replace(book.trail, approvals=approvals_of(approvals, record))
        return said_in(Book(trail=trail, signers=signers))

    return ReadHistory(
        history=history(
            folder.entries,
            terms,
            hear,
            [(parse_utc(one.created), one.fingerprint) for one in book.trail.revocations],
            now,
            waivers,
        ),
        folder=folder,
        records=len(terms),
        gone=sum(entry.statement.predicate.get("record") not in terms for entry in decisions),
        made=now,
        seen=dict(_seen(audit, folder)),
        waivers=waivers,
    )


def _terms(audit: Path, decisions: list[Entry], book: Book) -> Iterator[tuple[str, Terms]]:
    """Of every record at hand, once it is the one that its decision names and follows.

    What it calls waived has to be backed by the folder, as ``audit verify`` asks for too.
    """
    for entry in decisions:
        said = entry.statement.predicate
        record = said.get("record")
        if record not in entry.facts.evidence or not (audit / EVIDENCE / record).exists():
            continue
        where = f"{EVIDENCE}/{record[:12]} of {entry.where}"
        with as_evidence(where):
            stored = parse_record((audit / EVIDENCE / record).read_bytes(), where)
            require_follows(stored.record, where)
            policy = policy_of(stored.record)
        if stored.digest != record:  # without a log nobody has compared it yet
            raise EvidenceError(f"{where}: its sha256 is not its name: it was changed")
        if stored.record.outcome != said.get("outcome"):
            raise EvidenceError(f"{entry.where}: says another outcome than its record; ask who did")
        require_listed(stored.record, said.get("waivers", []), entry.where)
        waivers = tuple(_rests_on(one) for one in require_backed(stored.record, book))
        term, bar = stored.record.revalidate_on, stored.record.bar
        yield (
            record,
            Terms(
                approvals=policy.approvals,
                revalidate_at=datetime.fromisoformat(f"{term}T00:00:00Z") if term else None,
                before_predictions=bar.before_predictions if bar else None,
                waivers=waivers,
            ),
        )


def _rests_on(one: Backed) -> RestsOn:
    waiver = one.waiver
    return RestsOn(approver=waiver.approver, key=waiver.key, expires=parse_utc(waiver.expires))


def _seen(audit: Path, folder: Folder) -> Iterator[tuple[str, SeenLog]]:
    """What each signer saw of the log, once the log is known to extend it."""
    for entry in folder.entries if folder.log is not None else ():
        if entry.facts.kind != APPROVAL:
            continue
        approval = approval_in(entry.statement.predicate, entry.where)
        seen = approval.asked(entry.where).seen
        if seen is not None:
            require_seen(audit, seen, entry.where)
            yield entry.sha256, SeenLog(size=seen.size, cosigned=_cosigned(approval, seen, entry))


def _cosigned(approval: Approval, seen: Seen, entry: Entry) -> bool:
    """Whether the signer cosigned that very checkpoint, with the key that she approved with."""
    if approval.cosigned is None or approval.signature is None:
        return False
    with as_evidence(f"{entry.where}: its cosignature"):
        key = parse_vkey(str(approval.cosigned.get("vkey")))
        signed = parse_checkpoint(str(approval.cosigned.get("note")).encode())
        mine = parse_ssh_signature(approval.signature.encode(), entry.where).key_blob
    tree = signed.checkpoint
    same = (tree.origin, tree.size, tree.root) == (
        seen.origin,
        seen.size,
        base64.b64decode(seen.root),
    )
    if not same or not mine.endswith(key.material) or not verified_signatures(signed.note, [key]):
        raise EvidenceError(
            f"{entry.where}: the checkpoint in it is not the one that its signer saw and cosigned"
        )
    return True
