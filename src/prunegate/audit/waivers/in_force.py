"""In force: the waivers of an audit folder that count for one candidate at one moment.

Read when a verdict is taken. A waiver that does not count is told with its reason, where it is for
this candidate; one for another candidate is passed over in silence, as is proper.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from prunegate.audit.approvals.enrolments import parse_utc
from prunegate.audit.approvals.folder_entries import Entry
from prunegate.audit.approvals.person import same_person
from prunegate.audit.approvals.signers_file import FILE, signers_of
from prunegate.audit.approvals.trail import read_trail
from prunegate.audit.approvals.verified_approvals import Book, is_gate, signer_of
from prunegate.audit.waivers.entry import Read, read_waiver
from prunegate.audit.waivers.request import not_in_force, terms_of
from prunegate.errors import EvidenceError
from prunegate.policy.schema import Policy
from prunegate.text.escape import escaped
from prunegate.text.said import said
from prunegate.verdict.finding import Finding, Verdict
from prunegate.verdict.waiver import Waived, Waiver, place_of, unwaivable, with_waivers


@dataclass(frozen=True, kw_only=True)
class InForce:
    """What an audit folder says for one candidate."""

    waivers: tuple[Waiver, ...]
    warnings: tuple[str, ...]
    """Of waivers for this candidate that do not count: which, and why."""


def waived(
    policy: Policy, verdict: Verdict, candidate: Sequence[str], audit: Path, at: str
) -> Waived:
    """A verdict with the waivers that an audit folder holds for its candidate.

    Args:
        policy: as it was judged; without a section ``waivers`` the folder is not even read.
        verdict: finished, with its claims.
        candidate: digests that each tell the candidate.
        audit: the audit folder.
        at: the moment of judging: UTC, to the second.

    Raises:
        EvidenceError: the folder does not verify.
    """
    if policy.waivers is None:
        return Waived(verdict=verdict, used=())
    book = Book(trail=read_trail(audit), signers=signers_of(audit / FILE))
    found = in_force(book, policy, candidate, at)
    done = with_waivers(policy, verdict, found.waivers)
    told = (*found.warnings, *_unused(policy, done, found.waivers))
    warnings = (*done.verdict.warnings, *told)
    return replace(done, verdict=replace(done.verdict, warnings=warnings))


def in_force(book: Book, policy: Policy, candidate: Collection[str], at: str) -> InForce:
    """The waivers that count for a candidate at a moment; see ``waived``."""
    document, most = policy.document(), policy.waivers.max_days if policy.waivers else 0
    revoked = book.trail.revoked()  # by now: whatever the clock of who revoked said
    held: list[Waiver] = []
    warnings: list[str] = []
    for entry, signed in book.trail.waivers:
        read = read_waiver(signed, entry.where)
        if set(candidate).isdisjoint(read.request.candidate):
            continue
        rules = [
            index
            for index in range(len(policy.rules))
            if terms_of(document, index) == read.request.terms
        ]
        for_each = [read.waives(entry.sha256, index) for index in rules]
        why = refused(book, entry, read, revoked)
        if why is None:
            why = next((w for one in for_each if (w := not_in_force(one, at, most))), None)
        if why is None and not rules:
            why = "the rule that it is for, or what that rests on, is not in this policy"
        if why is None:
            held += for_each
        else:
            warnings.append(_does_not_count(read.waives(entry.sha256, 0), why))
    return InForce(waivers=tuple(held), warnings=tuple(warnings))


def refused(book: Book, entry: Entry, read: Read, revoked: Collection[str]) -> str | None:
    """Why the word of whoever signed does not count; None: it does.

    Args:
        book: the trail, and who may sign.
        entry: the waiver's.
        read: its signature holds.
        revoked: fingerprints of keys that are no longer trusted.
    """
    if is_gate(book.trail, read.signature):
        return "it was signed with the gate's own key, which never approves"
    if read.signature.fingerprint in revoked:
        return "its key was revoked"
    try:
        who = signer_of(book, read.signature, None, parse_utc(entry.facts.created))
    except EvidenceError:
        return "its key is not enrolled and allowed to sign"
    if not same_person(who.person, read.said.person):
        return said("waiver.of", person=escaped(who.person))
    if asked_by_signer(book, read):
        return "its approver is the one who asked for it"
    return None


def asked_by_signer(book: Book, read: Read) -> bool:
    """Whether whoever asked is, by any name that was enrolled, the one who signed."""
    author, key = read.request.ask.author, read.signature.fingerprint
    names = {one.person for _, one in book.trail.enrolments if one.fingerprint == key}
    return any(same_person(author, name) for name in (*names, read.said.person))


def _unused(policy: Policy, done: Waived, waivers: Sequence[Waiver]) -> list[str]:
    """Why waivers in force waived nothing; one beside another for the same finding is no matter."""
    used = {one.place for one in done.used}
    findings = {place_of(finding): finding for finding in done.verdict.findings}
    reasons = [
        (one, _why_unused(policy, findings.get(one.place)))
        for one in waivers
        if one.place not in used
    ]
    return [_does_not_count(one, why) for one, why in reasons if why is not None]


def _why_unused(policy: Policy, finding: Finding | None) -> str | None:
    return "there is no such finding" if finding is None else unwaivable(policy, finding)


def _does_not_count(one: Waiver, why: str) -> str:
    place = {"check": one.check, "place": escaped(one.slice)}
    about = said("warning.waiver_of", **place)
    if one.class_label is not None:
        about = said("warning.waiver_class", label=escaped(one.class_label), **place)
    who = escaped(one.approver)
    return said("warning.waiver", who=who, about=about, entry=one.entry[:12], why=why)
