"""The head of the report: the decision, why, and the few numbers that a reader takes away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from prunegate.audit.record import DecisionRecord
from prunegate.report import sentences
from prunegate.report.partly_labelled import rows_labelled
from prunegate.report.slack import lost_for_certain, relative_slack
from prunegate.report.speech import Speech, speech
from prunegate.report.units import Units, is_operational
from prunegate.text import numbers
from prunegate.text.escape import LONGEST, named, shorten
from prunegate.text.languages import ENGLISH
from prunegate.text.money import money
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, SliceSummary

_FEW = 4
"""Reasons that are shown without being asked for."""
_NAMED = 3
"""Slices that the sentence under the decision names for one metric."""
_MB = f"{numbers.GAP}MB"


@dataclass(frozen=True, kw_only=True)
class HeadlineFigure:
    """One number that matters."""

    label: str
    value: str
    detail: str
    tone: str
    """A status, or empty: the colour is only ever a repetition of the words."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The banner and the numbers under it."""

    outcome: str
    decision: str
    reason: str
    """Why, in one sentence."""
    reasons: tuple[str, ...]
    """The most important reasons, each with its figures."""
    more: tuple[str, ...]
    """All others, folded away."""
    caveats: tuple[str, ...]
    """Slices that got worse within their limits: an approval says so."""
    needs: tuple[str, ...]
    """What would settle the open findings."""
    figures: tuple[HeadlineFigure, ...]


def headline(record: DecisionRecord, units: Units) -> Headline:
    """The decision of a record in words and three numbers."""
    reasons = [shorten(reason, LONGEST) for reason in record.reasons]
    because = _because(record)
    if not because:
        because, reasons = " ".join(reasons[:1]) or "No reason was recorded.", reasons[1:]
    needs = dict.fromkeys(sentences.need_in_words(f, units) for f in _most_needed(record))
    return Headline(
        outcome=record.outcome,
        decision=sentences.decision(record),
        reason=because,
        reasons=tuple(reasons[:_FEW]),
        more=tuple(reasons[_FEW:]),
        caveats=_caveats(record, units) if record.outcome == "approve" else (),
        needs=tuple(f"{need}." for need in needs if need) if record.outcome != "reject" else (),
        figures=headline_figures(record, units),
    )


def _most_needed(record: DecisionRecord) -> list[Finding]:
    """Of the open findings that want the same rows of a slice, the one that wants most of them."""
    most: dict[tuple[str, str | None, str | None], Finding] = {}
    for finding in _blocking(record):
        if finding.status != "inconclusive" or finding.needed is None:
            continue
        key = (finding.slice, finding.class_label, finding.needed_unit)
        if key not in most or finding.needed > (most[key].needed or 0):
            most[key] = finding
    return list(most.values())


def _caveats(record: DecisionRecord, units: Units) -> tuple[str, ...]:
    """Losses that are real and allowed, in plain words, those nearest to their limit first."""
    nearest: dict[tuple[str, str | None, str], Finding] = {}  # two limits on one loss: one line
    for finding in _blocking(record):
        key = (finding.metric, finding.class_label, finding.slice)
        lost = finding.status == "pass" and lost_for_certain(finding)
        if lost and (key not in nearest or _room(finding) < _room(nearest[key])):
            nearest[key] = finding
    found = list(nearest.values())
    rest = len(found) - _FEW
    shown = sorted(found, key=_room)[:_FEW] if rest > 1 else found
    told = [
        f"{sentences.capital(sentences.about(f))} on {named(f.slice)} did get worse "
        f"({units.change_in_words(f.metric, f.difference)}), though by less than the policy allows."
        for f in shown
    ]
    if rest > 1:
        told.append(
            f"So did {numbers.count(rest)} more, all further from their limits: see the rules."
        )
    return tuple(told)


def _room(finding: Finding) -> float:
    left = relative_slack(finding)
    return 0.0 if left is None else left


def _because(record: DecisionRecord) -> str:
    """The slices that decided it, worst first, in one sentence; empty for an approval."""
    wanted = {"reject": "fail", "inconclusive": "inconclusive"}.get(record.outcome)
    places: dict[str, dict[str, None]] = {}
    for finding in sorted(_blocking(record), key=lambda f: f.slice == "overall"):
        if finding.status == wanted:
            places.setdefault(sentences.about(finding), {})[named(finding.slice)] = None
    if not places:
        return ""
    start = "It misses its limits" if wanted == "fail" else "Not settled yet"
    told = [f"{metric} on {_some(list(slices))}" for metric, slices in places.items()]
    rest = len(told) - _FEW
    if rest > 1:
        told = [*told[:_FEW], f"and {rest} more metrics or classes"]
    return f"{start}: {'; '.join(told)}."


def _some(names: list[str]) -> str:
    """A few names and how many more there are: ``video, ugc and 3 more``."""
    rest = len(names) - _NAMED
    shown = [*names[:_NAMED], f"{rest} more"] if rest > 1 else names
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def headline_figures(record: DecisionRecord, units: Units) -> tuple[HeadlineFigure, ...]:
    """Three numbers, the first that the record has of those a client asks for."""
    wanted: Sequence[Callable[[DecisionRecord, Units], HeadlineFigure | None]] = (
        _worst_change,
        _cost,
        _size,
        _slices_safe,
        _rows_judged,
        _flips,
    )
    found = [figure for make in wanted if (figure := make(record, units)) is not None]
    return tuple(found[:3])


def _blocking(record: DecisionRecord) -> list[Finding]:
    return [f for f in record.findings if f.severity == "block"]


def _worst_change(record: DecisionRecord, units: Units) -> HeadlineFigure | None:
    judged = [
        f
        for f in _blocking(record)
        if relative_slack(f) is not None and not is_operational(f.metric)
    ]
    if not judged:
        return None
    finding = min(judged, key=lambda f: (f.status != "fail", _room(f)))
    return HeadlineFigure(
        label=f"Worst change: {sentences.about(finding)}, {named(finding.slice)}",
        value=units.change_in_words(finding.metric, finding.difference),
        detail=f"allowed: {units.limit(finding)}",
        tone=finding.status,
    )


def _cost(record: DecisionRecord, units: Units) -> HeadlineFigure | None:
    cost = record.cost
    if cost is None:
        return None
    if not cost.months:
        before, after, label = (
            cost.cost_per_1k_baseline,
            cost.cost_per_1k_candidate,
            "1,000 inferences",
        )
    else:
        last = cost.months[-1]
        before, after = last.baseline, last.candidate
        label = f"a month at {numbers.count(last.volume)} inferences"
    return HeadlineFigure(
        label=f"Cost of {label}" if not cost.months else f"Cost {label}",
        value=f"{money(before, units.currency)} → {money(after, units.currency)}",
        detail=saving(before, after),
        tone="",
    )


def saving(before: str | None, after: str | None, said: Speech | None = None) -> str:
    """What is saved, as a share of the baseline's cost."""
    own = said or speech(ENGLISH)
    if before is None or after is None:
        return own.say("costs.unknown")
    old, new = Decimal(before), Decimal(after)
    if old <= 0 or not (old.is_finite() and new.is_finite()):
        return own.say("costs.unknown")
    part = float((old - new) / old)
    if part == 0:
        return own.say("costs.same")
    share = own.figure(numbers.share(abs(part)))
    return own.say("costs.saved" if part > 0 else "costs.more", share=share)


def _size(record: DecisionRecord, _: Units) -> HeadlineFigure | None:
    before, after = _bytes(record)
    if before is None or after is None or before <= 0 or after <= 0:
        return None
    return HeadlineFigure(
        label="Size of the stored weights",
        value=f"{numbers.megabytes(before).removesuffix(_MB)} → {numbers.megabytes(after)}",
        detail=times(before, after, "smaller", "larger"),
        tone="",
    )


def _bytes(record: DecisionRecord) -> tuple[int | None, int | None]:
    if record.baseline is not None and record.candidate is not None:
        return record.baseline.model_bytes, record.candidate.model_bytes
    if record.measurements is not None:
        return record.measurements.baseline.model_bytes, record.measurements.candidate.model_bytes
    return None, None


def times(before: float, after: float, less: str, more: str) -> str:
    """How many times less (or more) the second is: ``1.42 times smaller``."""
    if before == after:
        return "unchanged"
    ratio, word = (before / after, less) if before > after else (after / before, more)
    text = numbers.significant(ratio)
    return f"{text} times {word}" if text != "1.00" else f"less than 1 % {word}"


def _slices_safe(record: DecisionRecord, _: Units) -> HeadlineFigure | None:
    names = {f.slice for f in _blocking(record) if f.check != BEATS_CONSTANT}
    if not names:
        return None
    safe = names - {f.slice for f in _blocking(record) if f.status != "pass"}
    return HeadlineFigure(
        label="Slices where every blocking limit holds",
        value=f"{len(safe)} of {len(names)}",
        detail="a slice is one kind of content, or everything together",
        tone="pass" if len(safe) == len(names) else "",
    )


def label_cells(summary: SliceSummary, label: str | None) -> tuple[int, ...]:
    """The eight joint counts of one of several labels, or of the slice."""
    if label is None:
        return summary.cells
    found = {one.label: one.cells for one in summary.label_cells or ()}
    return found.get(label, ())


def _rows_judged(record: DecisionRecord, units: Units) -> HeadlineFigure | None:
    overall = next((s for s in record.slices if s.slicing == "overall"), None)
    if overall is None:
        return None
    positives, some = numbers.count(overall.positives), rows_labelled(record)
    if some is not None:
        positives = f"at least {positives}"
    detail = {
        "decisions": f"{positives} of them positive",
        "labels": f"{len(overall.classes)} classes; the rarest has {positives}",
        "label sets": f"{len(overall.classes)} labels occur; the rarest has {positives}",
        "numbers": "each of them judged by both models",
    }[units.task.answers]
    rows = units.task.noun
    return HeadlineFigure(
        label=f"Labelled {rows} judged" if units.task.decided else f"{rows.title()} judged",
        value=" of ".join(map(numbers.count, some or (overall.rows,))),
        detail=detail,
        tone="",
    )


def _flips(record: DecisionRecord, _: Units) -> HeadlineFigure | None:
    overall = next((s for s in record.slices if s.slicing == "overall"), None)
    flipped = lost_gained(overall) if overall and overall.rows else None
    if flipped is None:
        return None
    return HeadlineFigure(
        label="Decisions lost and gained",
        value=f"{numbers.count(flipped[0])} lost, {numbers.count(flipped[1])} gained",
        detail="rows that only one of the two models gets right",
        tone="",
    )


def lost_gained(summary: SliceSummary, label: str | None = None) -> tuple[int, int] | None:
    """Rows that only the baseline, and only the candidate, gets right; None without counts.

    Args:
        summary: the slice.
        label: the one of several labels that is to be right; None: the row as a whole.
    """
    cells = label_cells(summary, label)
    if label is None and summary.lost is not None and summary.gained is not None:
        return summary.lost, summary.gained
    # cells are all that a record has which is older than the two counts
    return (cells[1] + cells[6], cells[2] + cells[5]) if len(cells) == 8 else None
