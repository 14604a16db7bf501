"""Signed notes, checkpoints, trust policies and proofs: the specifications, to the byte."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prunegate_test_logs import NOW, ORIGIN, entry, key, new_log

from prunegate.audit.bundle import verify_record
from prunegate.audit.log.checkpoint import Checkpoint, parse_checkpoint
from prunegate.audit.log.folder import read_trust_policy
from prunegate.audit.log.merkle import CompactRange, leaf_hash
from prunegate.audit.log.note import (
    COSIGNATURE,
    Note,
    NoteSignature,
    cosign,
    parse_note,
    parse_vkey,
    verified_signatures,
    vkey_of,
)
from prunegate.audit.log.prove import prove_consistency, prove_entry
from prunegate.audit.log.seal import signed_checkpoint
from prunegate.audit.log.tlog_proof import TlogProof, parse_tlog_proof, verify_tlog_proof
from prunegate.audit.log.trust_policy import (
    Party,
    TrustPolicy,
    WitnessGroup,
    judge_checkpoint,
    parse_trust_policy,
)
from prunegate.errors import EvidenceError, InputError

GOLDEN = Path(__file__).parents[3] / "golden" / "audit_log"

# The example of c2sp.org/signed-note.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "\N{EM DASH} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOB"
    "H3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()

CLIENT = vkey_of(key(2), "client.example/w", COSIGNATURE)
AUDITOR = vkey_of(key(3), "auditor.example", COSIGNATURE)


def golden_checkpoint() -> bytes:
    tree = CompactRange(leaf_hash(b"entry %d" % n) for n in range(5))
    note = signed_checkpoint(Checkpoint(origin=ORIGIN, size=5, root=tree.root()), key())
    time = int(NOW.timestamp())
    return note.signed_too(cosign(note.text, CLIENT.name, key(2), time)).encode()


def golden_policy() -> bytes:
    return TrustPolicy(
        logs=(Party(name=ORIGIN, key=vkey_of(key(), ORIGIN), url="https://agency.example"),),
        witnesses=(Party(name="client", key=CLIENT), Party(name="auditor", key=AUDITOR)),
        groups=(WitnessGroup(name="either", needed=1, members=("client", "auditor")),),
        quorum="either",
    ).format()


def test_the_specification_s_note_verifies() -> None:
    foo = parse_vkey(VKEY)
    note = parse_note(NOTE)
    assert str(foo) == VKEY
    assert note.encode() == NOTE
    assert list(verified_signatures(note, [foo])) == [foo]
    with pytest.raises(EvidenceError, match=r"example\.com/foo .* does not verify"):
        verified_signatures(parse_note(NOTE.replace(b"an example", b"no example")), [foo])


@pytest.mark.parametrize(
    ("name", "make"), [("checkpoint", golden_checkpoint), ("trust.policy", golden_policy)]
)
def test_bytes_from_fixed_keys_are_golden(name: str, make) -> None:
    assert make() == (GOLDEN / name).read_bytes()


def test_checkpoints_and_policies_round_trip() -> None:
    signed = parse_checkpoint(golden_checkpoint())
    assert signed.note.encode() == golden_checkpoint()
    assert signed.checkpoint.text() == signed.note.text
    policy = parse_trust_policy(golden_policy())
    assert policy.format() == golden_policy()
    trust = judge_checkpoint(policy, signed)
    assert trust.quorum_met
    assert list(trust.cosignatures) == ["client"]
    assert trust.cosignatures["client"].time == int(NOW.timestamp())


@given(st.integers(0, len(golden_checkpoint()) - 1), st.integers(1, 255))
def test_a_changed_byte_is_never_the_same_trust(at: int, flip: int) -> None:
    content = bytearray(golden_checkpoint())
    content[at] ^= flip
    policy = parse_trust_policy(golden_policy())
    try:
        trust = judge_checkpoint(policy, parse_checkpoint(bytes(content)))
    except (InputError, EvidenceError):
        return
    assert not trust.quorum_met  # the client's name or key id was changed: nobody's signature


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"text\n", "no signed note"),
        (NOTE[:-1], "no signed note"),
        (NOTE.replace(b"foo Uw", b"foo  Uw"), "not base64"),
        (NOTE.replace(b"QM=", b"QN="), "only spelling"),
        (NOTE.replace(b"an example", b"an\texample"), "control character"),
        (NOTE.replace(b"\n\n", b"\n\xff\n\n"), "not UTF-8"),
        (NOTE.replace("\N{EM DASH}".encode(), b"-"), "no signature line"),
        (NOTE + b"\n", "signature lines"),
        (NOTE.replace(b"com/foo", b"com+foo"), "key name"),
        (b"x" * 1_000_001, "more than 1000000 bytes is not read"),
        (NOTE.rpartition(b" ")[0] + b" AAAAAA==\n", r"signature of example\.com/foo is empty"),
    ],
)
def test_a_note_is_read_strictly(content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_note(content)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("o\n01\nAAAA\n", "no tree size"),
        ("o\n-1\nAAAA\n", "no tree size"),
        (f"o\n{2**63}\nAAAA\n", "no tree size"),
        ("o\n1\nAAAA\n", "3 bytes"),
        ("o\n1\n", "three lines"),
        ("o\n0\n" + "A" * 43 + "=\n", "not the empty tree"),
    ],
)
def test_a_checkpoint_is_read_strictly(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_checkpoint(NOTE.replace(b"This is an example message.\n", text.encode()))


@pytest.mark.parametrize(
    ("vkey", "reason"),
    [
        (VKEY.replace("530d903a", "530D903A"), "key id"),
        (VKEY.replace("530d", "530e"), "key id"),
        (VKEY.replace("+Aek", "+Bek"), "signature type 0x05"),
        ("foo", "no verifier key"),
        ("a b+00000000+AAAA", "key name"),
    ],
)
def test_a_vkey_is_read_strictly(vkey: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_vkey(vkey)


def test_every_mistake_of_a_trust_policy_is_told_with_its_line() -> None:
    log = vkey_of(key(), ORIGIN)
    text = f"log {log}\nlog {log}\nwitness w {log}\ngroup g 3 w x\nquorum q\nlof x\n"
    with pytest.raises(InputError) as caught:
        parse_trust_policy(text.encode())
    message = str(caught.value)
    for line in ("line 2", "line 3", "line 4", "line 5", "line 6"):
        assert line in message
    with pytest.raises(InputError, match="no quorum line"):
        parse_trust_policy(f"log {log}\n".encode())
    for words in ("log", f"log {log} https://log.example x"):
        with pytest.raises(InputError, match=r"line 1: a log line reads: log <vkey> \[<url>\]"):
            parse_trust_policy(f"{words}\nquorum none\n".encode())
    with pytest.raises(InputError, match="already a member"):
        parse_trust_policy(f"witness a {CLIENT}\ngroup g 1 a a\nquorum g\n".encode())
    with pytest.raises(InputError, match="control characters"):
        parse_trust_policy(b"quorum none\r\n")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("group g 1", "line 2: a group line reads: group <name> all"),
        ("quorum", "line 2: a quorum line reads: quorum <name>"),
        ("quorum none none", "line 2: a quorum line reads: quorum <name>"),
        ("quorum none\nquorum none", "line 3: a second quorum line"),
        (f"witness none {CLIENT}", "line 2: the name none is already taken"),
        (f"witness a {CLIENT}\nwitness a {AUDITOR}", "line 3: the name a is already taken"),
    ],
)
def test_lines_that_a_trust_policy_cannot_have(lines: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_trust_policy(f"log {vkey_of(key(), ORIGIN)}\n{lines}\n".encode())
    with pytest.raises(InputError, match="more than a megabyte is not read"):
        parse_trust_policy(b"#" * 1_000_001)


@pytest.mark.parametrize("time", [-1, 2**63])
def test_a_cosignature_has_a_time_that_can_be(time: int) -> None:
    with pytest.raises(InputError, match=f"time {time} of a cosignature is out of range"):
        cosign("text\n", CLIENT.name, key(2), time)


@pytest.mark.parametrize("content", [b"\xff" * 72, b"\x01" * 64])
def test_a_cosignature_without_such_a_time_does_not_hold(content: bytes) -> None:
    one = NoteSignature(name=CLIENT.name, key_id=CLIENT.key_id, signature=content)
    note = parse_note(golden_checkpoint())
    forged = Note(text=note.text, signatures=(one,))
    with pytest.raises(EvidenceError, match="does not verify"):
        verified_signatures(forged, [CLIENT])


def test_the_verifier_in_a_bundle_agrees_on_cosignatures() -> None:
    note, witness = golden_checkpoint(), verify_record.vkey(str(CLIENT))
    log = verify_record.vkey(str(vkey_of(key(), ORIGIN)))
    assert verify_record.note_signers(note.decode(), [log, witness]) == [log, witness]
    assert set(verified_signatures(parse_note(note), [CLIENT])) == {CLIENT}
    one = parse_note(note).signatures[1]
    later = replace(one, signature=(1).to_bytes(8, "big") + one.signature[8:])
    text = Note(text=parse_note(note).text, signatures=(later,)).encode()
    with pytest.raises(verify_record.Wrong, match=r"client\.example/w did not sign this"):
        verify_record.note_signers(text.decode(), [witness])
    with pytest.raises(EvidenceError, match="does not verify"):
        verified_signatures(parse_note(text), [CLIENT])


def test_a_proof_needs_the_quorum_of_the_reader(tmp_path: Path) -> None:
    audit = new_log(tmp_path, 3)
    sealed = sorted((entry(n) for n in range(3)), key=_digest)
    content = prove_entry(audit, 1, sealed[1]).format()
    with pytest.raises(EvidenceError, match="is cosigned by nobody, which is not the quorum eith"):
        verify_tlog_proof(content, sealed[1], parse_trust_policy(golden_policy()))
    with pytest.raises(InputError, match="more than two megabytes is not read"):
        parse_tlog_proof(b"x" * 2_000_001)


@pytest.mark.parametrize("number", [-1, 3])
def test_what_a_log_does_not_have_is_not_proven(tmp_path: Path, number: int) -> None:
    audit = new_log(tmp_path, 3)
    with pytest.raises(InputError, match=f"no entry {number}; it has 3, numbered from 0"):
        prove_entry(audit, number, entry(0))
    if number > 0:
        assert prove_consistency(audit, 3) == []
    with pytest.raises(InputError, match="the log has 3 entries, fewer than 4"):
        prove_consistency(audit, 4)


def test_comments_blanks_and_words_for_counts_are_understood() -> None:
    text = f"# who\n\n\twitness a {CLIENT} https://w\n witness b {AUDITOR}\ngroup g all a b\n"
    policy = parse_trust_policy(f"{text}group h any g\nquorum h\n".encode())
    assert not policy.satisfied({"a"})
    assert policy.satisfied({"a", "b"})


def test_a_checkpoint_of_a_stranger_is_not_trusted() -> None:
    policy = parse_trust_policy(golden_policy())
    tree = Checkpoint(origin=ORIGIN, size=1, root=bytes(32))
    with pytest.raises(EvidenceError, match="no signature of the log's key"):
        judge_checkpoint(policy, parse_checkpoint(signed_checkpoint(tree, key(9)).encode()))
    other = Checkpoint(origin="else.example", size=1, root=bytes(32))
    with pytest.raises(EvidenceError, match=r"of the log else\.example"):
        judge_checkpoint(policy, parse_checkpoint(signed_checkpoint(other, key()).encode()))


def test_a_proof_file_round_trips_and_holds_for_its_entry_only(tmp_path: Path) -> None:
    audit = new_log(tmp_path, 7)
    policy = read_trust_policy(audit)
    sealed = sorted((entry(n) for n in range(7)), key=_digest)
    content = prove_entry(audit, 3, sealed[3]).format()
    proof, signed = parse_tlog_proof(content)
    assert proof.format() == content
    assert signed.checkpoint.size == 7
    verify_tlog_proof(content, sealed[3], policy)
    with pytest.raises(EvidenceError, match="another entry"):
        verify_tlog_proof(content, sealed[4], policy)
    with_extra = TlogProof(**{**vars(proof), "extra": b"for us"}).format()
    assert parse_tlog_proof(with_extra)[0].extra == b"for us"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"tlog-proof@v1", b"tlog-proof@v2", "no proof"),
        (b"index 3", b"index 03", "index <number>"),
        (b"index 3", b"extra !\nindex 3", "not base64"),
        (b"index 3\n", b"index 3\nAAAA\n", "32 bytes each"),
    ],
)
def test_a_proof_file_is_read_strictly(tmp_path: Path, old: bytes, new: bytes, reason: str) -> None:
    audit = new_log(tmp_path, 7)
    sealed = sorted((entry(n) for n in range(7)), key=_digest)
    content = prove_entry(audit, 3, sealed[3]).format()
    with pytest.raises(InputError, match=reason):
        parse_tlog_proof(content.replace(old, new))


@pytest.mark.slow
def test_proofbundle_accepts_our_proof_and_refuses_a_changed_one(tmp_path: Path) -> None:
    pytest.importorskip("proofbundle", reason="proofbundle is not installed (extra test)")
    audit = new_log(tmp_path, 7)
    note = parse_checkpoint((audit / "checkpoint").read_bytes()).note
    cosigned = note.signed_too(cosign(note.text, CLIENT.name, key(2), int(NOW.timestamp())))
    (audit / "checkpoint").write_bytes(cosigned.encode())
    chosen = min((entry(n) for n in range(7)), key=_digest)
    (tmp_path / "payload").write_bytes(chosen)
    proof = tmp_path / "entry.tlog-proof"
    proof.write_bytes(prove_entry(audit, 0, chosen).format())
    assert _proofbundle(tmp_path, proof) == 0
    proof.write_bytes(proof.read_bytes().replace(b"index 0", b"index 1"))
    assert _proofbundle(tmp_path, proof) != 0


def _proofbundle(folder: Path, proof: Path) -> int:
    program = Path(sys.executable).with_name("proofbundle")
    command = [program, "verify-proof", "--payload-file", folder / "payload", "--json"]
    command += ["--log-vkey", str(vkey_of(key(), ORIGIN)), "--expected-origin", ORIGIN]
    command += ["--witness-vkey", str(CLIENT), "--threshold", "1", proof]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    json.loads(done.stdout)
    return done.returncode


def _digest(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()
