"""Attacks on the log: each is caught, and the message names the first thing that is wrong.

What a holder of the log's key does to the folder alone is caught only by an older checkpoint that
somebody else kept: those tests say so by passing ``against``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.depth import at_length

from prunegate.audit.log.checkpoint import Checkpoint, parse_checkpoint
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.extend import extend
from prunegate.audit.log.folder import read_checkpoint, read_trust_policy
from prunegate.audit.log.frontier import Frontier
from prunegate.audit.log.merkle import EMPTY_ROOT
from prunegate.audit.log.note import COSIGNATURE, cosign, vkey_of
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.prove import prove_entry
from prunegate.audit.log.seal import begin_log, signed_checkpoint
from prunegate.audit.log.tiles import frame, layout, stored_entries, tile_path
from prunegate.audit.log.tlog_proof import parse_tlog_proof, verify_tlog_proof
from prunegate.audit.log.trust_policy import Party, TrustPolicy
from prunegate.audit.log.verify import verify_log
from prunegate.errors import EvidenceError, InputError

SIZE = 6


def _logs() -> Any:
    name = "prunegate_test_logs"
    path = Path(__file__).parents[1] / "unit" / "audit" / "log" / "logs.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


logs = _logs()
ENTRIES = tile_path("entries", 0, SIZE)
TILE = tile_path(0, 0, SIZE)


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    """Six entries sealed, one of them with evidence; one more is pending."""
    folder = logs.new_log(tmp_path)
    digest = logs.put_evidence(folder, b"the report")
    for number in range(SIZE):
        created = f"2026-11-28T08:00:0{number}Z"
        add_pending(logs.entry(number, created, (digest,) if number == 2 else ()), folder)
    logs.sealed(folder)
    add_pending(logs.entry(SIZE, "2026-11-28T08:30:00Z"), folder)
    return folder


def entries_of(audit: Path) -> list[bytes]:
    return [e for _, e in stored_entries(audit, read_checkpoint(audit).checkpoint.size)]


def rewrite(audit: Path, entries: list[bytes]) -> Checkpoint:
    """Lay the whole tree anew, as somebody can who has the folder; the checkpoint stays."""
    shutil.rmtree(audit / "tile")
    frontier = Frontier(lambda *_: None)
    extend(audit, frontier, entries)
    return Checkpoint(origin=logs.ORIGIN, size=frontier.size, root=frontier.root())


def sign_anew(audit: Path, checkpoint: Checkpoint, seed: int = 1) -> None:
    content = signed_checkpoint(checkpoint, logs.key(seed)).encode()
    (audit / "checkpoint").write_bytes(content)


def bundle(audit: Path, entries: list[bytes]) -> None:
    (audit / ENTRIES).write_bytes(b"".join(frame(e) for e in entries))


def refused(audit: Path, reason: str, **options: Any) -> None:
    with pytest.raises(EvidenceError, match=reason):
        verify_log(audit, read_entry, **options)


EDITS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "edit": lambda e: [*e[:3], logs.entry(99, "2026-11-28T08:00:03Z"), *e[4:]],
    "delete": lambda e: [*e[:3], *e[4:]],
    "reorder": lambda e: [*e[:3], e[4], e[3], e[5]],
    "replay": lambda e: [*e[:3], e[0], *e[4:]],
    "back-date": lambda e: [*e[:3], logs.entry(3, "2026-01-01T00:00:00Z"), *e[4:]],
}


@pytest.mark.parametrize("attack", EDITS)
def test_a_changed_bundle_names_its_first_changed_entry(audit: Path, attack: str) -> None:
    bundle(audit, EDITS[attack](entries_of(audit)))
    refused(audit, rf"entry 3 \({ENTRIES}\) was changed after it was sealed")


@pytest.mark.parametrize("attack", EDITS)
def test_a_tree_laid_anew_is_not_the_signed_one(audit: Path, attack: str) -> None:
    entries = EDITS[attack](entries_of(audit))
    rewrite(audit, entries)
    refused(audit, "rewritten around its checkpoint" if len(entries) == SIZE else "is missing")


@pytest.mark.parametrize("attack", EDITS)
def test_a_key_holder_who_rewrites_the_log_is_caught_by_an_old_checkpoint(
    audit: Path, attack: str
) -> None:
    old = (audit / "checkpoint").read_bytes()
    changed = EDITS[attack](entries_of(audit))
    sign_anew(audit, rewrite(audit, [*changed, logs.entry(50, "2026-11-28T08:40:00Z")]))
    verify_log(audit, read_entry)  # the folder alone cannot know
    refused(audit, f"forked: its first {SIZE} entries", against=old)


def test_an_entry_appended_without_the_key_is_outside_the_log(audit: Path) -> None:
    checkpoint = rewrite(audit, [*entries_of(audit), logs.entry(50)])
    refused(audit, "is missing")
    sign_anew(audit, checkpoint, seed=9)
    refused(audit, "checkpoint carries no signature of the log's key")


def test_a_truncated_log_is_caught(audit: Path) -> None:
    old, entries = (audit / "checkpoint").read_bytes(), entries_of(audit)
    bundle(audit, entries[:-1])
    refused(audit, rf"entry 5 \({ENTRIES}\) is cut off")
    (audit / ENTRIES).write_bytes((audit / ENTRIES).read_bytes()[:-3])
    refused(audit, rf"entry 4 \({ENTRIES}\) is cut off")
    sign_anew(audit, rewrite(audit, entries[:4]))
    refused(audit, "the log was cut: .* states 6 entries, now there are 4", against=old)
    sign_anew(audit, Checkpoint(origin=logs.ORIGIN, size=0, root=EMPTY_ROOT))
    refused(audit, "the log was cut", against=old)


def test_an_old_state_put_back_is_caught(audit: Path, tmp_path: Path) -> None:
    before = tmp_path / "before"
    shutil.copytree(audit, before)
    logs.sealed(audit)
    newer = (audit / "checkpoint").read_bytes()
    verify_log(before, read_entry)
    refused(before, "the log was cut", against=newer)


def test_two_forks_of_one_log_do_not_extend_each_other(audit: Path, tmp_path: Path) -> None:
    fork = tmp_path / "fork"
    shutil.copytree(audit, fork)
    add_pending(logs.entry(70, "2026-11-28T08:31:00Z"), audit)
    add_pending(logs.entry(71, "2026-11-28T08:31:00Z"), fork)
    for folder in (audit, fork):
        logs.sealed(folder)
    refused(fork, "forked", against=(audit / "checkpoint").read_bytes())


def test_another_log_in_its_place_is_caught(audit: Path) -> None:
    old = (audit / "checkpoint").read_bytes()
    shutil.rmtree(audit)
    begin_log(audit, logs.ORIGIN, logs.key(9))
    verify_log(audit, read_entry)
    refused(audit, "the older checkpoint: .*no signature of the log's key", against=old)
    shutil.rmtree(audit)
    begin_log(audit, "else.example", logs.key(9))
    refused(audit, r"is of the log agency\.example/audit", against=old)


def test_a_folder_that_trusts_itself_is_caught_by_a_policy_from_outside(
    audit: Path, tmp_path: Path
) -> None:
    mine = read_trust_policy(audit)
    forged = logs.new_log(tmp_path / "forged")
    vkey = vkey_of(logs.key(9), logs.ORIGIN)
    policy = TrustPolicy(logs=(Party(name=logs.ORIGIN, key=vkey),))
    (forged / "trust.policy").write_bytes(policy.format())
    sign_anew(forged, rewrite_empty(), seed=9)
    verify_log(forged, read_entry)
    refused(forged, "no signature of the log's key", policy=mine)


def rewrite_empty() -> Checkpoint:
    return Checkpoint(origin=logs.ORIGIN, size=0, root=EMPTY_ROOT)


def test_a_changed_tile_is_told_apart_from_a_changed_entry(audit: Path) -> None:
    content = bytearray((audit / TILE).read_bytes())
    content[2 * 32] ^= 1
    (audit / TILE).write_bytes(bytes(content))
    refused(audit, f"{TILE} was changed: its hash of entry 2 is wrong, the entry itself is as")


def test_a_replayed_entry_does_not_make_the_log_grow(audit: Path) -> None:
    add_pending(entries_of(audit)[1], audit)
    done = logs.sealed(audit)
    assert (done.added, done.dropped) == (1, 1)


@pytest.mark.slow
def test_a_leaf_planted_in_a_tile_does_not_swallow_a_pending_entry(tmp_path: Path) -> None:
    """The sealer drops what the log holds already; a forged tile must not make it believe so."""
    from prunegate.audit.log.merkle import leaf_hash

    audit = logs.new_log(tmp_path, 258)
    wanted = logs.entry(900)
    add_pending(wanted, audit)
    tile = bytearray((audit / tile_path(0, 0)).read_bytes())
    tile[:32] = leaf_hash(wanted)
    (audit / tile_path(0, 0)).write_bytes(bytes(tile))
    with pytest.raises(EvidenceError, match="entry 0 does not lead to the checkpoint's root"):
        logs.sealed(audit)
    assert (audit / "pending" / hashlib.sha256(wanted).hexdigest()).exists()


def test_a_damaged_log_is_not_extended(audit: Path) -> None:
    bundle(audit, EDITS["edit"](entries_of(audit)))
    with pytest.raises(EvidenceError, match=r"entry 3 .* was changed after it was sealed"):
        logs.sealed(audit)
    assert verify_pending(audit) == 1


@pytest.mark.parametrize("number", range(6))
def test_no_entry_of_a_log_that_is_extended_may_have_changed(audit: Path, number: int) -> None:
    """Whatever its hash is now: above or below the one that was sealed."""
    whole = entries_of(audit)
    for other in range(90, 94):
        entry = logs.entry(other, f"2026-11-28T08:00:0{number}Z")
        bundle(audit, [*whole[:number], entry, *whole[number + 1 :]])
        with pytest.raises(EvidenceError, match=rf"entry {number} .* was changed after"):
            logs.sealed(audit)


def verify_pending(audit: Path) -> int:
    return len(list((audit / "pending").iterdir()))


def test_forged_proofs_prove_nothing(audit: Path) -> None:
    policy, entries = read_trust_policy(audit), entries_of(audit)
    content = prove_entry(audit, 3, entries[3]).format()
    verify_tlog_proof(content, entries[3], policy)
    for forged, claimed in (
        (content.replace(b"index 3", b"index 2"), entries[3]),
        (content, entries[2]),
        (content, logs.entry(99)),
        (content.replace(b"\n6\n", b"\n7\n"), entries[3]),
    ):
        with pytest.raises(EvidenceError):
            verify_tlog_proof(forged, claimed, policy)
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= 1
        with pytest.raises((EvidenceError, InputError)):
            verify_tlog_proof(bytes(changed), entries[3], policy)
    proof, _ = parse_tlog_proof(content)
    assert proof.index == 3


SLOW = pytest.mark.slow  # verifies a log some 3,000 times


@pytest.mark.parametrize(
    ("flips", "step"),
    [
        ((0x01,), 17),
        pytest.param((0x01, 0x80, 0xFF), 1, marks=SLOW),
        *at_length(*(pytest.param((flip,), 1, marks=SLOW) for flip in (0x01, 0x80, 0xFF))),
    ],
)
def test_every_byte_of_every_file_counts(tmp_path: Path, flips: tuple[int, ...], step: int) -> None:
    """Flip each byte, in ways that take turns; by the quorum a client's cosignature counts, too."""
    audit = logs.new_log(tmp_path)
    digest = logs.put_evidence(audit, b"the report")
    for number in range(2):
        add_pending(logs.entry(number, evidence=(digest,)), audit)
    logs.sealed(audit)
    add_pending(logs.entry(2), audit)
    _witness(audit)
    assert verify_log(audit, read_entry).cosignatures
    paths = [path for path in logs.files(audit) if path.name != ".lock"]
    tops = {path.relative_to(audit).parts[0] for path in paths}
    assert tops == {"checkpoint", "trust.policy", "tile", "pending", "evidence"}
    uncaught = [
        (path.name, at)
        for path in paths
        for at in range(0, path.stat().st_size, step)
        if not _caught(audit, path, at, flips[at % len(flips)])
    ]
    assert uncaught == []


def _witness(audit: Path) -> None:
    """A client cosigns, and the trust policy asks for it."""
    client = vkey_of(logs.key(2), "client.example", COSIGNATURE)
    policy = TrustPolicy(
        logs=read_trust_policy(audit).logs,
        witnesses=(Party(name="client", key=client),),
        quorum="client",
    )
    (audit / "trust.policy").write_bytes(policy.format())
    note = parse_checkpoint((audit / "checkpoint").read_bytes()).note
    time = int(logs.NOW.timestamp())
    cosigned = note.signed_too(cosign(note.text, client.name, logs.key(2), time))
    (audit / "checkpoint").write_bytes(cosigned.encode())


def _caught(audit: Path, path: Path, at: int, flip: int) -> bool:
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[at] ^= flip
    path.write_bytes(bytes(changed))
    try:
        verify_log(audit, read_entry)
    except EvidenceError:
        return True
    finally:
        path.write_bytes(whole)
    return False


@pytest.mark.parametrize("name", ["checkpoint", "trust.policy", TILE, ENTRIES])
def test_a_file_that_is_gone_is_named(audit: Path, name: str) -> None:
    (audit / name).unlink()
    refused(audit, f"{name} is missing")


def test_layout_names_no_file_that_verify_does_not_read(audit: Path) -> None:
    assert set(layout(SIZE)) == {ENTRIES, TILE}
