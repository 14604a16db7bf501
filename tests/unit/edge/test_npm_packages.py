"""What others wrote is what was pinned, or what was given; nothing else gets into a page."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from prunegate.edge.npm_packages import RUNTIME, TOKENIZERS, NpmPackages, PinnedPackage
from prunegate.errors import InputError

TESTS = Path(__file__).parents[2] / "browser"
FILES = {
    "package.json": json.dumps({"name": RUNTIME.name, "version": "1.2.3"}).encode(),
    "dist/ort.wasm.bundle.min.mjs": b"export const a = 1;",
    "dist/ort-wasm-simd-threaded.wasm": b"\0asm",
}
ADVICE = f"npm install {RUNTIME.name}@{RUNTIME.version}"


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


def taken(folder: Path | None, wanted: PinnedPackage = RUNTIME) -> dict[str, bytes]:
    return NpmPackages(folder).take(wanted).files


@pytest.mark.parametrize("wanted", [RUNTIME, TOKENIZERS])
def test_the_tests_and_the_pages_have_one_version(wanted: PinnedPackage) -> None:
    named = json.loads((TESTS / "package.json").read_text())["dependencies"]
    assert named[wanted.name] == wanted.version
    lock = json.loads((TESTS / "package-lock.json").read_text())
    pinned = lock["packages"][f"node_modules/{wanted.name}"]
    assert pinned["integrity"] == f"sha512-{wanted.integrity}"
    assert pinned["version"] == wanted.version


def test_a_folder_of_the_package_is_taken_as_it_is(tmp_path: Path) -> None:
    modules = tmp_path / "node_modules"
    package = folder(modules / RUNTIME.name)
    wanted = {"runtime/ort.js": b"export const a = 1;", "runtime/ort.wasm": b"\0asm"}
    for place in (package, modules, package.with_name("axe-core")):  # itself, around or beside it
        assert NpmPackages(place).take(RUNTIME).version == "1.2.3"
        assert taken(place) == wanted


def test_any_other_folder_is_refused_with_the_command_to_type(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=ADVICE):
        taken(tmp_path / "nothing" / "there")
    other = folder(tmp_path / "other" / "ort", **{"package.json": b'{"name": "left-pad"}'})
    with pytest.raises(InputError, match="there is no npm package onnxruntime-web"):
        taken(other)
    broken = folder(tmp_path / "broken" / "ort", **{"package.json": b"{"})
    with pytest.raises(InputError, match="there is no npm package onnxruntime-web"):
        taken(broken)
    (folder(tmp_path / "part" / "ort") / "dist" / "ort-wasm-simd-threaded.wasm").unlink()
    with pytest.raises(InputError, match=r"threaded\.wasm: cannot be read"):
        taken(tmp_path / "part" / "ort")


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
        taken(None)
    digest = base64.b64encode(hashlib.sha512(made.getvalue()).digest()).decode()
    assert taken(None, replace(RUNTIME, integrity=digest))["runtime/ort.wasm"] == b"\0asm"
    asked = (tmp_path / "asked").read_text().split()
    assert asked == ["pack", f"{RUNTIME.name}@{RUNTIME.version}", "--ignore-scripts", "--silent"]


@pytest.mark.parametrize("program", ["echo no network >&2; exit 1", "exit 0"])
def test_npm_that_fails_or_is_missing_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    npm(tmp_path, monkeypatch, program)
    with pytest.raises(InputError, match=ADVICE):
        taken(None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=f"not installed here; type '{ADVICE}'"):
        taken(None)
