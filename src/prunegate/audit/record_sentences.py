"""Every sentence of a record that another language may have to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def sentences_of(record: Any) -> Iterator[str]:
    """The English sentences of a decision record, in no order that means anything."""
    yield from (record.statement, *record.warnings, *record.known_limits, *record.reasons)
    for finding in record.findings:
        yield from (finding.method, finding.note)
    if record.compression is not None:
        yield from record.compression.summary
    if record.control is not None:
        yield record.control.summary
    if record.claims is not None:
        yield from (check.sum for check in record.claims.checks)
    if record.search is not None:
        attempts = (*record.search.attempts, *record.search.draws, record.search.other_scope)
        yield from (one.reason for one in attempts if one is not None)
        yield from (*record.search.varied, *(one.reason for one in record.search.not_made or ()))
    if record.cost is not None:
        yield from record.cost.notes
