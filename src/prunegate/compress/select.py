"""Which units go, given their scores: an amount, a scope, and a minimum that stays.

What is asked for is what is done: ``removals`` says how many. Ties go to the earlier layer, then
the smaller index. Numbers in, positions out; no torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prunegate.compress.removals import not_so_many, removals, require_scope
from prunegate.compress.scores import shares_of_rows
from prunegate.errors import AmountError, ModelError
from prunegate.policy.steps import Amount, Scope, ShareBelow
from prunegate.text.said import said

Layers = Sequence[NDArray[np.float64]]
Survivors = tuple[tuple[int, ...], ...]
"""Per layer, the ascending positions that stay."""


def lowest(scores: Layers, counts: Sequence[int], min_per_layer: int = 1) -> Survivors:
    """Choose the survivors when so many go, lowest score first.

    Args:
        scores: One array of finite scores per layer.
        counts: One number for all layers ranked together, or one per layer.
        min_per_layer: Units that stay in every layer.

    Raises:
        ModelError: scores are not finite.
    """
    _check_scores(scores)
    if len(counts) == 1:
        going = _lowest(scores, counts[0], min_per_layer)
    else:
        going = [
            _lowest([layer], count, min_per_layer)[0]
            for layer, count in zip(scores, counts, strict=True)
        ]
    return _rest(scores, going)


def select_survivors(
    scores: Layers, amount: Amount, *, scope: Scope = "global", min_per_layer: int = 1
) -> Survivors:
    """Choose the survivors.

    Args:
        scores: One array of finite scores per layer; the lowest go first.
        amount: How much goes.
        scope: "global" ranks all layers together, "per_layer" each by itself.
        min_per_layer: Units that stay in every layer, at least 1.

    Returns:
        Per layer, the ascending positions that stay; exactly what the amount asks for.

    Raises:
        ModelError: scores are not finite, or the amount cannot be reached with the minimum.
    """
    require_scope(scope, min_per_layer)
    _check_scores(scores)
    if not isinstance(amount, ShareBelow):
        sizes = [layer.size for layer in scores]
        counts = removals(amount, sizes, scope=scope, min_per_layer=min_per_layer)
        return lowest(scores, counts, min_per_layer)
    shares = shares_of_rows(scores)
    going = [np.flatnonzero(part < amount.share_below) for part in shares]
    if not any(map(len, going)):
        least = min(float(part.min()) for part in shares)
        raise AmountError(
            said("amount.below", share=amount.share_below, least=f"{least:.3g}"), beyond=False
        )
    for layer, (units, gone) in enumerate(zip(scores, going, strict=True)):
        spare = max(0, units.size - min_per_layer)
        if len(gone) > spare:
            raise not_so_many(len(gone), spare, min_per_layer, layer=layer)
    return _rest(scores, going)


def _check_scores(scores: Layers) -> None:
    if not scores or not all(layer.size and np.isfinite(layer).all() for layer in scores):
        raise ModelError("scores have to be finite, with at least one unit per layer.")


def _rest(scores: Layers, going: Sequence[NDArray[np.intp]]) -> Survivors:
    return tuple(
        tuple(int(unit) for unit in np.setdiff1d(np.arange(layer.size), gone))
        for layer, gone in zip(scores, going, strict=True)
    )


def _lowest(layers: Layers, count: int, min_per_layer: int) -> list[NDArray[np.intp]]:
    """Return the positions that go when these layers are ranked together, lowest score first."""
    spare = [max(0, layer.size - min_per_layer) for layer in layers]
    layer_of = np.repeat(np.arange(len(layers)), [layer.size for layer in layers])
    unit_of = np.concatenate([np.arange(layer.size) for layer in layers])
    going: list[list[int]] = [[] for _ in layers]
    # stable: equal scores stay in order of layer, then index
    for position in np.argsort(np.concatenate(list(layers)), kind="stable"):
        if count == 0:
            break
        layer = int(layer_of[position])
        if len(going[layer]) < spare[layer]:
            going[layer].append(int(unit_of[position]))
            count -= 1
    if count:
        raise AmountError(said("amount.more", n=count), beyond=True)
    return [np.array(units, dtype=np.intp) for units in going]
