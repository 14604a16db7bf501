"""Forest panels: one per metric with a change limit, one row per slice, as numbers to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.report import words
from prunegate.report.inert import shorten
from prunegate.report.limits import CHANGES, Line, line, slack
from prunegate.report.units import is_operational, is_share, meaning, metric_name
from prunegate.verdict.finding import Finding

MOST_ROWS = 40
"""Slices drawn per panel; beyond it the most serious are drawn and the rest is counted."""
_LONGEST = 22


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
    """Slices not drawn, all less serious than those drawn."""

    @property
    def description(self) -> str:
        """What the picture shows, for those who cannot see it."""
        counts = {s: sum(r.status == s for r in self.rows) for s in words.SEVERITY_ORDER}
        named = ", ".join(f"{n} {status}" for status, n in counts.items() if n)
        return (
            f"{self.axis} per slice with 95 % intervals and limits: {named}. "
            "The table of rules has every value."
        )


def panels(record: DecisionRecord) -> tuple[Panel, ...]:
    """A panel for every metric that some rule limits the change of."""
    limited = [f for f in record.findings if f.check in CHANGES and not is_operational(f.metric)]
    return tuple(
        _panel(record, metric, [f for f in limited if f.metric == metric])
        for metric in dict.fromkeys(f.metric for f in limited)
    )


def _panel(record: DecisionRecord, metric: str, findings: Sequence[Finding]) -> Panel:
    by_slice: dict[str, list[Finding]] = {}
    for finding in findings:
        by_slice.setdefault(finding.slice, []).append(finding)
    labels, key = _labels(record, tuple(by_slice))
    order = list(by_slice)
    if len(order) > MOST_ROWS:
        order = sorted(order, key=lambda name: _urgency(by_slice[name]))[:MOST_ROWS]
    scale = 100.0 if is_share(metric) else 1.0
    unit = "Change in percentage points" if is_share(metric) else f"Change of {metric_name(metric)}"
    return Panel(
        metric=metric,
        title=words.title(metric),
        meaning=meaning(metric),
        key=key,
        axis=unit,
        rows=tuple(_row(record, labels[name], by_slice[name], scale) for name in order),
        hidden=len(by_slice) - len(order),
    )


def _urgency(findings: Sequence[Finding]) -> tuple[int, float]:
    slacks = [s for f in findings if (s := slack(f)) is not None]
    return min(words.SEVERITY_ORDER[f.status] for f in findings), min(slacks, default=0.0)


def _row(
    record: DecisionRecord, label: str, findings: Sequence[Finding], scale: float
) -> ForestRow:
    first = words.serious_first(findings)[0]
    margins = [margin for f in findings if (margin := line(f)) is not None]
    return ForestRow(
        label=label,
        status=first.status,
        difference=_scaled(first.difference, scale),
        low=_scaled(first.ci_low, scale),
        high=_scaled(first.ci_high, scale),
        lines=tuple(Line(at=m.at * scale, allowed_above=m.allowed_above) for m in margins),
        control=_scaled(_control(record, first), scale),
    )


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale


def _control(record: DecisionRecord, finding: Finding) -> float | None:
    """What the unpruned control changed on the finding's slice."""
    for row in record.control.slices if record.control else ():
        if (row.metric, row.slice) == (finding.metric, finding.slice):
            known = row.control is not None and row.baseline is not None
            return row.control - row.baseline if known else None  # type: ignore[operator]  # both known
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
        return {n: shorten(n, _LONGEST) for n in names}, ""
    labels = {n: shorten(words.slice_value(known[n]), _LONGEST) for n in names}
    return labels, shorten(slicings.pop(), _LONGEST)
