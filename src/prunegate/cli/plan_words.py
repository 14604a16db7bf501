"""The words of a plan: its basis, a line per limit, labels still wanted, and what happens when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS, Bound
from prunegate.planning.characteristics import Chances, Truth
from prunegate.planning.needs import Need
from prunegate.planning.plan import Plan
from prunegate.policy.figures import limit_in_words
from prunegate.text.escape import named, visible
from prunegate.text.numbers import count, exact, fixed, plain, share

_HEAD = ("metric", "slice", "limit", "needs", "in rows")
_PILOT = ("has", "missing", "rows to label")
"""Further columns where there are sizes at hand."""


def plan_lines(plan: Plan, *, brief: bool = False) -> list[str]:
    """The plan as lines of text; ``brief`` leaves the table of limits out."""
    table = [] if brief else ["", *_table(plan)]
    return [*_basis(plan), *table, "", *_wanted(plan), "", *_scenarios(plan)]


def _basis(plan: Plan) -> Iterator[str]:
    at, power = f"at alpha {_percent(plan.alpha)}", _percent(plan.power)
    together = f"all proven together with {power} power, so each with {_about(plan.power_each)}"
    tests = {
        0: "no blocking test, so that no number of rows is asked for",
        1: f"1 blocking test {at}, proven with {power} power",
    }
    yield f"{plan.policy}: " + tests.get(
        plan.tests, f"{plan.tests} blocking tests {at}, {together}"
    )
    if plan.assumed is not None:
        given = plan.assumed
        yield (
            f"no pilot: assumes that the models differ on {_percent(given.discordance)} of rows, "
            f"{_percent(given.prevalence)} of rows are positive, and the baseline's recall and "
            f"specificity are {_percent(given.rate)}"
        )
    else:
        yield (
            "sizes, rates and discordance of the pilot; discordance is shrunk, (lost + gained + 1) "
            "/ (n + 2), so that a pilot without disagreement does not plan with none"
        )
    yield f"expects: {plan.expects}"
    for note in plan.notes:
        yield f"note: {visible(note)}"


def _table(plan: Plan) -> list[str]:
    head = _HEAD if plan.basis == "planned" else (*_HEAD, *_PILOT)
    rows = [head, *(_cells(need)[: len(head)] for need in plan.needs)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    notes = ("", *(need.note for need in plan.needs))
    return [
        "  ".join((*_aligned(row, widths), note)).rstrip()
        for row, note in zip(rows, notes, strict=True)
    ]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Words to the left, numbers to the right."""
    for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if place < 3 else cell.rjust(width)


def _cells(need: Need) -> tuple[str, ...]:
    warns = " (warns)" if need.severity == "warn" else ""
    first = (need.metric.replace("_", " "), named(need.slice), f"{_limit(need)}{warns}")
    unit = "" if need.needed is None else f" {need.unit}"
    return (
        *first,
        f"{_count(need.needed)}{unit}",
        *map(_count, (need.rows, need.has, need.missing, need.rows_missing)),
    )


def _count(number: int | None) -> str:
    return "-" if number is None else count(number)


def _limit(need: Need) -> str:
    bound = Bound(value=need.limit, kind=need.limit_kind)
    quantity = METRICS[need.metric].quantity()
    return plain(limit_in_words(CHECKS[need.check], bound, quantity))


def _wanted(plan: Plan) -> Iterator[str]:
    """Rows still to be labelled, slice by slice."""
    blocking = [n for n in plan.needs if n.severity == "block"]
    missing: dict[str, int] = {}
    for need in blocking:
        missing[need.slice] = max(missing.get(need.slice, 0), need.rows_missing or 0)
    never = sum(1 for n in blocking if n.unplanned == "hopeless")
    if plan.basis == "planned":
        parts = [f"{named(s.name)} {count(s.rows)}" for s in plan.slices]
        yield f"planned sizes, in rows: {', '.join(parts)}"
    elif any(missing.values()):
        parts = [f"{named(name)} {count(rows)}" for name, rows in missing.items() if rows]
        yield f"still to be labelled, in rows of each slice's mix: {', '.join(parts)}"
    else:
        yield "no slice lacks rows"
    if never:
        noun = "limit" if never == 1 else "limits"
        yield f"{never} blocking {noun} cannot be proven as things are expected: see the table"
    if plan.operational:
        names = ", ".join(plan.operational)
        yield f"need no rows, and are taken as met below: {names}"


def _scenarios(plan: Plan) -> Iterator[str]:
    if not plan.scenarios:
        yield "no blocking limit has a slice that can be judged: this gate never approves"
        return
    sizes = "planned sizes" if plan.basis == "planned" else "sizes at hand"
    yield (
        f"this gate at the {sizes} ({count(plan.simulations)} simulations, seed {plan.seed}; "
        "standard errors in brackets):"
    )
    rows = [(_truth(s), *_chances(s.chances)) for s in plan.scenarios]
    width = max(len(row[0]) for row in rows)
    for truth, approve, reject, neither in rows:
        yield f"  {truth.ljust(width)}  approve {approve}  reject {reject}  inconclusive {neither}"
    if len(plan.scenarios) > 1:
        yield "the slice and limit shown are the worst of those simulated"


def _truth(scenario: Truth) -> str:
    if scenario.slice is None or scenario.metric is None:
        return scenario.name
    where = f"{scenario.metric.replace('_', ' ')} of {named(scenario.slice)}"
    return f"{where} {scenario.name} ({scenario.check})"


def _chances(chances: Chances) -> tuple[str, str, str]:
    approve = f"{_about(chances.approve):>7} ({fixed(100 * chances.approve_error, 1)})"
    reject = f"{_about(chances.reject):>7} ({fixed(100 * chances.reject_error, 1)})"
    return approve, reject, f"{_about(chances.inconclusive):>7}"


def _percent(given: float) -> str:
    """A share that somebody gave, with all its digits."""
    return f"{exact(given, 2)} %"


def _about(chance: float) -> str:
    """A share that was worked out, never rounded to none or all."""
    return plain(share(chance))
