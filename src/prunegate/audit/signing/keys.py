"""Keys: who signs, as ECDSA P-256 (the gate's default) or Ed25519, in files that other tools read.

A private key is PEM (PKCS#8) or OpenSSH's format, a public key PEM (SubjectPublicKeyInfo) or
OpenSSH's one line. A key's id is the sha256 of its DER SubjectPublicKeyInfo, so that the same key
has one id in whatever file it lies. Keys of other kinds and curves are refused, never converted,
and a private key is never printed: no message here quotes what a key file holds.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from prunegate.errors import InputError
from prunegate.policy.messages import suggest
from prunegate.text.escape import escaped

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

KINDS = ("p256", "ed25519")
"""Kinds of key by the name that ``keygen --kind`` takes; the first is the default."""
KEY_VARIABLE = "PRUNEGATE_KEY"
"""Environment variable that may hold a private key as PEM text."""
PASSPHRASE_VARIABLE = "PRUNEGATE_KEY_PASSPHRASE"  # noqa: S105  # the name of it
LARGEST = 64 << 10
"""Bytes; no key file is larger."""

_logger = logging.getLogger(__name__)
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_LINE = re.compile(rb"(ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)[\w.@-]+ ")
_ASK = "make one with 'prunegate audit keygen -o FILE'"


def generate(kind: str = KINDS[0]) -> PrivateKey:
    """A new private key.

    Args:
        kind: ``p256`` or ``ed25519``.

    Raises:
        InputError: there is no such kind.
    """
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    raise InputError(f"no kind of key is called '{escaped(kind)}': {suggest(kind, KINDS)}")


def key_id(public: PublicKey) -> str:
    """The id of a key: sha256 of its DER SubjectPublicKeyInfo, in hexadecimal."""
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def openssh_line(public: PublicKey, comment: str = "") -> str:
    """A public key as OpenSSH writes it, for ``allowed_signers`` and ``.pub`` files.

    Raises:
        InputError: the comment would break the line.
    """
    if not comment.isprintable():
        raise InputError(f"the comment '{escaped(comment)}' has characters that do not print")
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
    return f"{line} {comment}".rstrip()


def read_private_key(path: Path, passphrase: str | None = None) -> PrivateKey:
    """The private key of a file, PEM PKCS#8 or OpenSSH.

    A file that others can read is used, with a warning in the log.

    Args:
        path: the file.
        passphrase: of an encrypted key; None takes ``PRUNEGATE_KEY_PASSPHRASE`` where it is set.

    Raises:
        InputError: no such file, no private key, a key of another kind, or a passphrase that is
            missing or wrong.
    """
    content = _read(path)
    if path.stat().st_mode & 0o077:
        _logger.warning("%s: others can read this private key; chmod 600 it", escaped(str(path)))
    return _private(content, escaped(str(path)), passphrase or os.environ.get(PASSPHRASE_VARIABLE))


def private_key_from(option: Path | None) -> PrivateKey | None:
    """The private key that a command was given: its option, else ``PRUNEGATE_KEY``, else None.

    Raises:
        InputError: what was given is no usable private key.
    """
    if option is not None:
        return read_private_key(option)
    text = os.environ.get(KEY_VARIABLE)
    if not text:
        return None
    where = f"environment variable {KEY_VARIABLE}"
    return _private(os.fsencode(text), where, os.environ.get(PASSPHRASE_VARIABLE))


def read_public_key(path: Path) -> PublicKey:
    """The public key of a file, PEM SubjectPublicKeyInfo or OpenSSH's one line.

    Raises:
        InputError: no such file, no public key, or a key of another kind.
    """
    return parse_public_key(_read(path), escaped(str(path)))


def parse_public_key(content: bytes, where: str) -> PublicKey:
    """The public key that some bytes hold; ``where`` names them in messages.

    Raises:
        InputError: no public key, or a key of another kind.
    """
    label = _label(content)
    if "PRIVATE KEY" in label:
        raise InputError(
            f"{where}: is a private key where a public one is needed; give the .pub file, and "
            "keep the private key to yourself"
        )
    if label == "" and len(content.strip().splitlines()) > 1:
        raise InputError(f"{where}: more than one line; give a file with one public key")
    load = load_ssh_public_key if label == "" else load_pem_public_key
    try:
        key = load(content.strip())
    except (ValueError, UnsupportedAlgorithm, NotImplementedError) as error:
        raise InputError(
            f"{where}: not a public key that can be read (PEM 'PUBLIC KEY', or one OpenSSH line); "
            "is it whole?"
        ) from error
    return require_public(key, where)


def require_public(key: Any, where: str) -> PublicKey:
    """The key, where it is of a kind that signs here.

    Raises:
        InputError: it is of another kind or curve.
    """
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise InputError(f"{where}: {_named(key)}; only ECDSA P-256 and Ed25519 are taken: {_ASK}")


def write_key_pair(private: PrivateKey, path: Path, passphrase: str | None = None) -> Path:
    """Write a private key (PKCS#8, mode 0600) and beside it ``<path>.pub``, which is returned.

    Nothing that is there is overwritten, and where the second file fails the first goes again.

    Raises:
        InputError: one of the files exists or cannot be written.
    """
    beside = path.with_name(f"{path.name}.pub")
    for file in (path, beside):
        if os.path.lexists(file):
            raise InputError(
                f"{escaped(str(file))}: exists already and a key is never overwritten; choose "
                "another name"
            )
    sealed: KeySerializationEncryption = (
        BestAvailableEncryption(os.fsencode(passphrase)) if passphrase else NoEncryption()
    )
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)
    public = private.public_key()
    shown = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _create(path, secret, 0o600)
    try:
        _create(beside, shown, 0o644)
    except BaseException:
        path.unlink()
        raise
    return beside


def _create(path: Path, content: bytes, mode: int) -> None:
    """A new file with that mode from its first moment on, whole or not at all."""
    made = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        made = True
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:  # a signal, too, must not leave half a key
        if made:
            with suppress(OSError):
                path.unlink()
        if not isinstance(error, OSError):
            raise
        raise InputError(f"{escaped(str(path))}: cannot be written ({error.strerror})") from error


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise InputError(f"{escaped(str(path))}: no such key file; {_ASK}")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{escaped(str(path))}: the key file cannot be read") from error
    if len(content) > LARGEST:
        raise InputError(f"{escaped(str(path))}: too large for a key file")
    return content


def _private(content: bytes, where: str, passphrase: str | None) -> PrivateKey:
    label = _label(content)
    if label == "PUBLIC KEY" or _LINE.match(content):
        raise InputError(
            f"{where}: is a public key where a private one is needed; give the file without .pub"
        )
    load = load_ssh_private_key if label == "OPENSSH PRIVATE KEY" else load_pem_private_key
    key = _decrypt(load, content, where, passphrase)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise InputError(f"{where}: {_named(key)}; only ECDSA P-256 and Ed25519 are taken: {_ASK}")


def _decrypt(
    load: Callable[[bytes, bytes | None], Any], content: bytes, where: str, passphrase: str | None
) -> Any:
    """Load a key, with the passphrase only where it needs one."""
    try:
        return load(content, None)
    except TypeError:  # how cryptography says that a key is encrypted
        pass
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(
            f"{where}: not a private key that can be read (PEM PKCS#8 or OpenSSH); is it whole?"
        ) from error
    if not passphrase:
        raise InputError(
            f"{where}: the key is encrypted; give its passphrase in {PASSPHRASE_VARIABLE}"
        )
    try:
        return load(content, os.fsencode(passphrase))
    except UnsupportedAlgorithm as error:
        raise InputError(
            f"{where}: encrypted in a way that cannot be read here ({error}); for an OpenSSH key "
            "install the package bcrypt"
        ) from error
    except ValueError as error:
        raise InputError(f"{where}: {PASSPHRASE_VARIABLE} does not open this key") from error


def _label(content: bytes) -> str:
    """What the first PEM block says it holds; empty: there is none."""
    found = _LABEL.search(content)
    return found[1].decode("ascii") if found else ""


def _named(key: Any) -> str:
    """What kind of key was given instead."""
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return f"a key on the curve {key.curve.name}"
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return "an RSA key"
    return f"a key of another kind ({type(key).__name__.lstrip('_')})"
