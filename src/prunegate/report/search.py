"""How the candidate was found: the attempts on the search split, the edge, the random control."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from prunegate.audit.record import DecisionRecord, Search, SearchAttempt
from prunegate.metrics.catalogue import METRICS
from prunegate.report import numbers
from prunegate.report.frontier import severity
from prunegate.report.inert import LONGEST, inert, named, shorten
from prunegate.report.search_chart import search_chart
from prunegate.report.units import Units, metric_name

STATUS = {"approve": "pass", "reject": "fail", "inconclusive": "inconclusive"}
"""An attempt's outcome as the mark that the page has for it."""
_WORDS = {"approve": "passes", "reject": "fails", "inconclusive": "not proven"}


@dataclass(frozen=True, kw_only=True)
class AttemptRow:
    """One attempt, every cell as text."""

    name: str
    amounts: tuple[str, ...]
    objective: str
    loss: str
    where: str
    used: str
    status: str
    outcome: str


@dataclass(frozen=True, kw_only=True)
class SearchView:
    """The search section."""

    summary: str
    edge: str
    control: str
    """Empty where no control was made."""
    objective: str
    varied: tuple[str, ...]
    chart: Markup
    rows: tuple[AttemptRow, ...]


def search(record: DecisionRecord, units: Units) -> SearchView | None:
    """The search section of a record; None where the candidate was not searched for."""
    found = record.search
    if found is None:
        return None
    attempts = {attempt.number: attempt for attempt in found.attempts}
    chosen = attempts[found.chosen]
    beyond = attempts[found.next_up] if found.next_up is not None else None
    controls = (found.control,) if found.control else ()
    return SearchView(
        summary=_summary(found, chosen, units),
        edge=_edge(beyond),
        control=_control(chosen, found.control) if found.control else "",
        objective=metric_name(found.objective),
        varied=tuple(inert(name) for name in found.varied),
        chart=search_chart(found),
        rows=tuple(_row(found, a, units) for a in (*found.attempts, *controls)),
    )


def _summary(found: Search, chosen: SearchAttempt, units: Units) -> str:
    tried = len(found.attempts)
    size = units.level(found.objective, chosen.objective)
    against = ""
    if found.baseline:
        smaller = numbers.share(1 - chosen.objective / found.baseline)
        before = units.level(found.objective, found.baseline)
        against = f", {smaller} less than the baseline’s {before}"
    return (
        f"{tried} candidate{'' if tried == 1 else 's'} judged by the policy’s own rules on "
        f"{numbers.count(found.rows)} rows of the search split, {_sure(found.confidence)} sure. "
        f"Attempt {chosen.number} is the smallest that passed: {metric_name(found.objective)} "
        f"{size}{against}. The decision above is about other rows, which no attempt has seen."
    )


def _sure(confidence: float) -> str:
    """A confidence without rounding it up to certainty."""
    return f"{100 * confidence:.10g}{numbers.GAP}%"


def _edge(beyond: SearchAttempt | None) -> str:
    if beyond is None:
        return "No attempt removed more and failed, so the edge may lie beyond what was tried."
    why = f" {shorten(beyond.reason, LONGEST)}" if beyond.reason else ""
    return f"The next step up, attempt {beyond.number}, did not pass.{why}"


def _control(chosen: SearchAttempt, control: SearchAttempt) -> str:
    """How much the criterion bought: the worst slice with it and without it."""
    with_it, without = severity(chosen), severity(control)
    start = (
        f"With the units drawn at random instead of ranked by {inert(chosen.criterion)}, the same "
        f"amounts cost the worst slice {_in_words(control)} instead of {_in_words(chosen)}"
    )
    if with_it is None or without is None:
        return f"{start}."
    if without <= with_it:
        return f"{start}: here the ranking bought nothing. One random draw; an estimate."
    return f"{start}: the ranking bought {_worth(chosen, control)}. One random draw; an estimate."


def _worth(chosen: SearchAttempt, control: SearchAttempt) -> str:
    same = (chosen.loss_metric, chosen.loss_class) == (control.loss_metric, control.loss_class)
    if same and chosen.loss is not None and control.loss is not None:
        return _amount(control.loss_metric, control.loss - chosen.loss)
    gap = (severity(control) or 0.0) - (severity(chosen) or 0.0)
    return f"{numbers.fixed(100 * gap, 0)}{numbers.GAP}% of the margin"


def _in_words(attempt: SearchAttempt) -> str:
    if attempt.loss is None:
        return numbers.NOT_DEFINED
    used = f", {_used(attempt)} of its margin" if attempt.margin_used is not None else ""
    return f"{_amount(attempt.loss_metric, attempt.loss)} ({_where(attempt)}{used})"


def _row(found: Search, attempt: SearchAttempt, units: Units) -> AttemptRow:
    control = found.control is not None and attempt.number == found.control.number
    marks = {found.chosen: ", chosen", found.next_up: ", next step up"}
    return AttemptRow(
        name="random control" if control else str(attempt.number),
        amounts=tuple(numbers.share(amount) for amount in attempt.amounts),
        objective=units.level(found.objective, attempt.objective),
        loss=_amount(attempt.loss_metric, attempt.loss),
        where=_where(attempt),
        used=_used(attempt),
        status=STATUS[attempt.outcome],
        outcome=f"{_WORDS[attempt.outcome]}{marks.get(attempt.number, '')}",
    )


def _where(attempt: SearchAttempt) -> str:
    if attempt.loss_metric is None or attempt.loss_slice is None:
        return ""
    of = f" of class {named(attempt.loss_class)}" if attempt.loss_class else ""
    return f"{metric_name(attempt.loss_metric)}{of} on {named(attempt.loss_slice)}"


def _used(attempt: SearchAttempt) -> str:
    if attempt.margin_used is None:
        return numbers.NOT_DEFINED
    return f"{numbers.fixed(100 * attempt.margin_used, 0)}{numbers.GAP}%"


def _amount(metric: str | None, loss: float | None) -> str:
    """A loss in points or in the metric's own unit; a gain is negative."""
    if metric is None or loss is None:
        return numbers.NOT_DEFINED
    known = METRICS.get(metric)
    if known is not None and known.share:
        return f"{numbers.fixed(100 * loss, 1)}{numbers.GAP}points"
    unit = f"{numbers.GAP}{known.unit}" if known is not None and known.unit else ""
    return f"{numbers.significant(loss)}{unit}"
