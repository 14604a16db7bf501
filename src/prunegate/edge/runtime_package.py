"""Runtime: the two files of the npm package onnxruntime-web that a page needs, and where from.

They are taken from a folder of the package, or fetched with npm when a page is made: this version
and no other, checked against the digest that stands here. Pinned here and, for the tests, in
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prunegate.errors import InputError

PACKAGE = "onnxruntime-web"
VERSION = "1.30.0"
INTEGRITY = (
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
)
"""sha512 of the package as npm publishes it."""
SCRIPT, PROGRAM = "runtime/ort.js", "runtime/ort.wasm"
"""Their places in a page's folder; servers know what these endings mean."""
_FROM = {
    SCRIPT: "dist/ort.wasm.bundle.min.mjs",
    PROGRAM: "dist/ort-wasm-simd-threaded.wasm",
}
_WAIT_S = 600
_ADVICE = (
    f"type 'npm install {PACKAGE}@{VERSION}' and give the folder that this makes: "
    f"--runtime-from node_modules/{PACKAGE}"
)


@dataclass(frozen=True, kw_only=True)
class RuntimePackage:
    """onnxruntime-web as a page needs it."""

    version: str
    files: dict[str, bytes]
    """By their places in a page's folder."""


def runtime_package(folder: Path | None) -> RuntimePackage:
    """Take the runtime from a folder of the package, else fetch the pinned version with npm.

    Raises:
        InputError: no such package there, no npm, or another package than was pinned.
    """
    return _fetched() if folder is None else _in_folder(folder)


def _in_folder(folder: Path) -> RuntimePackage:
    def read(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except OSError as error:
            raise InputError(
                f"{folder / name}: cannot be read ({error.strerror}), so {folder} is no folder of "
                f"the npm package {PACKAGE}; {_ADVICE}"
            ) from error

    return _read_with(read, str(folder))


def _fetched() -> RuntimePackage:
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(f"the runtime comes from npm, which is not installed here; {_ADVICE}")
    with tempfile.TemporaryDirectory() as place:
        raw = _packed(npm, Path(place))
    if base64.b64encode(hashlib.sha512(raw).digest()).decode() != INTEGRITY:
        raise InputError(
            f"npm gave another {PACKAGE} {VERSION} than was published; ask whoever runs your "
            "registry, or take the package from elsewhere: --runtime-from FOLDER"
        )
    return _in_archive(raw)


def _packed(npm: str, place: Path) -> bytes:
    """The package as npm publishes it; nothing of it is run."""
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts", "--silent"]
    try:
        done = subprocess.run(  # noqa: S603  # npm, and a name and version of our own
            command, cwd=place, capture_output=True, text=True, check=False, timeout=_WAIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"npm fetched nothing ({error}); {_ADVICE}") from error
    found = list(place.glob("*.tgz"))
    if done.returncode or len(found) != 1:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(f"npm fetched nothing ({last}); is there a network? Else {_ADVICE}")
    return found[0].read_bytes()


def _in_archive(raw: bytes) -> RuntimePackage:
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:

        def read(name: str) -> bytes:
            file = archive.extractfile(f"package/{name}")
            assert file is not None  # noqa: S101  # its digest was checked
            return file.read()

        return _read_with(read, PACKAGE)


def _read_with(read: Callable[[str], bytes], where: str) -> RuntimePackage:
    try:
        said = json.loads(read("package.json"))
    except ValueError as error:
        raise InputError(
            f"{where}: its package.json cannot be read ({error}); {_ADVICE}"
        ) from error
    if not isinstance(said, dict) or said.get("name") != PACKAGE:
        raise InputError(f"{where}: is not the npm package {PACKAGE}; {_ADVICE}")
    files = {place: read(name) for place, name in _FROM.items()}
    return RuntimePackage(version=str(said.get("version")), files=files)
