"""Policy files on a disk: their bytes, links, and paths that are none."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from prunegate.errors import InputError, PolicyError
from prunegate.policy.load import load_policy, parse_policy, read_policy


def test_a_policy_file_remembers_its_own_bytes(tmp_path: Path, example: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(example.encode())
    source = read_policy(path)
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (source.text, source.folder, source.path) == (example, tmp_path, path)
    assert source.policy == load_policy(str(path)) == parse_policy(example)


def test_a_link_to_a_policy_is_read(tmp_path: Path, example: str) -> None:
    (tmp_path / "p.yaml").write_text(example)
    (tmp_path / "link.yaml").symlink_to("p.yaml")
    assert read_policy(tmp_path / "link.yaml").path.name == "link.yaml"


def test_mistakes_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("a: 1\n")
    with pytest.raises(PolicyError) as error:
        load_policy(path)
    assert all(line.startswith(f"{path}:1: ") for line in error.value.mistakes)


def test_a_missing_file_says_how_to_start(tmp_path: Path) -> None:
    path = tmp_path / "nope.yaml"
    with pytest.raises(InputError) as error:
        load_policy(path)
    assert str(error.value) == (
        f"{path}: no such file; 'prunegate policy new {path}' writes one to start from"
    )


def test_a_folder_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a regular file; give the path of a policy file"):
        load_policy(tmp_path)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_impossible_paths_are_bad_input(name: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_policy(name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_bad_input(tmp_path: Path, example: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(example)
    path.chmod(0)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        load_policy(path)
