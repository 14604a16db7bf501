"""An entry of a kind of ours says all that is written there, or counts for nothing."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from prunegate.audit.entry_forms import fault_of
from prunegate.audit.log.entry import read_entry
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.statement import Statement, Subject

ABOUT = hashlib.sha256(b"record").hexdigest()
DECISION: dict[str, Any] = {
    "created": "2026-11-28T08:00:00Z",
    "record": ABOUT,
    "outcome": "approve",
    "statement": "It holds.",
    "policy": {"name": "p", "sha256": ABOUT},
    "waivers": [ABOUT],
    "attempt": {"gate_set": ABOUT, "contents": ABOUT, "rules": ABOUT},
}


def fault(kind: str, said: dict[str, Any]) -> str | None:
    statement = Statement(
        subjects=(Subject(name="record.json", sha256=ABOUT),),
        predicate_type=f"urn:prunegate:{kind}:v1",
        predicate=said,
    )
    return fault_of(read_entry(sign_envelope(statement.to_bytes(), [])), statement)


@pytest.mark.parametrize("lacking", [(), ("waivers",), ("attempt",), ("waivers", "attempt")])
def test_a_whole_decision_has_no_fault(lacking: tuple[str, ...]) -> None:
    assert fault("decision", {k: v for k, v in DECISION.items() if k not in lacking}) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"record": "b" * 64},
        {"record": None},
        {"outcome": 3},
        {"policy": {"name": 3}},
        {"policy": {}},
        {"waivers": ABOUT},
        {"waivers": [3]},
        {"attempt": {"gate_set": ABOUT, "contents": ABOUT}},
        {"attempt": {"gate_set": 3, "contents": ABOUT, "rules": ABOUT}},
    ],
)
def test_a_decision_that_says_something_else_is_at_fault(changes: dict[str, Any]) -> None:
    told = "the decision: it does not say what prunegate writes there"
    assert fault("decision", {**DECISION, **changes}) == told


@pytest.mark.parametrize(("kind", "told"), [("seal", True), ("loosening", True), ("theirs", False)])
def test_only_kinds_of_ours_have_a_form(kind: str, told: bool) -> None:
    assert bool(fault(kind, {"created": DECISION["created"]})) == told
