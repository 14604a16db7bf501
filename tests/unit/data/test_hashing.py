"""Hashing: the bytes' sha256, and a change is noticed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from prunegate.data.file_hashes import hash_files, require_unchanged
from prunegate.errors import TableError


def write(folder: Path, *contents: bytes) -> list[Path]:
    paths = [folder / f"{number}.bin" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def test_it_is_the_sha256_of_the_bytes_in_the_order_given(tmp_path: Path) -> None:
    contents = [b"", b"a", b"b" * (3 << 20)]
    paths = write(tmp_path, *contents)
    steps: list[int] = []
    found = hash_files([*paths, paths[0]], advance=steps.append)
    expected = [hashlib.sha256(content).hexdigest() for content in (*contents, b"")]
    assert [hashed.sha256 for hashed in found] == expected
    assert [hashed.size for hashed in found] == [0, 1, 3 << 20, 0]
    assert sum(steps) == 3


def test_an_unchanged_file_passes_and_a_changed_one_does_not(tmp_path: Path) -> None:
    paths = write(tmp_path, *(bytes([n]) for n in range(7)))
    hashes = hash_files(paths)
    require_unchanged(hashes)
    for path in paths[:5]:
        path.write_bytes(b"longer")
    os.utime(paths[5], ns=(1, 1))
    paths[6].unlink()
    with pytest.raises(TableError, match=r"0\.bin.* and 2 more"):
        require_unchanged(hashes)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, words in (
        ("none", "No such file"),
        ("pipe", "not a regular file"),
        (".", "Is a directory"),
    ):
        with pytest.raises(TableError, match=words):
            hash_files([tmp_path / name])
