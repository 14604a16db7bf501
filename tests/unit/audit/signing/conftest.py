"""Fixed keys, so that what is signed with them is the same bytes for ever, and a small record."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from prunegate.audit.record import DecisionRecord, Input, ModelRef, PolicyRef, Tool
from prunegate.audit.signing.keys import PrivateKey
from prunegate.verdict.finding import Finding


@pytest.fixture(scope="session")
def p256() -> ec.EllipticCurvePrivateKey:
    """A P-256 key from a fixed number."""
    return ec.derive_private_key(int.from_bytes(_seed("p256")), ec.SECP256R1())


@pytest.fixture(scope="session")
def edwards() -> ed25519.Ed25519PrivateKey:
    """An Ed25519 key from a fixed seed."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(_seed("ed25519"))


@pytest.fixture(scope="session", params=["p256", "ed25519"])
def key(
    request: pytest.FixtureRequest,
    p256: ec.EllipticCurvePrivateKey,
    edwards: ed25519.Ed25519PrivateKey,
) -> PrivateKey:
    """Each of the fixed keys in turn."""
    return p256 if request.param == "p256" else edwards


def _seed(name: str) -> bytes:
    return hashlib.sha256(f"prunegate test key {name}".encode()).digest()


def sha(name: str) -> str:
    """A digest of its own for a name."""
    return hashlib.sha256(name.encode()).hexdigest()


FINDING = Finding(
    rule=0,
    metric="recall",
    slice="overall",
    check="max_drop",
    status="pass",
    severity="block",
    evidence="proven",
    baseline=0.9,
    candidate=0.89,
    difference=-0.01,
    ci_low=-0.015,
    ci_high=-0.005,
    limit=0.02,
    p_value=0.001,
    p_harm=0.999,
    n=1000,
    method="paired score",
    note="",
)


@pytest.fixture(scope="session")
def record() -> DecisionRecord:
    """An approval with one finding that passed and two files that were judged."""
    model = ModelRef(
        name="baseline",
        architecture="vit",
        digest=sha("baseline"),
        parameters=10,
        model_bytes=40,
        active_heads=4,
    )
    return DecisionRecord(
        created="2026-01-02T03:04:05Z",
        command="gate",
        tool=Tool(name="prunegate", version="1.2.3", python="3.11", platform="x", packages={}),
        policy=PolicyRef(
            name="small",
            purpose=None,
            owner=None,
            sha256=sha("policy"),
            document={},
            sentences=(),
        ),
        inputs=(
            Input(role="predictions", name="t.csv", sha256=sha("t")),
            Input(role="data", name="frame", sha256=None),
        ),
        baseline=model,
        candidate=replace(model, name="candidate", digest=sha("candidate")),
        outcome="approve",
        exit_code=0,
        reasons=(),
        statement="Approved: nothing that the policy limits was lost.",
        findings=(FINDING,),
        slices=(),
    )


@pytest.fixture(scope="session")
def golden() -> Path:
    """Where the bytes lie that these keys have always made."""
    return Path(__file__).parents[3] / "golden" / "audit_signing"
