"""Loading a claims file: bytes to ``Stated``, or every mistake in it at once with file and line."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path as FilePath

from prunegate.errors import ClaimsError
from prunegate.policy.claims import ClaimsFile, Stated
from prunegate.policy.file_bytes import as_text, bounded_bytes, mistake_lines
from prunegate.policy.validation import Mistake, Path, validate_as
from prunegate.policy.yaml.document import read_yaml
from prunegate.text.escape import escaped

NOT_FIGURES = ("claims", "about", "model")
"""Keys whose numbers are plain numbers: only figures keep their digits."""
SUFFIX = ".claims.yaml"
"""What a claims file beside a policy is called."""
_HINT = "a claims file begins with 'claims: 1' and states figures such as 'heads: {before: 144}'"


@dataclass(frozen=True, kw_only=True)
class ClaimsSource:
    """Stated figures and the very file that they came from."""

    stated: Stated
    path: FilePath
    sha256: str
    """Of the file's bytes, lower-case hexadecimal."""


def read_claims(path: str | os.PathLike[str]) -> ClaimsSource:
    """The figures in a claims file.

    Raises:
        ClaimsError: the file has mistakes; every one is listed with file and line.
        InputError: there is no such file, or it cannot be read.
    """
    place = FilePath(path)
    data = bounded_bytes(place, kind="a claims file", hint=_HINT)
    stated = parse_claims(as_text(data, place, ClaimsError), source=str(place))
    return ClaimsSource(stated=stated, path=place, sha256=hashlib.sha256(data).hexdigest())


def parse_claims(text: str, source: str = "claims.yaml") -> Stated:
    """The figures in a text; ``source`` is the file name that mistakes are reported under.

    Raises:
        ClaimsError: the text has mistakes; every one is listed, in the order of the lines.
    """
    document = read_yaml(text, _is_figure)
    found: ClaimsFile | None = None
    mistakes: list[Mistake] = []
    if document.value is not None:
        found, mistakes = validate_as(ClaimsFile, document.value)
    lines = mistake_lines(document, mistakes)
    if found is None or lines:
        name = escaped(source)
        raise ClaimsError([f"{name}:{line}: {words}" for line, _, words in lines])
    return found.stated


def _is_figure(path: Path) -> bool:
    return path[:1] not in [(key,) for key in NOT_FIGURES]


def is_figure_of_policy(path: Path) -> bool:
    """Whether a place of a policy file holds a stated figure."""
    return path[:2] == ("claims", "figures") and _is_figure(path[2:])
