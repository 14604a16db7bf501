"""Signers: whose signatures an audit folder takes under its entries.

``audit/signers/*.pub`` holds the public keys (``audit init --signer``, or copied there). With one
at least, every signed entry has to verify under one of them, before it is sealed and whenever the
log is verified. Whoever can write into the folder can add a key to it: who trusts the folder as
little as its log brings the keys himself (``audit verify --signer``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prunegate.audit.log.durable_files import make_folder, sync_folder, write_durably
from prunegate.audit.log.entry import EntryFacts, ReadEntry, RequireForm, read_entry
from prunegate.audit.signing.dsse import parse_envelope, verify_envelope
from prunegate.audit.signing.keys import key_id, read_public_key
from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.audit.signing.keys import PublicKey

SIGNERS = "signers"
_SUFFIX = ".pub"


def read_signers(audit: Path) -> tuple[PublicKey, ...]:
    """The public keys of the folder; none: it has no list.

    Raises:
        InputError: a file there is no public key.
    """
    return tuple(map(read_public_key, sorted((audit / SIGNERS).glob(f"*{_SUFFIX}"))))


def add_signers(audit: Path, files: Sequence[Path]) -> None:
    """Put public keys on the folder's list, each under its key id.

    Raises:
        InputError: a file is no public key, or the folder cannot be written.
    """
    keys = {key_id(read_public_key(file)): file.read_bytes() for file in files}
    if not keys:
        return
    try:
        make_folder(audit / SIGNERS)
        for name, content in keys.items():
            write_durably(audit / SIGNERS / f"{name}{_SUFFIX}", content)
        sync_folder(audit / SIGNERS)
    except OSError as error:
        raise InputError(f"{audit}: the keys cannot be written ({error.strerror})") from error


def signed_reader(keys: Sequence[PublicKey], require: RequireForm | None = None) -> ReadEntry:
    """A reader of entries that also verifies their signatures, where there are keys to do it with.

    Args:
        keys: whose signatures count; none: signatures are not looked at.
        require: what else is asked of an entry (``read_entry``).
    """
    whole = partial(read_entry, require=require)
    if not keys:
        return whole

    def read(content: bytes) -> EntryFacts:
        facts = whole(content)
        if facts.signers:
            _require_known(content, facts, keys)
        return facts

    return read


def _require_known(content: bytes, facts: EntryFacts, keys: Sequence[PublicKey]) -> None:
    good = verify_envelope(parse_envelope(content), keys)
    bad = [name for name in facts.signers if name not in good]
    if bad:
        known = bad[0] in {key_id(key) for key in keys}
        why = "does not verify" if known else "is by no key that is taken here"
        raise InputError(
            f"its signature by {bad[0][:12]} {why}; take the entry out, or put the signer's public "
            f"key into {SIGNERS}/"
        )
