"""How the candidate was found: the attempts on the search split, the edge, the random control."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.audit.search_record import NotMade, Search, SearchAttempt
from prunegate.report import svg
from prunegate.report.frontier_rows import severity
from prunegate.report.search_chart import STATUS, search_chart
from prunegate.report.search_controls import Draws, beside, beyond_possible, summed_up
from prunegate.report.speech import Speech
from prunegate.report.units import Units
from prunegate.text import numbers
from prunegate.text.escape import LONGEST, named, shorten, visible
from prunegate.text.languages import ENGLISH
from prunegate.verdict.losses import LEVEL


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
    reason: str = ""
    """Why it could not be made, in the record's words."""


@dataclass(frozen=True, kw_only=True)
class SearchView:
    """The search section."""

    summary: str
    edge: str
    reason: str
    """Why the next step up did not pass; empty: the record does not say."""
    control: str
    """Empty where no control was made."""
    other_scope: str
    """Empty where no other scope was tried."""
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
    held = (one for _, one in beside(found.draws, found.other_scope))
    unmade = found.not_made or ()
    wall = beyond_possible(chosen, unmade) if beyond is None else None
    return SearchView(
        summary=_summary(found, chosen, units),
        edge=_edge(found, beyond, wall, units.speech),
        reason=_reason(beyond or wall, units),
        control=_controls(chosen, found.draws, units) if found.draws else "",
        other_scope=_other_scope(chosen, found.other_scope, units) if found.other_scope else "",
        objective=units.name(found.objective),
        varied=tuple(visible(units.speech.recorded(name) or name) for name in found.varied),
        chart=search_chart(found, units),
        rows=(
            *(_row(found, a, units) for a in (*found.attempts, *held)),
            *(_not_made(one, units.speech) for one in unmade),
        ),
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


def _edge(found: Search, beyond: SearchAttempt | None, wall: NotMade | None, said: Speech) -> str:
    if wall is not None:
        return said.say("searching.edge_not_made", number=str(wall.number))
    if beyond is None and found.at_largest:
        return said.say("searching.edge_largest", number=str(found.chosen))
    if beyond is None:
        return said.say("searching.no_edge")
    return said.say("searching.edge", number=str(beyond.number))


def _reason(beyond: SearchAttempt | NotMade | None, units: Units) -> str:
    """Why it did not pass, in the record's words; in another language what it lost most."""
    if beyond is None:
        return ""
    if isinstance(beyond, SearchAttempt) and units.speech.language != ENGLISH:
        lost = beyond.loss is not None
        return units.speech.say("searching.lost", loss=_in_words(beyond, units)) if lost else ""
    return shorten(units.speech.recorded(beyond.reason) or "", LONGEST)


def _controls(chosen: SearchAttempt, draws: Sequence[SearchAttempt], units: Units) -> str:
    """What the draws cost, how many pass, and whether drawing is as good as ranking."""
    found, said = summed_up(draws), units.speech
    if len(draws) == 1:
        told = [_control(chosen, draws[0], units, shown=bool(found.shown))]
    else:
        told = [*_draws(chosen, found, units), _shown(found, said)]
    if not found.tested:
        told.append(said.say("searching.not_tested"))
    elif found.as_good:
        told.append(said.count("searching.as_good", found.as_good))
    return " ".join(told)


def _shown(found: Draws, said: Speech) -> str:
    """Which draws are shown to lose more than the choice."""
    sure = _sure(1 - LEVEL)
    if not found.shown:
        return said.say("searching.shown_none", sure=said.number(sure))
    which = ", ".join(map(str, found.shown))
    return said.say("searching.shown", which=which, sure=said.number(sure))


def _draws(chosen: SearchAttempt, found: Draws, units: Units) -> Iterator[str]:
    said, spread = units.speech, found.spread
    told = {
        "n": said.whole(found.count),
        "criterion": visible(chosen.criterion),
        "with": _in_words(chosen, units),
    }
    if spread is None:
        yield said.say("searching.draws", **told)
    else:
        ends = {"least": spread.least, "mean": spread.mean, "most": spread.most}
        if spread.metric is None:
            key, shown = "used", {k: said.figure(numbers.share(v, 1.0)) for k, v in ends.items()}
        else:
            key, shown = "lost", {k: _amount(spread.metric, v, units) for k, v in ends.items()}
        yield said.say(f"searching.draws_{key}", **told, **shown)
    yield said.count("searching.draws_passing", found.passing, of=said.whole(found.count))


def _other_scope(chosen: SearchAttempt, other: SearchAttempt, units: Units) -> str:
    """What the same amounts cost by the other scope."""
    say = units.speech.say
    return say(
        "searching.other_scope",
        scope=visible(other.scope or ""),
        without=_in_words(other, units),
        outcome=say(f"searching.{other.outcome}"),
        **{"with": _in_words(chosen, units)},
    )


def _control(chosen: SearchAttempt, control: SearchAttempt, units: Units, *, shown: bool) -> str:
    """How much the criterion bought: the worst slice with it and without it.

    That it bought anything is said where a paired test shows it.
    """
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
    told["worth"] = _worth(chosen, control, units)
    told["sure"] = units.speech.number(_sure(1 - LEVEL))
    return say("searching.control_worth" if shown else "searching.control_open", **told)


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
    outcome = say(f"searching.{attempt.outcome}")
    marks = {found.chosen: "searching.chosen", found.next_up: "searching.next"}
    if attempt.number in marks:
        outcome = say(marks[attempt.number], name=outcome)
    elif attempt.same_as is not None:
        outcome = say("searching.same", name=outcome, number=str(attempt.same_as))
    return AttemptRow(
        name=_name(found, attempt, units.speech),
        amounts=tuple(units.speech.figure(numbers.share(amount)) for amount in attempt.amounts),
        objective=units.level(found.objective, attempt.objective),
        loss=_amount(attempt.loss_metric, attempt.loss, units),
        where=_where(attempt, units),
        used=_used(attempt, units),
        status=STATUS[attempt.outcome],
        outcome=outcome,
    )


def _not_made(one: NotMade, said: Speech) -> AttemptRow:
    """An attempt without a candidate: its amounts, and that they cannot be removed."""
    missing = said.figure(numbers.NOT_DEFINED)
    return AttemptRow(
        name=str(one.number),
        amounts=tuple(said.figure(numbers.share(amount)) for amount in one.amounts),
        objective=missing,
        loss=missing,
        where="",
        reason=shorten(one.reason, LONGEST),
        used=missing,
        status="inconclusive",
        outcome=said.say("searching.not_made"),
    )


def _name(found: Search, attempt: SearchAttempt, said: Speech) -> str:
    if attempt.scope is not None:
        return said.say("searching.by_scope", scope=visible(attempt.scope))
    numbered = [draw.number for draw in found.draws]
    if attempt.number not in numbered:
        return str(attempt.number)
    if len(numbered) == 1:
        return said.say("searching.random")
    return said.say("searching.draw", n=str(numbered.index(attempt.number) + 1))


def _where(attempt: SearchAttempt, units: Units) -> str:
    if attempt.loss_metric is None or attempt.loss_slice is None:
        return ""
    metric, say = units.name(attempt.loss_metric), units.speech.say
    if attempt.loss_class:
        metric = say("evidence.of_class", metric=metric, label=named(attempt.loss_class))
    return say("searching.where", metric=metric, place=units.speech.place(attempt.loss_slice))


def _used(attempt: SearchAttempt, units: Units) -> str:
    return units.speech.figure(numbers.share(attempt.margin_used, 1.0))


def _amount(metric: str | None, loss: float | None, units: Units) -> str:
    """A loss in points or in the metric's own unit; a gain is negative."""
    if metric is None:
        return units.speech.figure(numbers.NOT_DEFINED)
    return units.size(metric, loss)
