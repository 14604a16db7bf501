"""One digest for a folder: what a signature over "the model" means.

The digest is the sha256 of the canonical JSON (RFC 8785) of the list of {path, size, sha256} of
every regular file, sorted by path. A symbolic link or a special file is refused, because what it
points to can change without the digest noticing. Names count: a renamed file changes the digest.
The README.md at the top is a paper and left out: no program that loads a model reads it, and a card
that tells how the model was judged cannot be among what is judged. No torch here.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import rfc8785

from prunegate.errors import ModelError
from prunegate.io.hashing import FileHash, hash_file

CARD = "README.md"
"""The paper at the top of a model's folder."""
CARD_MARK = "<!-- prunegate: model card -->"
"""A line of every card that prunegate wrote, so that it may write it anew."""


@dataclass(frozen=True, kw_only=True)
class FileDigest:
    """One regular file of a folder."""

    path: str
    """Relative to the folder, ``/`` between parts."""
    size: int
    """Bytes."""
    sha256: str
    """Lower-case hexadecimal."""


def tree_files(folder: Path) -> tuple[FileDigest, ...]:
    """Hash every file under ``folder``, sorted by path.

    Raises:
        ModelError: no such folder, nothing in it, or something that is not a regular file.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; give the folder that holds the model's files.")
    found = []
    for path in _walk(folder):
        file, name = _hash(path), path.relative_to(folder).as_posix()
        found.append(FileDigest(path=name, size=file.size, sha256=file.sha256))
    if not found:
        raise ModelError(f"{folder}: the folder is empty; give the folder of a saved model.")
    return tuple(sorted(found, key=lambda file: file.path))


def tree_digest(folder: Path) -> str:
    """Return the digest of a folder, 64 lower-case hexadecimal characters.

    Raises:
        ModelError: as ``tree_files``, nothing but a README.md, or a file name that is not valid
            Unicode.
    """
    files = tree_files(folder)
    if all(file.path == CARD for file in files):
        raise ModelError(f"{folder}: holds nothing but papers; give the folder of a saved model.")
    return list_digest(files)


def list_digest(files: Sequence[FileDigest], *, papers: bool = False) -> str:
    """Return the digest of a folder whose files were hashed already.

    Args:
        files: of the whole folder, sorted by path.
        papers: as it was worked out before the README.md was left out.
    """
    try:
        covered = [asdict(file) for file in files if papers or file.path != CARD]
        canonical = rfc8785.dumps(covered)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise ModelError(
            "a file name is not valid Unicode and cannot be signed; rename it."
        ) from error
    return hashlib.sha256(canonical).hexdigest()


def _walk(folder: Path) -> list[Path]:
    """List everything below ``folder`` that is not a folder, following no links."""
    found: list[Path] = []
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            found.extend(_walk(entry))
        else:
            found.append(entry)
    return found


def _hash(path: Path) -> FileHash:
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}).") from error
    if not stat.S_ISREG(mode):
        raise ModelError(
            f"{path}: a {_kind(mode)}, not a regular file, so its content cannot be vouched "
            "for; replace it by the file itself (cp -rL copies what links point to)."
        )
    # The name may have become a link since it was looked at.
    return hash_file(path, follow=False, error=ModelError)


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "symbolic link"
    if stat.S_ISFIFO(mode):
        return "named pipe"
    return "folder" if stat.S_ISDIR(mode) else "special file"
