"""Attacks on waivers: each is caught by prunegate and by the single-file verifier of a bundle.

The attacker writes record, page, entry and manifest so that they agree; what she cannot make is the
signature of somebody who may sign, on a request for this finding of this candidate, in force.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate import cli
from prunegate.audit.approvals.enrolments import Enrolment
from prunegate.audit.bundle import layout, verify_record
from prunegate.audit.bundle.layout import manifest_of, sha256
from prunegate.audit.bundle.verify import Trusted, checks
from prunegate.audit.bundle.waivers import waivers_backed
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.filing import filed, filing_of
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.seal import begin_log
from prunegate.audit.log.verify import verify_log
from prunegate.audit.read import StoredRecord, kept_form, parse_record
from prunegate.audit.recompute import require_follows
from prunegate.audit.signing.decision import decision_statement
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import key_id, openssh_line
from prunegate.audit.signing.ssh_signature import NAMESPACE, ssh_sign
from prunegate.audit.waivers.backing import require_all_backed, waived_something
from prunegate.audit.waivers.entry import SignedWaiver, read_waiver
from prunegate.audit.waivers.request import Ask, parse_waiver, waiver_document
from prunegate.errors import EvidenceError
from prunegate.verdict.finding import Finding

pytestmark = pytest.mark.slow

ANN, GATE, STRANGER, LOG = (
    Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (2, 3, 4, 5)
)
NOW = "2023-11-14T22:13:20Z"
LATER = "2023-12-01T00:00:00Z"
POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [display, ugc, video]}]
rules: [{metric: recall, slices: kind, max_drop: 0.05}]
waivers: {max_days: 30, at_most: 1}
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> StoredRecord:
    """A rejection: ugc and video lose more than they may."""
    home = tmp_path_factory.mktemp("judged")
    rows = ["id,label,baseline,candidate,kind"]
    for kind, misses in (("display", 0), ("ugc", 50), ("video", 60)):
        for i in range(300):
            rows.append(f"{kind[0]}{i},unsafe,0.9,{0.1 if i < misses else 0.8},{kind}")
            rows.append(f"{kind[0]}n{i},safe,0.1,0.2,{kind}")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        Path("t.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        Path("p.yaml").write_text(POLICY, encoding="utf-8")
        arguments = ("gate", "p.yaml", "--predictions", "t.csv", "--out", "o", "-q")
        patch.setattr("sys.argv", ["prunegate", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert stopped.value.code == 3
        return kept_form(Path("o/record.json").read_bytes())


def finding_on(stored: StoredRecord, name: str) -> Finding:
    return next(f for f in stored.record.findings if f.slice == name)


def signed_waiver(
    stored: StoredRecord,
    place: str = "kind=video",
    key: Ed25519PrivateKey = ANN,
    change: Callable[[dict[str, Any]], None] = lambda _: None,
    **said: Any,
) -> SignedWaiver:
    """A waiver of one finding, whose request may be changed before it is signed."""
    ask = Ask(reason="June", owner="Kim", author="Kim", asked=NOW, expires=LATER)
    document = waiver_document(stored.record, stored.digest, finding_on(stored, place), ask)
    change(document)
    content = canonical_bytes(document)
    made = SignedWaiver(
        created=NOW,
        person="Ann",
        organisation="Client",
        request=content.decode(),
        signature=ssh_sign(key, NAMESPACE, content),
    )
    return replace(made, **said)


def entry_of(stored: StoredRecord, said: SignedWaiver) -> bytes:
    return sign_envelope(said.statement(stored.record, stored.digest).to_bytes(), [])


def resting_on(
    stored: StoredRecord, *waivers: tuple[SignedWaiver, str], **changes: Any
) -> StoredRecord:
    """The record as an attacker makes it: findings waived, and their waivers told to the letter."""
    record = stored.record
    used, findings = [], list(record.findings)
    for said, place in waivers:
        found = finding_on(stored, place)
        number = findings.index(found)
        where = sha256(entry_of(stored, said))
        try:
            one = read_waiver(said, "waiver").waives(where, 0)
        except EvidenceError:  # the signature is not one of it
            content = said.request.encode()
            good = replace(said, signature=ssh_sign(ANN, NAMESPACE, content))
            one = read_waiver(good, "waiver").waives(where, 0)
        used.append(replace(one, slice=place, without=found.status, **changes))
        findings[number] = replace(found, status="waived")
    made = replace(
        record, findings=tuple(findings), waivers=tuple(used), outcome="approve", exit_code=0
    )
    if any(f.status == "fail" for f in findings):
        made = replace(made, outcome="reject", exit_code=3)
    return parse_record(canonical_bytes(made), "record")


def bundle(
    stored: StoredRecord, entries: list[bytes], keys: tuple[Ed25519PrivateKey, ...] = (ANN,)
) -> dict[str, bytes]:
    text = stored.content.decode().replace("<", "\\u003c")
    page = f'<template id="record">{text}</template>'.encode()
    made = decision_statement(stored.record, stored.digest, report_sha256=sha256(page))
    listed = "".join(
        f'"Ann" namespaces="{NAMESPACE}" {openssh_line(key.public_key())}\n' for key in keys
    )
    public = openssh_line(GATE.public_key()).encode()
    files = {
        "record.json": stored.content,
        "report.html": page,
        layout.DECISION: sign_envelope(made.to_bytes(), [GATE]),
        layout.SIGNERS: listed.encode(),
        f"{layout.KEYS}{key_id(GATE.public_key())}.pub": public + b"\n",
    }
    files |= {f"entries/waiver-{sha256(one)[:12]}.json": one for one in entries}
    return {**files, layout.MANIFEST: manifest_of(files)}


def caught(files: dict[str, bytes]) -> bool:
    """That both say that something is wrong about waivers; they have to agree."""
    known = argparse.Namespace(log_key=None, key=[openssh_line(GATE.public_key()).encode()])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify_record, "read_bundle", lambda _: dict(files))
        single = list(verify_record.check(Path(), known, {}))
    wrong = [line for word, line in single if word == "WRONG"]
    ours = {c.name: c for c in checks(files, Trusted(keys=(GATE.public_key(),)))}
    broken = [c for c in ours.values() if c.status == "broken"]
    assert all(line.startswith("waivers:") for line in wrong), wrong
    assert {c.name for c in broken} <= {"waivers"}, broken
    assert bool(wrong) == bool(broken), (single, ours["waivers"])
    return bool(wrong)


def test_a_good_waiver_holds(stored: StoredRecord) -> None:
    said = signed_waiver(stored)
    files = bundle(resting_on(stored, (said, "kind=video")), [entry_of(stored, said)])
    assert not caught(files)


ATTACKS: dict[str, dict[str, Any]] = {
    "another candidate": {"change": lambda d: d.update(candidate=["ab" * 32])},
    "another rule": {"change": lambda d: d.update(terms="ab" * 32)},
    "another slice": {"place": "kind=ugc"},
    "another class": {"change": lambda d: d["finding"].update(class_label="x")},
    "another limit": {"change": lambda d: d["finding"].update(check="at_least")},
    "expired": {"change": lambda d: d.update(expires=NOW)},
    "asked for later": {"change": lambda d: d.update(asked="2023-11-15T00:00:00Z")},
    "brought in later": {"created": "2023-11-15T00:00:00Z"},
    "too long": {"change": lambda d: d.update(expires="2023-12-15T00:00:00Z")},
    "too long by back-dating": {
        "change": lambda d: d.update(asked="2023-10-01T00:00:00Z"),
    },
    "approved by its author": {"change": lambda d: d.update(author="ANN")},
    "signed by a stranger": {"key": STRANGER},
    "signed by the gate": {"key": GATE},
    "signed for another reason": {"edit": ("June", "July")},
    "signed by somebody of another name": {"person": "Bob"},
    "another format": {"change": lambda d: d.update(format="urn:prunegate:approval-request:v1")},
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_waiver_that_is_none_for_this_is_caught(stored: StoredRecord, name: str) -> None:
    attack = dict(ATTACKS[name])
    edit = attack.pop("edit", None)
    said = signed_waiver(stored, **attack)
    if edit:
        said = replace(said, request=said.request.replace(*edit))
    try:
        made = resting_on(stored, (said, "kind=video"))
    except EvidenceError:  # a request of another format has nothing that a record could tell
        good = signed_waiver(stored)
        made = resting_on(stored, (good, "kind=video"), entry=sha256(entry_of(stored, said)))
    files = bundle(made, [entry_of(stored, said)], keys=(ANN, GATE))
    assert caught(files)


def test_another_kind_of_entry_is_no_waiver(stored: StoredRecord) -> None:
    said = signed_waiver(stored)
    statement = said.statement(stored.record, stored.digest)
    other = replace(statement, predicate_type="urn:prunegate:seal:v1")
    entry = sign_envelope(other.to_bytes(), [])
    made = resting_on(stored, (said, "kind=video"), entry=sha256(entry))
    entries = {"entries/x.json": (entry, other)}
    with pytest.raises(EvidenceError, match=r"x\.json: is no waiver, but the record rests on it"):
        list(waivers_backed(made.record, entries, [], ""))
    assert caught(bundle(made, [entry]))


def test_a_key_enrolled_as_the_gates_waives_nothing(stored: StoredRecord) -> None:
    said = signed_waiver(stored)
    enrolled = Enrolment(
        created=NOW,
        person="CI",
        organisation="Agency",
        role="gate",
        key=" ".join(openssh_line(ANN.public_key()).split()[:2]),
        by="Kim",
        channel="call",
    )
    files = bundle(resting_on(stored, (said, "kind=video")), [entry_of(stored, said)])
    assert not caught(files)
    entry = sign_envelope(enrolled.statement().to_bytes(), [])
    files[f"entries/enrolment-{sha256(entry)[:12]}.json"] = entry
    files[layout.MANIFEST] = manifest_of({n: c for n, c in files.items() if n != layout.MANIFEST})
    assert caught(files)


def test_a_waiver_that_nobody_signed_is_caught(stored: StoredRecord) -> None:
    said = signed_waiver(stored)
    made = resting_on(stored, (said, "kind=video"))
    assert caught(bundle(made, []))
    assert caught(bundle(resting_on(stored), [])) is False
    bare = parse_record(canonical_bytes(replace(made.record, waivers=())), "record")
    assert caught(bundle(bare, [entry_of(stored, said)]))
    with pytest.raises(EvidenceError, match="1 findings are waived, and it lists 0 waivers"):
        require_follows(bare.record, "record")


def test_more_than_the_cap_is_caught(stored: StoredRecord) -> None:
    both = [(signed_waiver(stored, place), place) for place in ("kind=ugc", "kind=video")]
    made = resting_on(stored, *both)
    assert caught(bundle(made, [entry_of(stored, said) for said, _ in both]))
    with pytest.raises(EvidenceError, match="2 are more than the policy's at_most"):
        require_follows(made.record, "record")


def test_what_the_record_says_of_a_waiver_is_what_was_signed(stored: StoredRecord) -> None:
    said = signed_waiver(stored)
    entry = entry_of(stored, said)
    for change in ({"reason": "July"}, {"owner": "Eve"}, {"key": "SHA256:x"}, {"approver": "Eve"}):
        made = resting_on(stored, (said, "kind=video"), **change)
        assert caught(bundle(made, [entry])), change


def test_audit_verify_asks_for_the_waivers_of_every_decision(
    stored: StoredRecord, tmp_path: Path
) -> None:
    audit = tmp_path / "audit"
    begin_log(audit, "agency.example/audit", LOG)
    enrolment = Enrolment(
        created=NOW,
        person="Ann",
        organisation="Client",
        role="client",
        key=" ".join(openssh_line(ANN.public_key()).split()[:2]),
        by="Kim",
        channel="call",
    )
    add_pending(sign_envelope(enrolment.statement().to_bytes(), []), audit)
    line = f'"Ann" namespaces="{NAMESPACE}" {openssh_line(ANN.public_key())}\n'
    (audit / "allowed_signers").write_text(line, encoding="utf-8")
    said = signed_waiver(stored)
    made = resting_on(stored, (said, "kind=video"))
    with filed(filing_of(made, b"page"), audit):
        pass
    kept = _waived(audit)
    assert len(kept) == 1
    with pytest.raises(EvidenceError, match="which is not in the audit trail"):
        require_all_backed(kept, audit)
    add_pending(entry_of(stored, said), audit)
    assert require_all_backed(kept, audit) == 1
    forged = resting_on(stored, (said, "kind=video"), reason="another")
    with (
        filed(filing_of(forged, b"page"), audit),
        pytest.raises(EvidenceError, match="told otherwise"),
    ):
        require_all_backed(_waived(audit), audit)


def _waived(audit: Path) -> list[bytes]:
    kept = verify_log(audit, read_entry, keep=waived_something).kept
    return [one.content for one in kept]


def test_a_request_of_ours_reads_back(stored: StoredRecord) -> None:
    said = signed_waiver(stored)
    request = parse_waiver(said.request.encode(), "request")
    assert request.record == stored.digest
    assert request.candidate == stored.record.attempt.candidate  # type: ignore[union-attr]  # counted
    with pytest.raises(EvidenceError, match="not canonical"):
        parse_waiver(said.request.encode() + b"\n", "request")
