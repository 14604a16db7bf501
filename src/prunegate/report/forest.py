"""Forest panels: one per metric with a change limit, one row per slice, as numbers to be drawn.

Metrics never share an axis. A class that is judged by itself has its own panel; where only one
slice is looked at, the classes are the rows of one panel instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import change_check
from prunegate.policy.naming import parse_slice_name
from prunegate.report import sentences
from prunegate.report.slack import Line, line, relative_slack
from prunegate.report.speech import Speech
from prunegate.report.units import Units, is_operational, is_share
from prunegate.text.escape import named, shorten
from prunegate.verdict.finding import Finding

MOST_ROWS, ROWS_IN_ALL = 20, 64
"""Slices drawn in a panel, and in all panels; beyond it the most serious are drawn and the rest is
counted."""
MOST_PANELS = 8
"""Panels drawn; beyond it likewise."""
OVERALL = "overall"
_LONGEST, _TAIL = 20, 8


@dataclass(frozen=True, kw_only=True)
class ForestRow:
    """One slice: difference and interval on the panel's scale (points, or the metric's own)."""

    label: str
    status: str
    difference: float | None
    low: float | None
    high: float | None
    lines: tuple[Line, ...]
    """Margins, on the panel's scale."""
    control: float | None
    """Difference of the unpruned control; None where there is none."""
    words: str = ""
    """What is drawn, in words and with its values."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One metric over its slices."""

    metric: str
    title: str
    meaning: str
    key: str
    """The slicing key that all labels share; empty where they carry their own."""
    axis: str
    rows: tuple[ForestRow, ...]
    hidden: int
    """Rows not drawn, all less serious than those drawn."""
    rows_are: str = "slice"
    """What a row is: a slice, or a class."""
    drawn: str = ""
    """What the picture is."""
    description: str = ""
    """What the picture shows, for those who cannot see it."""
    undefined: str = ""
    """What stands in the place of a change that has no value."""
    decimal: str = "."
    """The language's decimal mark."""


def panels(record: DecisionRecord, said: Speech | None = None) -> tuple[tuple[Panel, ...], int]:
    """A panel for every metric (and class) that some rule limits the change of.

    Args:
        record: the decision.
        said: the language; None: English.

    Returns:
        The panels, those with something broken first, and how many more are not drawn.
    """
    limited = [f for f in record.findings if change_check(f.check) and not is_operational(f.metric)]
    groups = _grouped(limited)
    chosen = list(groups)
    if len(chosen) > MOST_PANELS:
        chosen = sorted(chosen, key=lambda key: _urgency(groups[key]))[:MOST_PANELS]
    chosen.sort(key=lambda key: _urgency(groups[key])[0])
    units = Units.of(record, said)
    most = min(MOST_ROWS, ROWS_IN_ALL // max(len(chosen), 1))
    drawn = tuple(_panel(record, units, groups[key], most) for key in chosen)
    return drawn, len(groups) - len(drawn)


def _grouped(limited: Sequence[Finding]) -> dict[tuple[str, str | None, bool], list[Finding]]:
    """Findings by panel: the metric, the one class, and whether the rows are classes."""
    places: dict[str, set[str]] = {}
    for finding in limited:
        if finding.class_label is not None:
            places.setdefault(finding.metric, set()).add(finding.slice)
    groups: dict[tuple[str, str | None, bool], list[Finding]] = {}
    for finding in limited:
        by_class = finding.class_label is not None and len(places[finding.metric]) == 1
        key = (finding.metric, None if by_class else finding.class_label, by_class)
        groups.setdefault(key, []).append(finding)
    return groups


def _panel(record: DecisionRecord, units: Units, findings: Sequence[Finding], most: int) -> Panel:
    first = findings[0]
    by_class = len({f.class_label for f in findings}) > 1
    by_row: dict[str, list[Finding]] = {}
    for finding in findings:
        row = str(finding.class_label) if by_class else finding.slice
        by_row.setdefault(row, []).append(finding)
    labels, key = _labels(record, tuple(by_row)) if not by_class else (_classes(by_row), "")
    if OVERALL in labels and not by_class:
        labels[OVERALL] = units.speech.place(OVERALL)
    order = list(by_row)
    if len(order) > most:
        order = sorted(order, key=lambda name: _urgency(by_row[name]))[:most]
    order.sort(key=lambda name: (name != OVERALL, _urgency(by_row[name])[0]))
    rows = tuple(_row(record, units, labels[name], by_row[name]) for name in order)
    title, axis = _title(first, units, by_class=by_class), _axis(first.metric, units)
    rows_are, say = "class" if by_class else "slice", units.speech.say
    return Panel(
        metric=first.metric,
        title=title,
        meaning=units.meaning(first.metric, first.class_label),
        key=key,
        axis=axis,
        rows=rows,
        hidden=len(by_row) - len(order),
        rows_are=rows_are,
        drawn=say(f"forest.title_{rows_are}", title=title),
        description=_description(rows, axis, rows_are, units.speech),
        undefined=say("forest.undefined"),
        decimal=say("number.decimal"),
    )


def _title(first: Finding, units: Units, *, by_class: bool) -> str:
    if not by_class:
        return sentences.capital(sentences.about(first, units.speech))
    metric, place = sentences.title(first.metric, units.speech), units.speech.place(first.slice)
    return units.speech.say("forest.by_class", metric=metric, place=place)


def _description(rows: Sequence[ForestRow], axis: str, rows_are: str, said: Speech) -> str:
    """What the picture shows, for those who cannot see it."""
    counts = {s: sum(row.status == s for row in rows) for s in sentences.SEVERITY_ORDER}
    told = ", ".join(said.say(f"forest.count_{s}", n=str(n)) for s, n in counts.items() if n)
    values = "; ".join(row.words for row in rows)
    return said.say(f"forest.drawn_{rows_are}", axis=axis, told=told, rows=values)


def _axis(metric: str, units: Units) -> str:
    if is_share(metric):
        return units.speech.say("forest.axis")
    unit = METRICS[metric].unit if metric in METRICS else ""
    key = "forest.axis_unit" if unit else "forest.axis_of"
    told = {"unit": unit} if unit else {}
    return units.speech.say(key, metric=units.name(metric), **told)


def _classes(names: Iterable[str]) -> dict[str, str]:
    return {name: _fitting(named(name)) for name in names}


def _urgency(findings: Sequence[Finding]) -> tuple[int, float]:
    left = [share for f in findings if (share := relative_slack(f)) is not None]
    return min(sentences.SEVERITY_ORDER[f.status] for f in findings), min(left, default=0.0)


def _row(
    record: DecisionRecord, units: Units, label: str, findings: Sequence[Finding]
) -> ForestRow:
    first = sentences.serious_first(findings)[0]
    scale = 100.0 if is_share(first.metric) else 1.0
    margins = [margin for f in findings if (margin := line(f)) is not None]
    return ForestRow(
        label=label,
        status=first.status,
        difference=_scaled(first.difference, scale),
        low=_scaled(_end(first, first.ci_low, -math.inf), scale),
        high=_scaled(_end(first, first.ci_high, math.inf), scale),
        lines=tuple(Line(at=m.at * scale, allowed_above=m.allowed_above) for m in margins),
        control=_scaled(_control(record, first), scale),
        words=units.speech.say(
            "forest.row",
            label=label,
            change=units.change_in_words(first.metric, first.difference),
            range=units.range(first),
            limit=units.limit(first),
            status=sentences.status(first, units.speech),
        ),
    )


def _end(finding: Finding, end: float | None, unbounded: float) -> float | None:
    """An end of the interval; of a tested finding an absent one means that it has no end there."""
    return unbounded if end is None and finding.p_value is not None else end


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale


def _control(record: DecisionRecord, finding: Finding) -> float | None:
    """What the unpruned control changed on the finding's slice."""
    for row in record.control.slices if record.control else ():
        same = (row.metric, row.slice) == (finding.metric, finding.slice)
        if same and finding.class_label is None:
            if row.control is None or row.baseline is None:
                return None
            return row.control - row.baseline
    return None


def _labels(record: DecisionRecord, names: Sequence[str]) -> tuple[dict[str, str], str]:
    """Labels that fit beside the chart; the slicing key is left out where all slices share it."""
    known = {s.name: s for s in record.slices}
    slicings = {known[n].slicing for n in names if n in known and known[n].slicing != "overall"}
    shared = len(slicings) == 1 and all(n in known for n in names)
    prefixed = shared and all(
        n.startswith(f"{known[n].slicing}=") for n in names if known[n].slicing != "overall"
    )
    if not prefixed:
        return {n: _whole_or_values(n) for n in names}, ""
    labels = {n: _fitting(sentences.slice_value(known[n])) for n in names}
    return labels, shorten(slicings.pop(), _LONGEST)


def _whole_or_values(name: str) -> str:
    """A slice's name, or its values alone where the name is too long for the chart."""
    return named(name) if len(named(name)) <= _LONGEST else _fitting(_values(name))


def _values(name: str) -> str:
    """The values of a slice without their keys: ``video · eu``; another name as it is."""
    pairs = parse_slice_name(name)
    return named(name) if pairs is None else " · ".join(named(value) for value in pairs.values())


def _fitting(text: str) -> str:
    """A label that fits; of a long one both ends show, because names often differ at the end."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - _TAIL - 1]}…{text[-_TAIL:]}"
