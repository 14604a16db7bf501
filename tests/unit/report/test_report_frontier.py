"""Laws of the frontier, against the definition."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.search_record import NotMade, SearchAttempt
from prunegate.outputs.findings_csv import render_frontier
from prunegate.report.frontier_rows import frontier, severity

COARSE = st.integers(-2, 4).map(float)


@st.composite
def attempts(draw: st.DrawFn) -> list[SearchAttempt]:
    drawn = draw(st.lists(st.tuples(COARSE, st.none() | COARSE), max_size=12))
    return [attempt(number, *one) for number, one in enumerate(drawn, start=1)]


def attempt(number: int, objective: float, used: float | None) -> SearchAttempt:
    return SearchAttempt(
        number=number,
        amounts=(0.5,),
        criterion="taylor",
        objective=objective,
        parameters=1,
        model_bytes=4,
        outcome="approve",
        loss=used,
        loss_metric="recall",
        loss_class=None,
        loss_slice="=cmd|' /C calc'!A0",
        margin_used=used,
        reason="",
    )


def beats(one: SearchAttempt, other: SearchAttempt) -> bool:
    a, b = severity(one), severity(other)
    assert a is not None
    assert b is not None
    weakly = one.objective <= other.objective and a <= b
    return weakly and (one.objective, a) != (other.objective, b)


@given(attempts())
def test_the_frontier_is_what_nothing_beats(made: list[SearchAttempt]) -> None:
    found = frontier(made)
    known = [a for a in made if severity(a) is not None]
    unbeaten = {
        (a.objective, severity(a)) for a in known if not any(beats(other, a) for other in known)
    }
    assert {(a.objective, severity(a)) for a in found} == unbeaten
    assert len(found) == len(unbeaten)
    assert [a.objective for a in found] == sorted(a.objective for a in found)


@given(attempts(), st.randoms())
def test_the_order_of_attempts_does_not_matter(made: list[SearchAttempt], random: object) -> None:
    shuffled = list(made)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    assert frontier(shuffled) == frontier(made)


@given(attempts())
def test_the_table_holds_the_frontier_and_no_formula(made: list[SearchAttempt]) -> None:
    text = render_frontier(made, objective="parameters", varied=("heads (step 1)",))
    head, *rows = csv.reader(io.StringIO(text))
    assert head[:3] == ["attempt", "amount of heads (step 1)", "parameters"]
    assert [int(row[0]) for row in rows] == [a.number for a in frontier(made)]
    assert [float(row[2]) for row in rows] == [a.objective for a in frontier(made)]
    assert not any(row[head.index("loss_slice")].startswith("=") for row in rows)
    assert all(len(row) == len(head) for row in rows)


def test_a_control_that_is_the_choice_once_more_is_told_as_such() -> None:
    chosen = attempt(1, 100.0, 0.01)
    control = replace(chosen, number=2, scope="budget", same_as=1)
    unmade = NotMade(number=3, amounts=(0.9,), criterion="taylor", beyond=True, reason="too much")
    text = render_frontier(
        (chosen,),
        objective="parameters",
        varied=("heads (step 1)",),
        held=[("budget", control)],
        not_made=[unmade],
    )
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["control"], row["same_as"]) for row in rows] == [
        ("", ""),
        ("budget", "1"),
        ("", ""),
    ]
