"""One removal: rank, select, cut; the record stays in the numbering of the unpruned model."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.compress.criteria import rank
from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.scores import Scores
from prunegate.compress.select import Amount, Scope, Survivors, lowest, removals, select_survivors
from prunegate.errors import InternalError
from prunegate.models.cut import cut
from prunegate.models.family import require_kind
from prunegate.models.kept_units import KeptUnits, Kind


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What to remove."""

    what: Kind
    """Heads, neurons, filters or layers."""
    amount: Amount
    criterion: str = "taylor"
    """A name in ``criteria.CRITERIA``."""
    scope: Scope = "global"
    """Rank all layers together, or each by itself (per_layer)."""
    min_per_layer: int = 1
    """Units that stay in every layer."""

    def counts(self, kept: KeptUnits) -> tuple[int, ...] | None:
        """What has to go in all; None where only the ranking can tell.

        Raises:
            ModelError: the amount cannot be reached.
        """
        if self.amount.share_below is not None:
            return None
        sizes = [len(row) for row in kept.rows(self.what)]
        return removals(self.amount, sizes, scope=self.scope, min_per_layer=self.min_per_layer)


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What one pruning did."""

    kept: KeptUnits
    """What is left, numbered as in the unpruned model."""
    scores: Scores
    """The ranking it went by; units that were present, in their order."""
    removed: int
    """Units that went."""


def choose(
    subject: RankingInput, kept: KeptUnits, wanted: Cut, counts: tuple[int, ...] | None = None
) -> tuple[Scores, Survivors]:
    """Rank units and choose the survivors; nothing is cut.

    Args:
        subject: The model and the data to rank with.
        kept: What the model has left so far, numbered as in the unpruned model.
        wanted: What to remove.
        counts: How many go now, where that is one of several cycles.

    Returns:
        The scores of the units that are present, and per row the positions that stay among them.

    Raises:
        ModelError: the amount cannot be reached, or scores are not finite.
        UnsupportedError: no criterion of that name, or no such units.
    """
    require_kind(subject.family, kept, wanted.what)
    counts = counts or wanted.counts(kept)  # before the ranking, which takes long
    scores = rank(wanted.criterion, subject, wanted.what)
    if counts is not None:
        return scores, lowest(scores, counts, wanted.min_per_layer)
    staying = select_survivors(
        scores, wanted.amount, scope=wanted.scope, min_per_layer=wanted.min_per_layer
    )
    return scores, staying


def prune(
    subject: RankingInput, kept: KeptUnits, wanted: Cut, counts: tuple[int, ...] | None = None
) -> Removal:
    """Remove units from a model, in place.

    Parameters are replaced by smaller ones: an optimizer made before holds stale ones.

    Args:
        subject: The model and the data to rank with.
        kept: What the model has left so far, numbered as in the unpruned model.
        wanted: What to remove.
        counts: How many go now, where that is one of several cycles.

    Raises:
        ModelError: the amount cannot be reached, or scores are not finite.
        UnsupportedError: no criterion of that name, or no such units.
    """
    kind = wanted.what
    scores, positions = choose(subject, kept, wanted, counts)
    narrowed = kept.narrowed(kind, positions)
    cut(subject.family, subject.module, kind, positions)
    present = tuple(site.units for site in subject.family.sites(subject.module, kind))
    if present != tuple(map(len, narrowed.rows(kind))):
        raise InternalError(f"pruning left {present}, recorded {narrowed.rows(kind)}")
    return Removal(kept=narrowed, scores=scores, removed=kept.total(kind) - sum(present))
