"""The rules table: every rule in plain words, with all its findings behind it."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import METRICS
from prunegate.report import sentences
from prunegate.report.sentences import ToldPart
from prunegate.report.speech import Speech
from prunegate.report.units import Units, is_mean, is_operational, is_share
from prunegate.text import numbers
from prunegate.text.escape import visible
from prunegate.text.languages import ENGLISH
from prunegate.verdict.finding import Finding

MOST_ROWS, LEAST_ROWS, ROWS_IN_ALL = 25, 5, 60
"""Findings shown of a rule, and together where there are many rules; beyond it the most serious are
shown and the rest is counted."""
MOST_TOLD, LEAST_TOLD, TOLD_IN_ALL = 5, 2, 24
"""Likewise those that are told in words before the table is opened."""


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
    told: tuple[ToldPart, ...]
    """What there is to say of it."""
    method: str
    """In the field's words, which are English."""

    @property
    def sentence(self) -> str:
        """All that there is to say of it."""
        return " ".join(part.text for part in self.told)


@dataclass(frozen=True, kw_only=True)
class RuleView:
    """One rule and how it came out."""

    number: int
    sentence: str
    recorded: bool
    """Whether that is the record's own sentence, hence English."""
    status: str
    status_words: str
    tally: str
    """How many findings hold; empty where there is one."""
    warn: bool
    change: str
    """Head of the change column, with what its values are in."""
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
    most = min(MOST_ROWS, max(LEAST_ROWS, ROWS_IN_ALL // max(total, 1)))
    few = min(MOST_TOLD, max(LEAST_TOLD, TOLD_IN_ALL // max(total, 1)))
    return tuple(_rule(record, units, index, most, few) for index in range(total))


def _rule(record: DecisionRecord, units: Units, index: int, most: int, few: int) -> RuleView:
    findings = sentences.serious_first(f for f in record.findings if f.rule == index)
    status = sentences.worst_status(f.status for f in findings)
    rows = tuple(_row(f, units) for f in findings[:most])
    return RuleView(
        number=index + 1,
        sentence=_sentence(record, units, index, findings),
        recorded=False,
        status=status,
        status_words=sentences.status(findings[0], units.speech)
        if findings
        else units.speech.say("finding_status.none"),
        tally=_tally(findings, units.speech),
        warn=bool(findings) and all(f.severity == "warn" for f in findings),
        change=_change_head(findings[0].metric if findings else "", units.speech),
        tested=any(not is_operational(f.metric) for f in findings),
        paired=any(f.lost is not None for f in findings),
        urgent=_urgent(findings, rows)[:few],
        rows=rows,
        hidden=len(findings) - len(rows),
    )


def _change_head(metric: str, said: Speech) -> str:
    """The change column's head: ``Change (points)``; its cells may say the unit, or have none."""
    if is_share(metric):
        return said.say("rules.change_points")
    known = METRICS.get(metric)
    unit = known.unit if known is not None and is_mean(metric) else ""
    return said.say("rules.change_unit", unit=unit) if unit else said.say("rules.change")


def _sentence(record: DecisionRecord, units: Units, index: int, findings: list[Finding]) -> str:
    """The rule in words: English has it from the policy, another language from its findings."""
    said, told = units.speech, record.policy.sentences
    if index < len(told) and said.language == ENGLISH:
        return visible(told[index])
    if not findings:
        return _without_findings(record, said, index)
    limits = ", ".join(dict.fromkeys(units.limit(f) for f in findings))
    return said.say("rules.told", metric=sentences.title(findings[0].metric, said), limits=limits)


def _without_findings(record: DecisionRecord, said: Speech, index: int) -> str:
    """Of a rule that was applied to nothing: what it is about."""
    found, given = said.say("rules.not_found"), record.policy.document.get("rules")
    if not isinstance(given, list) or index >= len(given) or not isinstance(given[index], dict):
        return found
    metric = sentences.title(str(given[index].get("metric", "")), said)
    return said.say("rules.about", metric=metric, told=found)


def _urgent(findings: list[Finding], rows: tuple[FindingRow, ...]) -> tuple[FindingRow, ...]:
    told = [
        row
        for finding, row in zip(findings, rows, strict=False)
        if finding.status != "pass" or sentences.remarks(finding)
    ]
    return tuple(told)


def _tally(findings: list[Finding], said: Speech) -> str:
    """How many findings of each status: ``3 of 4 hold; 1 broken``; one alone needs no count."""
    if len(findings) == 1:
        return ""
    counts = {s: sum(f.status == s for f in findings) for s in sentences.SEVERITY_ORDER}
    held = said.say("rules.held", passing=said.whole(counts["pass"]), n=said.whole(len(findings)))
    rest = [
        said.say(f"rules.{status}", n=said.whole(counts[status]))
        for status in ("fail", "inconclusive", "waived")
        if counts[status]
    ]
    return "; ".join([held, *rest])


def _row(finding: Finding, units: Units) -> FindingRow:
    metric, said = finding.metric, units.speech
    harm = finding.p_harm if finding.p_harm_adjusted is None else finding.p_harm_adjusted
    none = said.figure(numbers.NOT_DEFINED)
    return FindingRow(
        slice=said.place(finding.slice),
        class_label=sentences.judged_class(finding, said),
        status=finding.status,
        status_words=sentences.status(finding, said),
        limit=units.limit(finding),
        before=units.bounded(finding, units.bare(metric, units.level(metric, finding.baseline))),
        after=units.bounded(finding, units.bare(metric, units.level(metric, finding.candidate))),
        change=units.bare(metric, units.change(metric, finding.difference)),
        interval=units.bare(metric, units.range(finding)),
        n=said.whole(finding.n) if finding.n > 0 else none,
        flips=_flips(finding, said),
        holds=said.probability(finding.p_value),
        broken=said.probability(harm),
        told=sentences.finding_parts(finding, units),
        method=visible(finding.method),
    )


def _flips(finding: Finding, said: Speech) -> str:
    if finding.lost is None or finding.gained is None:
        return said.figure(numbers.NOT_DEFINED)
    return f"{said.whole(finding.lost)} / {said.whole(finding.gained)}"
