"""The index is never believed: whatever stands in it, what reading finds is found."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prunegate_test_logs import entry, new_log, put_evidence, sealed

from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.folder import read_checkpoint
from prunegate.audit.log.index import covered
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.prove import find_entry
from prunegate.audit.log.verify import verify_log
from prunegate.errors import EvidenceError, InputError

_HEAD, _ROW = 56, 16


def rows(audit: Path) -> Path:
    return audit / ".index" / "rows"


def small_log(folder: Path) -> Path:
    """Entries 0 to 3, of which two name the same evidence, in two seals."""
    audit = new_log(folder, 2)
    shared = put_evidence(audit, b"shared")
    for number in (2, 3):
        add_pending(entry(number, evidence=(shared,)), audit)
    sealed(audit)
    return audit


SHARED = hashlib.sha256(b"shared").hexdigest()


def digests(audit: Path) -> list[str]:
    """Everything that can be asked for, and something that is not there."""
    contents = [find_entry(audit, str(number), read_entry)[1] for number in range(4)]
    own = [hashlib.sha256(content).hexdigest() for content in contents]
    named = [d for c in contents for f in [read_entry(c)] for d in (*f.subjects, *f.evidence)]
    return [*own, *named, *(d[:12] for d in own), *(d[:13] for d in named), "0" * 64]


def answers(audit: Path) -> list[int | None]:
    found: list[int | None] = []
    for digest in digests(audit):
        try:
            found.append(find_entry(audit, digest, read_entry)[0])
        except InputError:
            found.append(None)
    return found


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_log(tmp_path_factory.mktemp("index"))


@pytest.fixture(scope="module")
def read(audit: Path, tmp_path_factory: pytest.TempPathFactory) -> list[int | None]:
    """The answers of reading alone."""
    bare = tmp_path_factory.mktemp("bare") / "audit"
    shutil.copytree(audit, bare, ignore=shutil.ignore_patterns(".index"))
    return answers(bare)


def test_sealing_keeps_it_up_to_the_log_and_out_of_the_repository(
    audit: Path, read: list[int | None]
) -> None:
    known = covered(audit, read_checkpoint(audit).checkpoint)
    assert known is not None
    assert (known.size, known.rows) == (4, 10)
    assert (audit / ".index" / ".gitignore").read_text() == "*\n"
    assert answers(audit) == read
    assert read[-1] is None


def differing(audit: Path, read: list[int | None]) -> set[tuple[str, int | None]]:
    """What is found otherwise than by reading."""
    asked = zip(digests(audit), answers(audit), read, strict=True)
    return {(digest, found) for digest, found, sound in asked if found != sound}


LATER = {(SHARED, 3), (SHARED[:13], 3)}
"""All that a lie can bring about: a later entry that does name the digest."""


@pytest.mark.slow
def test_no_flipped_byte_finds_a_false_entry_and_verify_names_what_is_wrong(
    audit: Path, read: list[int | None]
) -> None:
    sound = rows(audit).read_bytes()
    try:
        for place in range(0, len(sound), 3):  # 3 and a row's 16 share nothing: every place comes
            changed = bytearray(sound)
            changed[place] ^= 0x41
            rows(audit).write_bytes(changed)
            assert differing(audit, read) <= LATER, place
            if place >= _HEAD:
                with pytest.raises(EvidenceError, match=r"\.index/rows says otherwise of entry"):
                    verify_log(audit, read_entry)
    finally:
        rows(audit).write_bytes(sound)
    assert verify_log(audit, read_entry).checkpoint.size == 4


@settings(max_examples=25)  # each asks for everything that the log names
@given(content=st.binary(max_size=200), keep=st.integers(0, 250))
def test_no_content_finds_a_false_entry(
    audit: Path, read: list[int | None], content: bytes, keep: int
) -> None:
    sound = rows(audit).read_bytes()
    try:
        rows(audit).write_bytes(sound[:keep] + content)
        assert differing(audit, read) <= LATER
    finally:
        rows(audit).write_bytes(sound)


def test_a_row_left_out_is_seen_by_verify(tmp_path: Path) -> None:
    """The one lie that looking up cannot see: a later entry names the same evidence."""
    audit = small_log(tmp_path)
    sound = rows(audit).read_bytes()
    size, count = 4, 9
    head = sound[:8] + size.to_bytes(8, "big") + count.to_bytes(8, "big") + sound[24:_HEAD]
    rows(audit).write_bytes(head + sound[_HEAD : _HEAD + 6 * _ROW] + sound[_HEAD + 7 * _ROW :])
    assert find_entry(audit, SHARED, read_entry)[0] == 3
    with pytest.raises(EvidenceError, match=r"entry 2 .* delete \.index"):
        verify_log(audit, read_entry)
    shutil.rmtree(audit / ".index")
    assert find_entry(audit, SHARED, read_entry)[0] == 2
    verify_log(audit, read_entry)


def test_a_row_too_many_is_seen_by_verify(tmp_path: Path) -> None:
    audit = small_log(tmp_path)
    sound = rows(audit).read_bytes()
    count = int.from_bytes(sound[16:24], "big")
    head = sound[:16] + (count + 1).to_bytes(8, "big") + sound[24:_HEAD]
    rows(audit).write_bytes(head + sound[_HEAD:] + sound[-_ROW:])
    with pytest.raises(EvidenceError, match=r"entry 3 .* delete \.index"):
        verify_log(audit, read_entry)


def test_a_row_that_sends_to_another_entry_is_not_believed(tmp_path: Path) -> None:
    """An entry's own row with another number: reading finds where it stands."""
    audit = small_log(tmp_path)
    sound = rows(audit).read_bytes()
    own = [at for at in range(_HEAD, len(sound), _ROW) if sound[at + 8] & 0x80]
    assert len(own) == 4
    for at, other in zip(own, (own[1], own[2], own[3], own[0]), strict=True):
        digest = hashlib.sha256(find_entry(audit, str(own.index(at)), read_entry)[1]).hexdigest()
        swapped = sound[: at + 8] + sound[other + 8 : other + _ROW] + sound[at + _ROW :]
        rows(audit).write_bytes(swapped)
        assert find_entry(audit, digest, read_entry)[0] == own.index(at)
        rows(audit).write_bytes(sound)


def test_one_that_is_behind_or_of_another_log_does_no_harm(tmp_path: Path) -> None:
    audit = small_log(tmp_path)
    behind = rows(audit).read_bytes()
    add_pending(entry(4), audit)
    sealed(audit)
    rows(audit).write_bytes(behind)
    number, content = find_entry(audit, hashlib.sha256(b"record 4").hexdigest(), read_entry)
    assert (number, content) == (4, entry(4))
    verify_log(audit, read_entry)
    other = new_log(tmp_path / "other", 3)
    shutil.copytree(audit / ".index", other / ".index", dirs_exist_ok=True)
    about = hashlib.sha256(b"record 2").hexdigest()
    assert find_entry(other, about, read_entry)[1] == entry(2)
    verify_log(other, read_entry)
    add_pending(entry(9), other)
    sealed(other)
    known = covered(other, read_checkpoint(other).checkpoint)
    assert known is not None
    assert known.size == 4


def test_a_log_whose_index_cannot_be_written_is_sealed_all_the_same(tmp_path: Path) -> None:
    audit = new_log(tmp_path)
    (audit / ".index").write_bytes(b"in the way")
    add_pending(entry(0), audit)
    done = sealed(audit)
    assert done.added == 1
    assert "its index could not be written" in done.warnings[0]
    assert find_entry(audit, hashlib.sha256(b"record 0").hexdigest(), read_entry)[0] == 0
