"""One digest for a folder: what a signature over "the model" means.

The digest is the sha256 of the canonical JSON (RFC 8785) of the list of {path, size, sha256} of
every regular file but papers (README.md, LICENSE and the like, which no program reads), sorted by
path. A special file is refused, and so is a symbolic link that leads out of the folder (in the
hub's cache: out of the repository's blobs), because what it points to is nobody's model. Names
count: a renamed file changes the digest. An ONNX file by itself goes with what is named after it
and with the descriptions beside it. No torch here.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import rfc8785

from prunegate.errors import ModelError
from prunegate.io.hashing import FileHash, hash_file

CARD = "README.md"
"""The paper at the top of a model's folder that tells how it was judged."""
CARD_MARK = "<!-- prunegate: model card -->"
"""A line of every card that prunegate wrote, so that it may write it anew."""
_PAPERS = re.compile(
    r"(readme|licen[cs]e|notice|changelog|authors|citation)(\..*)?|.*\.md|\.git(attributes|ignore)",
    re.IGNORECASE,
)
_NAMED = 4
"""Files that a message names of those that differ."""
_DOWNLOADS = ".cache/"
"""What a download of the hub leaves in a folder: times and addresses."""
DESCRIPTIONS = (
    "config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
)
"""What belongs to an ONNX file that lies beside it."""


@dataclass(frozen=True, kw_only=True)
class FileDigest:
    """One regular file of a folder."""

    path: str
    """Relative to the folder, ``/`` between parts."""
    size: int
    """Bytes."""
    sha256: str
    """Lower-case hexadecimal."""


def is_paper(path: str) -> bool:
    """Whether a file of a folder is read by people only.

    >>> [is_paper(name) for name in ("README.md", "sub/LICENSE", "config.json", "merges.txt")]
    [True, True, False, False]
    """
    return path.startswith(_DOWNLOADS) or _PAPERS.fullmatch(path.rpartition("/")[2]) is not None


def refuse_paper(folder: Path, name: str) -> None:
    """Refuse a part of a model that no digest of the model would cover.

    Raises:
        ModelError: the file is called like a paper.
    """
    if is_paper(name):
        raise ModelError(
            f"{folder / name}: is a part of the model and called like a paper, which the model's "
            "digest leaves out; give the file another name."
        )


def hub_snapshot(folder: Path) -> Path:
    """The files of a repository in the hub's cache; any other folder is itself."""
    try:
        revision = (folder / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        return folder
    found = folder / "snapshots" / revision
    return found if revision and "/" not in revision and found.is_dir() else folder


def home_of(file: Path) -> Path:
    """The folder that an ONNX file's descriptions lie in: its own, or the one above ``onnx/``."""
    above = file.parent.parent
    nested = file.parent.name == "onnx" and not (file.parent / DESCRIPTIONS[0]).exists()
    return above if nested and (above / DESCRIPTIONS[0]).exists() else file.parent


def tree_files(folder: Path, *, links: bool = True) -> tuple[FileDigest, ...]:
    """Hash every file under ``folder``, sorted by path; of an ONNX file, what belongs to it.

    Args:
        folder: the folder, or the ONNX file.
        links: whether links that stay inside are followed.

    Raises:
        ModelError: no such folder, nothing in it, or something that is not a regular file inside.
    """
    folder = hub_snapshot(folder)
    alone = folder.is_file() and folder.suffix == ".onnx"
    if not alone and not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; give the folder that holds the model's files.")
    paths = _belonging(folder) if alone else _walk(folder)
    folder = home_of(folder) if alone else folder
    roots, found = _roots(folder) if links else (), []
    for path in paths:
        file, name = _hash(path, roots), path.relative_to(folder).as_posix()
        found.append(FileDigest(path=name, size=file.size, sha256=file.sha256))
    if not found:
        raise ModelError(f"{folder}: the folder is empty; give the folder of a saved model.")
    return tuple(sorted(found, key=lambda file: file.path))


def tree_digest(folder: Path) -> str:
    """Return the digest of a folder, 64 lower-case hexadecimal characters.

    Raises:
        ModelError: as ``tree_files``, nothing but papers, or a file name that is not valid Unicode.
    """
    files = tree_files(folder)
    if all(is_paper(file.path) for file in files):
        raise ModelError(f"{folder}: holds nothing but papers; give the folder of a saved model.")
    return list_digest(files)


def list_digest(files: Sequence[FileDigest], *, papers: bool = False) -> str:
    """Return the digest of a folder whose files were hashed already.

    Args:
        files: of the whole folder, sorted by path.
        papers: as it was worked out before papers were left out.

    Raises:
        ModelError: a file's name is not valid Unicode.
    """
    try:
        covered = [asdict(file) for file in files if papers or not is_paper(file.path)]
        canonical = rfc8785.dumps(covered)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise ModelError(
            "a file name is not valid Unicode and cannot be signed; rename it."
        ) from error
    return hashlib.sha256(canonical).hexdigest()


def digests_by_path(files: Sequence[FileDigest]) -> dict[str, str]:
    """The sha256 of every file that a model's digest covers."""
    return {file.path: file.sha256 for file in files if not is_paper(file.path)}


def difference_in_words(before: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Which files two folders differ in, by what ``digests_by_path`` says of them.

    >>> difference_in_words({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"})
    'b differs, c is new'
    """
    changed = sorted(path for path in before.keys() & here.keys() if before[path] != here[path])
    missing, new = sorted(before.keys() - here.keys()), sorted(here.keys() - before.keys())
    told = [f"{path} differs" for path in changed]
    told += [f"{path} is missing" for path in missing] + [f"{path} is new" for path in new]
    more = [f"and {len(told) - _NAMED} more"] if len(told) > _NAMED else []
    return ", ".join([*told[:_NAMED], *more])


def _walk(folder: Path) -> list[Path]:
    """List everything below ``folder`` that is not a folder, following no links."""
    found: list[Path] = []
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            found.extend(_walk(entry))
        else:
            found.append(entry)
    return found


def _belonging(file: Path) -> list[Path]:
    """An ONNX file, its external data (``model.onnx.data``, ``model.onnx_data``), descriptions."""
    named = [one for one in sorted(file.parent.iterdir()) if one.name.startswith(file.name)]
    described = [home_of(file) / name for name in DESCRIPTIONS]
    return [*named, *(path for path in described if path.exists())]


def _roots(folder: Path) -> tuple[Path, ...]:
    """Where links may lead: into the folder itself; from a snapshot of the hub, into its blobs."""
    real = folder.resolve()
    blobs = real.parent.parent / "blobs"
    return (real, blobs) if real.parent.name == "snapshots" else (real,)


def refuse_irregular(place: Path) -> None:
    """Refuse a folder, or an ONNX file, with something in it that no digest can cover.

    Raises:
        ModelError: a link that leads out of it, or a special file.
    """
    place = hub_snapshot(place)
    alone = place.is_file()
    if alone:
        refuse_paper(place.parent, place.name)
    roots = _roots(home_of(place) if alone else place)
    for path in _belonging(place) if alone else _walk(place):
        _regular(path, roots)


def _hash(path: Path, roots: tuple[Path, ...]) -> FileHash:
    # The name may have become a link since it was looked at.
    return hash_file(_regular(path, roots), follow=False, error=ModelError)


def _regular(path: Path, roots: tuple[Path, ...]) -> Path:
    """The regular file that a path is, or links to inside the roots."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            real = path.resolve()
            if real.is_file() and any(real.is_relative_to(root) for root in roots):
                path, mode = real, real.lstat().st_mode
    except (OSError, RuntimeError) as error:  # RuntimeError: links that go round in a circle
        reason = getattr(error, "strerror", None) or "links in a circle"
        raise ModelError(f"{path}: cannot be read ({reason}); copy the file again.") from error
    if not stat.S_ISREG(mode):
        raise ModelError(
            f"{path}: a {_kind(mode)}, not a regular file, so its content cannot be vouched "
            "for; replace it by the file itself (cp -rL copies what links point to)."
        )
    return path


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "symbolic link"
    if stat.S_ISFIFO(mode):
        return "named pipe"
    return "folder" if stat.S_ISDIR(mode) else "special file"
