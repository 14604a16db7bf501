"""Seals that fail or are broken off: before the commit the old log stands, after it the new one."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from prunegate_test_logs import ORIGIN, entry, files, key, new_log, sealed
from tests.unit.audit.log.small_logs import names

from prunegate.audit.log import seal as seal_module
from prunegate.audit.log.durable_files import locked, write_durably
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.folder import read_checkpoint
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.seal import begin_log
from prunegate.audit.log.tiles import layout
from prunegate.audit.log.verify import verify_log
from prunegate.audit.signing.keys import generate
from prunegate.errors import InputError
from prunegate.io.partial import PARTIAL, SUFFIX


def test_a_seal_that_fails_before_its_commit_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint cannot be written: the last moment before the commit."""
    audit = new_log(tmp_path)
    for number in range(300):
        add_pending(entry(number), audit)
    before = {path: path.read_bytes() for path in files(audit)}

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(seal_module, "write_durably", full)
        with pytest.raises(InputError, match=r"nothing was sealed.*No space left"):
            sealed(audit)
    assert {path: path.read_bytes() for path in files(audit)} == before


def test_a_seal_that_is_broken_off_leaves_the_old_state_and_says_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = new_log(tmp_path, 2)
    before = {path: path.read_bytes() for path in files(audit)}
    add_pending(entry(2), audit)

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(seal_module, "extend", ended)
        with pytest.raises(KeyboardInterrupt):
            sealed(audit)
    kept = {path: path.read_bytes() for path in files(audit) if path.parent.name != "pending"}
    assert kept == before
    assert sealed(audit).added == 1


def test_what_fails_after_the_commit_takes_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = new_log(tmp_path, 1)
    add_pending(entry(1), audit)
    write = seal_module.write_durably

    def written_and_failed(path: Path, content: bytes) -> None:
        write(path, content)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(seal_module, "write_durably", written_and_failed)
        with pytest.raises(InputError, match="Input/output error"):
            sealed(audit)
    assert read_checkpoint(audit).checkpoint.size == 2
    assert verify_log(audit, read_entry).checkpoint.size == 2


def test_old_files_that_stay_are_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = new_log(tmp_path)
    add_pending(entry(0), audit)

    def kept(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(seal_module, "remove", kept)
        found = sealed(audit)
    assert found.added == 1
    assert any("old files could not be removed (Operation not" in one for one in found.warnings)
    assert sealed(audit).warnings == ()


def test_a_log_that_cannot_be_written_is_not_begun(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match=r"file/audit: (the log )?cannot be (written|opened|made)"):
        begin_log(tmp_path / "file" / "audit", ORIGIN, key())
    with (
        pytest.raises(InputError, match=r"none/lock: cannot be opened \(No such file"),
        locked(tmp_path / "none" / "lock", exclusive=True, wait_s=0),
    ):
        pass


@pytest.mark.slow
def test_a_seal_that_died_anywhere_is_finished_by_the_next(tmp_path: Path) -> None:
    """Every state between two writes is the old log, or the new one with pending left over."""
    old = new_log(tmp_path, 250)
    for number in range(250, 260):
        add_pending(entry(number), old)
    new = tmp_path / "new"
    shutil.copytree(old, new)
    sealed(new)
    written = [path for path in layout(260) if not (old / path).exists()]
    for count in range(len(written) + 1):
        audit = tmp_path / f"died-{count}"
        shutil.copytree(old, audit)
        for path in written[:count]:
            (audit / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(new / path, audit / path)
        (audit / "tile" / ".partial-dead").write_bytes(b"half")
        assert verify_log(audit, read_entry).leftovers == count
        if count == len(written):
            shutil.copy(new / "checkpoint", audit / "checkpoint")
            assert verify_log(audit, read_entry).checkpoint.size == 260
        assert sealed(audit).checkpoint == read_checkpoint(new).checkpoint
        assert names(audit) == names(new)


def test_a_full_disk_leaves_the_old_log(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=192k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here (needs root)")
    try:
        audit = new_log(disk, 1)
        before = read_checkpoint(audit)
        with pytest.raises(InputError, match="No space left"):
            [add_pending(entry(number), audit) for number in range(1, 400)]
        with pytest.raises(InputError, match=r"nothing was sealed.*No space left"):
            sealed(audit)
        found = verify_log(audit, read_entry)
        assert read_checkpoint(audit) == before
        assert found.pending > 10
        assert found.leftovers == 0
        assert not list(audit.rglob(".partial-*"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_what_a_killed_writer_left_goes_with_the_next_write_and_a_living_ones_stays(
    tmp_path: Path,
) -> None:
    left, held, other = (f"{PARTIAL}a{SUFFIX}", f"{PARTIAL}b{SUFFIX}", "c")
    for name in (left, held, other):
        (tmp_path / name).write_bytes(b"half")
    with (tmp_path / held).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_durably(tmp_path / "whole", b"whole")
    assert {path.name for path in tmp_path.iterdir()} == {held, other, "whole"}


def test_what_another_process_holds_is_tried_again_until_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However fast or slow the machine: it is let go in the pause after the first try."""
    lock = tmp_path / ".lock"
    with ExitStack() as stack:
        stack.enter_context(locked(lock, exclusive=True, wait_s=0))
        let_go = "prunegate.audit.log.durable_files.time.sleep"
        monkeypatch.setattr(let_go, lambda _: stack.close())
        with locked(lock, exclusive=False, wait_s=600), pytest.raises(InputError, match="sealing"):
            stack.enter_context(locked(lock, exclusive=True, wait_s=0))


def test_a_log_that_was_begun_by_half_is_begun_again_with_its_key_alone(tmp_path: Path) -> None:
    audit = new_log(tmp_path)
    (audit / "checkpoint").unlink()  # as a kill leaves it
    with pytest.raises(InputError, match="already here"):
        begin_log(audit, ORIGIN, generate("ed25519"))
    begin_log(audit, ORIGIN, key())
    add_pending(entry(1), audit)
    assert sealed(audit).checkpoint.size == 1
    (audit / "checkpoint").unlink()
    with pytest.raises(InputError, match="already here"):
        begin_log(audit, ORIGIN, key())


@pytest.mark.parametrize("last", ["trust.policy", "checkpoint"])
def test_a_beginning_that_is_broken_off_leaves_the_folder_to_any_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    def broken_off(path: Path, content: bytes) -> None:
        write_durably(path, content)
        if path.name == last:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(seal_module, "write_durably", broken_off)
        with pytest.raises(KeyboardInterrupt):
            begin_log(tmp_path, ORIGIN, key())
    assert {path.name for path in tmp_path.iterdir()} == {".lock"}
    begin_log(tmp_path, ORIGIN, generate("ed25519"))
