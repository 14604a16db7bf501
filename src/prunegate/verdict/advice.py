"""Advice: how many further labels an open finding asks for, and on what assumption.

Two numbers, because nobody knows which is right: what it takes if the candidate in truth changed
nothing there, and what it takes if further rows are like those seen. Nobody is told to label rows
whose likely outcome is that the limit is shown to be broken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from prunegate.counting.slices import SliceCounts
from prunegate.evidence.further_rows import Further
from prunegate.metrics.catalogue import metric_named, metric_of
from prunegate.policy.schema import Minimum
from prunegate.text.nouns import one_of
from prunegate.text.said import joined
from prunegate.verdict.finding import Finding, NeededFor

HARDLY = 10
"""How many times the labels of the better case are too many to be any help."""
TOO_CLOSE = "too close to the limit to be settled by more data alone"
ALIKE = (
    "the two models differ in nothing here, and from rows without any difference the method cannot "
    "tell how large one may be"
)
UNFORETOLD = (
    "more rows narrow where both models' thresholds may lie, and how many of them would settle it "
    "cannot be foretold"
)
WOULD_BREAK = "more rows like those seen would show the limit to be broken"


@dataclass(frozen=True, kw_only=True)
class Lack:
    """What the evidence of an open limit still wants."""

    more: Further
    method: int
    """Rows of the metric's own kind before the method's error rates are known; 0: they are."""


def with_need(
    finding: Finding, counts: SliceCounts, minimum: Minimum, lack: Lack, *, in_rows: bool = False
) -> Finding:
    """The finding with the number of labels that would likely settle it.

    Args:
        finding: an open finding.
        counts: its slice.
        minimum: the policy's minimum evidence.
        lack: what its evidence still wants.
        in_rows: count in rows, whatever the metric is about.

    Further rows are positives where the metric is about these alone, or where they are what the
    minimum lacks: rows of the one class, or of the rarest where all are judged together.
    """
    unit, held = _counted_in(finding, counts, minimum)
    own = _about_positives(finding, counts)
    if in_rows:
        unit, held, own = "rows", counts.rows, False
    floor = (minimum.positives if unit == "positives" else minimum.rows) - held
    scale = _Scale(finding=finding, held=held, own=own)
    more = lack.more
    if finding.evidence == "point":  # the estimate decides as soon as there is enough of it
        more = Further(unchanged=None, as_seen=None, shows=None)
    least = max(floor, scale.in_unit(lack.method) or 0)
    unchanged = scale.at_least(more.unchanged, least)
    as_seen = scale.at_least(more.as_seen, least)
    breaks = more.shows == "broken"
    wanted = unchanged if breaks else (as_seen or unchanged)
    if wanted is None and not (breaks and (as_seen or 0) <= least):
        wanted = least
    finding = replace(finding, as_seen=more.shows)
    if not wanted or wanted <= 0:
        close = _no_number(lack.more)
        note = WOULD_BREAK if breaks else finding.note or close
        return replace(finding, note=joined(dict.fromkeys((finding.note, note))))
    purpose: NeededFor = "power" if wanted > least else "method" if least > floor else _MINIMUM
    finding = replace(
        finding,
        needed=wanted,
        needed_unit=unit,
        needed_for=purpose,
        needed_if_unchanged=unchanged,
        needed_if_as_seen=None if breaks else as_seen,
    )
    asked = request(finding, rarest=counts.tally.answers == "labels")
    return replace(finding, note=joined((finding.note, asked)))


def _no_number(more: Further) -> str:
    """Why no number of rows is asked for."""
    if not more.foretold:
        return UNFORETOLD
    return ALIKE if more.alike else TOO_CLOSE


_MINIMUM: NeededFor = "minimum evidence"


def _counted_in(
    finding: Finding, counts: SliceCounts, minimum: Minimum
) -> tuple[Literal["rows", "positives"], int]:
    """What further rows are counted in, and how many of these there are."""
    classes = counts.tally.answers != "numbers"
    if _about_positives(finding, counts) or (classes and counts.positives < minimum.positives):
        return "positives", counts.positives
    return "rows", counts.rows


def _about_positives(finding: Finding, counts: SliceCounts) -> bool:
    metric = metric_named(finding.metric)
    of_positives = metric is not None and metric.one_label == 1
    return of_positives and counts.tally.answers == "decisions"


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """From rows of the metric's own kind to what labels are asked for in."""

    finding: Finding
    held: int
    own: bool
    """Whether labels are asked for in rows of the metric's own kind."""

    def in_unit(self, rows: int | None) -> int | None:
        if rows is None or self.own:
            return rows
        return math.ceil(rows * self.held / max(self.finding.n, 1))

    def at_least(self, rows: int | None, least: int) -> int | None:
        """In the unit; no fewer than what is wanted whatever comes out."""
        found = self.in_unit(rows)
        return None if found is None else max(found, least)


def request(finding: Finding, *, rarest: bool, where: str = "") -> str:
    """What would likely settle an open finding: ``label about 640 more positives``, and if what.

    Args:
        finding: an open finding with a number of rows needed.
        rarest: whether positives are the rows of the rarest class.
        where: of which slice, as the end of the first phrase.
    """
    verb = metric_of(finding.metric).wants
    row = _row(finding, rarest)
    unchanged, as_seen = finding.needed_if_unchanged, finding.needed_if_as_seen

    def asked(count: int) -> str:
        shown = round_up(count)
        return f"{verb} about {shown:,} more {row(shown)}{where}"

    needed = finding.needed
    assert needed is not None  # noqa: S101  # as is asked for
    if finding.needed_for != "power":
        return f"{asked(needed)}{_likely_broken(finding)}"
    if unchanged is None:
        return f"{asked(needed)}, if they are like those seen"
    first = f"{asked(unchanged)} if nothing really changed"
    if finding.as_seen == "broken":
        return f"{first}; if the change is as seen, more would show the limit to be broken"
    if as_seen is None:
        return f"{first}; if the change is as seen, no number of them would tell"
    hardly = ": more hardly help" if as_seen > HARDLY * unchanged else ""
    return f"{first}; if the change is as seen, about {round_up(as_seen):,}{hardly}"


def without_request(finding: Finding) -> str:
    """The finding's note, less the request for rows at its end."""
    if finding.needed is None:
        return finding.note
    asked = (request(finding, rarest=rarest) for rarest in (False, True))
    return min((_without(finding, one) for one in asked), key=len)


def _without(finding: Finding, asked: str) -> str:
    """The note less one request, which may have a further sentence behind it."""
    return finding.note.removesuffix(asked).removesuffix("; ").replace(f"; {asked}; ", "; ")


def _likely_broken(finding: Finding) -> str:
    if finding.as_seen != "broken":
        return ""
    return ", though, if they are like those seen, the limit will not hold"


def _row(finding: Finding, rarest: bool) -> _Noun:
    """What a row is called."""
    row, of = one_of(metric_of(finding.metric).noun), ""
    if finding.needed_unit == "positives":
        row = "row" if finding.class_label is not None or rarest else "positive"
        if finding.class_label is not None:
            of = f" of class {finding.class_label}"
        elif rarest:
            of = " of the rarest class"
    return _Noun(row=row, of=of)


@dataclass(frozen=True, kw_only=True)
class _Noun:
    row: str
    of: str

    def __call__(self, count: int) -> str:
        return f"{self.row}{'' if count == 1 else 's'}{self.of}"


def round_up(count: int) -> int:
    """Two significant digits, upwards: 637 becomes 640."""
    step = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // step) * step
