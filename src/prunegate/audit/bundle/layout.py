"""Layout: what lies where in a bundle, and how its bytes come to be in a folder or a zip.

::

    manifest.json                path, size and sha256 of every other file (RFC 8785)
    record.json, report.html     the decision, and its page
    decision.json, .tlog-proof   its entry in the log (a DSSE envelope), and the proof that it is in
    test-result.intoto.json      the same for other policy engines
    entries/<kind>-<digest>.*    approvals, enrolments, revocations, waivers, seals, each with proof
    checkpoint, trust.policy     the log's state, and whose signatures count
    older-checkpoint, consistency    that the log only grew since then
    allowed_signers, keys/       who may approve, who decides
    predictions/                 the files that were judged, where they were given
    verify_record.py, README.txt     how to check all this

The same content gives the same bytes: names are sorted, times fixed, nothing of this machine is in.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.log.durable_files import read_regular, sync_folder, write_durably
from prunegate.audit.log.tlog_proof import SUFFIX
from prunegate.errors import EvidenceError, InputError
from prunegate.io.atomic import write_folder
from prunegate.text.escape import escaped

MANIFEST, DECISION, CHECKPOINT, TRUST = (
    "manifest.json",
    "decision.json",
    "checkpoint",
    "trust.policy",
)
OLDER, CONSISTENCY, SIGNERS = "older-checkpoint", "consistency", "allowed_signers"
ENTRIES, KEYS, PREDICTIONS = "entries/", "keys/", "predictions/"
VERIFIER, README = "verify_record.py", "README.txt"
_NAMES = re.compile(
    r"(?:manifest|record|decision|test-result\.intoto)\.json|decision\.tlog-proof|report\.html|"
    r"(?:older-)?checkpoint|consistency|trust\.policy|allowed_signers|verify_record\.py|README\.txt|"
    r"entries/[a-z]+-[0-9a-z]+\.(?:json|tlog-proof)|keys/[0-9a-f]{64}\.pub|predictions/\d+\.?\w*",
    re.ASCII,
)
"""Every name that a file may have: nothing vouches for any other."""
LARGEST = 1 << 30
"""Bytes of all files together."""
MOST = 10_000
"""Files."""

_TIME = (1980, 1, 1, 0, 0, 0)


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """The canonical list of every file but the manifest itself."""
    return canonical_bytes(
        [
            {"path": name, "size": len(files[name]), "sha256": sha256(files[name])}
            for name in sorted(files)
            if name != MANIFEST
        ]
    )


def require_names(files: Mapping[str, bytes]) -> None:
    """That there is no file beside those that an export writes.

    Raises:
        EvidenceError: there is one; the message names it.
    """
    for name in sorted(files):
        if not _NAMES.fullmatch(name):
            raise EvidenceError(
                f"{escaped(name)}: is no file of a bundle; nothing vouches for it, take it out"
            )
        if name.endswith(SUFFIX) and name.removesuffix(SUFFIX) + ".json" not in files:
            raise EvidenceError(f"{escaped(name)}: proves nothing: its entry is not here")


def write_bundle(files: Mapping[str, bytes], out: Path) -> None:
    """Write a bundle to a new folder, or a new zip where the name ends so.

    Raises:
        InputError: it exists already, or cannot be written.
    """
    if out.exists() and (out.suffix == ".zip" or not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: exists already; give a new name")
    try:
        if out.suffix == ".zip":
            out.parent.mkdir(parents=True, exist_ok=True)
            write_durably(out, zipped(files))
            sync_folder(out.parent)
            return
        write_folder(out, files)
    except OSError as error:
        raise InputError(f"{out}: the bundle cannot be written ({error.strerror})") from error


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of the files that has no other bytes than theirs, stored as they are."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _TIME)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, files[name])
    return content.getvalue()


def read_bundle(path: Path) -> dict[str, bytes]:
    """Every file of a bundle by its name; nothing is unpacked to disk.

    Raises:
        InputError: there is no such folder or zip.
        EvidenceError: it holds links, names that lead elsewhere or occur twice, or too much.
    """
    if path.is_dir() and any((path / name).exists() for name in (MANIFEST, DECISION)):
        return _of_folder(path)
    if not path.is_file():
        page = path / "report.html"
        hint = f"; its report by itself: prunegate verify {page}" if page.is_file() else ""
        raise InputError(
            f"{escaped(str(path))}: no bundle; give the folder or zip of an export{escaped(hint)}"
        )
    return _of_zip(path)


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _of_folder(path: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = LARGEST
    for folder, folders, names in os.walk(path):
        for name in folders:
            if (Path(folder) / name).is_symlink():
                raise EvidenceError(f"{escaped(name)}: a link; a bundle holds plain files only")
        for name in sorted(names):
            file = Path(folder) / name
            shown = _checked(file.relative_to(path).as_posix(), files)
            try:
                files[shown] = read_regular(file, left)
            except (InputError, OSError) as error:
                raise EvidenceError(f"{escaped(shown)}: no plain file, or too large") from error
            left -= len(files[shown])
    return files


def _of_zip(path: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    if path.stat().st_size > LARGEST:
        raise EvidenceError(f"larger than the {LARGEST:,} bytes that a bundle may have")
    try:
        with zipfile.ZipFile(path) as archive:
            every = archive.infolist()
            if sum(info.file_size for info in every) > LARGEST:
                raise EvidenceError(f"larger than the {LARGEST:,} bytes that a bundle may have")
            if min((info.header_offset for info in every), default=0) or not _ends(path):
                raise EvidenceError(
                    f"{escaped(path.name)}: has bytes before or after the zip, which nothing "
                    "vouches for; take the file as it was exported"
                )
            for info in every:
                name = _checked(info.filename, files)
                if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
                    raise EvidenceError(f"{escaped(name)}: a link or device; plain files only")
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise EvidenceError(
                        f"{escaped(name)}: packed in a way that is not read; take the file as it "
                        "was exported"
                    )
                files[name] = archive.read(info)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError) as error:
        raise EvidenceError(f"the zip is damaged ({escaped(str(error))})") from error
    return files


def _ends(path: Path) -> bool:
    """Whether a zip's directory is the end of its file: 22 bytes, without a comment."""
    return path.read_bytes()[-22:-18] == b"PK\5\6"


def _checked(name: str, files: Mapping[str, bytes]) -> str:
    parts = name.split("/")
    if "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise EvidenceError(f"{escaped(name)}: a name that leads out of the bundle, or is none")
    if name in files:
        raise EvidenceError(f"{escaped(name)}: is there twice")
    if len(files) >= MOST:
        raise EvidenceError(f"more than the {MOST:,} files that a bundle may have")
    return name
