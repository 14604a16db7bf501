"""Loading a policy file: bytes to ``Policy``, or every mistake in it at once with file and line.

Three readers look at the same file: ``yaml/`` (may this text be here), ``validation.py`` (does each
part have the right shape) and ``consistency.py`` (do the parts agree). A file is opened once and
read once; what was judged is what the digest names.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path as FilePath

from prunegate.errors import InputError, PolicyError
from prunegate.policy.consistency import disagreements
from prunegate.policy.file_bytes import as_text, bounded_bytes, mistake_lines
from prunegate.policy.load_claims import SUFFIX, ClaimsSource, is_figure_of_policy, read_claims
from prunegate.policy.partial import salvage
from prunegate.policy.place import public_place
from prunegate.policy.schema import Policy
from prunegate.policy.task import Role, Thresholds
from prunegate.policy.validation import Mistake, validate_values
from prunegate.policy.yaml.document import read_yaml
from prunegate.text.escape import escaped


@dataclass(frozen=True, kw_only=True)
class PolicyFile:
    """A policy and the very file that it came from."""

    policy: Policy
    path: FilePath
    """As given; paths inside the policy are relative to ``folder``."""
    text: str
    sha256: str
    """Of the file's bytes, lower-case hexadecimal."""
    claims: ClaimsSource | None = None
    """The file of stated figures that was read beside it."""

    @property
    def folder(self) -> FilePath:
        """Where relative paths in the policy start."""
        return self.path.parent

    def model_place(self, role: Role) -> FilePath | None:
        """The folder or file of a model; None: the policy names none, or it is not there."""
        said = self.policy.model.source_of(role) if self.policy.model else None
        place = None if said is None else self.folder / said.path
        return place if place is not None and place.exists() else None

    def rewound_places(self) -> dict[str, FilePath]:
        """Folders of the earlier weights that steps put back: ``initial``, ``early`` or both."""
        asked = {step.prune.rewind for step in self.policy.compress if step.prune}
        named = {when: getattr(self.policy.model, when, None) for when in sorted(asked)}
        return {when: self.folder / place for when, place in named.items() if place is not None}

    def weight_places(self) -> tuple[FilePath, ...]:
        """Folders whose weights a candidate is made of: the baseline's and those put back."""
        baseline = self.model_place("baseline")
        return (*(() if baseline is None else (baseline,)), *self.rewound_places().values())

    def public_place(self, role: Role) -> str:
        """What a record calls that folder or file; empty: the policy names none."""
        said = self.policy.model.source_of(role) if self.policy.model else None
        return "" if said is None else public_place(said.path)


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
    hint = f"'prunegate policy new {escaped(str(place))}' writes one to start from"
    data = bounded_bytes(place, kind="a policy file", hint=hint)
    text = as_text(data, place)
    policy = parse_policy(text, source=str(place))
    digest = hashlib.sha256(data).hexdigest()
    claims = _figures_beside(policy, place)
    policy = _with_figures(policy, claims)
    return PolicyFile(policy=policy, path=place, text=text, sha256=digest, claims=claims)


def readable_text(path: FilePath) -> str:
    """The text of a policy, with mistakes or without; empty: the file is none, or not readable."""
    try:
        text = as_text(bounded_bytes(path, kind="a policy file", hint=""), path)
    except InputError:
        return ""
    return text if _MARK.search(text) else ""


def stated_name(path: FilePath) -> str:
    """The name that a policy states, though it may have mistakes; empty: it states none."""
    text = readable_text(path)
    try:
        return parse_policy(text).name
    except PolicyError:
        found = _NAME.search(text)
    return "" if found is None else (found[1] or found[2] or found[3]).strip()


_MARK = re.compile(r"^[\"']?(?:prunegate|rules|task)[\"']?[ \t]*:", re.MULTILINE)
_NAME = re.compile(
    r"^[\"']?name[\"']?[ \t]*:[ \t]*(?:\"([^\"\n]+)\"|'([^'\n]+)'|([^\s#\"'][^#\n]*))", re.MULTILINE
)
"""A line of the top level: a mistake elsewhere in the file does not change it."""


def _figures_beside(policy: Policy, place: FilePath) -> ClaimsSource | None:
    """The claims file of a policy that states no figures itself."""
    if policy.claims is None or policy.claims.figures is not None:
        return None
    return read_claims(place.parent / (policy.claims.file or f"{place.stem}{SUFFIX}"))


def _with_figures(policy: Policy, source: ClaimsSource | None) -> Policy:
    """The policy with the figures of its claims file, so that a record of it holds them."""
    if policy.claims is None or source is None:
        return policy
    figures = {"figures": source.stated}
    return policy.model_copy(update={"claims": policy.claims.model_copy(update=figures)})


def parse_policy(text: str, source: str = "policy.yaml") -> Policy:
    """The policy in a text; ``source`` is the file name that mistakes are reported under.

    Raises:
        PolicyError: the text has mistakes; every one is listed, in the order of the lines.
    """
    document = read_yaml(text, is_figure_of_policy)
    policy, mistakes = (None, []) if document.value is None else _examine(document.value)
    lines = mistake_lines(document, mistakes)
    if policy is None or lines:
        name = escaped(source)
        raise PolicyError([f"{name}:{line}: {words}" for line, _, words in lines])
    return policy


def _examine(value: dict[str, object]) -> tuple[Policy | None, list[Mistake]]:
    policy, mistakes = validate_values(value)
    if policy is not None:
        mistakes += [Mistake(path=path, message=words) for path, words in disagreements(policy)]
        mistakes += _found_in_a_file(policy)
    elif rest := salvage(value, [mistake.path for mistake in mistakes]):
        mistakes += [
            Mistake(path=path, message=words)
            for path, words in disagreements(rest.policy, rest.sections)
            if not rest.doubts(path)
        ]
    return policy, mistakes


def _found_in_a_file(policy: Policy) -> list[Mistake]:
    """A threshold that a run chose stands in its record; in a file it could be anything."""
    found = policy.task.threshold
    if not isinstance(found, Thresholds) or found.found is None:
        return []
    message = "is for records; write the number as 'candidate', or 'candidate: tuned'"
    return [Mistake(path=("task", "threshold", "found"), message=message)]
