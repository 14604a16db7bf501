"""Volumes: how many inferences each month brings, as the policy expects and in its scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from prunegate.cost.amounts import EXACT
from prunegate.policy.cost import Volumes, VolumeTable

Course = tuple[tuple[int, int], ...]
"""(month, inferences) in order; month 0 is now, which is shown for reference and never billed."""


def course(volumes: Volumes | VolumeTable) -> Course:
    """What the policy expects."""
    if isinstance(volumes, Volumes):
        return tuple(enumerate(volumes_by_month(volumes)))
    return _listed(volumes.now, volumes.by_month)


def scenarios(volumes: Volumes | VolumeTable) -> Iterator[tuple[str, Course]]:
    """The low and the high course beside it, as far as the policy has them, by name."""
    for name in ("low", "high"):
        other = getattr(volumes, name)
        if other is not None and isinstance(volumes, Volumes):
            yield name, tuple(enumerate(_towards(volumes, other)))
        elif other is not None:
            yield name, _listed(volumes.now, other)


def volumes_by_month(volumes: Volumes) -> tuple[int, ...]:
    """Return the inferences of month 0 (now) to the last month (target), rounded half up.

    >>> volumes_by_month(Volumes(now=100, target=400, months=2))
    (100, 250, 400)
    >>> volumes_by_month(Volumes(now=100, target=400, months=2, growth="geometric"))
    (100, 200, 400)
    """
    return _towards(volumes, volumes.target)


def _listed(now: int | None, months: tuple[int, ...]) -> Course:
    today = () if now is None else ((0, now),)
    return (*today, *enumerate(months, start=1))


def _towards(volumes: Volumes, target: int) -> tuple[int, ...]:
    between = _geometric if volumes.growth == "geometric" else _linear
    now, months = volumes.now, volumes.months
    return (now, *(between(now, target, Fraction(m, months)) for m in range(1, months)), target)


def _linear(now: int, target: int, part: Fraction) -> int:
    return int(now + (target - now) * part + Fraction(1, 2))


def _geometric(now: int, target: int, part: Fraction) -> int:
    with localcontext(EXACT):
        growth = Decimal(target) / Decimal(now)
        exact = now * growth ** (Decimal(part.numerator) / part.denominator)
        return int(exact.quantize(Decimal(1), ROUND_HALF_UP))
