"""Whether one rule makes sense: its metric exists and has what its limits speak about.

The law behind the directions: ``max_drop`` limits how far the value may fall and ``max_rise`` how
far it may rise, so for a metric where lower is better a drop is an improvement, and limiting it
with ``max_drop`` is nearly always a slip. ``min_gain`` and ``max_gain`` speak of improvement,
whichever direction that is. Every margin is a number of at least 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.policy.catalogue import METRICS, Metric
from prunegate.policy.model import CHECKS, LEVELS, MARGINS, ErrorRatio, Relative, Rule
from prunegate.policy.wording import show, suggest

FieldMistake = tuple[tuple[str, ...], str]


def rule_disagreements(rule: Rule) -> Iterator[FieldMistake]:
    """(field path within the rule, message) for everything that contradicts itself in it."""
    if not rule.limits:
        yield (), f"a rule needs a limit: one or more of {', '.join(CHECKS)}"
    metric = METRICS.get(rule.metric)
    if metric is None:
        message = f"unknown metric {show(rule.metric)}; {suggest(rule.metric, METRICS)}"
        yield ("metric",), message
        return
    yield from _levels(rule, metric)
    yield from _pair_of_limits(rule)
    for check in rule.limits:
        if check not in LEVELS:
            yield from _change(rule, check, metric)
    if metric.kind == "operational" and rule.selects != ("overall",):
        message = f"{metric.name} is measured for the whole model; write slices: overall or nothing"
        yield ("slices",), message


def _is_share(metric: Metric) -> bool:
    return metric.kind in ("rate", "flips")


def _levels(rule: Rule, metric: Metric) -> Iterator[FieldMistake]:
    for check in LEVELS:
        value = getattr(rule, check)
        if value is None:
            continue
        if _is_share(metric) and not 0 <= value <= 1:
            hint = f"; write {value / 100:g} for {value:g} %" if 1 < value <= 100 else ""
            yield (check,), f"got {value:g}, expected a share from 0 to 1{hint}"
        elif metric.kind == "operational" and value < 0 and metric.name != "saving":
            yield (check,), f"got {value:g}; {metric.name} cannot be negative"
        elif metric.name == "break_even_month" and value < 1:
            yield (check,), f"got {value:g}; months are counted from 1"


def _pair_of_limits(rule: Rule) -> Iterator[FieldMistake]:
    for low, high in (("at_least", "at_most"), ("min_gain", "max_gain")):
        floor, cap = getattr(rule, low), getattr(rule, high)
        if isinstance(floor, Relative) and isinstance(cap, Relative):
            floor, cap = floor.relative, cap.relative
        if isinstance(floor, float) and isinstance(cap, float) and floor > cap:
            yield (high,), f"got {cap:g}, below {low} ({floor:g}): nothing can satisfy both"


def _change(rule: Rule, check: str, metric: Metric) -> Iterator[FieldMistake]:
    """A limit against the baseline: the metric must have a baseline's value, and a direction."""
    limit = rule.limits[check]
    if not metric.paired:
        level = "at_most" if metric.better == "lower" else "at_least"
        message = f"{metric.name} compares the two models already, so it has no change; use {level}"
        yield (check,), message
    elif check == _WRONG_WAY[metric.better]:
        yield (check,), _say_wrong_way(check, metric)
    elif isinstance(limit, ErrorRatio):
        yield from _error_ratio(check, metric)
    elif isinstance(limit, float) and check in MARGINS:
        yield from _absolute(check, limit, metric)


_WRONG_WAY = {"higher": "max_rise", "lower": "max_drop"}


def _say_wrong_way(check: str, metric: Metric) -> str:
    right, moves = ("max_rise", "drop") if check == "max_drop" else ("max_drop", "rise")
    return (
        f"for {metric.name} a {moves} is an improvement; did you mean '{right}' "
        "(or 'max_gain', which limits a suspicious improvement)?"
    )


def _error_ratio(check: str, metric: Metric) -> Iterator[FieldMistake]:
    if metric.kind != "rate":
        message = f"{metric.name} has no error rate; write a number or {{relative: ...}}"
        yield (check, "error_ratio"), message
    elif check in ("min_gain", "max_gain"):
        message = "error_ratio is growth of the error rate: it belongs to max_drop or max_rise"
        yield (check, "error_ratio"), message


def _absolute(check: str, margin: float, metric: Metric) -> Iterator[FieldMistake]:
    if margin < 0:
        yield (check,), f"got {margin:g}; a margin is at least 0{_say_demand(check)}"
    elif _is_share(metric) and margin >= 1:
        hint = f"; write {margin / 100:g} for {margin:g} points" if margin <= 100 else ""
        yield (check,), f"got {margin:g}, but a share cannot change by 1 or more{hint}"


def _say_demand(check: str) -> str:
    """A negative slack is how other tools demand an improvement."""
    return "; to demand an improvement use min_gain" if check in ("max_drop", "max_rise") else ""
