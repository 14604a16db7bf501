"""Plan: what a policy needs before it can be decided, and how its gate behaves at given sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from prunegate.counting.tallies import Cells
from prunegate.data.predictions.lookalikes import hints_of_lookalikes
from prunegate.data.predictions.many_values import hints, too_many_values
from prunegate.errors import InputError, UnsupportedError
from prunegate.io.progress import Progress, silent
from prunegate.metrics.catalogue import METRICS
from prunegate.planning import assumed_groups as assuming
from prunegate.planning.assumed_groups import Assumed
from prunegate.planning.cells import Layout, lay_out
from prunegate.planning.characteristics import Gate, Truth, simulate
from prunegate.planning.groups import Group, expected, from_pilot
from prunegate.planning.needs import Need, Target, need_of
from prunegate.planning.planned_limits import PLANNED, Asked, asked, operational_metrics
from prunegate.policy.production import refuse_production_rules
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import require_decisions_do
from prunegate.policy.weight_consistency import refuse_weights
from prunegate.verdict.gate_set_attempt import spent

Basis = Literal["pilot", "rows", "planned"]


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What is asked of a plan."""

    power: float = 0.9
    """Chance that everything blocking is proven, if nothing changed."""
    simulations: int = 1000
    seed: int = 0
    as_seen: bool = False
    """Expect the change that the pilot shows, instead of none."""


@dataclass(frozen=True, kw_only=True)
class PlannedSize:
    """One slice, and the rows it is simulated with."""

    name: str
    rows: int
    positives: int
    declared: bool


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Needs of every limit, and the operating characteristics of the gate."""

    policy: str
    basis: Basis
    """Sizes and rates of a pilot; assumed rates with given ``rows``, or with the planned sizes."""
    assumed: Assumed | None
    """What was taken for granted; None with a pilot."""
    expects: str
    """``nothing changed`` or ``the pilot's change``."""
    alpha: float
    power: float
    tests: int
    """K: blocking limits that have to be proven together."""
    power_each: float
    """1 - (1 - power) / K."""
    needs: tuple[Need, ...]
    operational: tuple[str, ...]
    """Rules on figures: they need no rows, and are taken as met."""
    notes: tuple[str, ...]
    slices: tuple[PlannedSize, ...]
    """The sizes that were simulated."""
    scenarios: tuple[Truth, ...]
    simulations: int
    seed: int


Given = Mapping[tuple[str, ...], Cells] | Assumed
"""A pilot (eight joint counts by the values of ``policy.keys``), or assumed rates."""


@dataclass(frozen=True, kw_only=True)
class _Sized:
    """Groups of some size, and what the policy asks of their slices."""

    groups: tuple[Group, ...]
    layout: Layout
    asked: Asked


def plan(
    policy: Policy,
    given: Given,
    wanted: PlanRequest,
    *,
    rows: int | None = None,
    progress: Progress = silent,
) -> Plan:
    """Plan a binary policy.

    Args:
        policy: the policy.
        given: a pilot, or assumed rates.
        wanted: power, simulations and seed.
        rows: with assumed rates, rows of the smallest slice; default: as many as the plan needs.
        progress: called with the stage, how much is done, and the total.

    Raises:
        UnsupportedError: not a binary task, or one with a group column or strict evidence.
        InputError: no rule that rows decide, assumptions that contradict each other, or a slicing
            key of more values than are judged.
    """
    require_plannable(policy)
    _require_few_values(policy, given)
    sized = _sized(policy, _groups(policy, given, wanted, rows))
    tests = sum(limit.proven for limit in sized.asked.blocking)
    each = 1 - (1 - wanted.power) / max(tests, 1)
    needs = _needs(policy, sized, each, progress)
    if isinstance(given, Assumed) and rows is None:
        sized, needs = _fitted(policy, given, (sized, needs), each)
    return Plan(
        policy=policy.name,
        basis=_basis(given, rows),
        assumed=given if isinstance(given, Assumed) else None,
        expects="the pilot's change" if wanted.as_seen else "nothing changed",
        alpha=spent(policy, 1),
        power=wanted.power,
        tests=tests,
        power_each=each,
        needs=needs,
        operational=operational_metrics(policy),
        notes=tuple(_notes(policy, given, sized.asked)),
        slices=_sizes(sized.layout),
        scenarios=_simulated(policy, sized, wanted, progress),
        simulations=wanted.simulations,
        seed=wanted.seed,
    )


def _basis(given: Given, rows: int | None) -> Basis:
    """Where the sizes come from."""
    if not isinstance(given, Assumed):
        return "pilot"
    return "planned" if rows is None else "rows"


def _sizes(layout: Layout) -> tuple[PlannedSize, ...]:
    return tuple(
        PlannedSize(name=s.name, rows=s.rows, positives=s.positives, declared=s.declared)
        for s in layout.slices
    )


def require_plannable(policy: Policy) -> None:
    """Refuse, by name, what cannot be planned.

    Raises:
        UnsupportedError: another task kind than binary, a group column, or strict evidence.
        InputError: no blocking rule on rows.
    """
    if policy.task.kind != PLANNED:
        raise UnsupportedError(
            f"task kind '{policy.task.kind}' is not planned by this version; it plans: {PLANNED}"
            + ("; plan each label by a binary policy of its own" * policy.task.traits.sets)
        )
    require_decisions_do(
        policy, "a plan knows decisions only; plan without these rules, or judge a pilot"
    )
    if policy.evidence.strict:
        raise UnsupportedError(
            "'strict' is not planned by this version; plan without it and label more than it says"
        )
    if policy.group is not None:
        raise UnsupportedError(
            "'group' (rows that depend on each other) is not planned by this version; planning "
            "such rows as independent would ask for too few of them"
        )
    refuse_weights(
        policy,
        "is not planned by this version: what the rows will be worth is not known beforehand; "
        "plan without it, and multiply the rows by how many of the gate's are worth one of equal "
        "weight",
    )
    refuse_production_rules(
        policy,
        "is not planned by this version: what the rows will be worth is not known beforehand; "
        "plan without it, with each value of the mix as a slice",
    )
    if not any(r.severity == "block" and not METRICS[r.metric].operational for r in policy.rules):
        raise InputError(
            "no blocking rule of the policy is decided by labelled rows, so there is nothing to "
            "plan; add a rule on a metric such as recall or precision"
        )


def _sized(policy: Policy, groups: tuple[Group, ...]) -> _Sized:
    layout = lay_out(policy, groups)
    return _Sized(groups=groups, layout=layout, asked=asked(policy, layout.slices))


_ENOUGH = 1_000_000_000
"""Rows of a slice while only shares matter: every slice is judged, none is too small."""


def _groups(
    policy: Policy, given: Given, wanted: PlanRequest, rows: int | None
) -> tuple[Group, ...]:
    if not isinstance(given, Assumed):
        return from_pilot(given, as_seen=wanted.as_seen)
    assuming.require_possible(given)
    combined = assuming.combinations(policy)
    if rows is None:
        return assuming.groups(combined, given, _ENOUGH)
    parts = lay_out(policy, assuming.groups(combined, given, 1)).members.sum(axis=1)
    return assuming.groups(combined, given, math.ceil(rows / min(parts[parts > 0])))


def _fitted(
    policy: Policy, given: Assumed, first: tuple[_Sized, tuple[Need, ...]], each: float
) -> tuple[_Sized, tuple[Need, ...]]:
    """Equal groups, just large enough for every blocking need and the minimum evidence."""
    sized, needs = first
    combined, layout = [g.values for g in sized.groups], sized.layout
    parts = {s.name: n for s, n in zip(layout.slices, layout.members.sum(axis=1), strict=True)}
    minimum = policy.evidence.minimum
    least = max(minimum.rows, math.ceil(minimum.positives / given.prevalence))
    blocking = [n for n in needs if n.severity == "block"]
    rows = math.ceil(max(max(n.rows or 0, least) / parts[n.slice] for n in blocking))
    while True:  # rounding to whole rows moves the mix a little, and the needs with it
        sized = _sized(policy, assuming.groups(combined, given, rows))
        needs = _needs(policy, sized, each)
        if not any(n.missing or n.rows_missing for n in needs if n.severity == "block"):
            return sized, needs
        rows += max(1, rows // 1000)


def _needs(
    policy: Policy,
    sized: _Sized,
    power: float,
    progress: Progress = silent,
) -> tuple[Need, ...]:
    cells = sized.layout.add(expected(sized.groups))
    target = Target(alpha=spent(policy, 1), power=power, minimum=policy.evidence.minimum)
    needs = []
    for place, limit in enumerate(sized.asked.limits):
        progress("plan sizes", place, len(sized.asked.limits))
        needs.append(need_of(limit, cells[limit.place], target))
    progress("plan sizes", 1, 1)
    return tuple(needs)


def _simulated(
    policy: Policy, sized: _Sized, wanted: PlanRequest, progress: Progress
) -> tuple[Truth, ...]:
    gate = Gate(
        groups=sized.groups,
        layout=sized.layout,
        asked=sized.asked,
        alpha=spent(policy, 1),
        simulations=wanted.simulations,
        seed=wanted.seed,
    )
    return simulate(gate, progress) if sized.asked.blocking else ()


def _notes(policy: Policy, given: Given, found: Asked) -> list[str]:
    notes = []
    if isinstance(given, Assumed):
        notes += [
            f"the values of {label} are not named in the policy: that slicing is planned as one "
            "slice; use a pilot"
            for label in assuming.unplanned(policy)
        ]
    notes += [
        f"{name} is declared and has no row in the pilot: nothing can be approved without it"
        for name in found.absent
    ]
    valued = _valued(policy, given)
    return [*notes, *hints(policy, valued), *hints_of_lookalikes(policy, valued)]


def _require_few_values(policy: Policy, given: Given) -> None:
    """Refuse, before anything is simulated, more slices than a gate would judge."""
    if many := too_many_values(policy, _valued(policy, given)):
        raise InputError("; ".join(many))


def _valued(policy: Policy, given: Given) -> list[dict[str, str]]:
    """The combinations of slicing values that a pilot has."""
    if isinstance(given, Assumed):
        return []
    return [dict(zip(policy.keys, values, strict=True)) for values in given]
