"""The search as a chart: every attempt by size and loss, the limit, and what is held beside."""

from __future__ import annotations

from collections.abc import Sequence

from prunegate.audit.search_record import Search, SearchAttempt
from prunegate.report import svg
from prunegate.report.frontier_rows import frontier, severity
from prunegate.report.search_controls import beside
from prunegate.report.speech import Speech
from prunegate.report.svg import COLOURS, CONTROL, FORBIDDEN
from prunegate.report.units import Units
from prunegate.report.vega_lite import Values, field, layer, layered

_WIDTH, _HEIGHT = 372, 250
STATUS = {"approve": "pass", "reject": "fail", "inconclusive": "inconclusive"}
"""An attempt's outcome as the mark that the page has for it."""

_TICKS = (-5, -2, -1, -0.5, 0, 0.5, 1, 2, 5, 10, 20, 50, 100)
"""Of losses as shares of what is allowed; the axis is linear near zero and logarithmic beyond."""
_ROOM = 0.08
"""Empty part of the axis on either side."""


def search_chart(found: Search, units: Units) -> svg.Chart:
    """Every attempt with a known loss as a mark; the frontier as a line; the limit in red."""
    chosen = next(a for a in found.attempts if a.number == found.chosen)
    relative = all(a.margin_used is not None for a in found.attempts)
    held = [one for _, one in beside(found.draws, found.other_scope)]
    everything = [*found.attempts, *held]
    shown = [a for a in everything if severity(a) is not None]
    across = _domain([a.objective for a in everything])
    up = _domain([*(severity(a) or 0.0 for a in shown), 0.0, *([1.0] if relative else [])])
    layers = [
        *(_limit(across, up) if relative else []),
        _frontier(found.attempts),
        *_marks(found),
        *_names(found, chosen, across, units.speech),
    ]
    chart = layered(
        layers,
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


def _x(objective: str, domain: tuple[float, float], said: Speech) -> Values:
    axis = {"title": objective, "tickCount": 5, "gridOpacity": 0.7, **_written("~s", said)}
    return field("objective", "Q", scale={"domain": list(domain), "nice": False}, axis=axis)


def _y(domain: tuple[float, float], relative: bool, said: Speech) -> Values:
    scale = {"domain": list(domain), "nice": False}
    if not relative:
        axis = {"title": said.say("searching.axis_loss"), "tickCount": 5, "gridOpacity": 0.7}
        return field("loss", "Q", scale=scale, axis={**axis, **_written("", said)})
    ticks = [tick for tick in _TICKS if domain[0] <= tick <= domain[1]]
    title = said.say("searching.axis_used")
    axis = {"title": title, "values": ticks, "format": "~%", "gridOpacity": 0.7}
    return field("loss", "Q", scale={"type": "symlog", "constant": 1, **scale}, axis=axis)


def _written(form: str, said: Speech) -> dict[str, str]:
    """How an axis writes its numbers: with the language's decimal mark."""
    mark = said.say("number.decimal")
    if mark == ".":
        return {"format": form} if form else {}
    text = f"format(datum.value, '{form}')" if form else "datum.label"
    return {"labelExpr": f"replace({text}, '.', '{mark}')"}


def _point(attempt: SearchAttempt) -> Values:
    return {
        "objective": attempt.objective,
        "loss": severity(attempt),
        "status": STATUS[attempt.outcome],
    }


def _limit(across: tuple[float, float], up: tuple[float, float]) -> list[Values]:
    """Losses that the policy does not allow, and the line where they begin."""
    ground = [{"objective": across[0], "end": across[1], "loss": 1.0, "top": up[1]}]
    ends = [{"objective": end, "loss": 1.0} for end in across]
    return [
        layer(ground, "rect", {"x2": field("end"), "y2": field("top")}, color=FORBIDDEN),
        layer(ends, "line", {}, color=COLOURS["fail"], strokeWidth=1.6),
    ]


def _frontier(attempts: Sequence[SearchAttempt]) -> Values:
    ordered = [{**_point(a), "order": n} for n, a in enumerate(frontier(attempts))]
    dashed = {"color": svg.MUTED, "strokeWidth": 1.2, "strokeDash": [4, 4]}
    return layer(ordered, "line", {"order": field("order", "Q")}, **dashed)


def _marks(found: Search) -> list[Values]:
    colour, shape = svg.by_status()
    made = [_point(a) for a in found.attempts if severity(a) is not None]
    other = (found.other_scope,) if found.other_scope else ()
    held = [("circle", found.draws), ("square", other)]
    hollow = {"filled": False, "color": CONTROL, "size": 70, "strokeWidth": 1.6}
    return [
        *(
            layer(
                [_point(a) for a in some if severity(a) is not None],
                "point",
                {},
                shape=form,
                **hollow,
            )
            for form, some in held
            if some or form == "circle"
        ),
        layer(made, "point", {"color": colour, "shape": shape}, filled=True, size=110, opacity=1),
    ]


def _names(
    found: Search, chosen: SearchAttempt, across: tuple[float, float], said: Speech
) -> list[Values]:
    """The marks that matter, named beside them: inwards where the edge of the plot is near."""
    say = said.say
    named = [(chosen, say("searching.chosen", name=str(chosen.number)), 14)]
    named += [
        (a, say("searching.next", name=str(a.number)), -13)
        for a in found.attempts
        if a.number == found.next_up
    ]
    if found.draws:  # of several draws the topmost has the name
        top = max(found.draws, key=lambda draw: severity(draw) or 0.0)
        named.append((top, say("searching.random"), -13))
    if found.other_scope is not None:
        named.append((found.other_scope, found.other_scope.scope or "", 14))
    middle = sum(across) / 2
    return [
        layer(
            [_point(attempt)],
            "text",
            {},
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
