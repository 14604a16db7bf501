"""What a decision adds to the audit trail: whole or not at all, and by content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from prunegate.audit.filing import Filing, filed
from prunegate.errors import InputError
from prunegate.io.partial import PARTIAL, SUFFIX


def filing(name: bytes) -> Filing:
    return Filing(entry=b"entry " + name, evidence=(b"record " + name, b"shared"))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_everything_lies_under_its_digest(tmp_path: Path) -> None:
    for _ in range(2):  # the same again is no other
        with filed(filing(b"one"), tmp_path / "audit") as place:
            assert place.read_bytes() == b"entry one"
    found = files(tmp_path / "audit")
    assert {Path(name).parent.name for name in found} == {"pending", "evidence"}
    assert all(Path(name).name == hashlib.sha256(c).hexdigest() for name, c in found.items())
    assert len(found) == 3


def test_a_failed_publication_takes_back_only_its_own(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    with pytest.raises(KeyboardInterrupt), filed(filing(b"one"), audit):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
    with filed(filing(b"one"), audit):
        pass
    before = files(audit)
    for name in (b"one", b"two"):  # the one repeats, the other shares evidence
        with pytest.raises(OSError, match="full"), filed(filing(name), audit):
            raise OSError("full")
        assert files(audit) == before


def test_what_a_killed_run_left_in_the_making_is_taken_away(tmp_path: Path) -> None:
    for folder in ("evidence", "pending"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{PARTIAL}x{SUFFIX}").write_bytes(b"half")
    with filed(filing(b"one"), tmp_path):
        pass
    assert sorted(files(tmp_path).values()) == [b"entry one", b"record one", b"shared"]


def test_an_audit_folder_that_is_a_file_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("")
    with (
        pytest.raises(InputError, match="cannot be written"),
        filed(filing(b"one"), tmp_path / "audit"),
    ):
        pass
    assert files(tmp_path) == {"audit": b""}
