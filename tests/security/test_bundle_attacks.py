"""Attacks on a bundle: each is caught by the single-file verifier and by ``prunegate verify``.

Two attackers: one who changes a file, and one who then puts the manifest right, as anybody can.
What both verifiers are told from elsewhere is the key that decides, the log's key and the allowed
signers; the bundle has copies of them, which an attacker replaces at will.
"""

from __future__ import annotations

import argparse
import base64
import json
import runpy
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate import cli
from prunegate.audit.approvals.request import FORMAT
from prunegate.audit.bundle import layout, verify_record
from prunegate.audit.bundle.export import ExportRequest, export_bundle
from prunegate.audit.bundle.layout import manifest_of, read_bundle, sha256, write_bundle, zipped
from prunegate.audit.bundle.verify import Trusted, checks
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.log.checkpoint import parse_checkpoint
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.merkle import EMPTY_ROOT, leaf_hash
from prunegate.audit.log.note import parse_vkey, vkey_of
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.seal import begin_log, seal_log, signed_checkpoint
from prunegate.audit.log.trust_policy import Party
from prunegate.audit.read import StoredRecord, kept_form
from prunegate.audit.signing.decision import decision_statement
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import openssh_line
from prunegate.audit.signing.ssh_signature import NAMESPACE, fingerprint, key_blob, ssh_sign
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.audit.signing.test_result import result_statement
from prunegate.errors import EvidenceError, InputError
from prunegate.report.render import render
from prunegate.report.verify_bundle import verify_bundle

pytestmark = pytest.mark.slow

VERIFIER = Path(verify_record.__file__)
NOW = datetime(2026, 11, 28, 9, 0, 0, tzinfo=UTC)
CREATED = "2026-11-28T08:00:00Z"
ORIGIN = "agency.example/audit"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
CLIENT = Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32)
CLIENT_P256 = ec.derive_private_key(7, ec.SECP256R1())
GATE = ec.derive_private_key(5, ec.SECP256R1())
STRANGER = ec.derive_private_key(6, ec.SECP256R1())
PICTURE, OTHER_PICTURE = (b"\x89PNG\r\n\x1a\n" + bytes([n]) * 40 for n in (1, 2))
TWIN = "test-result.intoto.json"
POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [display, video]}]
rules: [{metric: recall, slices: all, max_drop: 0.02}]
"""


@pytest.fixture(scope="module")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows that were judged."""
    rows = ["id,label,baseline,candidate,kind"]
    for kind, misses in (("display", 0), ("video", 60)):
        for i in range(400):
            rows.append(f"{kind[0]}{i},unsafe,0.9,{0.1 if i < misses else 0.8},{kind}")
            rows.append(f"{kind[0]}n{i},safe,0.1,0.2,{kind}")
    path = tmp_path_factory.mktemp("judged") / "t.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def judged(predictions: Path) -> StoredRecord:
    """A rejection, with a picture of one of the rows that it lost."""
    folder = predictions.parent
    (folder / "p.yaml").write_text(POLICY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        patch.setattr(
            "sys.argv",
            ["prunegate", "gate", "p.yaml", "--predictions", "t.csv", "--out", "o", "-q"],
        )
        with pytest.raises(SystemExit):
            cli.main()
    stored = kept_form((folder / "o" / "record.json").read_bytes())
    first, *rest = stored.record.flips
    record = replace(
        stored.record,
        flips=(replace(first, image="v0.png"), *rest),
        pictures={first.id: sha256(PICTURE)},
    )
    return kept_form(canonical_bytes(record))


@pytest.fixture(scope="module")
def audit(judged: StoredRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with other entries, the decision, an enrolment and two approvals."""
    folder = tmp_path_factory.mktemp("trail") / "audit"
    begin_log(folder, ORIGIN, LOG_KEY)
    add_pending(entry("seal", "bar", {"created": CREATED}, judged.record.policy.sha256), folder)
    add_pending(entry("waiver", "candidate", {"created": CREATED}, sha256(b"of another")), folder)
    seal_log(folder, LOG_KEY, read_entry, NOW)
    (folder / "old").write_bytes((folder / "checkpoint").read_bytes())
    content = page(judged)
    twin = sign_envelope(result_statement(judged.record, judged.digest).to_bytes(), [GATE])
    (folder / "evidence").mkdir()
    for kept in (judged.content, content, twin):
        (folder / "evidence" / sha256(kept)).write_bytes(kept)
    add_pending(decision(judged, content, twin), folder)
    for key, role in ((CLIENT, "client"), (CLIENT_P256, "legal")):
        add_pending(approval(judged.digest, sha256(content), key, role), folder)
    blob = key_blob(CLIENT.public_key())
    enrolment = {"created": CREATED, "person": "Ann B", "by": "Carl", "channel": "in person"}
    add_pending(entry("enrolment", "key", enrolment, sha256(blob)), folder)
    seal_log(folder, LOG_KEY, read_entry, NOW)
    lines = [
        f'"Ann B" namespaces="{NAMESPACE}",valid-after="20260101Z" {openssh_line(k.public_key())}\n'
        for k in (CLIENT, CLIENT_P256)
    ]
    (folder / "allowed_signers").write_text("".join(lines), encoding="utf-8")
    (folder / "signers").mkdir()
    (folder / "signers" / "gate.pub").write_text(openssh_line(GATE.public_key()), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def files(audit: Path, judged: StoredRecord) -> dict[str, bytes]:
    return export_bundle(judged.digest, audit, ExportRequest(against=(audit / "old").read_bytes()))


def entry(kind: str, name: str, predicate: dict[str, Any], digest: str) -> bytes:
    statement = Statement(
        subjects=(Subject(name=name, sha256=digest),),
        predicate_type=f"urn:prunegate:{kind}:v1",
        predicate=predicate,
    )
    return sign_envelope(statement.to_bytes(), [])


def page(stored: StoredRecord, picture: bytes = PICTURE) -> bytes:
    pictures = dict.fromkeys(stored.record.pictures, picture)
    made = render(stored.record, digest=stored.digest, pictures=pictures, content=stored.content)
    return made.encode()


def decision(stored: StoredRecord, content: bytes, twin: bytes, key: Any = GATE) -> bytes:
    made = decision_statement(stored.record, stored.digest, report_sha256=sha256(content))
    named = {"record.json": stored.content, "report.html": content, TWIN: twin}
    evidence = [{"name": n, "digest": {"sha256": sha256(c)}} for n, c in named.items()]
    made = replace(made, predicate={**made.predicate, "created": CREATED, "evidence": evidence})
    made.predicate["created"] = stored.record.created
    return sign_envelope(made.to_bytes(), [key])


def approval(record: str, report: str, key: Any, role: str = "client", **changes: Any) -> bytes:
    answer = {"conditions": "", "date": "", "decision": "reject", "expires": "", "role": role}
    said = {"format": FORMAT, "record": record, "report": report, "sentences": {"reject": "No."}}
    request = json.dumps({"answer": answer, **said}, indent=1)
    predicate = {
        "created": CREATED,
        "kind": "signed",
        "person": "Ann B",
        "organisation": "Client",
        "request": request,
        "signature": ssh_sign(key, NAMESPACE, request.encode()),
        "rationale": None,
        "cosigned": None,
        **changes,
    }
    return entry("approval", "record.json", predicate, record)


VKEY = str(vkey_of(LOG_KEY, ORIGIN))


def single(files: dict[str, bytes], *, told: bool = True) -> list[tuple[str, str]]:
    """What the single-file verifier says, in process."""
    pem = openssh_line(GATE.public_key()).encode()
    known = argparse.Namespace(
        log_key=[verify_record.vkey(VKEY)] if told else None,
        key=[pem] if told else [],
        checkpoint=None,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify_record, "read_bundle", lambda _: dict(files))
        return list(verify_record.check(Path(), known, {}))


def ours(files: dict[str, bytes], *, told: bool = True) -> dict[str, str]:
    """What prunegate says of everything but the page's rendering, which the page's tests attack."""
    trusted = Trusted(keys=(GATE.public_key(),), logs=(Party(name=ORIGIN, key=parse_vkey(VKEY)),))
    return {c.name: c.status for c in checks(files, trusted if told else Trusted())}


def caught(files: dict[str, bytes], *, told: bool = True) -> bool:
    """That both say that something is wrong; they have to agree."""
    one = any(word == "WRONG" for word, _ in single(files, told=told))
    two = "broken" in ours(files, told=told).values()
    assert one == two, (single(files, told=told), ours(files, told=told))
    return one


def righted(files: dict[str, bytes], **changes: bytes | None) -> dict[str, bytes]:
    """The files with some changed or gone, and the manifest put right."""
    found = {name: c for name, c in {**files, **changes}.items() if c is not None}
    return {**found, layout.MANIFEST: manifest_of(found)}


def of_kind(files: dict[str, bytes], kind: str, ending: str = ".json") -> list[str]:
    return [n for n in sorted(files) if n.startswith(f"entries/{kind}-") and n.endswith(ending)]


def test_what_was_exported_holds(files: dict[str, bytes], tmp_path: Path) -> None:
    words = single(files)
    assert {word for word, _ in words} == {"proved"}, words
    said = ours(files)
    assert said.pop("sign-off") == "not checked"  # this policy asks for no approvals
    assert set(said.values()) == {"holds"}
    assert not caught(files, told=False)
    for name in ("bundle", "bundle.zip"):
        write_bundle(files, tmp_path / name)
        assert read_bundle(tmp_path / name) == files
        found = verify_bundle(tmp_path / name)
        assert found.exit_code == 0, found
        assert found.outcome == "reject"
        assert found.requiring(("signature", "log", "approvals")).exit_code == 0
    assert len(of_kind(files, "approval")) == 2
    assert not of_kind(files, "waiver")


def test_the_program_runs_by_itself(files: dict[str, bytes], tmp_path: Path) -> None:
    write_bundle(files, tmp_path / "b")
    write_bundle(files, tmp_path / "b.zip")
    for name in ("b", "b.zip"):
        done = run(tmp_path, "b/verify_record.py", name, "--log-key", VKEY)
        assert done.returncode == 0, done.stdout
        assert "proved      decision: signed by the key" in done.stdout
        assert "not proved  that the log says nothing more" in done.stdout
    (tmp_path / "b" / "record.json").write_bytes(b"{}")
    assert run(tmp_path, "b/verify_record.py", "b").returncode == 6
    assert run(tmp_path, "b/verify_record.py", "none").returncode == 2
    (tmp_path / "c.zip").write_bytes((tmp_path / "b.zip").read_bytes()[:-200])
    assert run(tmp_path, "b/verify_record.py", "c.zip").returncode == 6


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_same_decision_exports_to_the_same_bytes(
    audit: Path, judged: StoredRecord, files: dict[str, bytes]
) -> None:
    again = export_bundle(
        judged.digest[:12], audit, ExportRequest(against=(audit / "old").read_bytes())
    )
    assert zipped(again) == zipped(files)


def test_each_file_changed_gone_or_swapped_is_caught(files: dict[str, bytes]) -> None:
    names = sorted(files)
    for name, other in zip(names, [*names[1:], names[0]], strict=True):
        changed = files[name][:-1] + bytes([files[name][-1] ^ 1])
        assert caught({**files, name: changed}), name
        assert caught({n: c for n, c in files.items() if n != name}), name
        assert caught({**files, name: files[other], other: files[name]}), name
    assert caught({**files, "more.txt": b"x"})


BOUND = ("record.json", "report.html", "decision.json", "checkpoint", "decision.tlog-proof", TWIN)


@pytest.mark.parametrize("name", BOUND)
def test_what_is_bound_is_caught_with_the_manifest_put_right(
    files: dict[str, bytes], name: str
) -> None:
    if name != "decision.tlog-proof":  # without a proof it is unlogged, and said to be
        assert caught(righted(files, **{name: None}))
    content = files[name]
    for place in range(0, len(content), max(1, len(content) // 8)):
        changed = content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :]
        assert caught(righted(files, **{name: changed})), place


def test_every_byte_of_the_small_ones_counts(files: dict[str, bytes]) -> None:
    """Each byte in turn, by the functions that a whole run calls: proof, decision, approval."""
    known = argparse.Namespace(log_key=[verify_record.vkey(VKEY)], key=[])
    (name, _) = of_kind(files, "approval")
    needed = {"checkpoint", "trust.policy", "decision.json", "decision.tlog-proof"}
    few = {n: c for n, c in files.items() if n in needed or n.startswith(name[:-5])}
    for file in ("decision.tlog-proof", "checkpoint", name):
        for place in range(len(files[file])):
            content = files[file]
            flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
            with pytest.raises(verify_record.BROKEN):
                list(verify_record.check_log({**few, file: flipped}, known))


def test_rows_that_the_record_does_not_name_are_caught(
    files: dict[str, bytes], judged: StoredRecord, audit: Path, predictions: Path
) -> None:
    named = ExportRequest(predictions=(predictions,))
    whole = export_bundle(judged.digest, audit, named)
    rows = whole["predictions/0.csv"]
    assert not caught(whole)
    swapped = rows.replace(b"0.2", b"0.9", 1)
    assert caught(righted(whole, **{"predictions/0.csv": swapped}))
    assert caught(righted(whole, **{"predictions/1.csv": swapped}))
    empty = righted(files, **{"predictions/0.csv": b""})
    assert caught(empty)
    assert "predictions/0.csv" in dict(single(empty))["WRONG"]


def test_an_approval_of_another_record_is_caught(files: dict[str, bytes]) -> None:
    report = sha256(files["report.html"])
    record = sha256(files["record.json"])
    for about in ((sha256(b"other"), report), (record, sha256(b"other"))):
        assert caught(righted(files, **{"entries/approval-x.json": approval(*about, CLIENT)}))
    assert not caught(
        righted(files, **{"entries/approval-x.json": approval(record, report, CLIENT)})
    )


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        (STRANGER, {}),
        (CLIENT, {"person": "Somebody Else"}),
        (CLIENT, {"created": "2025-11-28T08:00:00Z"}),
        (CLIENT, {"request": "{}"}),
        (CLIENT, {"signature": ssh_sign(CLIENT, "git", b"x")}),
        (CLIENT, {"signature": ""}),
    ],
)
def test_who_may_not_sign_is_caught(
    files: dict[str, bytes], key: Any, changes: dict[str, Any]
) -> None:
    digests = (sha256(files["record.json"]), sha256(files["report.html"]))
    made = approval(*digests, key, **changes)
    assert caught(righted(files, **{"entries/approval-x.json": made}))


def test_a_revoked_key_and_an_attested_word_are_told(files: dict[str, bytes]) -> None:
    told = fingerprint(key_blob(CLIENT.public_key()))
    gone = {"created": CREATED, "fingerprint": told, "reason": "lost"}
    made = entry("revocation", told, gone, sha256(b"key"))
    words = single(righted(files, **{"entries/revocation-x.json": made}))
    assert any(w == "not proved" and "still counts" in line for w, line in words)
    digests = (sha256(files["record.json"]), sha256(files["report.html"]))
    made = approval(*digests, CLIENT, kind="attested", signature=None, rationale="an e-mail")
    words = single(righted(files, **{"entries/approval-x.json": made}))
    assert any(w == "not proved" and "attests" in line for w, line in words)


def test_a_forged_proof_is_caught(files: dict[str, bytes]) -> None:
    proof, entry = files["decision.tlog-proof"], files["decision.json"]
    head, gap, note = proof.partition(b"\n\n")
    lines = head.split(b"\n")
    tree = parse_checkpoint(files["checkpoint"]).checkpoint
    forged = signed_checkpoint(
        replace(tree, size=1, root=leaf_hash(entry)), Ed25519PrivateKey.generate()
    ).encode()
    alone = b"\n".join([lines[0], b"index 0"]) + gap + forged
    for other in (
        b"\n".join([lines[0], b"index 0", *lines[2:]]) + gap + note,
        b"\n".join([lines[0], b"index 9", *lines[2:]]) + gap + note,
        b"\n".join(lines[:-1]) + gap + note,
        proof[:-30],
        alone,
    ):
        assert caught(righted(files, **{"decision.tlog-proof": other}))
    assert caught(righted(files, **{"decision.tlog-proof": alone, "checkpoint": forged}))


def test_a_key_of_ones_own_is_caught_by_who_knows_the_right_one(files: dict[str, bytes]) -> None:
    stored = kept_form(files["record.json"])
    made = decision(stored, files["report.html"], files[TWIN], STRANGER)
    changed = righted(files, **{"decision.json": made})
    assert caught(changed)
    assert caught(changed, told=False)
    bare = {n: c for n, c in changed.items() if not n.endswith(".tlog-proof")}
    assert caught(righted(bare))


def test_other_content_under_the_decision_is_caught(
    files: dict[str, bytes], judged: StoredRecord
) -> None:
    record = judged.record
    number = files["report.html"].replace(b"400", b"401", 1)
    other = replace(record, policy=replace(record.policy, sha256=sha256(b"another")))
    swapped = kept_form(canonical_bytes(other))
    approve = canonical_bytes({**json.loads(judged.content), "outcome": "approve", "exit_code": 0})
    for changes in (
        {"report.html": number},
        {"report.html": page(judged, OTHER_PICTURE)},
        {"record.json": swapped.content},
        {"record.json": swapped.content, "report.html": page(swapped)},
        {"record.json": approve},
    ):
        assert caught(righted(files, **changes)), changes.keys()


def test_a_number_on_the_page_is_caught_even_if_everything_names_it(
    files: dict[str, bytes], judged: StoredRecord, tmp_path: Path
) -> None:
    """Who holds all keys can sign a false page; prunegate makes the page again and sees it."""
    false = files["report.html"].replace(b"REJECT", b"APPROVE")
    made = decision(judged, false, files[TWIN])
    bare = {n: c for n, c in files.items() if not n.startswith("entries/") and "tlog" not in n}
    write_bundle(righted(bare, **{"report.html": false, "decision.json": made}), tmp_path / "b")
    found = {c.name: c.status for c in verify_bundle(tmp_path / "b").checks}
    assert (found["entry"], found["page"]) == ("holds", "broken")


def test_a_rewritten_log_is_caught_by_an_old_checkpoint(files: dict[str, bytes]) -> None:
    old = parse_checkpoint(files[layout.OLDER]).checkpoint
    other = signed_checkpoint(replace(old, root=sha256(b"x").encode()[:32]), LOG_KEY).encode()
    assert caught(righted(files, **{layout.OLDER: other}))
    longer = signed_checkpoint(replace(old, size=99), LOG_KEY).encode()
    assert caught(righted(files, **{layout.OLDER: longer}))
    cut = files[layout.CONSISTENCY].replace(b"\n\n", b"\nAAAA\n\n", 1)
    assert caught(righted(files, **{layout.CONSISTENCY: cut}))


EXTRA = (
    "NOTE.txt",
    "Record.json",
    "entries/note.txt",
    "keys/x.pub",
    "entries/decision-9.tlog-proof",
)


@pytest.mark.parametrize("name", [*EXTRA, "../../evil.txt", "/evil", "a\\b", "predictions/a/b.csv"])
def test_a_file_that_nothing_vouches_for_is_caught(files: dict[str, bytes], name: str) -> None:
    assert caught(righted(files, **{name: files["record.json"]}))


def test_the_readme_is_the_one_of_every_bundle_or_none(files: dict[str, bytes]) -> None:
    assert caught(righted(files, **{layout.README: files[layout.README] + b"pip install evil\n"}))
    assert not caught(righted(files, **{layout.README: None}))


def test_what_shows_that_the_log_grew_is_whole(files: dict[str, bytes]) -> None:
    """Each byte of the older checkpoint's signature and of the proof from there."""
    start = files[layout.OLDER].rindex(b" ") + 1
    places = [(layout.OLDER, place) for place in range(start, len(files[layout.OLDER]) - 1, 9)]
    places += [(layout.CONSISTENCY, place) for place in range(0, len(files[layout.CONSISTENCY]), 9)]
    for name, place in places:
        content = files[name]
        flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        changed = righted(files, **{name: flipped})
        with pytest.raises(verify_record.BROKEN):
            list(verify_record.check_growth(changed, KNOWN))
        assert ours(changed)["growth"] == "broken", (name, place)
    assert caught(righted(files, **{layout.OLDER: None}))


KNOWN = argparse.Namespace(log_key=None, key=[], checkpoint=None)


def test_nothing_stands_before_or_after_a_zip(files: dict[str, bytes], tmp_path: Path) -> None:
    whole = zipped(files)
    for name, content in (("pre", b"#!/bin/sh\n" + whole), ("trail", whole + b"more")):
        (tmp_path / f"{name}.zip").write_bytes(content)
        with pytest.raises(EvidenceError, match="before or after"):
            read_bundle(tmp_path / f"{name}.zip")
        with pytest.raises(verify_record.Wrong, match="before or after"):
            verify_record.read_bundle(tmp_path / f"{name}.zip")


def test_names_that_lead_out_links_and_doubles_are_refused(tmp_path: Path) -> None:
    for name in ("../x", "/x", "a/../b", "a\\b"):
        with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
            archive.writestr(name, b"")
        with pytest.raises(EvidenceError, match="leads out"):
            read_bundle(tmp_path / "z.zip")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "decision.json").write_bytes(b"{}")
    (tmp_path / "f" / "link").symlink_to(tmp_path / "z.zip")
    with pytest.raises(EvidenceError, match="no plain file"):
        read_bundle(tmp_path / "f")
    with pytest.raises(ValueError, match="links"):
        verify_record.read_bundle(tmp_path / "f")
    with pytest.raises(InputError, match="no bundle"):
        read_bundle(tmp_path / "none")
    with pytest.raises(InputError, match="exists already"):
        write_bundle({}, tmp_path / "f")


def test_the_commands_export_and_verify(
    audit: Path, judged: StoredRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "d.zip")
    assert command("audit", "export", judged.digest[:12], "-o", out, "--audit", str(audit)) == 0
    assert "verify_record.py" in capsys.readouterr().out
    assert command("audit", "export", judged.digest[:12], "-o", out, "--audit", str(audit)) == 2
    capsys.readouterr()
    need = ("--require", "signature,log,approvals", "--log-key", VKEY, "--no-color")
    assert command("verify", out, *need) == 0
    assert "ok  log: entry" in capsys.readouterr().out
    other = str(vkey_of(CLIENT, ORIGIN))
    assert command("verify", out, "--log-key", other, "--json") == 6
    found = {c["name"]: c["status"] for c in json.loads(capsys.readouterr().out)["checks"]}
    assert (found["log"], found["page"], found["files"]) == ("broken", "holds", "holds")
    assert command("verify", str(tmp_path)) == 2


def command(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["prunegate", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    return int(stopped.value.code or 0)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_ssh_keygen_agrees_on_the_approvals(files: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "signers").write_bytes(files["allowed_signers"])
    for name in of_kind(files, "approval"):
        said = json.loads(base64.b64decode(json.loads(files[name])["payload"]))["predicate"]
        (tmp_path / "sig").write_text(said["signature"], encoding="utf-8")
        command = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "Ann B", "-n", NAMESPACE]
        for text, code in ((said["request"], 0), (said["request"] + " ", 255)):
            done = subprocess.run(
                [*command, "-s", "sig", "-Overify-time=20261128080000Z"],
                input=text.encode(), cwd=tmp_path, capture_output=True, check=False,
            )  # fmt: skip
            assert done.returncode == code, done.stderr


def test_proofbundle_agrees_on_the_proof(files: dict[str, bytes], tmp_path: Path) -> None:
    pytest.importorskip("proofbundle", reason="proofbundle is not installed (extra test)")
    program = Path(sys.executable).with_name("proofbundle")
    (tmp_path / "d.tlog-proof").write_bytes(files["decision.tlog-proof"])
    for content, holds in ((files["decision.json"], True), (files["decision.json"] + b" ", False)):
        (tmp_path / "d.json").write_bytes(content)
        done = subprocess.run(
            [program, "verify-proof", "--payload-file", "d.json", "--log-vkey", VKEY,
             "d.tlog-proof"],
            cwd=tmp_path, capture_output=True, check=False,
        )  # fmt: skip
        assert (done.returncode == 0) == holds, done.stderr


def details(files: dict[str, bytes], *, told: bool = True) -> dict[str, str]:
    """What prunegate says of each check."""
    trusted = Trusted(keys=(GATE.public_key(),), logs=(Party(name=ORIGIN, key=parse_vkey(VKEY)),))
    return {c.name: c.detail for c in checks(files, trusted if told else Trusted())}


def resigned(files: dict[str, bytes], kind: str | None = None, **changes: Any) -> dict[str, bytes]:
    """The files with another decision, signed by the very key that decides, and in no log."""
    payload = json.loads(base64.b64decode(json.loads(files["decision.json"])["payload"]))
    made = Statement(
        subjects=tuple(
            Subject(name=s["name"], sha256=s["digest"]["sha256"]) for s in payload["subject"]
        ),
        predicate_type=kind or payload["predicateType"],
        predicate={**payload["predicate"], **changes},
    )
    bare = {n: c for n, c in files.items() if not n.startswith("entries/") and "tlog" not in n}
    return righted(bare, **{"decision.json": sign_envelope(made.to_bytes(), [GATE])})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"created": "2020-01-01T00:00:00Z"}, "its created is not what the record gives"),
        ({"outcome": "approve"}, "its outcome is not what the record gives"),
        ({"exit_code": 0}, "its exit_code is not what the record gives"),
        ({"statement": "All is well."}, "its statement is not what the record gives"),
        ({"kind": "urn:prunegate:waiver:v1"}, 'is "urn:prunegate:waiver:v1", no decision'),
        ({"waivers": ["a" * 64]}, "lists other waivers than its record"),
        ({"evidence": [3]}, "malformed ("),
        (
            {"evidence": [{"name": "report.html", "digest": {"sha256": "a" * 64}}]},
            "names another report.html",
        ),
    ],
)
def test_another_decision_by_the_right_key_is_told_in_words(
    files: dict[str, bytes], changes: dict[str, Any], words: str
) -> None:
    changed = resigned(files, **changes)
    assert words in details(changed)["entry"]
    if "statement" not in changes:  # names in it are escaped, which the single file cannot do
        assert caught(changed)
    assert not caught(resigned(files))


def test_the_manifest_is_the_list_of_these_files_and_no_other(files: dict[str, bytes]) -> None:
    more = {**files, "predictions/0.csv": b"x"}
    assert "predictions/0.csv was put in; manifest.json does not list it" in details(more)["files"]
    assert caught(more)
    listed = json.loads(files[layout.MANIFEST])
    for other in (listed[::-1], [{**one, "note": "x"} for one in listed]):
        turned = {**files, layout.MANIFEST: canonical_bytes(other)}
        assert details(turned)["files"] == (
            "manifest.json was changed: it is not the list of these files"
        )
    sizes = [{**one, "size": 1} for one in listed]
    assert caught({**files, layout.MANIFEST: canonical_bytes(sizes)})


def test_a_decision_that_nobody_signed_is_not_of_the_key_that_was_given(
    files: dict[str, bytes],
) -> None:
    bare = json.loads(files["decision.json"])
    unsigned = canonical_bytes({**bare, "signatures": []})
    changed = righted(
        {n: c for n, c in files.items() if not n.startswith("entries/") and "tlog" not in n},
        **{"decision.json": unsigned},
    )
    assert details(changed)["signature"] == "decision.json: is not signed by a key that you gave"
    assert ours(changed, told=False)["signature"] == "missing"


@pytest.mark.parametrize("size", ["the same", "nothing"])
def test_a_log_grew_from_itself_and_from_nothing(files: dict[str, bytes], size: str) -> None:
    older = files["checkpoint"]
    if size == "nothing":
        tree = parse_checkpoint(older).checkpoint
        older = signed_checkpoint(replace(tree, size=0, root=EMPTY_ROOT), LOG_KEY).encode()
    changed = righted(files, **{layout.OLDER: older, layout.CONSISTENCY: None})
    assert ours(changed)["growth"] == "holds"
    assert not caught(changed)
    lied = signed_checkpoint(
        replace(parse_checkpoint(older).checkpoint, root=b"x" * 32), LOG_KEY
    ).encode()
    assert caught(righted(changed, **{layout.OLDER: lied}))


def test_growth_is_shown_in_one_spelling_only(files: dict[str, bytes]) -> None:
    start, gap, note = files[layout.CONSISTENCY].partition(b"\n\n")
    twice = start + gap + note.partition(b"\n\n")[0] + gap + note
    changed = righted(files, **{layout.CONSISTENCY: twice})
    assert ours(changed)["growth"] == "broken"


def test_a_word_of_the_agency_alone_is_told_as_such(files: dict[str, bytes]) -> None:
    digests = (sha256(files["record.json"]), sha256(files["report.html"]))
    made = approval(*digests, CLIENT, kind="attested", signature=None, rationale="an e-mail")
    told = details(righted(files, **{"entries/approval-x.json": made}))["approvals"]
    assert "reject by Ann B as client, attested by the agency alone" in told


def test_the_key_that_decides_never_approves(files: dict[str, bytes]) -> None:
    line = f'"Ann B" namespaces="{NAMESPACE}" {openssh_line(GATE.public_key())}\n'
    digests = (sha256(files["record.json"]), sha256(files["report.html"]))
    changed = righted(
        files,
        **{
            layout.SIGNERS: files[layout.SIGNERS] + line.encode(),
            "entries/approval-x.json": approval(*digests, GATE),
        },
    )
    assert (
        "was signed with a key that decides, which never approves"
        in (details(changed)["approvals"])
    )
    assert caught(changed)


PACKED = {
    "too many bytes": ("LARGEST", 10, {}, "larger than the 10 bytes"),
    "too many files": ("MOST", 3, {}, "more than the 3 files"),
    "packed oddly": (None, 0, {"compress_type": zipfile.ZIP_LZMA}, "packed in a way that is not"),
    "a link": (None, 0, {"external_attr": 0o120777 << 16}, "a link or device; plain files only"),
    "a device": (None, 0, {"external_attr": 0o020666 << 16}, "a link or device; plain files only"),
}


@pytest.mark.parametrize("how", PACKED)
def test_a_zip_that_no_export_makes_is_refused(
    files: dict[str, bytes], how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit, value, about, words = PACKED[how]
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            for field, one in about.items():
                setattr(info, field, one)
            archive.writestr(info, content)
    if limit:
        monkeypatch.setattr(layout, limit, value)
    with pytest.raises(EvidenceError, match=words):
        read_bundle(path)


def test_a_name_twice_and_damaged_packing_are_told_by_both(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    whole = tmp_path / "z.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("record.json", b"{}")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("record.json", b"[]")
    with pytest.raises(EvidenceError, match="is there twice"):
        read_bundle(whole)
    with pytest.raises(verify_record.Wrong, match="a name twice"):
        verify_record.read_bundle(whole)
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("record.json", b"{}" * 99)
    content = bytearray(whole.read_bytes())
    content[45] ^= 255  # the packing's own settings
    whole.write_bytes(content)
    with pytest.raises(EvidenceError, match="packed in a way that is not read"):
        read_bundle(whole)
    with pytest.raises(verify_record.Wrong, match="packed in a way that is not read"):
        verify_record.read_bundle(whole)
    whole.write_bytes(zipped(files)[:-200])
    with pytest.raises(EvidenceError, match="the zip is damaged"):
        read_bundle(whole)


def test_a_folder_of_links_and_one_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    (tmp_path / "b" / "real").mkdir(parents=True)
    (tmp_path / "b" / "decision.json").write_bytes(b"{}")
    (tmp_path / "b" / "entries").symlink_to(tmp_path / "b" / "real")
    with pytest.raises(EvidenceError, match="entries: a link; a bundle holds plain files only"):
        read_bundle(tmp_path / "b")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="the bundle cannot be written"):
        write_bundle({"record.json": b"{}"}, tmp_path / "file" / "b")


@pytest.mark.parametrize("form", ["b", "b.zip"])
def test_the_program_says_in_place_what_it_says_by_itself(
    files: dict[str, bytes],
    form: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its command line with everything that a reader may give."""
    write_bundle(files, tmp_path / form)
    (tmp_path / "key").write_text(openssh_line(GATE.public_key()), encoding="utf-8")
    (tmp_path / "signers").write_bytes(files[layout.SIGNERS])
    (tmp_path / "old").write_bytes(files[layout.OLDER])
    monkeypatch.chdir(tmp_path)

    def said(*more: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["verify_record.py", *more])
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(VERIFIER), run_name="__main__")
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out + captured.err

    given = ("--log-key", VKEY, "--key", "key", "--checkpoint", "old")
    code, text = said(form, *given, "--allowed-signers", "signers")
    assert code == 0, text
    assert "proved      growth: the log of 2 entries only grew to " in text
    (tmp_path / "old").write_bytes(
        signed_checkpoint(
            replace(parse_checkpoint(files[layout.OLDER]).checkpoint, size=1, root=b"x" * 32),
            LOG_KEY,
        ).encode()
    )
    code, text = said(form, *given)
    assert code == 0, text
    assert "not proved  growth: it grew from 1 entries: the bundle has no proof from there" in text
    code, text = said("none.zip")
    assert code == 2
    assert "No such file" in text
    (tmp_path / "signers").write_bytes(b"")
    assert said(form, *given, "--allowed-signers", "signers")[0] == 6
