"""Compared limits: the same limit on the same slice, as every record found it.

Only a limit that all policies set alike is compared: a recall that may fall by 2 points is another
limit than one that may fall by 3. A slice that one record has not judged leaves its place empty,
which is never read as a pass. That answers fit the labels is nobody's limit and has no row; where
that is not shown, no limit of the place holds either (``held_against_labels``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from prunegate.report.comparison.compared_records import ComparedRecord, ComparedRecords
from prunegate.report.page_one.standing import gravest, gravity
from prunegate.verdict.finding import BEATS_CONSTANT, Finding

RuleKey = tuple[str, str | None, str, str, float, str, str]
"""Metric, class, check, kind of limit, limit, evidence, severity."""


@dataclass(frozen=True, kw_only=True)
class LimitInRecords:
    """One limit on one slice, over all records."""

    findings: tuple[Finding | None, ...]
    """In the order of the records; None: that record did not judge it."""

    @property
    def known(self) -> tuple[Finding, ...]:
        """Those that there are; at least one."""
        return tuple(finding for finding in self.findings if finding is not None)

    @property
    def first(self) -> Finding:
        """One of them, for what all of them have alike."""
        return self.known[0]

    @property
    def differs(self) -> bool:
        """Whether it came out differently, or was not judged everywhere."""
        return len({f.status if f is not None else None for f in self.findings}) > 1

    @property
    def holds(self) -> bool:
        """Whether it holds in every record."""
        return all(f is not None and f.status == "pass" for f in self.findings)


@dataclass(frozen=True, kw_only=True)
class ComparedLimits:
    """All limits that can be compared."""

    differing: tuple[LimitInRecords, ...]
    """That came out differently, the worst first."""
    alike: tuple[LimitInRecords, ...]
    """That came out alike, and not as a pass."""
    holding: tuple[LimitInRecords, ...]
    """That hold in every record."""
    unshared: int
    """Limits that not every policy sets, each slice counted."""


def compared_limits(compared: ComparedRecords) -> ComparedLimits:
    """The limits of all records, sorted by what a reader looks for."""
    shared = _shared(compared)
    rows: dict[tuple[RuleKey, str], list[Finding | None]] = {}
    unshared = set()
    for place, one in enumerate(compared.records):
        for key, finding in _worst_of_each(held_against_labels(one)).items():
            if key[0] in shared:
                rows.setdefault(key, [None] * len(compared.records))[place] = finding
            else:
                unshared.add(key)
    limits = [LimitInRecords(findings=tuple(found)) for found in rows.values()]
    limits.sort(key=_serious)
    return ComparedLimits(
        differing=tuple(limit for limit in limits if limit.differs),
        alike=tuple(limit for limit in limits if not limit.differs and not limit.holds),
        holding=tuple(limit for limit in limits if limit.holds),
        unshared=len(unshared),
    )


def held_against_labels(one: ComparedRecord) -> tuple[Finding, ...]:
    """What a record found of the limits that somebody set.

    Where answers are not shown to fit the labels, a limit that holds is as open, or as waived.
    """
    return tuple(
        replace(f, status=doubt.status)
        if f.status == "pass" and (doubt := one.unshown(f)) is not None
        else f
        for f in one.record.findings
        if f.check != BEATS_CONSTANT
    )


def _shared(compared: ComparedRecords) -> set[RuleKey]:
    """Rules that a record of every policy has a finding of."""
    by_policy: dict[str, set[RuleKey]] = {}
    for one in compared.records:
        rules = {rule_key(finding) for finding in held_against_labels(one)}
        by_policy.setdefault(one.record.policy.sha256, set()).update(rules)
    return set.intersection(*by_policy.values())


def rule_key(finding: Finding) -> RuleKey:
    """What makes a limit the same limit."""
    return (
        *(finding.metric, finding.class_label, finding.check, finding.limit_kind),
        *(finding.limit, finding.evidence, finding.severity),
    )


def _worst_of_each(findings: Iterable[Finding]) -> dict[tuple[RuleKey, str], Finding]:
    """Findings by limit and slice; of two rules that say the same, the worse."""
    found: dict[tuple[RuleKey, str], Finding] = {}
    for finding in findings:
        key = (rule_key(finding), finding.slice)
        found[key] = gravest([finding, found[key]]) or finding if key in found else finding
    return found


def _serious(limit: LimitInRecords) -> tuple[bool, tuple[int, float]]:
    """What blocks before what warns, then the worst that any record found."""
    return limit.first.severity == "warn", min(map(gravity, limit.known))


def limits_held(one: ComparedRecord) -> tuple[int, int]:
    """How many of a record's blocking limits hold, and how many somebody set."""
    blocking = [f for f in held_against_labels(one) if f.severity == "block"]
    return sum(f.status == "pass" for f in blocking), len(blocking)
