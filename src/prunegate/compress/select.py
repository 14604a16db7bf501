"""Which units go, given their scores: an amount, a scope, and a minimum that stays.

What is asked for is what is done. When the minimum per layer makes it impossible, that is an error
which says what was possible, never a smaller removal. Ties go to the earlier layer, then the
smaller index. Numbers in, positions out; no torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prunegate.compress.scores import shares_of_rows
from prunegate.errors import AmountError, ModelError
from prunegate.policy.steps import Amount, Keep, Scope, ShareBelow
from prunegate.text.said import said

Layers = Sequence[NDArray[np.float64]]
Survivors = tuple[tuple[int, ...], ...]
"""Per layer, the ascending positions that stay."""


def removals(
    amount: float | Keep, sizes: Sequence[int], *, scope: Scope = "global", min_per_layer: int = 1
) -> tuple[int, ...]:
    """Count what has to go, before anything is ranked.

    Args:
        amount: A fraction, rounded to the nearest unit, or how many to keep: in all under global
            scope, in each layer under per_layer. What is below a share only scores can tell.
        sizes: Units of each layer.
        scope: "global" or "per_layer".
        min_per_layer: Units that stay in every layer, at least 1.

    Returns:
        One number under global scope, one per layer under per_layer.

    Raises:
        AmountError: the amount cannot be reached with the minimum, or nothing would go.
    """
    _check(scope, min_per_layer)
    spare = [max(0, size - min_per_layer) for size in sizes]
    if scope == "global":
        count, total = _removals(amount, sum(sizes)), sum(sizes)
        if count > sum(spare):
            raise _impossible(count, sum(spare), min_per_layer, units=total)
        _require_some([count], amount)
        return (count,)
    counts = [_removals(amount, size) for size in sizes]
    _require_some(counts, amount)
    for count, possible, size in zip(counts, spare, sizes, strict=True):
        if count > possible:
            raise _impossible(count, possible, min_per_layer, units=size)
    return tuple(counts)


def in_cycle(counts: Sequence[int], cycle: int, cycles: int) -> tuple[int, ...]:
    """Spread removals evenly over cycles; in all they are exactly ``counts``.

    Args:
        counts: As ``removals`` gives them.
        cycle: Which one, from 1.
        cycles: How many there are.

    Raises:
        AmountError: fewer units than cycles.
    """
    if sum(counts) < cycles:
        raise AmountError(said("amount.cycles", going=sum(counts), cycles=cycles), beyond=False)
    return tuple(count * cycle // cycles - count * (cycle - 1) // cycles for count in counts)


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
    _check(scope, min_per_layer)
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
            raise _impossible(len(gone), spare, min_per_layer, layer=layer)
    return _rest(scores, going)


def _check(scope: Scope, min_per_layer: int) -> None:
    if min_per_layer < 1:
        raise ModelError(f"min_per_layer {min_per_layer} has to be at least 1.")
    if scope not in ("global", "per_layer"):
        raise ModelError(f"scope {scope!r} is not known; use global or per_layer.")


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


def _removals(amount: float | Keep, units: int) -> int:
    if isinstance(amount, Keep):
        if amount.keep > units:
            raise AmountError(said("amount.keep", keep=amount.keep, units=units), beyond=False)
        return units - amount.keep
    if not 0 < amount < 1:
        raise ModelError(f"amount: fraction {amount!r} has to lie between 0 and 1.")
    count = math.floor(amount * units + 0.5)
    if count == 0:
        raise AmountError(said("amount.little", share=amount, units=units), beyond=False)
    return count


def _require_some(counts: Sequence[int], amount: float | Keep) -> None:
    """Refuse to keep what is there: a step that does nothing was meant to do something."""
    if isinstance(amount, Keep) and not any(counts):
        raise AmountError(said("amount.kept", keep=amount.keep), beyond=False)


def _impossible(count: int, possible: int, minimum: int, **where: int) -> AmountError:
    """That fewer than ``count`` can go, of so many ``units`` in all or of one ``layer``."""
    kind = "amount.of_layer" if "layer" in where else "amount.of_units"
    told = said(kind, going=count, possible=possible, least=minimum, **where)
    return AmountError(told, beyond=True)
