"""The files of a bundle: what no export makes is refused, and other verifiers agree on the rest."""

from __future__ import annotations

import base64
import json
import runpy
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.security.bundle.bundles import (
    CLIENT,
    GATE,
    LOG_KEY,
    ORIGIN,
    PACKED,
    VERIFIER,
    VKEY,
    approval,
    caught,
    command,
    details,
    of_kind,
    ours,
    resigned,
    righted,
)

from prunegate.audit.bundle import layout, verify_record
from prunegate.audit.bundle.layout import read_bundle, sha256, write_bundle, zipped
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.log.checkpoint import parse_checkpoint
from prunegate.audit.log.merkle import EMPTY_ROOT
from prunegate.audit.log.note import vkey_of
from prunegate.audit.log.seal import signed_checkpoint
from prunegate.audit.read import StoredRecord
from prunegate.audit.signing.keys import openssh_line
from prunegate.audit.signing.ssh_signature import NAMESPACE
from prunegate.errors import EvidenceError, InputError

pytestmark = pytest.mark.slow


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


def test_a_small_zip_of_much_is_refused_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("decision.json", bytes(100_000))
    monkeypatch.setattr(layout, "LARGEST", 10_000)
    with pytest.raises(EvidenceError, match="larger than the 10,000 bytes"):
        read_bundle(tmp_path / "z.zip")
