"""The sha256 of a file, and what has none."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from prunegate.errors import InputError, ModelError
from prunegate.io.hashing import file_sha256, has_changed, hash_file


@pytest.mark.parametrize("size", [0, 1, (1 << 20) + 1])
def test_it_is_the_sha256_of_all_the_bytes(tmp_path: Path, size: int) -> None:
    raw = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "file").write_bytes(raw[:size])
    found = hash_file(tmp_path / "file")
    assert found.sha256 == file_sha256(tmp_path / "file") == hashlib.sha256(raw[:size]).hexdigest()
    assert found.size == size
    assert not has_changed(found)
    (tmp_path / "file").unlink()
    assert has_changed(found)


def _written_to(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"y")


def _another_in_its_place(path: Path) -> None:
    path.with_name("other").write_bytes(b"y")
    path.with_name("other").replace(path)


def _another_and_back(path: Path) -> None:
    path.rename(path.with_name("kept"))
    path.write_bytes(b"y")
    path.with_name("kept").replace(path)


def _tick(path: Path) -> None:
    """Wait until a file that is written now has a later time than this one."""
    while True:
        path.with_name("clock").write_bytes(b"x")
        if path.with_name("clock").stat().st_ctime_ns > path.stat().st_ctime_ns:
            return


@pytest.mark.parametrize("swap", [_written_to, _another_in_its_place, _another_and_back])
def test_a_swap_is_seen_though_size_and_time_are_set_back(
    tmp_path: Path, swap: Callable[[Path], None]
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    before, found = (tmp_path / "file").stat(), hash_file(tmp_path / "file")
    _tick(tmp_path / "file")
    swap(tmp_path / "file")
    os.utime(tmp_path / "file", ns=(before.st_atime_ns, before.st_mtime_ns))
    after = (tmp_path / "file").stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert has_changed(found)


def test_a_link_is_followed_only_where_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert file_sha256(tmp_path / "link") == hashlib.sha256(b"x").hexdigest()
    with pytest.raises(ModelError, match="link: cannot be read"):
        hash_file(tmp_path / "link", follow=False, error=ModelError)


def test_what_is_no_file_has_no_hash(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        file_sha256(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"No such file.* check the path"):
        file_sha256(tmp_path / "none")
