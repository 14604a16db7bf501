"""OpenSSF Model Signing 1.0: ``model.sig`` beside an approved candidate, for tools of others.

A Sigstore bundle around a DSSE envelope around an in-toto statement that lists every file of the
folder with its sha256. Papers (README, git's files) are left out and named as left out, so that an
edited README does not make another model. The specification takes ECDSA keys only, no Ed25519.

It is written here with the parts at hand, because the package ``model-signing`` wants the private
key as a file. That package (extra ``oms``) checks what is written: ``model_signing verify key``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import PrivateKey
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.errors import InputError, ModelError
from prunegate.models.digest import FileDigest, tree_files

SIGNATURE_FILE = "model.sig"
PREDICATE = "https://model_signing/signature/v1.0"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IGNORED = (".git", ".gitattributes", ".github", ".gitignore", "README.md", SIGNATURE_FILE)
"""Files and folders at the top of a model folder that a signature does not cover."""


def sign_model(folder: Path, private: PrivateKey) -> bytes:
    """The bytes of ``model.sig`` for a folder.

    Args:
        folder: of the candidate; nothing is written there.
        private: an ECDSA P-256 key.

    Raises:
        InputError: the key is Ed25519.
        ModelError: no such folder, nothing in it to sign, or a link or special file in it.
    """
    return sign_files(tree_files(folder, links=False), folder.resolve().name, private)


def sign_files(files: Sequence[FileDigest], name: str, private: PrivateKey) -> bytes:
    """The same for files that were hashed already; raises as ``sign_model`` does."""
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise InputError(
            "model.sig takes no Ed25519 key (OpenSSF Model Signing 1.0); sign it with an ECDSA "
            "P-256 key: 'prunegate audit keygen -o FILE'"
        )
    statement = model_statement(files, name)
    envelope = json.loads(sign_envelope(statement.to_bytes(), [private]))
    material = {"publicKey": {"hint": _hint(private)}, "tlogEntries": []}
    return canonical_bytes(
        {"mediaType": BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope}
    )


def model_statement(files: Sequence[FileDigest], name: str) -> Statement:
    """The statement about a model's files; its subject is the digest over their digests.

    Args:
        files: of the whole folder.
        name: of the model.

    Raises:
        ModelError: none of the files is covered.
    """
    covered = [file for file in files if not _ignored(file)]
    covered.sort(key=lambda file: file.path.split("/"))  # as paths: a/b before a-b
    if not covered:
        raise ModelError(f"{name}: holds nothing but papers; give the folder of a saved model.")
    root = hashlib.sha256(b"".join(bytes.fromhex(file.sha256) for file in covered))
    return Statement(
        subjects=(Subject(name=name, sha256=root.hexdigest()),),
        predicate_type=PREDICATE,
        predicate={
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": list(IGNORED),
            },
            "resources": [
                {"name": file.path, "algorithm": "sha256", "digest": file.sha256}
                for file in covered
            ],
        },
    )


def _ignored(file: FileDigest) -> bool:
    return file.path.split("/", 1)[0] in IGNORED


def _hint(private: ec.EllipticCurvePrivateKey) -> str:
    """How a bundle names a key: sha256 of its PEM text."""
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(pem).hexdigest()
