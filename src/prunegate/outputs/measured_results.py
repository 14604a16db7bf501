"""Measured results: what a record found of each metric on each slice, for formats of others.

Several limits may hold one metric on one slice; it is one result, with the interval of its value
where a limit on values was looked at, that of its change where a limit on changes was, and the most
serious of their statuses. Stated figures and the check of the reference are no results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.checks import change_check, is_level
from prunegate.report.sentences import worst_status
from prunegate.report.units import CLAIMS
from prunegate.verdict.finding import BEATS_CONSTANT, Finding

Ends = tuple[float | None, float | None]


@dataclass(frozen=True, kw_only=True)
class MeasuredResult:
    """One metric on one slice."""

    metric: str
    slice: str
    class_label: str | None
    """The one class that is judged; None: all of them, or there are none."""
    findings: tuple[Finding, ...]
    """Of every limit on it."""
    status: str
    """The most serious of theirs."""

    @property
    def first(self) -> Finding:
        """One of the findings, for the values, which all have alike."""
        return self.findings[0]

    @property
    def value_ends(self) -> Ends | None:
        """The 95 % interval of the candidate's value; None: none was worked out."""
        return _ends([f for f in self.findings if is_level(f.check)])

    @property
    def change_ends(self) -> Ends | None:
        """The 95 % interval of the change; None: none was worked out."""
        return _ends([f for f in self.findings if change_check(f.check) is not None])


def _ends(findings: Sequence[Finding]) -> Ends | None:
    found = ((one.ci_low, one.ci_high) for one in findings)
    return next((ends for ends in found if ends != (None, None)), None)


def measured_results(record: DecisionRecord) -> tuple[MeasuredResult, ...]:
    """Every metric on every slice, in the record's order."""
    groups: dict[tuple[str, str, str | None], list[Finding]] = {}
    for finding in record.findings:
        if finding.check not in (CLAIMS, BEATS_CONSTANT):
            key = (finding.metric, finding.slice, finding.class_label)
            groups.setdefault(key, []).append(finding)
    return tuple(
        MeasuredResult(
            metric=metric,
            slice=name,
            class_label=label,
            findings=tuple(found),
            status=worst_status(one.status for one in found),
        )
        for (metric, name, label), found in groups.items()
    )
