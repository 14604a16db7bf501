"""Work folder: what a search has done so far, so that a killed one is taken up again.

It stands beside the output, hidden, and its name says everything that decides an attempt: the
policy, the models and rows by content, the seed, the program. An attempt's file appears whole or
not at all; a file that cannot be read, or is not this search's, is as good as absent. The folder
goes when the search has ended.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prunegate.audit.canonical import canonical_bytes, plain_json
from prunegate.audit.search_record import NotMade
from prunegate.errors import InputError
from prunegate.io.atomic import write_whole
from prunegate.models.load import LoadedModel, read_candidate
from prunegate.search.attempt import Attempt, Tried
from prunegate.text.said import Phrase, Said, said

FORMAT = "urn:prunegate:search-attempt:v1"
Losses = tuple[tuple[float, ...], ...]
"""Training losses of every fine-tuning."""


@dataclass(frozen=True, kw_only=True)
class KeptAttempt:
    """An attempt as it was kept."""

    attempt: Tried
    losses: Losses
    seen: tuple[tuple[int, int], ...] = ()
    """What it shows of all others: ``variation.seen_before``."""
    phrase: Phrase | None = None
    """What the reason says why it could not be made; None: it was made."""

    def __post_init__(self) -> None:
        """Take up the phrase of the reason, or give it back to one that was read again."""
        if not isinstance(self.attempt, NotMade):
            return
        reason = self.attempt.reason
        if isinstance(reason, Said):
            object.__setattr__(self, "phrase", reason.phrase)
        elif self.phrase is not None:
            again = said(self.phrase.kind, **self.phrase.values)
            if again == reason:
                object.__setattr__(self, "attempt", replace(self.attempt, reason=again))


@dataclass(frozen=True, kw_only=True)
class WorkFolder:
    """One search's attempts and candidates."""

    folder: Path
    key: str
    """sha256 of what decides an attempt."""

    def candidate(self, name: str) -> Path:
        """Where an attempt's candidate stands."""
        return self.folder / f"candidate-{name}"

    def fresh(self, name: str) -> Path:
        """The same place, empty: a candidate that was half made is removed."""
        self.discard(name)
        return self.candidate(name)

    def discard(self, name: str) -> None:
        """Remove a candidate that is not needed any more."""
        shutil.rmtree(self.candidate(name), ignore_errors=True)

    def load(self, name: str, attempt: Attempt) -> LoadedModel | None:
        """The candidate of an attempt; None where it is gone or is not the same any more."""
        try:
            model = read_candidate(self.candidate(name))
        except InputError:
            return None
        return model if model.digest == attempt.digest else None

    def keep(self, name: str, kept: KeptAttempt) -> None:
        """Write an attempt down.

        Raises:
            InputError: the folder cannot be written.
        """
        document = {"format": FORMAT, "key": self.key, "name": name, "kept": plain_json(kept)}
        sealed = {**document, "sha256": _digest(document)}
        write_whole(self.folder / f"attempt-{name}.json", canonical_bytes(sealed))

    def forget(self, name: str) -> None:
        """Remove what was written down of an attempt, where taking it up again leads nowhere."""
        (self.folder / f"attempt-{name}.json").unlink(missing_ok=True)

    def find(self, name: str) -> KeptAttempt | None:
        """An attempt made before; None where there is none that can be trusted."""
        from pydantic import TypeAdapter, ValidationError

        try:
            document = json.loads((self.folder / f"attempt-{name}.json").read_bytes())
            sealed = document.pop("sha256")
            mine = (document["format"], document["key"], document["name"])
            if mine != (FORMAT, self.key, name) or sealed != _digest(document):
                return None
            return TypeAdapter(KeptAttempt).validate_python(document["kept"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError):
            return None

    @property
    def attempts(self) -> int:
        """How many attempts are kept here."""
        return len(list(self.folder.glob("attempt-*.json")))


@contextmanager
def work_folder(parent: Path, decides: Any) -> Iterator[WorkFolder]:
    """Open the work folder of a search; it goes when the search ends without an exception.

    Args:
        parent: where output folders stand.
        decides: everything that decides an attempt, as plain JSON values.

    Raises:
        InputError: another search works there now, or the folder cannot be written.
    """
    key = _digest(decides)
    folder = parent / f".search-{key[:12]}"
    try:
        if folder.is_symlink() or folder.is_file():
            folder.unlink()  # not ours: ours is a folder
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        _lock(handle, folder)
        yield WorkFolder(folder=folder, key=key)
        shutil.rmtree(folder, ignore_errors=True)
    except BaseException:
        _leave_if_empty(folder)
        raise
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    """The system lets go of the lock when the process ends, however it ends."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise InputError(
            f"{folder}: the same search is at work there; wait for it, or choose another --out"
        ) from error


def _leave_if_empty(folder: Path) -> None:
    """Remove the folder of a search that kept no attempt: there is nothing to take up again."""
    if not any(folder.glob("attempt-*.json")):
        shutil.rmtree(folder, ignore_errors=True)


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_bytes(value)).hexdigest()
