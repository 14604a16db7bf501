"""The runtime is the one that was pinned, or one that was given; nothing else gets into a page."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from prunegate.edge import runtime_package as module
from prunegate.edge.runtime_package import PACKAGE, VERSION, runtime_package
from prunegate.errors import InputError

TESTS = Path(__file__).parents[2] / "browser"
FILES = {
    "package.json": json.dumps({"name": PACKAGE, "version": "1.2.3"}).encode(),
    "dist/ort.wasm.bundle.min.mjs": b"export const a = 1;",
    "dist/ort-wasm-simd-threaded.wasm": b"\0asm",
}
ADVICE = f"npm install {PACKAGE}@{VERSION}"


def folder(place: Path, **other: bytes) -> Path:
    for name, raw in {**FILES, **other}.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(raw)
    return place


def npm(place: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """A program called npm, and no other on the path but the shell's own."""
    (place / "bin").mkdir()
    (place / "bin" / "npm").write_text(f"#!/bin/sh\n{program}\n")
    (place / "bin" / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place / 'bin'}:/usr/bin:/bin")


def test_the_tests_and_the_pages_have_one_version() -> None:
    assert json.loads((TESTS / "package.json").read_text())["dependencies"][PACKAGE] == VERSION
    lock = json.loads((TESTS / "package-lock.json").read_text())
    (pinned,) = (one for name, one in lock["packages"].items() if name.endswith(f"/{PACKAGE}"))
    assert pinned["integrity"] == f"sha512-{module.INTEGRITY}"
    assert pinned["version"] == VERSION


def test_a_folder_of_the_package_is_taken_as_it_is(tmp_path: Path) -> None:
    found = runtime_package(folder(tmp_path / "ort"))
    assert found.version == "1.2.3"
    assert found.files == {"runtime/ort.js": b"export const a = 1;", "runtime/ort.wasm": b"\0asm"}


def test_any_other_folder_is_refused_with_the_command_to_type(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=ADVICE):
        runtime_package(tmp_path / "nothing")
    other = folder(tmp_path / "other", **{"package.json": b'{"name": "left-pad"}'})
    with pytest.raises(InputError, match="is not the npm package onnxruntime-web"):
        runtime_package(other)
    broken = folder(tmp_path / "broken", **{"package.json": b"{"})
    with pytest.raises(InputError, match="cannot be read"):
        runtime_package(broken)
    (folder(tmp_path / "part") / "dist" / "ort-wasm-simd-threaded.wasm").unlink()
    with pytest.raises(InputError, match=r"threaded\.wasm: cannot be read"):
        runtime_package(tmp_path / "part")


def test_npm_gives_what_was_published_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, raw in FILES.items():
            about = tarfile.TarInfo(f"package/{name}")
            about.size = len(raw)
            archive.addfile(about, io.BytesIO(raw))
    (tmp_path / "made.tgz").write_bytes(made.getvalue())
    npm(tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/asked; cp {tmp_path}/made.tgz x.tgz')
    with pytest.raises(InputError, match=r"another onnxruntime-web .* than was published"):
        runtime_package(None)
    digest = base64.b64encode(hashlib.sha512(made.getvalue()).digest()).decode()
    monkeypatch.setattr(module, "INTEGRITY", digest)
    assert runtime_package(None).files["runtime/ort.wasm"] == b"\0asm"
    asked = (tmp_path / "asked").read_text().split()
    assert asked == ["pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts", "--silent"]


@pytest.mark.parametrize("program", ["echo no network >&2; exit 1", "exit 0"])
def test_npm_that_fails_or_is_missing_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    npm(tmp_path, monkeypatch, program)
    with pytest.raises(InputError, match=ADVICE):
        runtime_package(None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=f"not installed here; type '{ADVICE}'"):
        runtime_package(None)
