"""The decision statement: what was decided, about which bytes, small enough to be a log entry.

It names the record by digest and repeats of it what a reader of the log needs at a glance. Its
subjects are everything the decision binds: record, page, policy, candidate, baseline and the files
that were judged. Lists and texts are bounded, so that no record makes an entry too large; what was
left out is counted, and the record has it all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, get_args

from prunegate.audit.record import DecisionRecord, Input
from prunegate.audit.search_record import Search
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.text.escape import escaped
from prunegate.verdict.finding import Outcome, Status
from prunegate.verdict.gate_set_attempt import GateSetAttempt

DECISION = "urn:prunegate:decision:v1"
"""Predicate type of a decision."""
RECORD, REPORT, POLICY = "record.json", "report.html", "policy"
CANDIDATE, BASELINE = "candidate", "baseline"
"""Names of the subjects that every decision has, where they are known; inputs are ``role/file``."""
MOST_INPUTS = 32
"""Inputs named as subjects; a predictions table may lie in thousands of files."""

_NAME = 100
_TEXT = 2000


def decision_statement(
    record: DecisionRecord,
    record_sha256: str,
    *,
    report_sha256: str | None = None,
    evidence: Sequence[Subject] = (),
) -> Statement:
    """The statement of one decision.

    Args:
        record: the decision.
        record_sha256: of the record's canonical bytes.
        report_sha256: of the page, where there is one.
        evidence: what is kept beside the log, under its digest.
    """
    predicate: dict[str, Any] = {
        "created": record.created,
        "policy": {"name": clipped(record.policy.name), "sha256": record.policy.sha256},
        "record": record_sha256,
        "outcome": record.outcome,
        "exit_code": record.exit_code,
        "command": clipped(record.command),
        "statement": clipped(record.statement, _TEXT),
        "findings": _counts(record),
        "inputs_not_named": len(_files(record)[MOST_INPUTS:]),
        "tool": {"name": clipped(record.tool.name), "version": clipped(record.tool.version)},
    }
    if record.attempt is not None:
        predicate["attempt"] = _attempt(record.attempt)
    if record.search is not None:
        predicate["search"] = _search(record.search)
    if record.waivers:
        predicate["waivers"] = [one.entry for one in record.waivers]
    if evidence:
        predicate["evidence"] = [one.plain() for one in evidence]
    if record.revalidate_on is not None:
        predicate["revalidate"] = record.revalidate_on
    return Statement(
        subjects=(*_bound(record, record_sha256, report_sha256), *input_subjects(record)),
        predicate_type=DECISION,
        predicate=predicate,
    )


def _attempt(attempt: GateSetAttempt) -> dict[str, Any]:
    """What the ledger counts by (``audit/ledger.py``)."""
    beside = {name: getattr(attempt, name) for name in ("look", "list", "round", "ids")}
    return {
        **{name: value for name, value in beside.items() if value is not None},
        "gate_set": attempt.gate_set,
        "contents": attempt.contents,
        "candidate": list(attempt.candidate),
        "baseline": list(attempt.baseline),
        "rules": attempt.rules,
        "number": attempt.number,
        "alpha": attempt.alpha,
    }


def _search(search: Search) -> dict[str, Any]:
    """That the candidate was chosen among others, on other rows; the record has each of them."""
    outcomes = Counter(attempt.outcome for attempt in search.attempts)
    return {
        "rows": search.rows,
        "attempts": len(search.attempts),
        "chosen": search.chosen,
        "outcomes": {outcome: outcomes[outcome] for outcome in get_args(Outcome)},
    }


def clipped(text: str, longest: int = _NAME) -> str:
    """A text on one line, at most so many characters long."""
    plain = escaped(text)
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def _bound(
    record: DecisionRecord, record_sha256: str, report_sha256: str | None
) -> tuple[Subject, ...]:
    """What every decision is about, as far as it is known."""
    digests = {
        RECORD: record_sha256,
        REPORT: report_sha256,
        POLICY: record.policy.sha256,
        CANDIDATE: record.model_digest(CANDIDATE),
        BASELINE: record.model_digest(BASELINE),
    }
    return tuple(
        Subject(name=name, sha256=sha256)
        for name, sha256 in digests.items()
        if sha256 is not None  # predictions may come without their models
    )


def input_subjects(record: DecisionRecord) -> tuple[Subject, ...]:
    """The first files that were judged; those of one role and name are numbered."""
    found: dict[str, Subject] = {}
    for item in _files(record)[:MOST_INPUTS]:
        base = name = clipped(f"{item.role}/{item.name}")
        number = 1
        while name in found:
            number += 1
            name = f"{base}#{number}"
        found[name] = Subject(name=name, sha256=str(item.sha256))
    return tuple(found.values())


def _files(record: DecisionRecord) -> tuple[Input, ...]:
    """The inputs that have a digest; a frame in memory has none."""
    return tuple(item for item in record.inputs if item.sha256 is not None)


def _counts(record: DecisionRecord) -> dict[str, int]:
    """How many findings have each status; every status is there, with 0 where none has it."""
    counts = Counter(finding.status for finding in record.findings)
    return {status: counts[status] for status in get_args(Status)}
