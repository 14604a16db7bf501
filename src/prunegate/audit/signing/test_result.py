"""The decision's twin that other policy engines read: in-toto's Test Result predicate, v0.1.

One test per finding. The predicate has no word for inconclusive, so an open blocking finding is a
failed test; our own decision statement says which. What is waived is warned, never passed.

The subject is the candidate alone (the files judged, where no model is known): policy engines match
subjects by digest, and a PASSED beside the baseline's digest would pass the baseline.
"""

from __future__ import annotations

from typing import Literal

from prunegate.audit.record import DecisionRecord
from prunegate.audit.signing.decision import CANDIDATE, RECORD, clipped, input_subjects
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.text.escape import escaped
from prunegate.verdict.finding import Finding

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
"""Predicate type of a test result."""


def result_statement(record: DecisionRecord, record_sha256: str) -> Statement:
    """The test result of one decision.

    Args:
        record: the decision.
        record_sha256: of the record's canonical bytes.
    """
    tests: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for finding in record.findings:
        tests[_heading(finding)].append(_name(finding))
    return Statement(
        subjects=_subjects(record, record_sha256),
        predicate_type=TEST_RESULT,
        predicate={
            "result": _result(record, tests),
            "configuration": [
                {"name": clipped(record.policy.name), "digest": {"sha256": record.policy.sha256}}
            ],
            **tests,
        },
    )


def _result(record: DecisionRecord, tests: dict[str, list[str]]) -> str:
    if record.outcome != "approve" or tests["failedTests"]:
        return "FAILED"
    return "WARNED" if tests["warnedTests"] else "PASSED"


def _heading(finding: Finding) -> Literal["passedTests", "warnedTests", "failedTests"]:
    if finding.status == "pass":
        return "passedTests"
    if finding.status == "waived" or finding.severity == "warn":
        return "warnedTests"
    return "failedTests"


def _name(finding: Finding) -> str:
    label = "" if finding.class_label is None else f" {finding.class_label}"
    place = f"{finding.check} on {finding.slice}{label}"
    return escaped(f"rule {finding.rule}: {finding.metric} {place}")


def _subjects(record: DecisionRecord, record_sha256: str) -> tuple[Subject, ...]:
    if (candidate := record.model_digest(CANDIDATE)) is not None:
        return (Subject(name=CANDIDATE, sha256=candidate),)
    return input_subjects(record) or (Subject(name=RECORD, sha256=record_sha256),)
