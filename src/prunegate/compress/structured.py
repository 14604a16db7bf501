"""One removal: rank, select, cut; the record stays in the numbering of the unpruned model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from prunegate.compress.compensation import compensate
from prunegate.compress.keep_levels import KeepPlan, budgeted
from prunegate.compress.plan_trials import Recovery, TriedPlan, least_lost, tried_plans
from prunegate.compress.quality import StepQuality, step_quality
from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.removals import removals
from prunegate.compress.scores import Scores
from prunegate.compress.scoring.by_criterion import rank
from prunegate.compress.select import Survivors, lowest, select_survivors
from prunegate.errors import InternalError
from prunegate.models.cut import cut
from prunegate.models.family import require_kind
from prunegate.models.gates import gated, switched
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.policy.steps import Amount, Prune, Scope, ShareBelow


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What one pruning did."""

    kept: KeptUnits
    """What is left, numbered as in the unpruned model."""
    scores: Scores
    """The ranking it went by; units that were present, in their order."""
    removed: int
    """Units that went."""
    measured: Mapping[str, StepQuality] = field(default_factory=dict)
    """What compensation bought: the model before, with units merely removed, and after."""
    plans: tuple[TriedPlan, ...] = ()
    """What was tried, where the step asks for several plans of its budget."""


def units_to_remove(wanted: Prune, kept: KeptUnits) -> tuple[int, ...] | None:
    """What has to go in all; None where only the ranking can tell.

    Raises:
        ModelError: the amount cannot be reached.
    """
    amount = _amount(wanted)
    if isinstance(amount, ShareBelow):
        return None
    sizes = [len(row) for row in kept.rows(cut_kind(wanted))]
    scope: Scope = "per_layer" if wanted.scope == "per_layer" else "global"
    return removals(amount, sizes, scope=scope, min_per_layer=wanted.min_per_layer)


def cut_kind(wanted: Prune) -> Kind:
    """The kind of units that a step cuts out.

    Raises:
        InternalError: the step cuts nothing out.
    """
    if wanted.units is None:
        raise InternalError(f"'what: {wanted.what}' was to be cut out; it becomes zeros")
    return wanted.units


def _amount(wanted: Prune) -> Amount:
    if wanted.amount is None:
        raise InternalError(f"'what: {wanted.what}' came without an amount")
    return wanted.amount


def choose(
    ranked: RankingInput, kept: KeptUnits, wanted: Prune, counts: tuple[int, ...] | None = None
) -> tuple[Scores, Survivors]:
    """Rank units and choose the survivors; nothing is cut.

    Args:
        ranked: The model and the data to rank with.
        kept: What the model has left so far, numbered as in the unpruned model.
        wanted: The step, which removes units.
        counts: How many go now, where that is one of several cycles.

    Returns:
        The scores of the units that are present, and per row the positions that stay among them.

    Raises:
        ModelError: the amount cannot be reached, or scores are not finite.
        UnsupportedError: no criterion of that name, or no such units.
    """
    scores, (first, *_), _ = _choices(ranked, kept, wanted, counts)
    return scores, first


def _choices(
    ranked: RankingInput, kept: KeptUnits, wanted: Prune, counts: tuple[int, ...] | None
) -> tuple[Scores, tuple[Survivors, ...], tuple[KeepPlan, ...]]:
    """The scores, the survivors, and the plans of a budget, whose survivors come in their order."""
    kind, least = cut_kind(wanted), wanted.min_per_layer
    require_kind(ranked.family, kept, kind)
    counts = counts or units_to_remove(wanted, kept)  # before the ranking, which takes long
    scores = rank(wanted.criterion, ranked, kind)
    if wanted.scope == "budget":
        plans = budgeted(ranked, kind, scores, wanted)
        return scores, tuple(lowest(scores, plan.going, least) for plan in plans), plans
    if counts is not None:
        return scores, (lowest(scores, counts, least),), ()
    staying = select_survivors(scores, _amount(wanted), scope=wanted.scope, min_per_layer=least)
    return scores, (staying,), ()


def prune(
    ranked: RankingInput,
    kept: KeptUnits,
    wanted: Prune,
    counts: tuple[int, ...] | None = None,
    recovery: Recovery | None = None,
) -> Removal:
    """Remove units from a model, in place.

    Parameters are replaced by smaller ones: an optimizer made before holds stale ones.

    Args:
        ranked: The model and the data to rank with.
        kept: What the model has left so far, numbered as in the unpruned model.
        wanted: The step, which removes units.
        counts: How many go now, where that is one of several cycles.
        recovery: How each plan of a budget is recovered before they are ranked, where the step asks
            for several.

    Raises:
        ModelError: the amount cannot be reached, scores are not finite, or plans that cannot be
            recovered.
        UnsupportedError: no criterion of that name, or no such units.
    """
    kind = cut_kind(wanted)
    scores, choices, plans = _choices(ranked, kept, wanted, counts)
    tried: tuple[TriedPlan, ...] = ()
    if wanted.plans > 1:
        expected = [plan.expected for plan in plans]
        tried = tried_plans(ranked, kind, choices, expected, wanted, recovery)
    positions = choices[least_lost(tried) if tried else 0]
    narrowed = kept.narrowed(kind, positions)
    measured = {} if wanted.compensate == "none" else _compensated(ranked, kind, positions)
    cut(ranked.family, ranked.module, kind, positions)
    if measured:
        measured["after"] = step_quality(ranked.module, ranked.rows(), ranked.device)
    present = tuple(site.units for site in ranked.family.sites(ranked.module, kind))
    if present != tuple(map(len, narrowed.rows(kind))):
        raise InternalError(f"pruning left {present}, recorded {narrowed.rows(kind)}")
    return Removal(
        kept=narrowed,
        scores=scores,
        removed=kept.total(kind) - sum(present),
        measured=measured,
        plans=tried,
    )


def _compensated(ranked: RankingInput, kind: Kind, positions: Survivors) -> dict[str, StepQuality]:
    """Fit the readers anew; what the model was before, and what the removal alone makes of it."""
    sites = ranked.family.sites(ranked.module, kind)
    before = step_quality(ranked.module, ranked.rows(), ranked.device)
    with gated(sites, switched(sites, positions, torch.device(ranked.device))):
        removed = step_quality(ranked.module, ranked.rows(), ranked.device)
    compensate(ranked, kind, positions)
    return {"before": before, "removed": removed}
