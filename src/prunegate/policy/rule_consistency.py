"""Whether one rule makes sense: its metric exists and has what its limits speak about.

The law behind the directions: ``max_drop`` limits how far the value may fall and ``max_rise`` how
far it may rise, so for a metric where lower is better a drop is an improvement, and limiting it
with ``max_drop`` is nearly always a slip. ``min_gain`` and ``max_gain`` speak of improvement,
whichever direction that is. Every margin is a number of at least 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS, ChangeCheck, change_check, is_level
from prunegate.metrics.metric import Metric
from prunegate.policy.messages import literal, suggest
from prunegate.policy.schema import ErrorRatio, Relative, Rule, bound_of
from prunegate.text.numbers import as_written

FieldMistake = tuple[tuple[str, ...], str]
NEVER_TESTED = {
    "ece": "limit brier or log_loss, which calibration is a part of: then ece is shown for every "
    "slice, in the report and in the record",
}
"""Metrics that people ask for and no paired test here was simulated for, and what to do."""
LEAST, LEAST_OF_UNITS, MOST_TIMES = 1e-8, 1e-30, 1e6
"""The least margin but 0 as a share, or in the units of a metric that is none, and the largest
factor: no table tells less or more, and the rows that would tell it are no number."""


def unknown_metric(name: str) -> str:
    """That there is no such metric, and which one is meant or does instead."""
    if instead := NEVER_TESTED.get(name):
        return (
            f"{name} is never tested, because no paired test of it has known error rates; {instead}"
        )
    return f"unknown metric {literal(name)}; {suggest(name, METRICS)}"


def rule_disagreements(rule: Rule) -> Iterator[FieldMistake]:
    """(field path within the rule, message) for everything that contradicts itself in it."""
    if not rule.limits:
        yield (), f"a rule needs a limit: one or more of {', '.join(CHECKS)}"
    metric = METRICS.get(rule.metric)
    if metric is None:
        yield ("metric",), unknown_metric(rule.metric)
        return
    yield from _top(rule, metric)
    yield from _levels(rule, metric)
    yield from _pair_of_limits(rule)
    for check in rule.limits:
        if not is_level(check):
            yield from _change(rule, check, metric)
            yield from _size(rule, check, metric)
    if metric.operational and rule.selects != ("overall",):
        message = f"{metric.name} is measured for the whole model; write slices: overall or nothing"
        yield ("slices",), message


def _top(rule: Rule, metric: Metric) -> Iterator[FieldMistake]:
    if metric.top and rule.k is None:
        yield (), f"{metric.name} needs k: how many of the highest scores count, such as k: 5"
    elif rule.k is not None and not metric.top:
        yield ("k",), f"{metric.name} is about no number of highest scores; remove it"
    if metric.at and rule.at is None:
        yield (), f"{metric.name} needs at: {metric.at}"
    elif rule.at is not None and not metric.at:
        yield ("at",), f"{metric.name} is taken at no fixed share; remove it"


def _levels(rule: Rule, metric: Metric) -> Iterator[FieldMistake]:
    for check, value in rule.levels.items():
        got = f"got {as_written(value)}"
        if metric.share and not 0 <= value <= 1:
            percent = f"; write {as_written(value, -2)} for {as_written(value)} %"
            hint = percent if 1 < value <= 100 else ""
            yield (check,), f"{got}, expected a share from 0 to 1{hint}"
        elif metric.kind == "coefficient" and not -1 <= value <= 1:
            yield (check,), f"{got}, expected a coefficient from -1 to 1"
        elif metric.operational and value < 0 and metric.name != "saving":
            yield (check,), f"{got}; {metric.name} cannot be negative"
        elif metric.name == "break_even_month" and value < 1:
            yield (check,), f"{got}; months are counted from 1"


def _pair_of_limits(rule: Rule) -> Iterator[FieldMistake]:
    pairs = [(name, check.cap) for name, check in CHECKS.items() if check.cap]
    for low, high in pairs:
        floor, cap = getattr(rule, low), getattr(rule, high)
        if isinstance(floor, Relative) and isinstance(cap, Relative):
            floor, cap = floor.relative, cap.relative
        if isinstance(floor, float) and isinstance(cap, float) and floor > cap:
            got, least = as_written(cap), as_written(floor)
            yield (high,), f"got {got}, below {low} ({least}): nothing can satisfy both"


def _change(rule: Rule, check: str, metric: Metric) -> Iterator[FieldMistake]:
    """A limit against the baseline: the metric must have a baseline's value, and a direction."""
    limit, change = rule.limits[check], change_check(check)
    if not metric.paired:
        level = "at_most" if metric.better == "lower" else "at_least"
        message = f"{metric.name} compares the two models already, so it has no change; use {level}"
        yield (check,), message
    elif change is None:
        return
    elif change.improves(metric.better):
        yield (check,), _say_wrong_way(change, metric)
    elif isinstance(limit, ErrorRatio):
        yield from _error_ratio(change, metric)
    elif isinstance(limit, float):
        yield from _absolute(change, limit, metric)


def _size(rule: Rule, check: str, metric: Metric) -> Iterator[FieldMistake]:
    """A change is nothing, or large enough to be told, and leaves something of the value."""
    limit = rule.limits[check]
    bound = bound_of(limit)
    path = (check,) if isinstance(limit, float) else (check, bound.kind)
    least = LEAST_OF_UNITS if _in_units(check, bound.kind, metric) else LEAST
    factor = CHECKS[check].form == "factor"
    got = f"got {as_written(bound.value)}, expected"
    if 0 < bound.value < least:
        yield path, f"{got} {'' if factor else '0, or '}at least {as_written(least)}"
    elif factor and bound.value > MOST_TIMES:
        yield path, f"{got} at most {as_written(MOST_TIMES)}"
    elif not factor and least == LEAST and 1 - LEAST < bound.value < 1:
        yield path, f"{got} at most {as_written(1 - LEAST)}"


def _in_units(check: str, kind: str, metric: Metric) -> bool:
    """Whether a change is in the metric's own unit, which is not that of a share."""
    return kind == "absolute" and CHECKS[check].form == "margin" and not metric.share


def _say_wrong_way(check: ChangeCheck, metric: Metric) -> str:
    right = "max_rise" if check.moves == "drop" else "max_drop"
    return (
        f"for {metric.name} a {check.moves} is an improvement; did you mean '{right}' "
        "(or 'max_gain', which limits a suspicious improvement)?"
    )


def _error_ratio(check: ChangeCheck, metric: Metric) -> Iterator[FieldMistake]:
    if metric.kind != "rate":
        message = f"{metric.name} has no error rate; write a number or {{relative: ...}}"
        yield (check.name, "error_ratio"), message
    elif not check.loss:
        message = "error_ratio is growth of the error rate: it belongs to max_drop or max_rise"
        yield (check.name, "error_ratio"), message


def _absolute(check: ChangeCheck, margin: float, metric: Metric) -> Iterator[FieldMistake]:
    got = f"got {as_written(margin)}"
    if margin < 0:
        yield (check.name,), f"{got}; a margin is at least 0{_say_demand(check)}"
    elif metric.share and margin >= 1:
        points = f"; write {as_written(margin, -2)} for {as_written(margin)} points"
        hint = points if margin <= 100 else ""
        yield (check.name,), f"{got}, but a share cannot change by 1 or more{hint}"


def _say_demand(check: ChangeCheck) -> str:
    """A negative slack is how other tools demand an improvement."""
    return "; to demand an improvement use min_gain" if check.loss else ""
