"""Needs: how many labels one limit on one slice takes to be proven, and how many are there.

Counted in the metric's own rows (positives for recall), then in rows of the slice's mix. The test
that is planned for is the one that the gate uses: the exact binomial for floors and caps, the exact
paired test, the ratio tests; each by its own variance at the limit and at the expected truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import LimitKind
from prunegate.metrics.forms import POSITIVES, Base, Form, OverClasses, Overlapping, Unit
from prunegate.metrics.hypothesis import Difference, Level, SuccessRatio
from prunegate.planning.groups import Floats
from prunegate.planning.planned_limits import PLANNED, PlannedLimit
from prunegate.planning.shifts import border, distance_to_border, expected_rates
from prunegate.planning.tests import boundary, exchanged, linear
from prunegate.policy.schema import Minimum, bound_of
from prunegate.stats import macro, normal, sample_size
from prunegate.stats.reliable import SCORE_MINIMUM
from prunegate.text.numbers import count, plain

Unplanned = Literal["point", "undefined", "hopeless", "too close", "no formula"]
"""The estimate alone decides; the metric has no expected value; the limit is missed as things are
expected; more rows than any plan; no formula that holds so far from the limit."""
MOST = 100_000_000
"""More rows than this is no plan."""
RARE = 100_000
"""Units below which it is not the limit that is near, but the units that are rare."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """How sure every single test has to be."""

    alpha: float
    power: float
    """Of each test: 1 - (1 - power of the whole) / K."""
    minimum: Minimum


@dataclass(frozen=True, kw_only=True)
class Need:
    """One limit of one rule on one slice: what it takes."""

    rule: int
    """Index of the rule in the policy, from 0."""
    metric: str
    slice: str
    check: str
    limit: float
    limit_kind: LimitKind
    severity: Literal["block", "warn"]
    unit: Unit
    """What ``needed`` and ``has`` count."""
    needed: int | None
    """For the chosen power; None: see ``note``."""
    has: int
    """In the slice, expected where the models' decisions matter."""
    missing: int | None
    """Still to be labelled, in ``unit``; 0: enough."""
    rows: int | None
    """Rows of the slice's mix that hold ``needed``, and the policy's minimum evidence."""
    rows_missing: int | None
    discordance: float
    """Expected share of the metric's rows on which the models differ."""
    note: str = ""
    """Why there is no number, or what else decides."""
    unplanned: Unplanned | None = None
    """Why there is no number, as a fact; None: there is one."""


# Slices of the same rates ask for the same sizes, and the exact ones take a while.
_difference = lru_cache(maxsize=4096)(sample_size.paired)
_floor = lru_cache(maxsize=4096)(sample_size.proportion_at_least)


def need_of(limit: PlannedLimit, cells: Floats, target: Target) -> Need:
    """What a limit needs on its slice.

    Args:
        limit: the limit and its slice.
        cells: float64 [8], expected rows of the slice by cell, at any size above 0.
        target: level and power of one test.
    """
    base = _base(limit)
    share = sum(float(cells[cell]) for cell in base.cells) / float(cells.sum())
    units, unplanned, note = _units(limit, cells, target)
    rows = None if units is None else _rows(units / share, cells, target.minimum)
    if rows is not None and rows > MOST:
        rare = units is not None and units < RARE
        why = f"it takes {count(math.ceil(units or 0))} that count, and few of the rows do"
        near = "the expected value almost touches the limit"
        units = rows = None
        unplanned = "too close"
        note = f"more than {count(MOST)} rows: {why if rare else near}"
    asked = bound_of(limit.value)
    size = limit.counts.rows
    has = round(share * size)
    return Need(
        rule=limit.index,
        metric=limit.metric,
        slice=limit.counts.name,
        check=limit.check,
        limit=asked.value,
        limit_kind=asked.kind,
        severity=limit.rule.severity,
        unit=base.unit,
        needed=units,
        has=has,
        missing=None if units is None else max(0, units - has),
        rows=rows,
        rows_missing=None if rows is None else max(0, rows - size),
        discordance=_discordance(cells, base.cells),
        note=note,
        unplanned=unplanned,
    )


def _form(limit: PlannedLimit) -> Form:
    return METRICS[limit.metric].forms[PLANNED]


def _base(limit: PlannedLimit) -> Base:
    form = _form(limit)
    return form.base_of_level if isinstance(limit.claim, Level) else form.base


def _rows(rows: float, cells: Floats, minimum: Minimum) -> int:
    """Rows of the slice's mix, with the minimum evidence in them."""
    prevalence = float(cells[4:].sum() / cells.sum())
    floor = minimum.positives / prevalence if prevalence else 0.0
    return math.ceil(max(rows, minimum.rows, floor) - 1e-9)


def _discordance(cells: Floats, about: tuple[int, ...]) -> float:
    differ = sum(float(cells[cell]) for cell in about if cell in (1, 2, 5, 6))
    whole = sum(float(cells[cell]) for cell in about)
    return differ / whole if whole else 0.0


_Units = tuple[int | None, Unplanned | None, str]
"""Rows of the metric's own kind, or why there is no such number, and that in words."""


def _units(limit: PlannedLimit, cells: Floats, target: Target) -> _Units:
    if not limit.proven:
        note = "decided by the estimate alone (evidence: point): no size makes it sure"
        return None, "point", note
    try:
        before, after = expected_rates(limit.metric, cells)
    except ValueError:
        note = f"{limit.metric} has no expected value: the slice lacks the rows that define it"
        return None, "undefined", note
    if not distance_to_border(limit.claim, before, after) > 1e-9:
        return None, "hopeless", _hopeless(limit, before, after)
    return _by_form(limit, cells, after, target)


def _by_form(limit: PlannedLimit, cells: Floats, after: float, target: Target) -> _Units:
    """The size that the test of the metric's form takes."""
    form = _form(limit)
    if isinstance(form, OverClasses):
        return _over_classes(limit, form, cells, target), None, ""
    if isinstance(limit.claim, Level):
        return _level(limit.claim, form, after, target), None, ""
    about = _base(limit).cells
    inside = [float(cells[cell]) if cell in about else 0.0 for cell in range(8)]
    if isinstance(form, Overlapping):
        return _overlapping(limit, form, inside, target)
    return _paired(limit, inside, target), None, ""


def _hopeless(limit: PlannedLimit, before: float, after: float) -> str:
    metric = METRICS[limit.metric]
    ends = (after, border(limit.claim, before))
    shown, edge = (1 - v if metric.lower_is_better else v for v in ends)
    edge = float(f"{edge:.12g}")  # where it is worked out, its last digits are noise
    quantity = replace(metric.quantity(), levels=(edge,))
    return plain(
        f"cannot be proven at any size: {limit.metric.replace('_', ' ')} is expected to be "
        f"{quantity.level(shown)}, and the limit is {quantity.allowed_level(edge)}"
    )


def _level(claim: Level, form: Form, after: float, target: Target) -> int:
    limit, rate = float(claim.limit), after
    if isinstance(form, Overlapping) and form.kind == "f1":  # by Jaccard's index, a plain share
        limit, rate = limit / (2 - limit), rate / (2 - rate)
    if not claim.at_least:
        limit, rate = 1 - limit, 1 - rate
    if limit <= 0:
        return 1
    return _floor(round(min(rate, 1.0), 12), limit, target.alpha, target.power)


def _paired(limit: PlannedLimit, inside: list[float], target: Target) -> int:
    """A change of a rate of the same rows."""
    claim = limit.claim
    assert not isinstance(claim, Level)  # noqa: S101  # sorted out by the caller
    both, lost, gained, neither = _quarters(inside)
    if claim.swapped:
        lost, gained = gained, lost
    whole = both + lost + gained + neither
    levels = (target.alpha, target.power)
    if isinstance(claim, Difference):
        psi, change = (lost + gained) / whole, (gained - lost) / whole
        return _difference(sample_size.coarse(psi), round(change, 12), float(claim.margin), *levels)
    informative = whole - (neither if isinstance(claim, SuccessRatio) else both)
    n = sample_size.against(boundary(claim), lost / informative, gained / informative, *levels)
    return math.ceil(n * whole / informative)


def _quarters(cells: list[float]) -> tuple[float, float, float, float]:
    """Both right, lost, gained, neither."""
    return (
        cells[7] + cells[0],
        cells[6] + cells[1],
        cells[5] + cells[2],
        cells[4] + cells[3],
    )


def _over_classes(limit: PlannedLimit, form: OverClasses, cells: Floats, target: Target) -> int:
    """Rows for a macro average or a coefficient of both classes.

    At the limit by the score of the test itself, whose variance is another there than at the
    expected truth, where it is that of a row's influence.
    """
    claim, shares = limit.claim, cells
    if isinstance(claim, Level):
        k, margin = 0.0, -float(claim.limit)
    else:
        k, margin = linear(claim)
        shares = exchanged(cells) if claim.swapped else cells
    table = macro.of_two(form.kind, shares.tolist())
    distance = macro.room(table, k, margin)
    one_row = replace(table, count=table.shares)
    score = normal.upper_z(macro.test(one_row, k, margin).p_value)
    truth = float(table.shares @ macro.influence(table, k) ** 2)
    null = (distance / score) ** 2 if score > 0 else truth
    n = sample_size.normal_rows((null, truth), abs(distance), target.alpha, target.power)
    rarest = float(min(cells[:4].sum(), cells[4:].sum()) / cells.sum())
    return max(n, math.ceil(form.least_rows / rarest))


def _overlapping(
    limit: PlannedLimit, form: Overlapping, inside: list[float], target: Target
) -> _Units:
    """A change of precision or F1."""
    claim = limit.claim
    assert not isinstance(claim, Level)  # noqa: S101  # sorted out by the caller
    cells = exchanged(np.array(inside)).tolist() if claim.swapped else inside
    k, margin = linear(claim)
    try:
        n = sample_size.ratio_rows(
            cells,
            form.kind,
            margin,
            target.alpha,
            target.power,
            k,
        )
    except ValueError:
        return None, "no formula", "too far from the limit for a formula; see the simulation"
    smallest = min(_denominator(inside, form, bit) for bit in (1, 2)) / sum(inside)
    return max(n, math.ceil(SCORE_MINIMUM / smallest)), None, ""


def _denominator(cells: list[float], form: Overlapping, bit: int) -> float:
    also = POSITIVES if form.kind == "f1" else ()
    return sum(cells[cell] for cell in range(8) if cell & bit or cell in also)
