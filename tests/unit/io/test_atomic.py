"""Whole or not at all, for a file and for a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunegate.errors import InputError
from prunegate.io.atomic import (
    BILL,
    PAGE,
    move_over,
    replace_file,
    require_new,
    whole_folder,
    write_each,
    write_folder,
    write_whole,
)


def test_a_file_appears_with_its_folders_and_may_be_read_by_all(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "file"
    write_whole(place, b"one")
    replace_file(place, b"two")
    assert place.read_bytes() == b"two"
    assert place.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in place.parent.iterdir()] == ["file"]


def test_a_place_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match=r"cannot be written \(File exists\)"):
        write_whole(tmp_path / "file" / "below", b"")
    with pytest.raises(OSError, match="File exists"):
        replace_file(tmp_path / "file" / "below", b"")


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / "link").symlink_to(precious)
    write_whole(tmp_path / "link", b"new")
    assert precious.read_bytes() == b"precious"
    assert not (tmp_path / "link").is_symlink()


def test_a_folder_stands_only_once_its_block_has_ended_well(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(KeyboardInterrupt):
        interrupted(folder)
    assert list(tmp_path.iterdir()) == []
    write_folder(folder, {"a": b"1", "b": b"2"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a": b"1", "b": b"2"}
    assert folder.stat().st_mode & 0o777 == 0o755
    with pytest.raises(OSError, match="not empty"):
        write_folder(folder, {})
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def interrupted(folder: Path) -> None:
    with whole_folder(folder) as making:
        (making / "half").write_bytes(b"")
        raise KeyboardInterrupt


def test_files_move_over_their_namesakes_and_leave_the_others(tmp_path: Path) -> None:
    write_folder(tmp_path / "new", {"a": b"new", "b": b"new"})
    (tmp_path / "old" / "b").mkdir(parents=True)
    (tmp_path / "old" / "c").write_bytes(b"old")
    move_over(tmp_path / "new", tmp_path / "old")
    found = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}
    assert found == {"a": b"new", "b": b"new", "c": b"old"}


@pytest.mark.parametrize("kind", [PAGE, BILL])
def test_force_writes_over_an_earlier_one_of_the_same_kind_only(
    tmp_path: Path, kind: bytes
) -> None:
    path = tmp_path / "file"
    require_new(path, force=False, kind=kind)
    path.write_bytes(b"  " + kind + b" and more")
    require_new(path, force=True, kind=kind)
    with pytest.raises(InputError, match="--force"):
        require_new(path, force=False, kind=kind)
    for other in (b"", b"client ssh-ed25519 AAAA", b"x" * 5000 + kind):
        path.write_bytes(other)
        with pytest.raises(InputError, match="no earlier one"):
            require_new(path, force=True, kind=kind)
        require_new(path, force=True)


def test_of_several_files_no_new_one_stays_where_one_cannot_be_written(tmp_path: Path) -> None:
    old, new, below = tmp_path / "old", tmp_path / "new", tmp_path / "old" / "below"
    old.write_bytes(b"")
    with pytest.raises(InputError, match="cannot be written"):
        write_each({old: b"again", new: b"new", below: b""})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"old": b"again"}
    write_each({old: b"1", new: b"2"})
    assert (old.read_bytes(), new.read_bytes()) == (b"1", b"2")
