"""One digest for a folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from prunegate.errors import ModelError
from prunegate.models.digest import tree_digest, tree_files


def folder_with(root: Path, **content: str) -> Path:
    for name, text in content.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_digest_is_the_sha256_of_the_canonical_list(tmp_path: Path) -> None:
    folder_with(tmp_path, b="two", a="one", sub__c="")
    lines = [
        f'{{"path":"{path}","sha256":"{hashlib.sha256(raw).hexdigest()}","size":{len(raw)}}}'
        for path, raw in (("a", b"one"), ("b", b"two"), ("sub/c", b""))
    ]
    canonical = f"[{','.join(lines)}]".encode()
    assert tree_digest(tmp_path) == hashlib.sha256(canonical).hexdigest()


def test_the_digest_depends_on_names_and_bytes_only(tmp_path: Path) -> None:
    one = folder_with(tmp_path / "1", a="x", sub__b="y")
    other = folder_with(tmp_path / "2", sub__b="y", a="x")
    renamed = folder_with(tmp_path / "3", a="x", sub__c="y")
    changed = folder_with(tmp_path / "4", a="x", sub__b="z")
    assert tree_digest(one) == tree_digest(other)
    assert len({tree_digest(folder) for folder in (one, renamed, changed)}) == 3


def test_files_in_a_folder_and_beside_it_are_sorted_by_their_whole_path(tmp_path: Path) -> None:
    folder_with(tmp_path, sub__x="1")
    (tmp_path / "sub.txt").write_text("2")
    paths = [file.path for file in tree_files(tmp_path)]
    assert paths == sorted(paths) == ["sub.txt", "sub/x"]


@pytest.mark.parametrize("kind", ["link to a file", "link to a folder", "dangling", "pipe"])
def test_what_is_not_a_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    folder = folder_with(tmp_path / "model", a="x")
    outside = folder_with(tmp_path / "outside", b="y")
    if kind == "pipe":
        os.mkfifo(folder / "odd")
    else:
        target = {"link to a file": outside / "b", "link to a folder": outside}.get(kind, "none")
        (folder / "odd").symlink_to(target)
    with pytest.raises(ModelError, match=r"odd: a (symbolic link|named pipe).* replace it"):
        tree_digest(folder)


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="empty"):
        tree_digest(tmp_path)
    with pytest.raises(ModelError, match="no such folder"):
        tree_digest(tmp_path / "nowhere")


def test_a_name_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff")).write_text("x")
    with pytest.raises(ModelError, match="not valid Unicode"):
        tree_digest(tmp_path)


@pytest.mark.models
@pytest.mark.parametrize("name", ["README.md", "license.onnx", "notice", ".cache/x.bin"])
def test_what_the_digest_leaves_out_is_no_part_of_a_model(tmp_path: Path, name: str) -> None:
    from prunegate.models.snapshot import Snapshot

    folder = folder_with(tmp_path, **{name.replace("/", "__"): "weights", "a": "x"})
    with pytest.raises(ModelError, match="called like a paper, which the model's digest leaves"):
        Snapshot.of(folder).read(name)
