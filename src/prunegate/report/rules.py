"""The rules table: every rule in plain words, with all its findings behind it."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import METRICS
from prunegate.report import sentences
from prunegate.report.units import Units, is_mean, is_operational, is_share
from prunegate.text import numbers
from prunegate.text.escape import named, visible
from prunegate.verdict.finding import Finding

MOST_ROWS = 25
"""Findings shown per rule; beyond it the most serious are shown and the rest is counted."""
_FEW = 5
"""Findings told in words before the table is opened."""


@dataclass(frozen=True, kw_only=True)
class FindingRow:
    """One finding, every cell as text."""

    slice: str
    class_label: str
    """The one class that is judged; empty where there is none."""
    status: str
    status_words: str
    limit: str
    before: str
    after: str
    change: str
    interval: str
    n: str
    flips: str
    holds: str
    """p that the limit holds."""
    broken: str
    """p that it is broken, after Holm where there is a correction."""
    sentence: str
    method: str


@dataclass(frozen=True, kw_only=True)
class RuleView:
    """One rule and how it came out."""

    number: int
    sentence: str
    status: str
    status_words: str
    tally: str
    """How many findings hold; empty where there is one."""
    warn: bool
    change_unit: str
    """What the change column is in."""
    tested: bool
    """Whether it is about rows, so that intervals, counts and p-values can exist."""
    paired: bool
    """Whether any finding counts rows lost and gained."""
    urgent: tuple[FindingRow, ...]
    """The first few findings that are not a plain pass, or a pass that needs a word."""
    rows: tuple[FindingRow, ...]
    hidden: int
    """Findings not shown, all less serious than those shown."""


def rules(record: DecisionRecord, units: Units) -> tuple[RuleView, ...]:
    """Every rule that has findings or a sentence, in the policy's order."""
    total = max([len(record.policy.sentences), *(f.rule + 1 for f in record.findings)])
    return tuple(_rule(record, units, index) for index in range(total))


def _rule(record: DecisionRecord, units: Units, index: int) -> RuleView:
    findings = sentences.serious_first(f for f in record.findings if f.rule == index)
    status = sentences.worst_status(f.status for f in findings)
    rows = tuple(_row(f, units) for f in findings[:MOST_ROWS])
    return RuleView(
        number=index + 1,
        sentence=_sentence(record, units, index, findings),
        status=status,
        status_words=sentences.status(findings[0]) if findings else "nothing was judged",
        tally=_tally(findings),
        warn=bool(findings) and all(f.severity == "warn" for f in findings),
        change_unit=_unit(findings[0].metric) if findings else "",
        tested=any(not is_operational(f.metric) for f in findings),
        paired=any(f.lost is not None for f in findings),
        urgent=_urgent(findings, rows),
        rows=rows,
        hidden=len(findings) - len(rows),
    )


def _unit(metric: str) -> str:
    """What the change column is in: `` (points)``; empty where its cells say it or it has none."""
    if is_share(metric):
        return " (points)"
    known = METRICS.get(metric)
    unit = known.unit if known is not None and is_mean(metric) else ""
    return f" ({unit})" if unit else ""


def _sentence(record: DecisionRecord, units: Units, index: int, findings: list[Finding]) -> str:
    if index < len(record.policy.sentences):
        return visible(record.policy.sentences[index])
    limits = dict.fromkeys(units.limit(f) for f in findings)
    return (
        f"{sentences.title(findings[0].metric)}: {', '.join(limits)}."
        if findings
        else "No finding."
    )


def _urgent(findings: list[Finding], rows: tuple[FindingRow, ...]) -> tuple[FindingRow, ...]:
    told = [
        row
        for finding, row in zip(findings, rows, strict=False)
        if finding.status != "pass" or sentences.remarks(finding)
    ]
    return tuple(told[:_FEW])


def _tally(findings: list[Finding]) -> str:
    """How many findings of each status: ``3 of 4 hold; 1 broken``; one alone needs no count."""
    if len(findings) == 1:
        return ""
    counts = {s: sum(f.status == s for f in findings) for s in sentences.SEVERITY_ORDER}
    named = {"fail": "broken", "inconclusive": "open", "waived": "waived"}
    rest = [f"{counts[s]} {word}" for s, word in named.items() if counts[s]]
    return "; ".join([f"{counts['pass']} of {len(findings)} hold", *rest])


def _row(finding: Finding, units: Units) -> FindingRow:
    metric = finding.metric
    harm = finding.p_harm if finding.p_harm_adjusted is None else finding.p_harm_adjusted
    tested = finding.n > 0
    return FindingRow(
        slice=named(finding.slice),
        class_label=sentences.judged_class(finding),
        status=finding.status,
        status_words=sentences.status(finding),
        limit=units.limit(finding),
        before=units.bare(metric, units.level(metric, finding.baseline)),
        after=units.bare(metric, units.level(metric, finding.candidate)),
        change=units.bare(metric, units.change(metric, finding.difference)),
        interval=units.bare(metric, units.range(finding)),
        n=numbers.count(finding.n) if tested else numbers.NOT_DEFINED,
        flips=_flips(finding),
        holds=numbers.bare_p(finding.p_value),
        broken=numbers.bare_p(harm),
        sentence=sentences.finding_sentence(finding, units),
        method=visible(finding.method),
    )


def _flips(finding: Finding) -> str:
    if finding.lost is None or finding.gained is None:
        return numbers.NOT_DEFINED
    return f"{numbers.count(finding.lost)} / {numbers.count(finding.gained)}"
