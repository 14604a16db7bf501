"""Sealing, verifying and proving on small logs: what is pended is kept, and nothing else."""

from __future__ import annotations

import fcntl
import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prunegate_test_logs import NOW, ORIGIN, entry, files, key, new_log, put_evidence, sealed
from tests.unit.audit.log.small_logs import names

from prunegate.audit.log import seal as seal_module
from prunegate.audit.log.entry import may_name, read_entry
from prunegate.audit.log.folder import read_checkpoint
from prunegate.audit.log.pending import add_pending, each_pending, read_pending
from prunegate.audit.log.prove import find_entry, prove_entry
from prunegate.audit.log.seal import begin_log, seal_log, signed_checkpoint
from prunegate.audit.log.tiles import layout, read_tile, stored_entries, tile_path
from prunegate.audit.log.verify import verify_log
from prunegate.errors import EvidenceError, InputError


def test_paths_are_those_of_the_specification() -> None:
    assert tile_path("entries", 1234067) == "tile/entries/x001/x234/067"
    assert tile_path(1, 5, 17) == "tile/1/005.p/17"
    tiles = [path for path in layout(70_000) if "entries" not in path]
    assert len(tiles) == 273 + 1 + 1 + 1 + 1
    assert "tile/0/273.p/112" in tiles
    assert "tile/1/001.p/17" in tiles
    assert "tile/2/000.p/1" in tiles
    assert list(layout(256)) == ["tile/0/000", "tile/entries/000", "tile/1/000.p/1"]


@pytest.mark.slow
def test_a_log_grows_over_several_seals_and_keeps_only_its_own_files(tmp_path: Path) -> None:
    audit = new_log(tmp_path)
    seen, number = [], 0
    for more in (0, 1, 3, 252, 1, 5):
        for _ in range(more):
            add_pending(entry(number), audit)
            number += 1
        assert sealed(audit).added == more
        assert names(audit) == {".lock", "checkpoint", "trust.policy", *layout(number)}
        seen.append((audit / "checkpoint").read_bytes())
    for old in seen:
        found = verify_log(audit, read_entry, against=old)
    assert found.checkpoint.size == found.unsigned == 262
    held = {content for _, content in stored_entries(audit, 262)}
    assert held == {entry(n) for n in range(262)}
    tile = audit / "tile/1/000.p/1"
    content = tile.read_bytes()
    for changed in (b"", content[:-1], bytes(32)):  # the first two are no tile at all
        tile.write_bytes(changed)
        with pytest.raises(EvidenceError, match=r"tile/1/000\.p/1"):
            verify_log(audit, read_entry)
    tile.unlink()
    with pytest.raises(EvidenceError, match=r"tile/1/000\.p/1"):
        verify_log(audit, read_entry)


def test_entries_of_a_seal_are_in_order_of_created_then_digest(tmp_path: Path) -> None:
    audit = new_log(tmp_path)
    times = ["2026-11-28T08:00:03Z", "2026-11-28T08:00:01Z", "2026-11-28T08:00:02Z"]
    for number in range(9):
        add_pending(entry(number, times[number % 3]), audit)
    sealed(audit)
    order = [
        (read_entry(content).created, hashlib.sha256(content).hexdigest())
        for _, content in stored_entries(audit, 9)
    ]
    assert order == sorted(order)
    assert verify_log(audit, read_entry).late == 0


def test_what_is_sealed_already_is_dropped(tmp_path: Path) -> None:
    audit = new_log(tmp_path, 3)
    add_pending(entry(1), audit)
    add_pending(entry(5), audit)
    done = sealed(audit)
    assert (done.added, done.dropped, done.checkpoint.size) == (1, 1, 4)
    assert not list((audit / "pending").iterdir())


def test_pending_is_idempotent_and_refuses_what_does_not_fit(tmp_path: Path) -> None:
    first = add_pending(b"entry", tmp_path)
    assert add_pending(b"entry", tmp_path) == first
    assert first.name == hashlib.sha256(b"entry").hexdigest()
    assert [path.name for path in first.parent.iterdir()] == [first.name]
    for content in (b"", b"x" * 65_536):
        with pytest.raises(InputError, match="1 to 65535 fit"):
            add_pending(content, tmp_path)


@pytest.mark.parametrize("name", ["notes.txt", "0" * 64])
def test_a_pending_file_that_is_no_entry_is_named_and_nothing_is_sealed(
    tmp_path: Path, name: str
) -> None:
    audit = new_log(tmp_path, 2)
    add_pending(entry(2), audit)
    (audit / "pending" / name).write_bytes(b"{}")
    before = {path: path.read_bytes() for path in files(audit)}
    with pytest.raises(InputError, match=f"nothing was sealed.*\n.*{name}"):
        sealed(audit)
    assert {path: path.read_bytes() for path in files(audit)} == before
    with pytest.raises(EvidenceError, match=name):
        verify_log(audit, read_entry)


def test_an_entry_of_another_form_is_named(tmp_path: Path) -> None:
    audit = new_log(tmp_path)
    path = add_pending(b'{"outcome":"approve"}', audit)
    with pytest.raises(InputError, match=f"{path.name}: no entry: the envelope: has a field"):
        sealed(audit)


def test_another_key_does_not_seal(tmp_path: Path) -> None:
    audit = new_log(tmp_path, 1)
    add_pending(entry(1), audit)
    with pytest.raises(InputError, match=r"this key .* is not the log's"):
        seal_log(audit, key(9), read_entry, NOW)
    assert verify_log(audit, read_entry).pending == 1


def test_a_clock_that_lies_behind_seals_nothing(tmp_path: Path) -> None:
    audit = new_log(tmp_path, 1)
    add_pending(entry(1), audit)
    with pytest.raises(InputError, match="log's last entry was created 2026-11-28T08:00:00Z"):
        sealed(audit, NOW - timedelta(days=1))
    add_pending(entry(2, "2026-11-29T00:00:00Z"), audit)
    with pytest.raises(InputError, match=r"pending entry .* created 2026-11-29T00:00:00Z"):
        sealed(audit)
    assert read_checkpoint(audit).checkpoint.size == 1


def test_a_late_entry_is_sealed_with_a_warning_and_told_by_verify(tmp_path: Path) -> None:
    audit = new_log(tmp_path, 2)
    add_pending(entry(9, "2026-10-01T00:00:00Z"), audit)
    assert "created before the log's last one" in sealed(audit).warnings[0]
    found = verify_log(audit, read_entry)
    assert (found.late, found.first_late) == (1, 2)


def test_a_second_sealer_waits_a_little_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prunegate.audit.log.verify._WAIT_S", 0)
    audit = new_log(tmp_path, 1)
    with (audit / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another process is sealing"):
            seal_log(audit, key(), read_entry, NOW, wait_s=0)
        with pytest.raises(InputError, match="another process is sealing"):
            verify_log(audit, read_entry)


def test_a_log_is_begun_once(tmp_path: Path) -> None:
    audit = new_log(tmp_path, 1)
    with pytest.raises(InputError, match="already here"):
        begin_log(audit, ORIGIN, key())
    with pytest.raises(InputError, match="no log here"):
        verify_log(tmp_path / "else", read_entry)
    with pytest.raises(InputError, match="no log here"):
        sealed(tmp_path / "else")


def test_a_pending_entry_that_is_gone_or_empty_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = new_log(tmp_path)
    name = add_pending(entry(0), audit).name
    monkeypatch.setattr(seal_module, "pending_names", lambda _: ["a" * 64, name])
    with pytest.raises(InputError, match=r"a{64}: gone while it was read"):
        sealed(audit)
    monkeypatch.setattr("prunegate.audit.log.pending.pending_names", lambda _: ["a" * 64, name])
    assert [one for one, _ in each_pending(audit)] == [name]
    nothing = hashlib.sha256(b"").hexdigest()
    (audit / "pending" / nothing).write_bytes(b"")
    with pytest.raises(InputError, match="an empty file is no entry"):
        read_pending(audit, nothing)


def test_a_checkpoint_of_another_and_changed_hashes_are_not_sealed_into(tmp_path: Path) -> None:
    audit = new_log(tmp_path, 3)
    add_pending(entry(3), audit)
    sound, tile = (audit / "checkpoint").read_bytes(), audit / tile_path(0, 0, 3)
    forged = signed_checkpoint(read_checkpoint(audit).checkpoint, key(9))
    (audit / "checkpoint").write_bytes(forged.encode())
    with pytest.raises(EvidenceError, match="checkpoint: the checkpoint carries no signature"):
        sealed(audit)
    (audit / "checkpoint").write_bytes(sound)
    hashes = tile.read_bytes()
    tile.write_bytes(bytes(32) + hashes[32:])
    with pytest.raises(EvidenceError, match="do not give the root of the checkpoint of size 3"):
        sealed(audit)
    tile.write_bytes(hashes[:-1])
    with pytest.raises(EvidenceError, match="has 95 bytes, not 96: cut off"):
        read_tile(audit, 0, 0, 3)
    with pytest.raises(EvidenceError, match="cut off"):
        verify_log(audit, read_entry)
    tile.unlink()
    tile.mkdir()
    with pytest.raises(EvidenceError, match=r"cannot be read \(Is a directory"):
        read_tile(audit, 0, 0, 3)


def test_a_file_that_may_not_be_read_is_not_called_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = new_log(tmp_path, 1)

    def closed(path: Path, limit: int) -> bytes:
        raise InputError(f"{path}: cannot be read") from PermissionError(13, "Permission denied")

    monkeypatch.setattr("prunegate.audit.log.folder.read_regular", closed)
    with pytest.raises(InputError, match="cannot be read"):
        read_checkpoint(audit)


def test_only_files_are_evidence(tmp_path: Path) -> None:
    audit = new_log(tmp_path, 1)
    put_evidence(audit, b"kept")
    (audit / "evidence" / ".gitkeep").write_bytes(b"")
    assert verify_log(audit, read_entry).evidence == 1
    (audit / "evidence" / "folder").mkdir()
    with pytest.raises(EvidenceError, match="evidence/folder is no regular file"):
        verify_log(audit, read_entry)


def test_evidence_must_be_there_and_be_what_its_name_says(tmp_path: Path) -> None:
    audit = new_log(tmp_path)
    digest = put_evidence(audit, b"report")
    add_pending(entry(0, evidence=(digest,)), audit)
    sealed(audit)
    assert verify_log(audit, read_entry).evidence == 1
    (audit / "evidence" / digest).write_bytes(b"rep0rt")
    with pytest.raises(EvidenceError, match=f"evidence/{digest} was changed"):
        verify_log(audit, read_entry)
    (audit / "evidence" / digest).unlink()
    with pytest.raises(EvidenceError, match=f"evidence/{digest} is missing: entry 0 names it"):
        verify_log(audit, read_entry)
    assert verify_log(audit, read_entry, missing_ok=True).missing_evidence == (digest,)


def test_entries_are_found_by_number_own_digest_and_subject(tmp_path: Path) -> None:
    audit = new_log(tmp_path, 20)
    about = hashlib.sha256(b"record 7").hexdigest()
    number, content = find_entry(audit, about, read_entry)
    assert content == entry(7)
    own = hashlib.sha256(content).hexdigest()
    assert find_entry(audit, own[:12], read_entry) == (number, content)
    assert find_entry(audit, str(number), read_entry) == (number, content)
    for wanted, reason in (("20", "no entry 20"), ("f" * 64, "is it sealed"), ("x", "give an")):
        with pytest.raises(InputError, match=reason):
            find_entry(audit, wanted, read_entry)
    with pytest.raises(EvidenceError, match="does not lead to"):
        prove_entry(audit, number + 1 if number < 19 else 0, content)


@given(st.integers(0, 40), st.sampled_from([12, 13, 14, 40, 64]))
def test_the_fast_look_never_misses_a_digest_in_a_payload(shift: int, length: int) -> None:
    import base64

    digest = hashlib.sha256(b"x").hexdigest()
    payload = base64.b64encode(b"p" * shift + digest.encode() + b"tail")
    assert may_name(payload, digest[:length])


def test_links_and_pipes_are_refused_without_waiting(tmp_path: Path) -> None:
    audit = new_log(tmp_path, 2)
    name = "a" * 64
    (audit / "pending" / name).symlink_to("/etc/hostname")
    with pytest.raises(InputError, match=name):
        sealed(audit)
    (audit / "pending" / name).unlink()
    os.mkfifo(audit / "pending" / ".partial-pipe")
    sealed(audit)
    (audit / "checkpoint").unlink()
    os.mkfifo(audit / "checkpoint")
    with pytest.raises(EvidenceError, match="not a regular file"):
        verify_log(audit, read_entry)
