"""Export: everything that the audit folder holds about one decision, as the files of a bundle.

Taken are the record, its page and its entry; of all other entries those that name the record, its
policy or its candidate (approvals, waivers, seals, loosenings), the waivers that the record rests
on, and every enrolment and revocation: leaving a revocation out would let an approval look better
than it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prunegate.audit.bundle import layout
from prunegate.audit.bundle.layout import sha256
from prunegate.audit.entry_forms import fault_of
from prunegate.audit.log.checkpoint import parse_checkpoint
from prunegate.audit.log.durable_files import read_regular
from prunegate.audit.log.entry import EntryFacts, read_entry
from prunegate.audit.log.folder import (
    CHECKPOINT,
    EVIDENCE,
    TRUST_POLICY,
    as_evidence,
    is_log,
    read_checkpoint,
    read_locked,
)
from prunegate.audit.log.pending import each_pending
from prunegate.audit.log.prove import prove_consistency, prove_entry
from prunegate.audit.log.tiles import stored_entries
from prunegate.audit.log.tlog_proof import SUFFIX
from prunegate.audit.read import StoredRecord, stored_record
from prunegate.audit.replay import find_record
from prunegate.audit.signing.decision import CANDIDATE, DECISION, POLICY, RECORD, REPORT
from prunegate.audit.signing.dsse import parse_envelope
from prunegate.audit.signing.keys import key_id, openssh_line, read_public_key
from prunegate.audit.signing.signers import SIGNERS
from prunegate.audit.signing.statement import Statement, parse_statement
from prunegate.data.predictions.table_files import PACKED
from prunegate.errors import EvidenceError, InputError
from prunegate.text.escape import escaped

README_TEXT = """\
Evidence of one decision: what was decided, on which numbers, and who signed it.

Open report.html to read it. To check that nothing was changed, you need Python 3.9 or later and
the package cryptography, nothing of ours:

    python verify_record.py .

Each line that it prints begins with proved, not proved or WRONG; exit code 6 means that something
is wrong. Keys that lie in this bundle show that its parts belong together, not who made them. Give
the keys that you were told by another way:

    python verify_record.py . --log-key 'NAME+ID+KEY' --key decides.pub --allowed-signers FILE

Whoever can change this bundle can change verify_record.py too: take it from a release of prunegate,
or read it (it is under 400 lines). With prunegate at hand, 'prunegate verify .' checks the same and
works every number out again.
"""
"""The README: the same in every bundle, so that it cannot be edited unnoticed."""

ALWAYS = ("enrolment", "revocation")
"""Kinds of which every entry is taken."""
ABOUT = ("approval", "waiver", "seal", "loosening")
"""Kinds of which those are taken that are about this decision."""
_KIND = "urn:prunegate:{}:v1"
_WAIT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What goes into a bundle beside what the audit folder holds."""

    against: bytes | None = None
    """An older checkpoint; the bundle then proves that the log only grew since."""
    predictions: tuple[Path, ...] = ()
    """Files that were judged, as the record names them."""
    keys: tuple[Path, ...] = ()
    """Public keys that sign decisions; those of the audit folder's signers go in anyway."""


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One entry of the audit folder."""

    number: int | None
    """None: it is pending."""
    content: bytes
    facts: EntryFacts

    @property
    def name(self) -> str:
        """Its file's name in the bundle, without an ending."""
        kind = self.facts.kind.removeprefix("urn:prunegate:").removesuffix(":v1")
        return f"{layout.ENTRIES}{kind}-{sha256(self.content)[:12]}"


def export_bundle(
    record: str, audit: Path, wanted: ExportRequest | None = None
) -> dict[str, bytes]:
    """The files of the bundle of one decision; the same folder gives the same bytes.

    Args:
        record: path of a record.json, or the digest of a record in the audit folder.
        audit: the audit folder.
        wanted: what else goes in.

    Raises:
        InputError: no such record, no entry that decides it, or files that are not the record's.
        EvidenceError: the record does not follow from itself, or the folder does not hold.
    """
    wanted = wanted or ExportRequest()
    stored = stored_record(find_record(record, audit))
    with read_locked(audit, _WAIT_S):
        entries = list(_entries(audit))
        decision = _decision(entries, stored, audit)
        files = {RECORD: stored.content}
        files |= dict(_evidence(decision, stored, audit))
        files |= dict(_chosen(decision, entries, stored, audit))
        files |= dict(_log(audit, wanted.against))
    files |= dict(_keys(audit, wanted.keys))
    files |= dict(_predictions(stored, wanted.predictions))
    files[layout.VERIFIER] = Path(__file__).with_name(layout.VERIFIER).read_bytes()
    files[layout.README] = README_TEXT.encode()
    files[layout.MANIFEST] = layout.manifest_of(files)
    return files


def opened(entry: bytes, where: str) -> Statement:
    """The statement in an entry.

    Raises:
        EvidenceError: it is none.
    """
    return parse_statement(parse_envelope(entry, where).payload, where)


def _entries(audit: Path) -> Iterator[_Entry]:
    if is_log(audit):
        for number, content in stored_entries(audit, read_checkpoint(audit).checkpoint.size):
            with as_evidence(f"entry {number}"):
                yield _Entry(number=number, content=content, facts=read_entry(content))
    for name, content in each_pending(audit):
        try:
            yield _Entry(number=None, content=content, facts=read_entry(content))
        except InputError as error:
            raise InputError(f"{audit / 'pending' / name}: no entry: {error}") from error


def _decision(entries: Sequence[_Entry], stored: StoredRecord, audit: Path) -> _Entry:
    """The first entry that decides this record; a sealed one before a pending one."""
    for entry in entries:
        if entry.facts.kind == DECISION and stored.digest in entry.facts.subjects:
            return entry
    raise InputError(
        f"{audit}: holds no entry of a decision on the record {stored.digest[:12]}; 'prunegate "
        "gate' makes one, and --audit DIR names the folder that has it"
    )


def _evidence(decision: _Entry, stored: StoredRecord, audit: Path) -> Iterator[tuple[str, bytes]]:
    """What the decision names by digest and the folder keeps: page and twin."""
    statement = opened(decision.content, "the decision")
    named = {one.name: one.sha256 for one in statement.subjects if one.name == REPORT}
    for item in statement.predicate.get("evidence", ()):
        named[item["name"]] = item["digest"]["sha256"]
    named.pop(RECORD, None)
    if REPORT not in named:
        raise InputError(f"the decision on {stored.digest[:12]} names no page; judge again")
    for name, digest in sorted(named.items()):
        if "/" in name or name.startswith("."):
            raise EvidenceError(f"the decision names evidence by a path: {escaped(name)}")
        yield name, _kept(audit, name, digest)


def _kept(audit: Path, name: str, digest: str) -> bytes:
    try:
        content = read_regular(audit / EVIDENCE / digest, layout.LARGEST)
    except FileNotFoundError as error:
        raise InputError(
            f"{audit / EVIDENCE / digest}: {escaped(name)} is gone; bring it back to export it"
        ) from error
    if sha256(content) != digest:
        raise EvidenceError(f"{audit / EVIDENCE / digest}: {escaped(name)} was changed")
    return content


def _chosen(
    decision: _Entry, entries: Sequence[_Entry], stored: StoredRecord, audit: Path
) -> Iterator[tuple[str, bytes]]:
    """The entries that go in, each with its proof where it is sealed."""
    subjects = {one.name: one.sha256 for one in opened(decision.content, "the decision").subjects}
    about = {subjects.get(name) for name in (RECORD, POLICY, CANDIDATE)} | {stored.digest}
    always, related = ({_KIND.format(kind) for kind in kinds} for kinds in (ALWAYS, ABOUT))
    approvals = _KIND.format("approval")
    rests_on = {one.entry for one in stored.record.waivers}
    for entry in entries:
        kind, named = entry.facts.kind, set(entry.facts.subjects)
        mine = stored.digest in named if kind == approvals else bool(about & named)
        mine = mine or sha256(entry.content) in rests_on
        if entry is not decision and kind not in always and not (kind in related and mine):
            continue
        if kind in related and _fault(entry.content) is not None:
            continue  # it counts for nothing; what may end a key goes in, whatever it looks like
        name = layout.DECISION.removesuffix(".json") if entry is decision else entry.name
        yield f"{name}.json", entry.content
        if entry.number is not None:
            yield f"{name}{SUFFIX}", prove_entry(audit, entry.number, entry.content).format()


def _fault(entry: bytes) -> str | None:
    return fault_of(read_entry(entry), opened(entry, "an entry"))


def _log(audit: Path, against: bytes | None) -> Iterator[tuple[str, bytes]]:
    """The log's state, whom to trust, who may sign, and that it grew from an older state."""
    names = [(layout.SIGNERS, layout.SIGNERS)]
    if is_log(audit):
        names += [(CHECKPOINT, layout.CHECKPOINT), (TRUST_POLICY, layout.TRUST)]
    for name, inside in names:
        if (audit / name).exists():
            yield inside, read_regular(audit / name, layout.LARGEST)
    if against is None:
        return
    old = parse_checkpoint(against).checkpoint
    path = prove_consistency(audit, old.size)
    yield layout.OLDER, against
    yield layout.CONSISTENCY, consistency_file(old.size, path, read_checkpoint(audit).note.encode())


def consistency_file(old: int, path: Sequence[bytes], checkpoint: bytes) -> bytes:
    """A consistency proof in the form of C2SP tlog-witness: old size, hashes, new checkpoint."""
    from base64 import b64encode

    lines = [f"old {old}", *(b64encode(node).decode() for node in path), ""]
    return "".join(f"{line}\n" for line in lines).encode() + checkpoint


def _keys(audit: Path, given: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    for path in (*given, *sorted((audit / SIGNERS).glob("*.pub"))):
        key = read_public_key(path)
        yield f"{layout.KEYS}{key_id(key)}.pub", f"{openssh_line(key)}\n".encode()


def _predictions(stored: StoredRecord, paths: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    known = {item.sha256 for item in stored.record.inputs}
    for number, path in enumerate(paths):
        try:
            content = read_regular(path, layout.LARGEST)
        except FileNotFoundError as error:
            raise InputError(f"{path}: there is no such file") from error
        if sha256(content) not in known:
            raise InputError(f"{path}: is none of the files that the record names")
        ending = "".join(path.suffixes[-2:]) if path.suffix in PACKED else path.suffix
        yield f"{layout.PREDICTIONS}{number}{ending}", content
