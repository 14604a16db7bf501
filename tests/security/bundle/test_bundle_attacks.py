"""Attacks on a bundle: each is caught by the single-file verifier and by ``prunegate verify``.

Two attackers: one who changes a file, and one who then puts the manifest right, as anybody can.
What both verifiers are told from elsewhere is the key that decides, the log's key and the allowed
signers; the bundle has copies of them, which an attacker replaces at will.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.security.bundle.bundles import (
    BOUND,
    CLIENT,
    CREATED,
    EXTRA,
    KNOWN,
    LOG_KEY,
    ORIGIN,
    OTHER_PICTURE,
    STRANGER,
    TWIN,
    VKEY,
    approval,
    caught,
    decision,
    entry,
    of_kind,
    ours,
    page,
    righted,
    run,
    single,
)

from prunegate.audit.bundle import layout, verify_record
from prunegate.audit.bundle.export import ExportRequest, export_bundle
from prunegate.audit.bundle.layout import read_bundle, sha256, write_bundle, zipped
from prunegate.audit.bundle.verify import Trusted, checks
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.log.checkpoint import parse_checkpoint
from prunegate.audit.log.merkle import leaf_hash
from prunegate.audit.log.seal import signed_checkpoint
from prunegate.audit.log.tlog_proof import parse_tlog_proof
from prunegate.audit.read import StoredRecord, kept_form
from prunegate.audit.signing.ssh_signature import fingerprint, key_blob, ssh_sign
from prunegate.report.verify_bundle import verify_bundle

pytestmark = pytest.mark.slow


def test_what_was_exported_holds(files: dict[str, bytes], tmp_path: Path) -> None:
    words = single(files)
    assert {word for word, _ in words} == {"proved"}, words
    said = ours(files)
    assert said.pop("sign-off") == "not checked"  # this policy asks for no approvals
    assert set(said.values()) == {"holds"}
    assert not caught(files, told=False)
    index = parse_tlog_proof(files["decision.tlog-proof"])[0].index
    (log,) = (one for one in checks(files, Trusted()) if one.name == "log")
    assert log.detail == (
        f"entry {index} of {ORIGIN} (the bundle's own trust.policy; compare it), cosigned by nobody"
    )
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
