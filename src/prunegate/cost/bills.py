"""Bills: what one model costs in a month of any volume, in each of the ways that people pay.

Tiers are graduated: a price holds for the inferences that fall into its tier, so a bill never falls
when the volume grows. A single price per inference is one tier without an end. Instances are whole
machines: ceil(load / (throughput x utilisation)), at least the minimum, each paid for all hours of
the month. Load is the month's average; what peaks need is the utilisation's to leave free.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from prunegate.errors import MeasurementError

HOURS = 730
"""Hours of a month: 8,760 / 12."""
_SECONDS = HOURS * 3600
_MOST = 10**9
"""Instances; nobody rents more, so the throughput is wrong."""


@dataclass(frozen=True, kw_only=True)
class Graduated:
    """Prices per inference, by tier."""

    tiers: tuple[tuple[int | None, Decimal], ...]
    """(end of the tier in inferences a month, price), ascending; the last end is None."""

    def cost(self, volume: int) -> Decimal:
        """Money for a month of so many inferences, exact.

        >>> Graduated(tiers=((100, Decimal("0.5")), (None, Decimal("0.25")))).cost(120)
        Decimal('55.00')
        """
        total, start = Decimal(0), 0
        for end, price in self.tiers:
            stop = volume if end is None else min(volume, end)
            total += max(0, stop - start) * price
            start = stop
        return total

    def instances(self, volume: int) -> None:
        """Nothing is rented."""
        del volume


@dataclass(frozen=True, kw_only=True)
class Rented:
    """Whole instances by the hour."""

    per_hour: Decimal
    capacity: Fraction
    """Inferences that one instance may carry in a month."""
    minimum: int

    def instances(self, volume: int) -> int:
        """How many instances a month of so many inferences takes."""
        needed = max(self.minimum, math.ceil(volume / self.capacity))
        if needed > _MOST:
            raise MeasurementError(
                f"{volume:,} inferences a month would take more than {_MOST:,} instances; check "
                "the measured throughput and 'cost: billing: instance:'."
            )
        return needed

    def cost(self, volume: int) -> Decimal:
        """Money for a month of so many inferences, exact."""
        return self.instances(volume) * self.per_hour * HOURS


Bill = Graduated | Rented


def monthly_capacity(throughput: float, utilisation: float) -> Fraction:
    """Inferences a month that one instance carries.

    Args:
        throughput: measured, per second.
        utilisation: share of it that the average load may take up, above 0 to 1.
    """
    return Fraction(str(throughput)) * Fraction(str(utilisation)) * _SECONDS
