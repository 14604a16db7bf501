"""How the candidate was found: the attempts on the search split, the edge, the random control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from prunegate.audit.record import DecisionRecord, Search, SearchAttempt
from prunegate.report import svg
from prunegate.report.frontier_rows import frontier, severity
from prunegate.report.speech import Speech
from prunegate.report.svg import COLOURS, CONTROL, FORBIDDEN, SHAPES
from prunegate.report.units import Units
from prunegate.text import numbers
from prunegate.text.escape import LONGEST, named, shorten, visible

_WIDTH, _HEIGHT = 372, 250
_STATUS = {"approve": "pass", "reject": "fail", "inconclusive": "inconclusive"}
_TICKS = (-5, -2, -1, -0.5, 0, 0.5, 1, 2, 5, 10, 20, 50, 100)
"""Of losses as shares of what is allowed; the axis is linear near zero and logarithmic beyond."""
_ROOM = 0.08
"""Empty part of the axis on either side."""


def search_chart(found: Search, units: Units) -> svg.Chart:
    """Every attempt with a known loss as a mark; the frontier as a line; the limit in red."""
    chosen = next(a for a in found.attempts if a.number == found.chosen)
    relative = all(a.margin_used is not None for a in found.attempts)
    everything = [*found.attempts, *([found.control] if found.control else [])]
    shown = [a for a in everything if severity(a) is not None]
    across = _domain([a.objective for a in everything])
    up = _domain([*(severity(a) or 0.0 for a in shown), 0.0, *([1.0] if relative else [])])
    layers = [
        *(_limit(across, up) if relative else []),
        _frontier(found.attempts),
        *_marks(found),
        *_names(found, chosen, across, units.speech),
    ]
    chart = alt.layer(*layers).encode(
        x=_x(units.name(found.objective), across, units.speech),
        y=_y(up, relative, units.speech),
    )
    specification = svg.specified(
        chart,
        width=_WIDTH,
        height=_HEIGHT,
        padding={"left": 58, "right": 10, "top": 8, "bottom": 44},
    )
    passed = sum(a.outcome == "approve" for a in found.attempts)
    return svg.Chart(
        specification=specification,
        name="search",
        title=units.speech.say("searching.chart", objective=units.name(found.objective)),
        description=units.speech.say(
            "searching.chart_shows",
            tried=units.speech.whole(len(found.attempts)),
            passed=units.speech.whole(passed),
        ),
    )


def _domain(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = _ROOM * ((high - low) or abs(high) or 1.0)
    return low - room, high + room


def _x(objective: str, domain: tuple[float, float], said: Speech) -> alt.X:
    axis = alt.Axis(title=objective, tickCount=5, gridOpacity=0.7, **_written("~s", said))
    return alt.X("objective:Q", scale=alt.Scale(domain=list(domain), nice=False), axis=axis)


def _y(domain: tuple[float, float], relative: bool, said: Speech) -> alt.Y:
    if not relative:
        axis = alt.Axis(
            title=said.say("searching.axis_loss"),
            tickCount=5,
            gridOpacity=0.7,
            **_written("", said),
        )
        return alt.Y("loss:Q", scale=alt.Scale(domain=list(domain), nice=False), axis=axis)
    ticks = [tick for tick in _TICKS if domain[0] <= tick <= domain[1]]
    axis = alt.Axis(
        title=said.say("searching.axis_used"),
        values=ticks,
        format="~%",
        gridOpacity=0.7,
    )
    scale = alt.Scale(type="symlog", constant=1, domain=list(domain), nice=False)
    return alt.Y("loss:Q", scale=scale, axis=axis)


def _written(form: str, said: Speech) -> dict[str, str]:
    """How an axis writes its numbers: with the language's decimal mark."""
    mark = said.say("number.decimal")
    if mark == ".":
        return {"format": form} if form else {}
    text = f"format(datum.value, '{form}')" if form else "datum.label"
    return {"labelExpr": f"replace({text}, '.', '{mark}')"}


def _layer(values: Sequence[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.Data(values=list(values)))


def _point(attempt: SearchAttempt) -> dict[str, Any]:
    return {
        "objective": attempt.objective,
        "loss": severity(attempt),
        "status": _STATUS[attempt.outcome],
    }


def _limit(across: tuple[float, float], up: tuple[float, float]) -> list[alt.Chart]:
    """Losses that the policy does not allow, and the line where they begin."""
    ground = [{"objective": across[0], "end": across[1], "loss": 1.0, "top": up[1]}]
    ends = [{"objective": end, "loss": 1.0} for end in across]
    return [
        _layer(ground).mark_rect(color=FORBIDDEN).encode(x2="end:Q", y2="top:Q"),
        _layer(ends).mark_line(color=COLOURS["fail"], strokeWidth=1.6),
    ]


def _frontier(attempts: Sequence[SearchAttempt]) -> alt.Chart:
    ordered = [{**_point(a), "order": n} for n, a in enumerate(frontier(attempts))]
    return (
        _layer(ordered)
        .mark_line(color=svg.MUTED, strokeWidth=1.2, strokeDash=[4, 4])
        .encode(order="order:Q")
    )


def _marks(found: Search) -> list[alt.Chart]:
    colour = alt.Color(
        "status:N",
        scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
        legend=None,
    )
    shape = alt.Shape(
        "status:N", scale=alt.Scale(domain=list(SHAPES), range=list(SHAPES.values())), legend=None
    )
    made = [_point(a) for a in found.attempts if severity(a) is not None]
    drawn = [_point(a) for a in (found.control,) if a is not None and severity(a) is not None]
    return [
        _layer(drawn).mark_point(
            shape="circle", filled=False, color=CONTROL, size=70, strokeWidth=1.6
        ),
        _layer(made).mark_point(filled=True, size=110, opacity=1).encode(color=colour, shape=shape),
    ]


def _names(
    found: Search, chosen: SearchAttempt, across: tuple[float, float], said: Speech
) -> list[alt.Chart]:
    """The marks that matter, named beside them: inwards where the edge of the plot is near."""
    say = said.say
    named = [(chosen, say("searching.chosen", name=str(chosen.number)), 14)]
    named += [
        (a, say("searching.next", name=str(a.number)), -13)
        for a in found.attempts
        if a.number == found.next_up
    ]
    named += [(found.control, say("searching.random"), -13)] if found.control else []
    middle = sum(across) / 2
    return [
        _layer([_point(attempt)]).mark_text(
            text=text,
            align="right" if attempt.objective > middle else "left",
            baseline="middle",
            dx=-4 if attempt.objective > middle else 4,
            dy=below,
            fontSize=12,
            fontWeight="bold",
            color=svg.INK,
        )
        for attempt, text, below in named
        if severity(attempt) is not None
    ]


STATUS = {"approve": "pass", "reject": "fail", "inconclusive": "inconclusive"}
"""An attempt's outcome as the mark that the page has for it."""


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
    reason: str
    """Why the next step up did not pass, in the record's words; empty: it does not say."""
    control: str
    """Empty where no control was made."""
    objective: str
    varied: tuple[str, ...]
    chart: svg.Chart
    rows: tuple[AttemptRow, ...]


def search_section(record: DecisionRecord, units: Units) -> SearchView | None:
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
        edge=_edge(beyond, units.speech),
        reason=shorten(beyond.reason, LONGEST) if beyond and beyond.reason else "",
        control=_control(chosen, found.control, units) if found.control else "",
        objective=units.name(found.objective),
        varied=tuple(visible(name) for name in found.varied),
        chart=search_chart(found, units),
        rows=tuple(_row(found, a, units) for a in (*found.attempts, *controls)),
    )


def _summary(found: Search, chosen: SearchAttempt, units: Units) -> str:
    said = units.speech
    told = {
        "tried": said.count("searching.tried", len(found.attempts)),
        "rows": said.whole(found.rows),
        "sure": said.number(_sure(found.confidence)),
        "number": str(chosen.number),
        "objective": units.name(found.objective),
        "size": units.level(found.objective, chosen.objective),
    }
    if not found.baseline:
        return said.say("searching.summary", **told)
    smaller = said.figure(numbers.share(1 - chosen.objective / found.baseline))
    before = units.level(found.objective, found.baseline)
    return said.say("searching.summary_against", smaller=smaller, before=before, **told)


def _sure(confidence: float) -> str:
    """A confidence without rounding it up to certainty."""
    return f"{numbers.exact(confidence, 2)}{numbers.GAP}%"


def _edge(beyond: SearchAttempt | None, said: Speech) -> str:
    if beyond is None:
        return said.say("searching.no_edge")
    return said.say("searching.edge", number=str(beyond.number))


def _control(chosen: SearchAttempt, control: SearchAttempt, units: Units) -> str:
    """How much the criterion bought: the worst slice with it and without it."""
    with_it, without = severity(chosen), severity(control)
    told = {
        "criterion": visible(chosen.criterion),
        "without": _in_words(control, units),
        "with": _in_words(chosen, units),
    }
    say = units.speech.say
    if with_it is None or without is None:
        return say("searching.control", **told)
    if without <= with_it:
        return say("searching.control_nothing", **told)
    return say("searching.control_worth", worth=_worth(chosen, control, units), **told)


def _worth(chosen: SearchAttempt, control: SearchAttempt, units: Units) -> str:
    same = (chosen.loss_metric, chosen.loss_class) == (control.loss_metric, control.loss_class)
    if same and chosen.loss is not None and control.loss is not None:
        return _amount(control.loss_metric, control.loss - chosen.loss, units)
    gap = (severity(control) or 0.0) - (severity(chosen) or 0.0)
    share = units.speech.figure(numbers.share(gap))
    return units.speech.say("searching.of_margin", share=share)


def _in_words(attempt: SearchAttempt, units: Units) -> str:
    if attempt.loss is None:
        return units.speech.figure(numbers.NOT_DEFINED)
    told = {
        "amount": _amount(attempt.loss_metric, attempt.loss, units),
        "where": _where(attempt, units),
    }
    if attempt.margin_used is None:
        return units.speech.say("searching.loss", **told)
    return units.speech.say("searching.loss_used", used=_used(attempt, units), **told)


def _row(found: Search, attempt: SearchAttempt, units: Units) -> AttemptRow:
    say = units.speech.say
    control = found.control is not None and attempt.number == found.control.number
    outcome = say(f"searching.{attempt.outcome}")
    marks = {found.chosen: "searching.chosen", found.next_up: "searching.next"}
    if attempt.number in marks:
        outcome = say(marks[attempt.number], name=outcome)
    return AttemptRow(
        name=say("searching.random") if control else str(attempt.number),
        amounts=tuple(units.speech.figure(numbers.share(amount)) for amount in attempt.amounts),
        objective=units.level(found.objective, attempt.objective),
        loss=_amount(attempt.loss_metric, attempt.loss, units),
        where=_where(attempt, units),
        used=_used(attempt, units),
        status=STATUS[attempt.outcome],
        outcome=outcome,
    )


def _where(attempt: SearchAttempt, units: Units) -> str:
    if attempt.loss_metric is None or attempt.loss_slice is None:
        return ""
    metric, say = units.name(attempt.loss_metric), units.speech.say
    if attempt.loss_class:
        metric = say("evidence.of_class", metric=metric, label=named(attempt.loss_class))
    return say("searching.where", metric=metric, place=named(attempt.loss_slice))


def _used(attempt: SearchAttempt, units: Units) -> str:
    return units.speech.figure(numbers.share(attempt.margin_used, 1.0))


def _amount(metric: str | None, loss: float | None, units: Units) -> str:
    """A loss in points or in the metric's own unit; a gain is negative."""
    if metric is None:
        return units.speech.figure(numbers.NOT_DEFINED)
    return units.size(metric, loss)
