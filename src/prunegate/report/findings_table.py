"""What is broken, open or waived: one table, the most serious first, each status in words.

An engineer finds the row that failed at once; what passes is counted here and folded in the rules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.checks import is_level
from prunegate.report import sentences
from prunegate.report.page_one.people import People
from prunegate.report.page_one.standing import gravity
from prunegate.report.sentences import ToldPart
from prunegate.report.units import CLAIMS, Units, is_share
from prunegate.text import numbers
from prunegate.text.escape import shorten
from prunegate.verdict.finding import Finding

AT_ONCE, ON_PAPER = 20, 15
"""Rows of a table that are shown at once, and on paper; the style sheet leaves the others out."""
MOST_TOLD = 60
"""Rows that are shown at all; the rest is in findings.csv."""
_LONGEST_NEED = 240


@dataclass(frozen=True, kw_only=True)
class TroubleRow:
    """One finding that is no pass, every cell as text."""

    status: str
    status_words: str
    warns: bool
    """Whether it only warns."""
    metric: str
    slice: str
    label: str
    """What the policy's labels call it; empty: nothing."""
    change: str
    """Before and after."""
    interval: str
    limit: str
    need: ToldPart
    """What would settle it, or what is shown already."""


@dataclass(frozen=True, kw_only=True)
class FindingsTable:
    """The table and the count of what is not in it."""

    rows: tuple[TroubleRow, ...]
    """Shown at once."""
    folded: tuple[TroubleRow, ...]
    hidden: int
    """Neither shown nor folded."""
    passing: int
    total: int

    @property
    def beyond(self) -> int:
        """Rows that paper does not have."""
        return len(self.rows[ON_PAPER:]) + len(self.folded) + self.hidden


def findings_table(record: DecisionRecord, units: Units) -> FindingsTable | None:
    """Everything that is no pass; None: nothing was judged."""
    if not record.findings:
        return None
    trouble = sorted((f for f in record.findings if f.status != "pass"), key=_serious)
    people = People.of(record)
    rows = tuple(_row(finding, units, people) for finding in trouble[:MOST_TOLD])
    return FindingsTable(
        rows=rows[:AT_ONCE],
        folded=rows[AT_ONCE:],
        hidden=len(trouble) - len(rows),
        passing=len(record.findings) - len(trouble),
        total=len(record.findings),
    )


def _serious(finding: Finding) -> tuple[bool, tuple[int, float]]:
    return finding.severity == "warn", gravity(finding)


def _row(finding: Finding, units: Units, people: People) -> TroubleRow:
    metric = finding.metric
    said = units.speech
    values = (units.level(metric, v) for v in (finding.baseline, finding.candidate))
    before, after = (units.bounded(finding, value) for value in values)
    interval = units.range(finding)
    none = said.figure(numbers.NOT_DEFINED)
    points = is_share(metric) and not is_level(finding.check) and interval != none
    return TroubleRow(
        status=finding.status,
        status_words=sentences.status(finding, said),
        warns=finding.severity == "warn",
        metric=shorten(sentences.about(finding, said), 120),
        slice=said.place(finding.slice),
        label=people.labelled(finding.slice),
        change=after
        if finding.baseline is None
        else said.say("number.change", before=before, after=after),
        interval=said.say("evidence.points", amount=interval) if points else interval,
        limit=units.limit(finding),
        need=_need(finding, units),
    )


def _need(finding: Finding, units: Units) -> ToldPart:
    """What would settle it; of what is settled the counts behind it."""
    if finding.check == CLAIMS:
        shown = shorten(finding.note, _LONGEST_NEED) or "–"
        return sentences.told_part(shown, units.speech, finding.note)
    need = sentences.need_in_words(finding, units)
    if need:
        return ToldPart(text=shorten(need, _LONGEST_NEED))
    note = sentences.told_note(finding, units) if finding.status == "inconclusive" else None
    if note is not None and note.text:
        return replace(note, text=shorten(note.text, _LONGEST_NEED))
    counts = sentences.lost_and_gained(finding, units.speech)
    return ToldPart(text=sentences.capital(counts) or "–")
