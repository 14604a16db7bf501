"""allowed_signers: whose key is whose, for what and from when to when, in git's own file format.

One line a key: principals, options, key type, key (``ssh-keygen``, ALLOWED SIGNERS). The file is
read whole before anything is looked up, and a line that ``ssh-keygen`` would pass over with a
complaint is refused here: a list of who may sign has no room for lines that mean nothing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from time import mktime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from prunegate.audit.signing.ssh_signature import KEY_TYPES, NAMESPACE, blob_type, fingerprint
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.messages import literal
from prunegate.text.escape import escaped

LARGEST = 1 << 20
"""Bytes; no such file is larger."""

_KEY_TYPE = re.compile(r"(ssh|ecdsa|sk-ssh|sk-ecdsa)-[A-Za-z0-9@.-]+")
_OPTION = re.compile(r'([A-Za-z-]+)(?:="((?:[^"\\]|\\.)*)")?(,(?=\S)|$)')
_TIME = re.compile(r"(\d{8})(\d{4}(?:\d\d)?)?(Z|UTC)?", re.ASCII | re.IGNORECASE)
_OPTIONS = ("namespaces", "valid-after", "valid-before")


@dataclass(frozen=True, kw_only=True)
class AllowedSigner:
    """One line of the file."""

    principals: str
    """Patterns of who signs with this key, separated by commas."""
    key_blob: bytes
    """The key in SSH's encoding."""
    namespaces: str | None = None
    """Patterns of what the key may sign for; None: anything."""
    valid_after: datetime | None = None
    valid_before: datetime | None = None
    """UTC; the key may sign between the two, both included."""
    place: str
    """File and line, for messages."""

    def is_of(self, principal: str) -> bool:
        """Whether somebody of this name signs with this key."""
        return in_pattern_list(principal, self.principals)

    def refusal(self, namespace: str, at: datetime) -> str | None:
        """Why this key may not sign for a namespace at a time; None: it may."""
        if self.namespaces is not None and not in_pattern_list(namespace, self.namespaces):
            return f"may sign for {literal(self.namespaces)} only, not for {literal(namespace)}"
        if self.valid_after is not None and at < self.valid_after:
            return f"is valid only after {self.valid_after:%Y-%m-%dT%H:%M:%SZ}"
        if self.valid_before is not None and at > self.valid_before:
            return f"was valid only before {self.valid_before:%Y-%m-%dT%H:%M:%SZ}"
        return None


def read_allowed_signers(path: Path) -> tuple[AllowedSigner, ...]:
    """The lines of an allowed_signers file.

    Raises:
        InputError: no such file, or lines that are wrong; names them all.
    """
    shown = escaped(str(path))
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise InputError(f"{shown}: no allowed_signers file")
        text = path.read_bytes().decode("utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{shown}: the allowed_signers file cannot be read") from error
    return parse_allowed_signers(text, shown)


def parse_allowed_signers(text: str, where: str) -> tuple[AllowedSigner, ...]:
    """The lines of a text in that format; ``where`` names the file in messages.

    Raises:
        InputError: lines that are wrong; names them all.
    """
    found, mistakes = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.strip(" \t\r")
        if not content or content.startswith("#"):
            continue
        try:
            found.append(_line(content, f"{where}:{number}"))
        except ValueError as error:
            mistakes.append(f"{where}:{number}: {error}")
    if mistakes:
        raise InputError("\n".join(mistakes))
    return tuple(found)


def who_signed(
    signers: Iterable[AllowedSigner],
    blob: bytes,
    at: datetime,
    namespace: str = NAMESPACE,
) -> tuple[AllowedSigner, ...]:
    """The lines under which a key was allowed to sign for a namespace at a time.

    Args:
        signers: the file's lines.
        blob: the key, in SSH's encoding, of a signature that was verified.
        at: when it was made, with a time zone.
        namespace: what it was made for.

    Raises:
        EvidenceError: the key is on no line, or on none that holds then and for that.
    """
    listed = [signer for signer in signers if signer.key_blob == blob]
    if not listed:
        raise EvidenceError(
            f"key {fingerprint(blob)} is not among the allowed signers; whoever knows whose it "
            "is says so: prunegate audit enrol --key FILE --person WHO"
        )
    refusals = [(signer, signer.refusal(namespace, at)) for signer in listed]
    allowed = tuple(signer for signer, refusal in refusals if refusal is None)
    if not allowed:
        said = "; ".join(f"{signer.place}: it {refusal}" for signer, refusal in refusals)
        raise EvidenceError(
            f"key {fingerprint(blob)} was not allowed to sign at {at:%Y-%m-%dT%H:%M:%SZ}: {said}"
        )
    return allowed


def in_pattern_list(text: str, patterns: str) -> bool:
    """Whether a comma-separated pattern list (ssh_config, PATTERNS) matches.

    >>> in_pattern_list("ann@client.example", "*@client.example,!bob@*")
    True
    """
    matched = False
    for pattern in patterns.split(","):
        negated = pattern.startswith("!")
        if _matches(text, pattern.removeprefix("!")):
            if negated:
                return False
            matched = True
    return matched


def parse_ssh_time(text: str) -> datetime:
    """A time as ssh writes it: YYYYMMDD[HHMM[SS]], in UTC with Z or UTC behind it, else local.

    Like ssh, local time is taken as never being summer time; writing the Z avoids the question.

    Raises:
        ValueError: it is no such time.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{literal(text)} is no time; write YYYYMMDDHHMMSSZ")
    digits = found[1] + (found[2] or "").ljust(6, "0")
    try:
        time = datetime.strptime(digits, "%Y%m%d%H%M%S")
        if found[3]:
            return time.replace(tzinfo=UTC)
        fields = (*time.timetuple()[:6], 0, 0, 0)
        return datetime.fromtimestamp(mktime(fields), UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{literal(text)} is no time that there is") from error


def _matches(text: str, pattern: str) -> bool:
    """``*`` for any characters, ``?`` for one; brackets mean themselves."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _line(content: str, place: str) -> AllowedSigner:
    """One line's fields; every mistake is a ValueError."""
    principals, rest = _principals(content)
    options = ""
    if not _KEY_TYPE.match(rest):
        options, rest = _until_space(rest)
    fields = rest.split(None, 2)
    if len(fields) < 2 or not _KEY_TYPE.fullmatch(fields[0]):
        raise ValueError("no key; a line is: principals, options, key type, key")
    settings = dict(_settings(options))
    after, before = (_time_of(settings, name) for name in _OPTIONS[1:])
    if after is not None and before is not None and before <= after:
        raise ValueError("valid-before is not later than valid-after, so the key never holds")
    return AllowedSigner(
        principals=principals,
        key_blob=_blob(*fields[:2]),
        namespaces=settings.get("namespaces"),
        valid_after=after,
        valid_before=before,
        place=place,
    )


def _principals(content: str) -> tuple[str, str]:
    """The first field, which may be quoted, and the rest."""
    if not content.startswith('"'):
        name, _, rest = content.replace("\t", " ", 1).partition(" ")
    else:
        name, closed, rest = content[1:].partition('"')
        if not closed:
            raise ValueError("the quotes around the principals are not closed")
    if not name.strip(","):
        raise ValueError("no principals; a line is: principals, options, key type, key")
    return name, rest.strip(" \t")


def _until_space(text: str) -> tuple[str, str]:
    """What comes before the first space outside of quotes, and what after it."""
    quoted = False
    for place, character in enumerate(text):
        if character == '"' and (place == 0 or text[place - 1] != "\\"):
            quoted = not quoted
        elif character in " \t" and not quoted:
            return text[:place], text[place:].strip(" \t")
    return text, ""


def _settings(options: str) -> Iterator[tuple[str, str]]:
    """Options by name, in lower case; each may be there once."""
    seen: set[str] = set()
    place = 0
    while place < len(options):
        found = _OPTION.match(options, place)
        if found is None:
            hint = (
                f"write {_OPTIONS[0]}=, {_OPTIONS[1]}= or {_OPTIONS[2]}= with the value in quotes"
            )
            raise ValueError(f"the options {literal(options)} cannot be read; {hint}")
        name, value, place = found[1].lower(), found[2], found.end()
        if name == "cert-authority":
            raise ValueError("certificate authorities are not taken; list each signer's own key")
        if name not in _OPTIONS or value is None:
            raise ValueError(f"the option {literal(found[1])} is not known")
        if name in seen:
            raise ValueError(f"the option {name} is there twice")
        seen.add(name)
        yield name, value.replace('\\"', '"')


def _time_of(settings: dict[str, str], name: str) -> datetime | None:
    if name not in settings:
        return None
    try:
        return parse_ssh_time(settings[name])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _blob(kind: str, text: str) -> bytes:
    """The key in SSH's encoding; what is inside is looked at where such a key can sign here."""
    try:
        blob = base64.b64decode(text, validate=True)
        named = blob_type(blob)
        if named == kind and kind in KEY_TYPES:
            load_ssh_public_key(f"{kind} {text}".encode())
    except (ValueError, NotImplementedError, UnsupportedAlgorithm) as error:
        raise ValueError("the key cannot be read; is it whole?") from error
    if named != kind:
        raise ValueError(f"the key is of type {literal(named)}, not {literal(kind)}")
    return blob
