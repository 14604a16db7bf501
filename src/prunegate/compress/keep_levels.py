"""Keep-levels: what is lost when one layer alone keeps so many units, and what a unit costs.

For ``scope: budget``. A few levels per row are tried on calibration rows: the units with the lowest
scores are switched off, what stays stands in for them where the step compensates, and the loss is
the divergence from the model as it is (KL, nats). Cost is counted in multiply-adds of the weights
that go with a unit; products between tokens are left out, which are the same for every head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from prunegate.compress.budget import Curve, UnitBudget, best_plans, lost
from prunegate.compress.compensation import StandIn, refit, stand_in
from prunegate.compress.distillation import divergence
from prunegate.compress.input_sums import UnitReader, readers, sum_inputs
from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.removals import removals
from prunegate.compress.scores import Scores
from prunegate.compress.select import Survivors, lowest
from prunegate.errors import ModelError
from prunegate.models.batch import logits_of
from prunegate.models.gates import gated, switched
from prunegate.models.kept_units import Kind
from prunegate.models.placement import placed
from prunegate.models.sites import Site
from prunegate.policy.steps import Keep, Prune

LEVELS = 6
"""Counts that are tried per row, besides all of its units."""
LEVEL_ROWS = 256
"""The first calibration rows that they are tried on, at most."""
_APART = 0.1
"""Of the units that stay: what two plans differ by, summed over layers, at least."""


@dataclass(frozen=True, kw_only=True)
class KeepPlan:
    """How much goes where."""

    going: tuple[int, ...]
    """Units of each present row."""
    expected: float
    """What the levels say is lost, nats per row or counted token."""


@dataclass(frozen=True, kw_only=True)
class _Level:
    """One row with some units left; the others whole."""

    keep: Survivors
    fits: tuple[tuple[UnitReader, StandIn], ...]


def budgeted(
    ranked: RankingInput, kind: Kind, scores: Scores, wanted: Prune
) -> tuple[KeepPlan, ...]:
    """Plan what goes of each present row: the least loss first, as many plans as the step asks for.

    Args:
        ranked: The model before the removal, and the rows.
        kind: What is about to be cut.
        scores: The lowest of a row go first.
        wanted: The step. Its amount is a share of what these units cost; where a unit costs the
            same everywhere it is met to the unit.

    Raises:
        ModelError: the amount cannot be reached.
    """
    amount, sizes = wanted.amount, [len(row) for row in scores]
    if amount is None or not isinstance(amount, float | Keep):
        raise ModelError("scope: budget needs a share or {keep: N}; give one as 'amount'.")
    (going,) = removals(amount, sizes, min_per_layer=wanted.min_per_layer)
    costs = unit_costs(ranked, kind)
    curves = [_curve(ranked, kind, scores, row, wanted) for row in range(len(sizes))]
    staying = sum(sizes) - going
    if len(set(costs)) == 1:
        budget = UnitBudget(costs=(1.0,) * len(sizes), most=staying, exact=True)
    else:
        share = amount.keep / sum(sizes) if isinstance(amount, Keep) else 1 - amount
        whole = sum(cost * size for cost, size in zip(costs, sizes, strict=True))
        budget = UnitBudget(costs=tuple(map(float, costs)), most=share * whole)
    apart = max(2, round(_APART * staying))
    return tuple(
        KeepPlan(
            going=tuple(size - left for size, left in zip(sizes, kept, strict=True)),
            expected=lost(curves, kept),
        )
        for kept in best_plans(curves, budget, plans=wanted.plans, apart=apart)
    )


def unit_costs(ranked: RankingInput, kind: Kind) -> list[int]:
    """Count the multiply-adds of one unit of each present row, for one input."""
    sites = ranked.family.sites(ranked.module, kind)
    positions: dict[int, int] = {}

    def count(module: nn.Module, _inputs: tuple[Any, ...], out: Tensor) -> None:
        channels = 1 if isinstance(module, nn.Conv2d) else -1
        positions[id(module)] = out.numel() // out.shape[channels]

    with (
        placed(ranked.module, ranked.device, training=False) as target,
        torch.inference_mode(),
        ExitStack() as stack,
    ):
        for part in (part for site in sites for part in site.parts if part.multiplies):
            stack.callback(part.owner.register_forward_hook(count).remove)
        ranked.module(**ranked.rows().batch(np.arange(1)).to(target).inputs)
    return [
        sum(
            part.tensor.numel()
            // part.tensor.shape[part.axis]
            * part.places.shape[1]
            * positions.get(id(part.owner), 0)
            for part in site.parts
            if part.multiplies
        )
        for site in sites
    ]


def levels_tried(size: int, least: int) -> tuple[int, ...]:
    """The counts of a row that are tried, ascending; the last is all of its units."""
    if size <= least:
        return (size,)
    return tuple(sorted({round(least + (size - least) * i / LEVELS) for i in range(LEVELS + 1)}))


def _curve(ranked: RankingInput, kind: Kind, scores: Scores, row: int, wanted: Prune) -> Curve:
    counts = levels_tried(len(scores[row]), wanted.min_per_layer)
    sites = ranked.family.sites(ranked.module, kind)
    keeps = [_one_row(scores, row, count, wanted.min_per_layer) for count in counts[:-1]]
    tried = [_Level(keep=keep, fits=()) for keep in keeps]
    if wanted.compensate != "none" and keeps:
        tried = _fitted(ranked, sites, keeps)
    return Curve(kept=counts, losses=(*_divergences(ranked, sites, tried), 0.0))


def _one_row(scores: Scores, row: int, count: int, least: int) -> Survivors:
    going = [0] * len(scores)
    going[row] = len(scores[row]) - count
    return lowest(scores, going, least)


def _fitted(
    ranked: RankingInput, sites: Sequence[Site], keeps: Sequence[Survivors]
) -> list[_Level]:
    """Each level with what stands in for what goes; the rows are summed once for all levels."""
    reading = [readers(sites, keep) for keep in keeps]
    fits: list[list[tuple[UnitReader, StandIn]]] = [[] for _ in keeps]
    for one, sums in sum_inputs(ranked, reading[0]):
        centred = isinstance(getattr(one.module, "bias", None), Tensor)
        for level, found in zip(fits, reading, strict=True):
            level.extend(
                (reader, stand_in(reader, sums, centred=centred))
                for reader in found
                if reader.module is one.module
            )
    return [_Level(keep=keep, fits=tuple(fit)) for keep, fit in zip(keeps, fits, strict=True)]


def _divergences(
    ranked: RankingInput, sites: Sequence[Site], tried: Sequence[_Level]
) -> list[float]:
    """KL to the model as it is, of each level, per row or counted token."""
    totals = np.zeros(len(tried))
    module, data = ranked.module, ranked.rows()
    rows = min(len(data), LEVEL_ROWS)
    with placed(module, ranked.device, training=False) as target, torch.no_grad():
        for start in range(0, rows, ranked.batch_size):
            places = np.arange(start, min(start + ranked.batch_size, rows))
            batch = data.batch(places).to(target)
            whole = logits_of(module, batch.inputs)
            for number, level in enumerate(tried):
                with ExitStack() as stack:
                    for reader, fit in level.fits:
                        stack.callback(_putting_back(reader.module))
                        refit(reader, fit)
                    stack.enter_context(gated(sites, switched(sites, level.keep, target)))
                    found = logits_of(module, batch.inputs)
                totals[number] += float(divergence(found, whole, batch.labels)) * len(places)
    if not np.isfinite(totals).all():
        raise ModelError("scope: budget: a loss is not finite; check weights and rows.")
    return [float(total) / rows for total in totals]


def _putting_back(module: nn.Module) -> Callable[[], None]:
    own = [(weight, weight.detach().clone()) for weight in module.parameters(recurse=False)]

    def put_back() -> None:
        for weight, value in own:
            weight.data.copy_(value)

    return put_back
