"""One removal: rank, select, cut; the record stays in the numbering of the unpruned model."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.compress.criteria import Subject, rank
from prunegate.compress.scores import Importance
from prunegate.compress.select import Amount, Scope, select
from prunegate.errors import InternalError
from prunegate.models.kept import Kept, Kind


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What to remove."""

    what: Kind
    """Heads or neurons."""
    amount: Amount
    criterion: str = "taylor"
    """A name in ``criteria.CRITERIA``."""
    scope: Scope = "global"
    """Rank all layers together, or each by itself (per_layer)."""
    min_per_layer: int = 1
    """Units that stay in every layer."""


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What one pruning did."""

    kept: Kept
    """What is left, numbered as in the unpruned model."""
    importance: Importance
    """The ranking it went by; units that were present, in their order."""
    removed: int
    """Units that went."""


def prune(subject: Subject, kept: Kept, cut: Cut) -> Removal:
    """Remove heads or neurons from a model, in place.

    Parameters are replaced by smaller ones: an optimizer made before holds stale ones.

    Args:
        subject: The model and the data to rank with.
        kept: What the model has left so far, numbered as in the unpruned model.
        cut: What to remove.

    Raises:
        ModelError: the amount cannot be reached, or scores are not finite.
        UnsupportedError: no criterion of that name.
    """
    importance = rank(cut.criterion, subject)
    scores = importance.of(cut.what)
    positions = select(scores, cut.amount, scope=cut.scope, min_per_layer=cut.min_per_layer)
    narrowed = kept.narrowed(cut.what, positions)
    subject.family.cut(subject.module, cut.what, positions)
    present = tuple(site.units for site in subject.family.sites(subject.module, cut.what))
    if present != narrowed.counts(cut.what):
        raise InternalError(f"pruning left {present}, recorded {narrowed.counts(cut.what)}")
    removed = sum(kept.counts(cut.what)) - sum(present)
    return Removal(kept=narrowed, importance=importance, removed=removed)
