"""Comparison view: several records as one frozen value of finished text.

At most five records stand beside one another in a table, the others in further tables below it, so
that paper and a telephone have them all; how many limits are shown hangs on how many records there
are, so that the page stays small. What is left out is counted, and each record's own report has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prunegate.report.comparison.cautions_told import cautions_told
from prunegate.report.comparison.compared_limits import (
    ComparedLimits,
    LimitInRecords,
    compared_limits,
)
from prunegate.report.comparison.compared_records import ComparedRecord, ComparedRecords
from prunegate.report.comparison.overview import NamedRecord, OverviewRow, named_records, overview
from prunegate.report.comparison.own_words import OwnWords, own_words
from prunegate.report.page_one.standing import standing_key
from prunegate.report.sentences import capital
from prunegate.report.units import CLAIMS
from prunegate.text import numbers
from prunegate.text.escape import shorten
from prunegate.verdict.finding import Finding
from prunegate.verdict.losses import is_real_loss

BESIDE = 5
"""Records that stand beside one another."""
AT_ONCE, FEWEST, MOST_CELLS = 20, 10, 1500
"""Limits that are shown at once, and at least; cells of all tables together."""
LONGEST_NAME = 120


@dataclass(frozen=True, kw_only=True)
class ComparedCell:
    """What one record found."""

    status: str
    """Empty: it did not judge this."""
    change: str
    result: str


@dataclass(frozen=True, kw_only=True)
class ComparedRow:
    """One limit on one slice."""

    place: str
    name: str
    """The measure, and the class where one is judged by itself."""
    agreed: str
    warns: bool
    cells: tuple[ComparedCell, ...]


@dataclass(frozen=True, kw_only=True)
class ComparedTable:
    """Some records beside one another."""

    label: str
    """What it is, for those who cannot see it."""
    heads: tuple[OverviewRow, ...]
    rows: tuple[ComparedRow, ...]
    folded: tuple[ComparedRow, ...]


@dataclass(frozen=True, kw_only=True)
class ComparisonView:
    """Everything that the page says."""

    title: str
    """Of the document."""
    heading: str
    kind: str
    counted: str
    """How many came out how."""
    cautions: tuple[str, ...]
    rows: tuple[OverviewRow, ...]
    own_words: tuple[OwnWords, ...]
    """What page one of each record says first."""
    several_policies: bool
    tables: tuple[ComparedTable, ...]
    hidden: str
    """How many limits have no row; empty: all have."""
    folded: int
    """Rows that only a screen shows."""
    held: str
    """How many limits hold in every record."""
    facts: tuple[NamedRecord, ...]


def comparison_view(compared: ComparedRecords) -> ComparisonView:
    """The records as finished text."""
    limits = compared_limits(compared)
    told = (*limits.differing, *limits.alike, *limits.holding)
    most = max(FEWEST, MOST_CELLS // len(compared.records))
    trouble = min(AT_ONCE, most, len(limits.differing) + len(limits.alike))
    rows, speech = overview(compared), compared.speech
    heading = speech.say(
        f"compare.heading_{compared.kind}",
        title=_title(compared),
        n=speech.number(numbers.count(len(compared.records))),
    )
    return ComparisonView(
        title=heading,
        heading=heading,
        kind=speech.say(f"compare.kind_{compared.kind}"),
        counted=_counted(compared),
        cautions=cautions_told(compared, limits.unshared),
        rows=rows,
        own_words=own_words(compared),
        several_policies=len(compared.policies) > 1,
        tables=tuple(_tables(compared, rows, told[:most], trouble)),
        hidden=_hidden(compared, len(told) - most),
        folded=len(told[:most]) - trouble,
        held=_held(compared, limits),
        facts=named_records(compared),
    )


def _title(compared: ComparedRecords) -> str:
    """What the decisions are about; several titles, as the first three of them."""
    people = compared.records[0].words.people
    return people.some(tuple(dict.fromkeys(one.words.people.title for one in compared.records)))


def _counted(compared: ComparedRecords) -> str:
    speech = compared.speech
    outcomes = [one.record.outcome for one in compared.records]
    told = tuple(
        speech.count(f"compare.counted_{outcome}", outcomes.count(outcome))
        for outcome in ("approve", "inconclusive", "reject")
        if outcome in outcomes
    )
    return speech.say("compare.counted", told=speech.listed(told))


def _hidden(compared: ComparedRecords, count: int) -> str:
    return compared.speech.count("compare.hidden", count) if count > 0 else ""


def _held(compared: ComparedRecords, limits: ComparedLimits) -> str:
    speech, count = compared.speech, len(limits.holding)
    if not (limits.differing or limits.alike or count):
        return speech.say("compare.nothing_shared")
    return speech.count("compare.held", count) if count else speech.say("compare.held_none")


def _tables(
    compared: ComparedRecords,
    heads: Sequence[OverviewRow],
    told: Sequence[LimitInRecords],
    at_once: int,
) -> list[ComparedTable]:
    """A table for every few records; none where there is nothing to show."""
    found = []
    for start in range(0, len(compared.records) if told else 0, BESIDE):
        part = slice(start, start + BESIDE)
        rows = tuple(_row(compared.records, limit, part) for limit in told)
        numbered = compared.speech.listed(tuple(str(head.number) for head in heads[part]))
        found.append(
            ComparedTable(
                label=compared.speech.say("compare.table", numbers=numbered),
                heads=tuple(heads[part]),
                rows=rows[:at_once],
                folded=rows[at_once:],
            )
        )
    return found


def _row(records: Sequence[ComparedRecord], limit: LimitInRecords, part: slice) -> ComparedRow:
    first = next(
        (one for one, finding in zip(records, limit.findings, strict=True) if finding is not None)
    )
    words, finding = first.words, limit.first
    place = words.people.place(finding.slice, None if _stated(finding) else finding.class_label)
    name = capital(words.name(finding.metric))
    if _stated(finding):
        name = f"{name}: {words.people.label(finding.class_label or '')}"
    return ComparedRow(
        place=place,
        name=shorten(name, LONGEST_NAME),
        agreed=words.people.speech.say("table.agreed", limit=words.limit(finding)),
        warns=finding.severity == "warn",
        cells=tuple(
            _cell(one, found)
            for one, found in zip(records[part], limit.findings[part], strict=True)
        ),
    )


def _stated(finding: Finding) -> bool:
    """Whether it is about stated figures, whose "class" is the figure."""
    return finding.check == CLAIMS


def _cell(one: ComparedRecord, finding: Finding | None) -> ComparedCell:
    speech = one.speech
    if finding is None:
        said = speech.say("compare.not_judged")
        return ComparedCell(status="", change=speech.say("table.not_judged"), result=said)
    lost = finding.status == "pass" and is_real_loss(finding)
    key, doubt = "lost" if lost else standing_key(finding), one.unshown(finding)
    if key == "close" and doubt is not None:
        key = standing_key(doubt)
    return ComparedCell(
        status=finding.status,
        change="" if _stated(finding) else one.words.change(finding),
        result=speech.say(f"status.{key}"),
    )
