"""The validation result of the user's expectations: JSON evidence, and what a record says of it.

It is kept beside the record, in the folder and under ``audit/evidence/<sha256>``, and the record
names it by digest. It holds counts and ids of rows, and no value of the data.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from prunegate.audit.canonical import canonical_bytes, plain_json
from prunegate.data.contract.expected import JudgedExpectations
from prunegate.policy.schema import Policy

EXPECTATIONS = "expectations.json"
FORMAT = "urn:prunegate:expectations:v1"


@dataclass(frozen=True, kw_only=True)
class RecordedExpectations:
    """That the user's own expectations of the data were met: else there would be no record."""

    sha256: str
    """Of the validation result."""
    engine: str
    """What judged: name and version."""
    expectations: int
    """How many there are."""
    rows: int
    """Of the table that they were judged on."""


def expectations_evidence(judged: JudgedExpectations) -> bytes:
    """The validation result as canonical JSON."""
    return canonical_bytes({"format": FORMAT, "holds": judged.holds, **plain_json(judged)})


def recorded_expectations(judged: JudgedExpectations) -> RecordedExpectations:
    """What the record says of a validation result."""
    return RecordedExpectations(
        sha256=hashlib.sha256(expectations_evidence(judged)).hexdigest(),
        engine=judged.engine,
        expectations=len(judged.expectations),
        rows=judged.rows,
    )


def stated_expectations(
    policy: Policy, found: RecordedExpectations | None
) -> tuple[int | None, int | None]:
    """How many expectations a record says were met, and how many its policy has; None: none."""
    return None if found is None else found.expectations, len(policy.data.expect) or None
