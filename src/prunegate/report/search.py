"""How the candidate was found: the attempts on the search split, the edge, the random control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from prunegate.audit.record import DecisionRecord, Search, SearchAttempt
from prunegate.report import svg
from prunegate.report.frontier_rows import frontier, severity
from prunegate.report.svg import COLOURS, CONTROL, FORBIDDEN, SHAPES
from prunegate.report.units import Units, metric_name
from prunegate.text import numbers
from prunegate.text.escape import LONGEST, named, shorten, visible

_WIDTH, _HEIGHT = 372, 250
_STATUS = {"approve": "pass", "reject": "fail", "inconclusive": "inconclusive"}
_TICKS = (-5, -2, -1, -0.5, 0, 0.5, 1, 2, 5, 10, 20, 50, 100)
"""Of losses as shares of what is allowed; the axis is linear near zero and logarithmic beyond."""
_ROOM = 0.08
"""Empty part of the axis on either side."""


def search_chart(found: Search) -> svg.Chart:
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
        *_names(found, chosen, across),
    ]
    chart = alt.layer(*layers).encode(x=_x(found.objective, across), y=_y(up, relative))
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
        title=f"Loss of the worst slice against {metric_name(found.objective)}, per attempt",
        description=f"{len(found.attempts)} attempts, of which {passed} pass. "
        "The table below has every value.",
    )


def _domain(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = _ROOM * ((high - low) or abs(high) or 1.0)
    return low - room, high + room


def _x(objective: str, domain: tuple[float, float]) -> alt.X:
    axis = alt.Axis(title=metric_name(objective), tickCount=5, format="~s", gridOpacity=0.7)
    return alt.X("objective:Q", scale=alt.Scale(domain=list(domain), nice=False), axis=axis)


def _y(domain: tuple[float, float], relative: bool) -> alt.Y:
    if not relative:
        axis = alt.Axis(title="loss of the worst slice", tickCount=5, gridOpacity=0.7)
        return alt.Y("loss:Q", scale=alt.Scale(domain=list(domain), nice=False), axis=axis)
    ticks = [tick for tick in _TICKS if domain[0] <= tick <= domain[1]]
    axis = alt.Axis(
        title="worst slice’s loss, share of its margin",
        values=ticks,
        format="~%",
        gridOpacity=0.7,
    )
    scale = alt.Scale(type="symlog", constant=1, domain=list(domain), nice=False)
    return alt.Y("loss:Q", scale=scale, axis=axis)


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


def _names(found: Search, chosen: SearchAttempt, across: tuple[float, float]) -> list[alt.Chart]:
    """The marks that matter, named beside them: inwards where the edge of the plot is near."""
    named = [(chosen, f"{chosen.number}, chosen", 14)]
    named += [
        (a, f"{a.number}, next step up", -13) for a in found.attempts if a.number == found.next_up
    ]
    named += [(found.control, "random control", -13)] if found.control else []
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
        edge=_edge(beyond),
        control=_control(chosen, found.control, units) if found.control else "",
        objective=metric_name(found.objective),
        varied=tuple(visible(name) for name in found.varied),
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
    return f"{numbers.exact(confidence, 2)}{numbers.GAP}%"


def _edge(beyond: SearchAttempt | None) -> str:
    if beyond is None:
        return "No attempt removed more and failed, so the edge may lie beyond what was tried."
    why = f" {shorten(beyond.reason, LONGEST)}" if beyond.reason else ""
    return f"The next step up, attempt {beyond.number}, did not pass.{why}"


def _control(chosen: SearchAttempt, control: SearchAttempt, units: Units) -> str:
    """How much the criterion bought: the worst slice with it and without it."""
    with_it, without = severity(chosen), severity(control)
    start = (
        f"With the units drawn at random instead of ranked by {visible(chosen.criterion)}, the "
        f"same amounts cost the worst slice {_in_words(control, units)} instead of "
        f"{_in_words(chosen, units)}"
    )
    if with_it is None or without is None:
        return f"{start}."
    if without <= with_it:
        return f"{start}: here the ranking bought nothing. One random draw; an estimate."
    worth = _worth(chosen, control, units)
    return f"{start}: the ranking bought {worth}. One random draw; an estimate."


def _worth(chosen: SearchAttempt, control: SearchAttempt, units: Units) -> str:
    same = (chosen.loss_metric, chosen.loss_class) == (control.loss_metric, control.loss_class)
    if same and chosen.loss is not None and control.loss is not None:
        return _amount(control.loss_metric, control.loss - chosen.loss, units)
    gap = (severity(control) or 0.0) - (severity(chosen) or 0.0)
    return f"{numbers.share(gap)} of the margin"


def _in_words(attempt: SearchAttempt, units: Units) -> str:
    if attempt.loss is None:
        return numbers.NOT_DEFINED
    used = f", {_used(attempt)} of its margin" if attempt.margin_used is not None else ""
    return f"{_amount(attempt.loss_metric, attempt.loss, units)} ({_where(attempt)}{used})"


def _row(found: Search, attempt: SearchAttempt, units: Units) -> AttemptRow:
    control = found.control is not None and attempt.number == found.control.number
    marks = {found.chosen: ", chosen", found.next_up: ", next step up"}
    return AttemptRow(
        name="random control" if control else str(attempt.number),
        amounts=tuple(numbers.share(amount) for amount in attempt.amounts),
        objective=units.level(found.objective, attempt.objective),
        loss=_amount(attempt.loss_metric, attempt.loss, units),
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
    return numbers.share(attempt.margin_used, 1.0)


def _amount(metric: str | None, loss: float | None, units: Units) -> str:
    """A loss in points or in the metric's own unit; a gain is negative."""
    return numbers.NOT_DEFINED if metric is None else units.quantities[metric].size(loss)
