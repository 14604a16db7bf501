"""The allowed_signers file of the audit folder: kept beside the log, in step with its enrolments.

It is what ``ssh-keygen -Y verify`` reads, so that whoever distrusts us checks with that. Lines that
somebody wrote by hand stay as they are.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from prunegate.audit.approvals.enrolments import Enrolment, parse_utc
from prunegate.audit.log.durable_files import make_folder, sync_folder, write_durably
from prunegate.audit.signing.allowed_signers import (
    AllowedSigner,
    parse_allowed_signers,
    read_allowed_signers,
)
from prunegate.audit.signing.ssh_signature import NAMESPACE, blob_type, fingerprint
from prunegate.errors import InputError

FILE = "allowed_signers"


def signers_of(path: Path) -> tuple[AllowedSigner, ...]:
    """The file's lines; none where there is no file.

    Raises:
        InputError: it is malformed.
    """
    return read_allowed_signers(path) if path.exists() else ()


def allow(path: Path, enrolment: Enrolment) -> None:
    """Add a line for an enrolled key, unless that person has it already.

    Raises:
        InputError: the file is malformed or cannot be written.
    """
    signers = signers_of(path)
    if any(s.key_blob == enrolment.blob and s.is_of(enrolment.person) for s in signers):
        return
    until = enrolment.valid_until
    signer = AllowedSigner(
        principals=enrolment.person,
        key_blob=enrolment.blob,
        namespaces=NAMESPACE,
        valid_after=parse_utc(enrolment.created),
        valid_before=parse_utc(until) if until else None,
        place="",
    )
    _write(path, [*_lines(path), line_of(signer)])


def disallow(path: Path, key: str, at: datetime) -> None:
    """End the validity of every line of a key, named by its fingerprint.

    Raises:
        InputError: the file is malformed or cannot be written.
    """
    signers_of(path)  # nothing is changed in a file that cannot be read
    _write(path, [_ended(line, key, at) for line in _lines(path)])


def line_of(signer: AllowedSigner) -> str:
    """A signer as a line of the file."""
    name = f'"{signer.principals}"' if " " in signer.principals else signer.principals
    times = (("valid-after", signer.valid_after), ("valid-before", signer.valid_before))
    settings = [f'namespaces="{signer.namespaces}"'] if signer.namespaces else []
    settings += [f'{option}="{time:%Y%m%d%H%M%SZ}"' for option, time in times if time]
    key = f"{blob_type(signer.key_blob)} {base64.b64encode(signer.key_blob).decode()}"
    return " ".join([name, *([",".join(settings)] if settings else []), key])


def _ended(line: str, key: str, at: datetime) -> str:
    if not line.strip() or line.lstrip().startswith("#"):
        return line
    (signer,) = parse_allowed_signers(line, FILE)
    if fingerprint(signer.key_blob) != key:
        return line
    if signer.valid_after is not None and signer.valid_after >= at:
        return f"# revoked: {line}"
    before = at if signer.valid_before is None else min(at, signer.valid_before)
    return line_of(replace(signer, valid_before=before))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _write(path: Path, lines: list[str]) -> None:
    content = "".join(f"{line}\n" for line in lines)
    parse_allowed_signers(content, str(path))
    try:
        make_folder(path.parent)
        write_durably(path, content.encode())
        sync_folder(path.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
