"""Removals: how many units an amount takes, before anything is ranked.

What is asked for is what is done. When the minimum per layer makes it impossible, that is an error
which says what was possible, never a smaller removal. Pure, and without arrays: a command reckons
with it before any library is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from prunegate.errors import AmountError, ModelError
from prunegate.policy.steps import Keep, Scope
from prunegate.text.said import said


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
    require_scope(scope, min_per_layer)
    spare = [max(0, size - min_per_layer) for size in sizes]
    if scope == "global":
        count, total = _removals(amount, sum(sizes)), sum(sizes)
        if count > sum(spare):
            raise not_so_many(count, sum(spare), min_per_layer, units=total)
        _require_some([count], amount)
        return (count,)
    counts = [_removals(amount, size) for size in sizes]
    _require_some(counts, amount)
    for count, possible, size in zip(counts, spare, sizes, strict=True):
        if count > possible:
            raise not_so_many(count, possible, min_per_layer, units=size)
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


def require_scope(scope: Scope, min_per_layer: int) -> None:
    """Insist on a scope that is known, and on a minimum that leaves a unit.

    Raises:
        ModelError: it is neither.
    """
    if min_per_layer < 1:
        raise ModelError(f"min_per_layer {min_per_layer} has to be at least 1.")
    if scope not in ("global", "per_layer"):
        raise ModelError(f"scope {scope!r} is not known; use global or per_layer.")


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


def not_so_many(count: int, possible: int, minimum: int, **where: int) -> AmountError:
    """That fewer than ``count`` can go, of so many ``units`` in all or of one ``layer``."""
    kind = "amount.of_layer" if "layer" in where else "amount.of_units"
    told = said(kind, going=count, possible=possible, least=minimum, **where)
    return AmountError(told, beyond=True)
