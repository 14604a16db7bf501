"""Both models' monthly cost as a picture: two lines, what lies between them, and the break-even."""

from __future__ import annotations

from decimal import Decimal

from prunegate.cost.projection import Projection
from prunegate.report import svg
from prunegate.report.speech import Speech, speech
from prunegate.report.svg import BASELINE, CANDIDATE, SAVED
from prunegate.report.vega_lite import Values, field, layer, layered, value
from prunegate.text.escape import visible
from prunegate.text.languages import ENGLISH
from prunegate.text.money import money

_WIDTH, _HEIGHT = 366, 210
_NAME = 130
"""Width of a line's name and amount, about."""
_ROOM = 1.12
"""How far the axis goes beyond the highest amount."""


def cost_chart(projection: Projection, said: Speech | None = None) -> svg.Chart:
    """The picture of a projection of two months or more, in English or in another language."""
    own = said or speech(ENGLISH)
    last = projection.months[-1]
    values = [
        {"month": m.month, "baseline": float(m.baseline), "candidate": float(m.candidate)}
        for m in projection.months
    ]
    top = max(max(v["baseline"], v["candidate"]) for v in values) or 1.0
    # whole instances are a price that jumps; drawn sloping, it would promise what is never billed
    lines = _layers(values, "step" if projection.billing == "instance" else "linear")
    amounts = _amounts(projection.currency, own)
    chart = layered(
        (*lines, *_ends(projection, own), *_paid(projection, own)),
        x=field("month", "Q", scale=_flat(last.month), axis=_months(last.month, own)),
        y=field("baseline", "Q", scale=_flat(_ROOM * top), axis=amounts),
    )
    padding = {"left": 60, "right": 14, "top": 8, "bottom": 44}
    specification = svg.specified(chart, width=_WIDTH, height=_HEIGHT, padding=padding)
    before, after = (_amount(cost, projection, own) for cost in (last.baseline, last.candidate))
    return svg.Chart(
        specification=specification,
        name="cost",
        title=own.say("costs.chart"),
        description=own.say("costs.chart_shows", month=str(last.month), before=before, after=after),
    )


def _amount(cost: str, projection: Projection, said: Speech) -> str:
    return said.amount(money(cost, projection.currency), projection.currency)


def _flat(top: float) -> Values:
    return {"domain": [0, top], "nice": False}


def _months(last: int, said: Speech) -> Values:
    step = max(1, -(-last // 6))
    values = list(range(0, last + 1, step))
    return {"values": values, "title": said.say("costs.axis_month"), "grid": False, "format": "d"}


def _amounts(currency: str, said: Speech) -> Values:
    title = said.say("costs.axis_amount", currency=visible(currency))
    axis = {"title": title, "tickCount": 5, "gridOpacity": 0.7}
    if said.number("1,0") == "1,0":
        return {**axis, "format": ",~r"}
    # marks change places by way of a third
    written = (
        "replace(replace(replace(format(datum.value, ',~r'), /,/g, '_'), '.', ','), /_/g, '.')"
    )
    return {**axis, "labelExpr": written}


def _layers(values: list[Values], course: str) -> list[Values]:
    between = {"y": field("candidate", "Q"), "y2": field("baseline")}
    before, after = ({"y": field(model, "Q")} for model in ("baseline", "candidate"))
    dashed = {"color": BASELINE, "strokeWidth": 2.4, "strokeDash": [6, 4]}
    return [
        layer(values, "area", between, color=SAVED, interpolate=course),
        layer(values, "line", before, **dashed, interpolate=course),
        layer(values, "line", after, color=CANDIDATE, strokeWidth=2.8, interpolate=course),
    ]


def _paid(projection: Projection, said: Speech) -> list[Values]:
    """Where the saving has paid the one-off cost, if there is one and it does."""
    month = projection.break_even
    if month is None or not Decimal(projection.one_off):
        return []
    late = month > projection.months[-1].month / 2  # the word stays inside the picture
    rows = [{"month": month, "baseline": 0}]
    whole = {"y": value(0), "y2": value(_HEIGHT)}
    return [
        layer(rows, "rule", whole, color=svg.MUTED, strokeDash=[2, 3]),
        layer(
            rows,
            "text",
            {},
            text=said.say("costs.mark_paid", month=str(month)),
            align="right" if late else "left",
            baseline="bottom",
            dx=-4 if late else 4,
            dy=-4,
            fontSize=11,
            color=svg.MUTED,
        ),
    ]


def _ends(projection: Projection, said: Speech) -> list[Values]:
    """The two lines named where they end; the dearer one above, the cheaper one below."""
    last = projection.months[-1]
    dearer = Decimal(last.baseline) >= Decimal(last.candidate)
    named = [
        (last.baseline, "line_baseline", BASELINE, dearer),
        (last.candidate, "line_candidate", CANDIDATE, not dearer),
    ]
    clear = _climb(projection)
    return [
        layer(
            [{"month": last.month, "baseline": float(amount)}],
            "text",
            {},
            text=said.say(f"costs.{name}", amount=_amount(amount, projection, said)),
            align="right",
            baseline="bottom" if above else "top",
            dx=-2,
            dy=-8 + min(clear, 0) if above else 8 + max(clear, 0),
            fontSize=12.5,
            fontWeight="bold",
            color=colour,
        )
        for amount, name, colour, above in named
    ]


def _climb(projection: Projection) -> float:
    """Pixels that a line climbs over the width of its name, which has to keep clear of it."""
    months = projection.months
    start = months[int((len(months) - 1) * (1 - _NAME / _WIDTH))]
    top = max(float(amount) for m in months for amount in (m.baseline, m.candidate)) or 1.0
    climbs = [
        float(end) - float(begin)
        for begin, end in (
            (start.baseline, months[-1].baseline),
            (start.candidate, months[-1].candidate),
        )
    ]
    return min(climbs, key=abs) / (_ROOM * top) * _HEIGHT
