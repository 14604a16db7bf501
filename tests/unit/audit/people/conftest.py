"""A rejection whose findings may be waived, made in place, and who may sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import prunegate
from prunegate.audit.approvals.accept import Case
from prunegate.audit.approvals.enrol import enrol
from prunegate.audit.approvals.enrolments import Enrolment
from prunegate.audit.canonical import canonical_bytes, digest
from prunegate.audit.opinion.agreement import SecondOpinion
from prunegate.audit.opinion.process import Awaited
from prunegate.audit.read import StoredRecord
from prunegate.audit.signing.keys import openssh_line
from prunegate.gate import gate
from prunegate.policy.load import parse_policy, read_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Verdict
from prunegate.verdict.gate_set_attempt import GateSetAttempt
from prunegate.verdict.waiver import Waiver

NOW = datetime(2026, 11, 28, 9, 0, 0, tzinfo=UTC)
ANN = Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32)
POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [display, video]}]
rules:
  - {metric: recall, slices: kind, max_drop: 0.05, at_least: 0.9}
  - {metric: precision, slices: kind, max_drop: 0.05}
waivers: {max_days: 30, at_most: 1}
"""
ATTEMPT = GateSetAttempt(
    gate_set="1" * 64,
    contents="2" * 64,
    candidate=("3" * 64,),
    baseline=("4" * 64,),
    rules="5" * 64,
    number=1,
    known=1,
    reuse="ledger",
    alpha=0.05,
    alpha_of_all=None,
)


def agrees(_policy: Policy, verdict: Verdict, _waivers: Sequence[Waiver] = ()) -> Awaited:
    """What the second opinion says, without its engine."""
    found = len(verdict.findings)
    return lambda **_: SecondOpinion(engine="an engine 1.0", expectations=3, findings=found)


ROWS = pd.DataFrame(
    {"id": f"{kind}{i}", "label": label, "kind": kind, "baseline": old, "candidate": new}
    for kind in ("display", "video")
    for i in range(400)
    for label, old in [("unsafe", 0.9) if i % 2 else ("safe", 0.1)]
    for new in [0.1 if kind == "video" and i % 8 == 1 else old]
)
"""The candidate misses every fourth unsafe video, which two limits of one rule forbid."""


@pytest.fixture(scope="session")
def judged() -> Verdict:
    """The verdict without its record."""
    return prunegate.judge(parse_policy(POLICY), ROWS)


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> StoredRecord:
    """The record of that rejection, as if it had been counted."""
    policy = tmp_path_factory.mktemp("waivers") / "p.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    made = gate(read_policy(policy), ROWS, ask=agrees).record
    record = replace(made, attempt=ATTEMPT, created="2026-11-28T08:00:00Z")
    assert record.outcome == "reject"
    return StoredRecord(record=record, content=canonical_bytes(record), digest=digest(record))


@pytest.fixture
def case(stored: StoredRecord, tmp_path: Path) -> Case:
    """The record, and an audit folder where Ann may sign."""
    found = Enrolment(
        created="2026-11-01T00:00:00Z",
        person="Ann",
        organisation="Client",
        role="client",
        key=" ".join(openssh_line(ANN.public_key()).split()[:2]),
        by="Kim",
        channel="call",
    )
    audit = tmp_path / "audit"
    enrol(audit, found, None, NOW)
    return Case(stored=stored, report="6" * 64, audit=audit, now=NOW)
