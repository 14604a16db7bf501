"""Verify: what holds of a bundle beside its record and page: files, entry, signature, log, words.

Each check is a function of the bundle's files that returns what holds, or None where there is
nothing to check, and raises where something is wrong. Keys that lie in the bundle show that it is
one piece, not who made it; whoever knows the keys gives them (``Trusted``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from prunegate.audit.bundle import layout
from prunegate.audit.bundle.export import README_TEXT, consistency_file, opened
from prunegate.audit.bundle.layout import sha256
from prunegate.audit.bundle.sign_off import NAME as SIGN_OFF
from prunegate.audit.bundle.sign_off import sign_off_in
from prunegate.audit.bundle.waivers import waivers_backed
from prunegate.audit.log.checkpoint import parse_checkpoint
from prunegate.audit.log.entry import parse_created
from prunegate.audit.log.merkle import extends
from prunegate.audit.log.note import strict_base64, verified_signatures
from prunegate.audit.log.tlog_proof import SUFFIX, parse_tlog_proof, verify_tlog_proof
from prunegate.audit.log.trust_policy import Party, TrustPolicy, parse_trust_policy
from prunegate.audit.read import parse_record
from prunegate.audit.signing.allowed_signers import parse_allowed_signers, who_signed
from prunegate.audit.signing.decision import DECISION, RECORD, REPORT, decision_statement
from prunegate.audit.signing.dsse import parse_envelope, verify_envelope
from prunegate.audit.signing.keys import PublicKey, key_id, parse_public_key
from prunegate.audit.signing.ssh_signature import (
    fingerprint,
    key_blob,
    parse_ssh_signature,
    verify_ssh,
)
from prunegate.audit.signing.strict_json import parse_canonical_object
from prunegate.audit.verification_report import VerificationCheck
from prunegate.audit.waivers.backing import require_listed
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.messages import literal
from prunegate.text.escape import escaped

Files = Mapping[str, bytes]
NONE_WAIVED = "no finding is waived"
APPROVAL, REVOCATION = "urn:prunegate:approval:v1", "urn:prunegate:revocation:v1"


@dataclass(frozen=True, kw_only=True)
class Trusted:
    """What a reader knows from elsewhere; what is empty is taken from the bundle, and said so."""

    keys: tuple[PublicKey, ...] = ()
    """Keys that may decide."""
    logs: tuple[Party, ...] = ()
    """Logs whose checkpoints count."""
    signers: bytes | None = None
    """An allowed_signers file."""
    older: bytes | None = None
    """A checkpoint that she kept."""


Step = Callable[[Files, Trusted], str | VerificationCheck | None]


def checks(files: Files, trusted: Trusted) -> Iterator[VerificationCheck]:
    """Every check of a bundle, in the order in which they build on each other."""
    for name, step, missing in STEPS:
        try:
            said = step(files, trusted)
        except (EvidenceError, InputError) as error:
            yield VerificationCheck(name=name, status="broken", detail=str(error))
        except KeyError as error:
            yield VerificationCheck(
                name=name, status="broken", detail=f"lacks {literal(error.args[0])}"
            )
        except (TypeError, AttributeError, ValueError) as error:
            detail = f"malformed ({escaped(str(error))[:200]})"
            yield VerificationCheck(name=name, status="broken", detail=detail)
        else:
            if isinstance(said, VerificationCheck):
                yield said
                continue
            status: Any = "missing" if said is None else "holds"
            yield VerificationCheck(
                name=name, status=status, detail=missing if said is None else said
            )


def _files(files: Files, _: Trusted) -> str:
    content = files[layout.MANIFEST]
    whole = parse_canonical_object(b'{"files":' + content + b"}", layout.MANIFEST)["files"]
    listed = {item["path"]: item for item in whole}
    layout.require_names(files)
    for name in sorted({*files, *listed} - {layout.MANIFEST}):
        if name not in files:
            raise EvidenceError(f"{escaped(name)} is missing; {layout.MANIFEST} lists it")
        if name not in listed:
            raise EvidenceError(f"{escaped(name)} was put in; {layout.MANIFEST} does not list it")
        if listed[name]["sha256"] != sha256(files[name]):
            raise EvidenceError(f"{escaped(name)} was changed: its sha256 is not the manifest's")
    if content != layout.manifest_of(files):
        raise EvidenceError(f"{layout.MANIFEST} was changed: it is not the list of these files")
    if files.get(layout.README, README_TEXT.encode()) != README_TEXT.encode():
        raise EvidenceError(f"{layout.README}: is another text than the one of every bundle")
    return f"the {len(listed)} files are those that {layout.MANIFEST} lists"


def _entry(files: Files, _: Trusted) -> str:
    """That the decision is what its record gives, and names the files that lie here."""
    statement = opened(files[layout.DECISION], layout.DECISION)
    stored = parse_record(files[RECORD], RECORD)
    if statement.predicate_type != DECISION:
        raise EvidenceError(
            f"{layout.DECISION}: is {literal(statement.predicate_type)}, no decision"
        )
    expected = decision_statement(stored.record, stored.digest, report_sha256=sha256(files[REPORT]))
    if statement.subjects != expected.subjects:
        raise EvidenceError(f"{layout.DECISION}: its subjects are not what record and page give")
    for name in ("created", "record", "policy", "outcome", "exit_code", "command", "statement"):
        if statement.predicate.get(name) != expected.predicate[name]:
            raise EvidenceError(f"{layout.DECISION}: its {name} is not what the record gives")
    require_listed(stored.record, statement.predicate.get("waivers", []), layout.DECISION)
    for item in statement.predicate.get("evidence", ()):
        if sha256(files[item["name"]]) != item["digest"]["sha256"]:
            raise EvidenceError(f"{layout.DECISION}: names another {escaped(item['name'])}")
    known = {one.sha256 for one in stored.record.inputs}
    for name in (name for name in sorted(files) if _in(name, layout.PREDICTIONS)):
        if sha256(files[name]) not in known:  # the manifest vouches for nothing: anybody rights it
            raise EvidenceError(f"{escaped(name)}: is none of the files that the record names")
    return "names record, page, policy, models and inputs as they are here"


def _signature(files: Files, trusted: Trusted) -> str | None:
    keys = trusted.keys or _deciding(files)
    found: frozenset[str] = frozenset()
    for name in _entries(files):
        envelope = parse_envelope(files[name], name)
        held = verify_envelope(envelope, keys)
        if wrong := {s.keyid for s in envelope.signatures} & set(map(key_id, keys)) - held:
            raise EvidenceError(f"{name}: the key {min(wrong)} did not sign this")
        if name == layout.DECISION:
            found = held
            if envelope.signatures and keys and not held:
                raise EvidenceError(f"{name}: none of the {len(keys)} known keys signed it")
    if not found:
        if trusted.keys:
            raise EvidenceError(f"{layout.DECISION}: is not signed by a key that you gave")
        return None
    whose = "a key that you gave" if trusted.keys else "keys in the bundle; compare their ids"
    return f"signed by {', '.join(sorted(found))} ({whose})"


def _deciding(files: Files) -> list[PublicKey]:
    """The keys in the bundle, which sign decisions."""
    names = [name for name in sorted(files) if _in(name, layout.KEYS)]
    return [parse_public_key(files[name], name) for name in names]


def _log(files: Files, trusted: Trusted) -> str | None:
    if layout.DECISION.replace(".json", SUFFIX) not in files:
        if layout.CHECKPOINT in files:
            parse_checkpoint(files[layout.CHECKPOINT])
        return None
    policy = _policy(files, trusted)
    current = files[layout.CHECKPOINT]
    for name in (n for n in _entries(files) if n.replace(".json", SUFFIX) in files):
        proof = files[name.replace(".json", SUFFIX)]
        with _at(name.replace(".json", SUFFIX)):
            _require_state(proof, current)
            trust = verify_tlog_proof(proof, files[name], policy)
    number = parse_tlog_proof(files[layout.DECISION.replace(".json", SUFFIX)])[0].index
    whose = "" if trusted.logs else " (the bundle's own trust.policy; compare it)"
    by = ", ".join(map(escaped, trust.cosignatures)) or "nobody"
    return f"entry {number} of {escaped(trust.log.name)}{whose}, cosigned by {by}"


@contextmanager
def _at(where: str) -> Iterator[None]:
    """Name the file that is wrong."""
    try:
        yield
    except (EvidenceError, InputError) as error:
        raise EvidenceError(f"{where}: {error}") from error


def _require_state(proof: bytes, current: bytes) -> None:
    if parse_tlog_proof(proof)[0].checkpoint != current:
        raise EvidenceError(f"is of another state of the log than {layout.CHECKPOINT}")


def _growth(files: Files, trusted: Trusted) -> str | None:
    older = trusted.older or files.get(layout.OLDER)
    _require_whole_growth(files)
    if older is None or layout.CHECKPOINT not in files:
        return None
    old, new = parse_checkpoint(older), parse_checkpoint(files[layout.CHECKPOINT])
    keys = [party.key for party in _policy(files, trusted).logs]
    if old.checkpoint.origin != new.checkpoint.origin or not verified_signatures(old.note, keys):
        raise EvidenceError("the older checkpoint is not of this log, by its name and key")
    then, now = old.checkpoint, new.checkpoint
    if then.size > now.size:
        raise EvidenceError(f"the log was cut: {then.size} entries then, {now.size} now")
    path = _path(files, then.size)
    if path is None and trusted.older is None and layout.CONSISTENCY in files:
        raise EvidenceError(f"{layout.CONSISTENCY}: starts from another checkpoint")
    if then.size in (0, now.size):
        path = []
    if path is None:
        return None
    if not extends(then.size, then.root, now.size, now.root, path):
        raise EvidenceError(f"the log was rewritten or cut after its first {then.size} entries")
    return f"the log of {then.size} entries only grew to {now.size}"


def _require_whole_growth(files: Files) -> None:
    """That what lies there of an older state belongs to the checkpoint that lies there."""
    needs = {layout.OLDER: layout.CHECKPOINT, layout.CONSISTENCY: layout.OLDER}
    for name, other in needs.items():
        if name in files and other not in files:
            raise EvidenceError(f"{name}: says nothing without {other}, which is not here")
    state = files.get(layout.CHECKPOINT, b"")
    if not files.get(layout.CONSISTENCY, b"\n\n" + state).endswith(b"\n\n" + state):
        raise EvidenceError(f"{layout.CONSISTENCY}: is of another state of the log")


def _path(files: Files, old: int) -> list[bytes] | None:
    """The bundle's consistency proof from a size; None: it has none from there."""
    content = files.get(layout.CONSISTENCY)
    if content is None:
        return None
    start, *lines = content.decode("ascii", "replace").partition("\n\n")[0].split("\n")
    if start != f"old {old}":
        return None
    path = [strict_base64(line, "a hash of the consistency proof") for line in lines]
    if consistency_file(old, path, files[layout.CHECKPOINT]) != content:
        raise EvidenceError(f"{layout.CONSISTENCY}: is of another state of the log")
    return path


def _approvals(files: Files, trusted: Trusted) -> str | None:
    statements = {name: opened(files[name], name) for name in _entries(files)}
    revoked = {
        one.predicate["fingerprint"]
        for one in statements.values()
        if one.predicate_type == REVOCATION
    }
    listed = files.get(layout.SIGNERS, b"") if trusted.signers is None else trusted.signers
    told = [
        _approval(name, one.predicate, files, listed.decode(), revoked)
        for name, one in statements.items()
        if one.predicate_type == APPROVAL
    ]
    return "; ".join(told) or None


def _sign_off(files: Files, trusted: Trusted) -> VerificationCheck:
    return sign_off_in(files, trusted.signers, trusted.keys)


def _approval(name: str, said: dict[str, Any], files: Files, listed: str, revoked: set[str]) -> str:
    """One approval in words; wrong where its signature, signer or subject is."""
    text = said["request"].encode()
    request = json.loads(text.decode("utf-8-sig"))
    if (request["record"], request["report"]) != (sha256(files[RECORD]), sha256(files[REPORT])):
        raise EvidenceError(f"{name}: is about another record or page than this one")
    answer, who = request["answer"], escaped(said["person"])
    words = f"{escaped(answer['decision'])} by {who} as {escaped(answer['role'])}"
    if said["kind"] != "signed":
        return f"{words}, attested by the agency alone"
    signature = parse_ssh_signature(said["signature"].encode(), name)
    verify_ssh(signature, text, where=name)
    signers = parse_allowed_signers(listed, layout.SIGNERS)
    lines = who_signed(signers, signature.key_blob, parse_created(said["created"]))
    if not any(line.is_of(said["person"]) for line in lines):
        raise EvidenceError(f"{name}: the key {signature.fingerprint} is not of {who}")
    if signature.fingerprint in {fingerprint(key_blob(key)) for key in _deciding(files)}:
        raise EvidenceError(f"{name}: was signed with a key that decides, which never approves")
    words += f" with the key {signature.fingerprint}"
    if signature.fingerprint in revoked:
        return f"{words}, which was revoked: it counts no more"
    over = (
        answer["expires"]
        and answer["expires"] < f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"[: len(answer["expires"])]
    )
    return f"{words}, over since {escaped(answer['expires'])}" if over else words


def _waivers(files: Files, trusted: Trusted) -> str:
    listed = files.get(layout.SIGNERS, b"") if trusted.signers is None else trusted.signers
    entries = {name: (files[name], opened(files[name], name)) for name in _entries(files)}
    record = parse_record(files[RECORD], RECORD).record
    return (
        "; ".join(waivers_backed(record, entries, _deciding(files), listed.decode())) or NONE_WAIVED
    )


def _policy(files: Files, trusted: Trusted) -> TrustPolicy:
    policy = parse_trust_policy(files[layout.TRUST])
    return replace(policy, logs=trusted.logs) if trusted.logs else policy


def _entries(files: Files) -> list[str]:
    found = [n for n in sorted(files) if _in(n, layout.ENTRIES) and n.endswith(".json")]
    return [layout.DECISION, *found]


def _in(name: str, folder: str) -> bool:
    return name.startswith(folder)


STEPS: tuple[tuple[str, Step, str], ...] = (
    ("files", _files, ""),
    ("entry", _entry, ""),
    ("signature", _signature, "unsigned, or by a key that is neither here nor given"),
    ("log", _log, "unlogged: the bundle has no proof that the decision is in an audit log"),
    ("growth", _growth, "no older checkpoint to hold the log to, or no proof from there"),
    ("approvals", _approvals, "nobody's approval is in this bundle"),
    ("waivers", _waivers, ""),
    (SIGN_OFF, _sign_off, ""),
)
"""Name, check, and what is said where there is nothing to check."""
