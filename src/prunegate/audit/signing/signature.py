"""Signature: one key over one message, ECDSA P-256 with SHA-256 (DER) or Ed25519.

ECDSA is deterministic (RFC 6979) where the OpenSSL at hand can do it: no bad random number can give
the key away, and the same entry signed twice is the same bytes.
"""

from __future__ import annotations

from functools import cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from prunegate.audit.signing.keys import PrivateKey, PublicKey


def sign_message(private: PrivateKey, message: bytes) -> bytes:
    """The signature: DER of (r, s) for P-256, 64 bytes for Ed25519."""
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(message, _ecdsa())
    return private.sign(message)


def is_signed(public: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the signature is of this key over this message."""
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, message, ec.ECDSA(SHA256()))
        else:
            public.verify(signature, message)
    except InvalidSignature:
        return False
    return True


@cache
def _ecdsa() -> ec.ECDSA:
    try:
        return ec.ECDSA(SHA256(), deterministic_signing=True)
    except UnsupportedAlgorithm:  # OpenSSL before 3.2: the signature is as good, but another one
        return ec.ECDSA(SHA256())
