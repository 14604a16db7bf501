"""Loading a policy file: bytes to ``Policy``, or every mistake in it at once with file and line.

Three readers look at the same file: ``yaml.py`` (may this text be here), ``validation.py`` (does
each part have the right shape) and ``checks.py`` (do the parts agree). A file is opened once and
read once; what was judged is what the digest names.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath

from prunegate.errors import InputError, PolicyError
from prunegate.policy.checks import disagreements
from prunegate.policy.events import REFUSED
from prunegate.policy.model import Policy
from prunegate.policy.salvage import salvage
from prunegate.policy.validation import Mistake, Path, validate
from prunegate.policy.wording import inert, show_path
from prunegate.policy.yaml import MAX_BYTES, TOO_LONG, Document, read

Line = tuple[int, int, str]
"""Line, column and words of one mistake; sorts into the file's order."""


@dataclass(frozen=True, kw_only=True)
class PolicyFile:
    """A policy and the very file that it came from."""

    policy: Policy
    path: FilePath
    """As given; paths inside the policy are relative to ``folder``."""
    text: str
    sha256: str
    """Of the file's bytes, lower-case hexadecimal."""

    @property
    def folder(self) -> FilePath:
        """Where relative paths in the policy start."""
        return self.path.parent


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """The policy in a file.

    Raises:
        PolicyError: the file has mistakes; every one is listed with file and line.
        InputError: there is no such file, or it cannot be read.
    """
    return read_policy(path).policy


def read_policy(path: str | os.PathLike[str]) -> PolicyFile:
    """The policy in a file, with the file's text and digest; raises as ``load_policy`` does."""
    place = FilePath(path)
    data = _bytes(place)
    source = inert(str(place))
    if len(data) > MAX_BYTES:
        raise PolicyError([f"{source}:1: {TOO_LONG}"])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PolicyError([f"{source}:{line}: not UTF-8; save the file as UTF-8"]) from None
    policy = parse_policy(text, source=str(place))
    digest = hashlib.sha256(data).hexdigest()
    return PolicyFile(policy=policy, path=place, text=text, sha256=digest)


def parse_policy(text: str, source: str = "policy.yaml") -> Policy:
    """The policy in a text; ``source`` is the file name that mistakes are reported under.

    Raises:
        PolicyError: the text has mistakes; every one is listed, in the order of the lines.
    """
    document = read(text)
    policy, mistakes = (None, []) if document.value is None else _examine(document.value)
    lines = sorted(
        {*_flaw_lines(document), *(_line(document, mistake) for mistake in mistakes)},
    )
    if policy is None or lines:
        name = inert(source)
        raise PolicyError([f"{name}:{line}: {words}" for line, _, words in lines])
    return policy


def _examine(value: dict[str, object]) -> tuple[Policy | None, list[Mistake]]:
    policy, mistakes = validate(value)
    if policy is not None:
        mistakes += [Mistake(path=path, message=words) for path, words in disagreements(policy)]
    elif rest := salvage(value, [mistake.path for mistake in mistakes]):
        mistakes += [
            Mistake(path=path, message=words)
            for path, words in disagreements(rest.policy, rest.sections)
            if not rest.doubts(path)
        ]
    reported = [mistake for mistake in mistakes if not _is_refused(value, mistake.path)]
    return policy, reported


def _is_refused(value: object, path: Path) -> bool:
    """Whether the reader refused this very value and said so."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
    return value is REFUSED


def _line(document: Document, mistake: Mistake) -> Line:
    mark = document.locate(mistake.path)
    where = show_path(mistake.path)
    return (*mark, f"{where}: {mistake.message}" if where else mistake.message)


def _flaw_lines(document: Document) -> Iterator[Line]:
    for flaw in document.flaws:
        where = show_path(flaw.path)
        yield (*flaw.mark, f"{where}: {flaw.message}" if where else flaw.message)


def _bytes(path: FilePath) -> bytes:
    """The bytes, at most one more than allowed; a FIFO or device is refused, not waited for."""
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to returns at once
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        hint = f"'prunegate policy new {inert(str(path))}' writes one to start from"
        raise InputError(f"{inert(str(path))}: no such file; {hint}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{inert(str(path))}: cannot be read: {reason}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        hint = "give the path of a policy file"
        raise InputError(f"{inert(str(path))}: not a regular file; {hint}")
    with os.fdopen(handle, "rb") as file:
        return file.read(MAX_BYTES + 1)
