"""People: whose key is whose, who said so and by what channel, and which keys are trusted no more.

An enrolment ties a key to a person, an organisation and a role; without one an approval does not
count, whatever ``allowed_signers`` says (eIDAS Art. 26 asks that the signature identifies its
signatory). A revocation is for good: no approval of that key counts from then on, not even an
earlier one, because its date is only the date at which it was brought in.

The gate's own keys are enrolled in the role ``gate``: they attest e-mails and never approve.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from prunegate.audit.approvals.person import checked_person
from prunegate.audit.signing.allowed_signers import parse_allowed_signers
from prunegate.audit.signing.keys import (
    LARGEST,
    PublicKey,
    openssh_line,
    parse_public_key,
    require_public,
)
from prunegate.audit.signing.ssh_signature import fingerprint
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.audit.signing.strict_json import require_keys
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.approvals import GATE
from prunegate.policy.messages import literal
from prunegate.text.escape import escaped

ENROLMENT = "urn:prunegate:enrolment:v1"
REVOCATION = "urn:prunegate:revocation:v1"
"""Predicate types."""
LONGEST = 300
"""Characters of each text in an entry here."""

_ROLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_ENROLMENT_FIELDS = frozenset(
    {"created", "person", "organisation", "role", "key", "by", "channel", "valid_until"}
)
_REVOCATION_FIELDS = frozenset({"created", "fingerprint", "reason"})


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """That a key is a person's, in a role."""

    created: str
    """UTC, to the second."""
    person: str
    """Name or e-mail address, as ``allowed_signers`` names the principal."""
    organisation: str
    role: str
    key: str
    """Type and base64, as in ``authorized_keys``."""
    by: str
    """Who says that the key is this person's."""
    channel: str
    """How that was made sure: a meeting, a call, a signed letter."""
    valid_until: str | None = None
    """UTC time after which the key may not sign."""

    @property
    def blob(self) -> bytes:
        """The key in SSH's encoding."""
        return base64.b64decode(self.key.split(" ")[1])

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` shows it."""
        return fingerprint(self.blob)

    @property
    def is_gate(self) -> bool:
        """Whether it is a key of the gate itself."""
        return self.role == GATE

    @property
    def public(self) -> PublicKey:
        """A gate's key, which signs envelopes."""
        return parse_public_key(self.key.encode(), f"key {self.fingerprint}")

    def statement(self) -> Statement:
        """The statement of this enrolment."""
        predicate = {name: getattr(self, name) for name in sorted(_ENROLMENT_FIELDS)}
        return _about_key(self.blob, ENROLMENT, predicate)


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """That a key is trusted no more."""

    created: str
    fingerprint: str
    reason: str

    def statement(self) -> Statement:
        """The statement of this revocation."""
        digest = self.fingerprint.removeprefix("SHA256:")
        sha256 = base64.b64decode(digest + "=" * (-len(digest) % 4)).hex()
        predicate = {name: getattr(self, name) for name in sorted(_REVOCATION_FIELDS)}
        subject = Subject(name=self.fingerprint, sha256=sha256)
        return Statement(subjects=(subject,), predicate_type=REVOCATION, predicate=predicate)


def enrolment_in(predicate: dict[str, Any], where: str) -> Enrolment:
    """Read an enrolment; ``where`` names the entry in messages.

    Raises:
        EvidenceError: it is none.
    """
    require_keys(predicate, _ENROLMENT_FIELDS, where)
    texts = {k: v for k, v in predicate.items() if k != "valid_until" or v is not None}
    _require_texts(texts, where)
    found = Enrolment(**predicate)
    try:
        checked_person(found.person)
        checked_role(found.role)
        ssh_key(found.key.encode(), where)
    except InputError as error:
        raise EvidenceError(f"{where}: no enrolment ({error})") from error
    return found


def revocation_in(predicate: dict[str, Any], where: str) -> Revocation:
    """Read a revocation; raises as ``enrolment_in`` does."""
    require_keys(predicate, _REVOCATION_FIELDS, where)
    _require_texts(predicate, where)
    return Revocation(**predicate)


def keys_named_in(statement: Statement) -> frozenset[str]:
    """Fingerprints that an enrolment or a revocation names in any way, if it cannot be read too."""
    said = [statement.predicate.get("fingerprint"), *(one.name for one in statement.subjects)]
    digests = [bytes.fromhex(one.sha256) for one in statement.subjects]
    spelled = [f"SHA256:{base64.b64encode(one).decode().rstrip('=')}" for one in digests]
    return frozenset(
        one for one in (*said, *spelled) if isinstance(one, str) and _FINGERPRINT.fullmatch(one)
    )


def checked_role(text: str) -> str:
    """A role's name.

    Raises:
        InputError: it is none.
    """
    if not _ROLE.fullmatch(text):
        raise InputError(f"the role {literal(text)} is no name of a role such as client")
    return text


def checked_text(text: str, option: str) -> str:
    """A text that says something, and fits into an entry.

    Raises:
        InputError: it is empty or too long.
    """
    said = text.strip()
    if not said or len(said) > LONGEST:
        raise InputError(f"{option}: give a text of 1 to {LONGEST} characters")
    return said


def fingerprint_of(text: str) -> str:
    """The fingerprint of a key that is named by it, or by its public key file.

    Raises:
        InputError: neither.
    """
    if _FINGERPRINT.fullmatch(text):
        return text
    if text.startswith("SHA256:"):
        raise InputError(f"{escaped(text)[:60]} is no fingerprint; 'ssh-keygen -lf FILE' shows it")
    return fingerprint(base64.b64decode(read_ssh_key(Path(text)).split(" ")[1]))


def read_ssh_key(path: Path) -> str:
    """A public key file as type and base64; PEM or OpenSSH's line.

    Raises:
        InputError: no such file, or no public key of a kind that signs here.
    """
    shown = escaped(str(path))
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise InputError(f"{shown}: no such key file; give the signer's .pub file")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{shown}: the key file cannot be read") from error
    return ssh_key(content, shown)


def ssh_key(content: bytes, where: str) -> str:
    """A public key as type and base64; ``where`` names it in messages.

    Raises:
        InputError: it is none, or none of a kind that signs here.
    """
    if not content.startswith(b"ssh-rsa "):
        return openssh_line(require_public(parse_public_key(content, where), where))
    fields = content.decode("ascii", "replace").split()
    parse_allowed_signers(f"x {' '.join(fields[:2])}", where)  # whole, and of the type it names
    return " ".join(fields[:2])


def parse_utc(text: str) -> datetime:
    """A time as entries spell it."""
    return datetime.fromisoformat(text)


def _about_key(blob: bytes, kind: str, predicate: dict[str, Any]) -> Statement:
    subject = Subject(name=fingerprint(blob), sha256=hashlib.sha256(blob).hexdigest())
    return Statement(subjects=(subject,), predicate_type=kind, predicate=predicate)


def _require_texts(values: dict[str, Any], where: str) -> None:
    for name, value in values.items():
        if not isinstance(value, str) or (not value and name != "organisation"):
            raise EvidenceError(f"{where}: its '{name}' is no text")
