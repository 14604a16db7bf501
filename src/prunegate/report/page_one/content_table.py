"""What gets worse, and where: a row per kind of content, the worst first, all content last.

The worst few kinds have a row; the rest is counted by how it came out, so that "all proven fine" is
only ever said of what was proven. At most two measures have a column; where another one is what
went wrong, the row's result names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from prunegate.audit.record import DecisionRecord
from prunegate.report.page_one.agreed_words import AgreedWords
from prunegate.report.page_one.people import OVERALL, People
from prunegate.report.page_one.standing import (
    deciding,
    gravest,
    gravity,
    missing_places,
    standing_key,
)
from prunegate.report.partly_labelled import rows_doubted, rows_labelled
from prunegate.report.sentences import SEVERITY_ORDER, capital
from prunegate.report.task import traits_of
from prunegate.report.units import is_operational
from prunegate.text import numbers
from prunegate.verdict.finding import BEATS_CONSTANT, Finding
from prunegate.verdict.losses import is_real_loss

MOST_COLUMNS, MOST_FIGURES = 2, 2
"""Measures, and figures of the whole model that are shown."""
MOST_LIMITS, MOST_APART, LONG_RESULT = 2, 2, 27
Kind = tuple[str, str | None]
"""A slice, and the class that is judged by itself on it."""


@dataclass(frozen=True, kw_only=True)
class ContentCell:
    """One measure on one kind of content."""

    text: str
    status: str


@dataclass(frozen=True, kw_only=True)
class ContentRow:
    """One kind of content."""

    place: str
    cells: tuple[ContentCell, ...]
    status: str
    result: str
    whole: bool = False
    """Whether it is all content together."""

    @property
    def long(self) -> bool:
        """Whether the result may take two lines."""
        return len(self.result) > LONG_RESULT


@dataclass(frozen=True, kw_only=True)
class ContentColumn:
    """One measure."""

    heading: str
    agreed: str


@dataclass(frozen=True, kw_only=True)
class FigureRow:
    """A figure of the whole model: size, speed, cost."""

    name: str
    change: str
    agreed: str
    status: str
    result: str


@dataclass(frozen=True, kw_only=True)
class ContentTable:
    """The table with what stands under it."""

    title: str
    columns: tuple[ContentColumn, ...]
    rows: tuple[ContentRow, ...]
    figures: tuple[FigureRow, ...]
    more: str
    """What has no row, counted; empty: everything has one."""
    notes: tuple[str, ...]


def content_table(record: DecisionRecord, agreement: AgreedWords, most: int) -> ContentTable:
    """What was judged, kind by kind.

    Args:
        record: the decision.
        agreement: how values are told.
        most: kinds of content that have a row, beside all content.
    """
    judged = [f for f in deciding(record) if not is_operational(f.metric)]
    kinds, unfit = _kinds(judged), partial(_unfit, _open_references(record))
    columns = _columns(judged)
    worst = sorted((k for k in kinds if k != (OVERALL, None)), key=lambda k: _grave(kinds[k]))
    absent = [name for name in missing_places(record) if (name, None) not in kinds][:most]
    most -= len(absent)
    shown = worst[:most] + [k for k in kinds if k == (OVERALL, None)]
    speech = agreement.people.speech
    return ContentTable(
        title=speech.say("table.title_approve" if record.outcome == "approve" else "table.title"),
        columns=tuple(_column(metric, judged, agreement) for metric in columns),
        rows=(
            *(_absent(name, columns, agreement) for name in absent),
            *(_row(kind, kinds[kind], columns, agreement, unfit=unfit(kind)) for kind in shown),
        ),
        figures=_figures(record, agreement),
        more=_more([kinds[k] for k in worst[most:]], agreement, any(map(unfit, worst[most:]))),
        notes=tuple(_notes(record, judged, columns, agreement)),
    )


def _kinds(judged: Sequence[Finding]) -> dict[Kind, list[Finding]]:
    found: dict[Kind, list[Finding]] = {}
    for finding in judged:
        found.setdefault((finding.slice, finding.class_label), []).append(finding)
    return {kind: own for kind, own in found.items() if not all(map(_unasked, own))}


def _unasked(finding: Finding) -> bool:
    """Whether nobody agreed to it and it holds: the baseline's answers fit the labels."""
    return finding.check == BEATS_CONSTANT and finding.status == "pass"


def _open_references(record: DecisionRecord) -> frozenset[Kind]:
    """Where answers are not shown to fit the labels, whether that decides or only warns."""
    found = (f for f in record.findings if f.check == BEATS_CONSTANT)
    return frozenset(
        (f.slice, f.class_label) for f in found if f.status in ("inconclusive", "fail")
    )


def _unfit(where: frozenset[Kind], kind: Kind) -> bool:
    """Whether a limit that holds on a kind of content says little there."""
    return not where.isdisjoint((kind, (kind[0], None)))


def _grave(findings: Sequence[Finding]) -> tuple[int, float]:
    return min(map(gravity, findings))


def _columns(judged: Sequence[Finding]) -> list[str]:
    """The measures that are shown: those that went worst, in the policy's order.

    What is asked of the baseline's answers is no measure that gets worse: it has no column.
    """
    metrics = list(dict.fromkeys(f.metric for f in judged if f.check != BEATS_CONSTANT))
    by_gravity = sorted(metrics, key=lambda m: min(gravity(f)[0] for f in judged if f.metric == m))
    chosen = by_gravity[:MOST_COLUMNS]
    return [metric for metric in metrics if metric in chosen]


def _column(metric: str, judged: Sequence[Finding], agreement: AgreedWords) -> ContentColumn:
    return ContentColumn(
        heading=capital(agreement.heading(metric)),
        agreed=_agreed([f for f in judged if f.metric == metric], agreement),
    )


def _agreed(findings: Sequence[Finding], agreement: AgreedWords) -> str:
    """What was agreed on a measure; where kinds of content differ in it, which has what."""
    people, speech = agreement.people, agreement.people.speech
    kinds: dict[str, dict[Kind, None]] = {}
    for finding in findings:
        place = (finding.slice, finding.class_label)
        kinds.setdefault(agreement.limit(finding), {})[place] = None
    if len(kinds) > MOST_LIMITS:
        return speech.say("limits.several")
    if len({frozenset(places) for places in kinds.values()}) == 1:
        return speech.say("table.agreed", limit=speech.listed(tuple(kinds)))
    most, least = sorted(kinds, key=lambda limit: -len(kinds[limit]))
    if len(kinds[least]) > MOST_APART:
        return speech.say("limits.several")
    places = speech.listed(tuple(people.place(*kind) for kind in kinds[least]))
    key = "table.agreed_also" if kinds[least].keys() <= kinds[most].keys() else "table.agreed_but"
    return speech.say(key, limit=most, place=places, other=least)


def _row(
    kind: Kind,
    findings: Sequence[Finding],
    columns: Sequence[str],
    agreement: AgreedWords,
    *,
    unfit: bool = False,
) -> ContentRow:
    worst = gravest(findings) or findings[0]
    key, status = standing_key(worst), worst.status
    if worst.status == "pass" and any(f.status == "pass" and is_real_loss(f) for f in findings):
        key = "lost"
    if worst.status == "pass" and unfit:
        key, status = "unfit", "inconclusive"
    result = agreement.people.speech.say(f"status.{key}")
    if worst.metric not in columns and worst.status != "pass":
        result = agreement.people.speech.say(
            "table.because", status=result, what=agreement.name(worst.metric)
        )
    return ContentRow(
        place=agreement.people.place(*kind),
        cells=tuple(_cell(findings, metric, agreement) for metric in columns),
        status=status,
        result=result,
        whole=kind == (OVERALL, None),
    )


def _absent(name: str, columns: Sequence[str], agreement: AgreedWords) -> ContentRow:
    """A kind of content that is asked for and that the data have no row of."""
    say = agreement.people.speech.say
    nothing = ContentCell(text=say("table.not_judged"), status="")
    return ContentRow(
        place=agreement.people.place(name),
        cells=(nothing,) * len(columns),
        status="inconclusive",
        result=say("status.absent"),
    )


def _cell(findings: Sequence[Finding], metric: str, agreement: AgreedWords) -> ContentCell:
    found = gravest([f for f in findings if f.metric == metric])
    if found is None:
        return ContentCell(text=agreement.people.speech.say("table.not_judged"), status="")
    return ContentCell(text=agreement.change(found), status=found.status)


def _figures(record: DecisionRecord, agreement: AgreedWords) -> tuple[FigureRow, ...]:
    """Figures of the whole model that decide, the worst first."""
    found = [f for f in deciding(record) if is_operational(f.metric)]
    return tuple(_figure(f, agreement) for f in sorted(found, key=gravity)[:MOST_FIGURES])


def _figure(finding: Finding, agreement: AgreedWords) -> FigureRow:
    speech = agreement.people.speech
    return FigureRow(
        name=capital(agreement.name(finding.metric)),
        change=agreement.change(finding),
        agreed=speech.say("table.agreed", limit=agreement.limit(finding)),
        status=finding.status,
        result=speech.say(f"status.{standing_key(finding)}"),
    )


def _more(rest: Sequence[Sequence[Finding]], agreement: AgreedWords, unfit: bool = False) -> str:
    """How the kinds without a row came out; "proven" only where every finding was.

    Args:
        rest: their findings.
        agreement: how values are told.
        unfit: whether somewhere answers are not shown to fit the labels.
    """
    if not rest:
        return ""
    speech, count = agreement.people.speech, len(rest)
    keys = {standing_key(finding) for findings in rest for finding in findings}
    if any(is_real_loss(f) for findings in rest for f in findings):
        keys.add("within")  # what was lost beyond chance is not "all fine"
    if unfit:
        keys.add("unfit")
    if keys == {"proven"}:
        return speech.count("table.more_fine", count)
    if keys <= {"proven", "within"}:
        return speech.count("table.more_within", count)
    worst = [min((f.status for f in findings), key=_order) for findings in rest]
    told = [
        speech.say(f"statuses.{status}", n=speech.number(numbers.count(worst.count(status))))
        for status in SEVERITY_ORDER
        if status in worst
    ]
    return speech.count("table.more", count, statuses=", ".join(told))


def _order(status: str) -> int:
    return SEVERITY_ORDER.get(status, 0)


def _notes(
    record: DecisionRecord,
    judged: Sequence[Finding],
    columns: Sequence[str],
    agreement: AgreedWords,
) -> list[str]:
    """What the table does not show by itself."""
    people, speech = agreement.people, agreement.people.speech
    notes = [
        speech.say("table.before_after", candidate=people.candidate) + _on_rows(record, people)
    ]
    measures = dict.fromkeys(f.metric for f in judged if f.check != BEATS_CONSTANT)
    left = sorted(
        (m for m in measures if m not in columns),
        key=lambda m: min(gravity(f) for f in judged if f.metric == m),
    )
    if left:
        names = people.some(tuple(agreement.name(m) for m in left))
        notes.append(speech.count("table.measures", len(left), names=names))
    small = sum(not one.judged and one.rows > 0 for one in record.slices)
    if small:
        notes.append(speech.count("table.reported", small))
    return notes


def _on_rows(record: DecisionRecord, people: People) -> str:
    whole = next((one for one in record.slices if one.slicing == OVERALL), None)
    if whole is None:
        return "."
    n = people.speech.number(numbers.count(whole.rows))
    decided = traits_of(record).decided
    key = "table.rows" if decided else "table.rows_numbers"
    items = people.items.said if decided else people.items.of
    told, some = {"n": n, "items": items}, rows_labelled(record)
    if some is not None:
        key, told["labelled"] = "table.rows_some", people.speech.whole(some[0])
    doubted = rows_doubted(record)
    doubts = f"; {people.speech.count('table.doubted', doubted)}" if doubted else ""
    return f", {people.speech.say(key, **told)}{doubts}."
