"""Bills: what one model costs in a month of any volume, in each of the ways that people pay.

Tiers are graduated: a price holds for the inferences that fall into its tier, so a bill never falls
when the volume grows. A single price per inference is one tier without an end. Instances are whole
machines: ceil(load / (throughput x utilisation)), at least the minimum, each paid for all hours of
the month; those that are reserved are paid for whether they work or not, and what the load takes
beyond them is on demand. Load is the month's average; what peaks need is the utilisation's to leave
free. A discount and a least amount a month hold for the bill as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from prunegate.errors import MeasurementError

HOURS = 730
"""Hours of a month: 8,760 / 12."""
_SECONDS = HOURS * 3600
_MOST = 10**9
"""Instances; nobody rents more, so the throughput is wrong."""


@dataclass(frozen=True, kw_only=True)
class BillLine:
    """One line of a month's bill; the lines add up to what the month costs."""

    kind: Literal[
        "tier", "input", "output", "on_demand", "reserved", "upfront", "discount", "minimum"
    ]
    """What is paid: use within a tier; tokens that are read or written; instances on demand or
    reserved; a month's part of what was paid in advance; what a discount takes off; what fills the
    bill up to its least amount (or what other models on the bill fill up already, then it is
    negative)."""
    quantity: int | Decimal = 1
    """Units of use (of an average they may be fractions), or instances."""
    unit: Literal["", "seconds", "tokens"] = ""
    """What is counted within a tier, where it is no inferences."""
    price: Decimal
    """Of one of them, for the month; of a discount: its share."""
    up_to: int | None = None
    """Where a tier ends; None: it has no end, or this is none."""
    amount: Decimal
    """Money, exact."""


@dataclass(frozen=True, kw_only=True)
class Graduated:
    """Prices per unit of use, by tier."""

    tiers: tuple[tuple[int | None, Decimal], ...]
    """(end of the tier in units a month, price), ascending; the last end is None."""
    per_inference: Decimal = Decimal(1)
    """Units of use that one inference takes."""
    unit: Literal["", "seconds", "tokens"] = ""
    """What a unit of use is; empty: an inference."""

    def lines(self, volume: int, used: int) -> Iterator[BillLine]:
        """What a month of so many inferences costs, tier by tier.

        Args:
            volume: inferences that are billed.
            used: inferences of others, which have taken of the lowest tiers.
        """
        start, last = (self.per_inference * n for n in (used, used + volume))
        for end, price in self.tiers:
            stop = last if end is None else min(last, Decimal(end))
            if stop > start:
                units = stop - start
                yield BillLine(
                    kind="tier",
                    quantity=units,
                    unit=self.unit,
                    price=price,
                    up_to=end,
                    amount=units * price,
                )
                start = stop

    @property
    def single_price(self) -> Decimal | None:
        """What every inference costs; None: tiers differ."""
        return self.tiers[0][1] * self.per_inference if len(self.tiers) == 1 else None

    def instances(self, volume: int) -> None:
        """Nothing is rented."""
        del volume


@dataclass(frozen=True, kw_only=True)
class ReadAndWritten:
    """Tokens that a model reads and tokens that it writes, each at a price of their own."""

    read: tuple[Decimal, Decimal]
    """Tokens of an inference, and the price of one."""
    written: tuple[Decimal, Decimal]

    def lines(self, volume: int, used: int) -> Iterator[BillLine]:
        """What a month of so many inferences costs; others change nothing of it."""
        del used
        kinds: tuple[Literal["input", "output"], ...] = ("input", "output")
        for kind, (tokens, price) in zip(kinds, (self.read, self.written), strict=True):
            total = volume * tokens
            yield BillLine(kind=kind, quantity=total, price=price, amount=total * price)

    @property
    def single_price(self) -> Decimal:
        """What every inference costs."""
        return sum((tokens * price for tokens, price in (self.read, self.written)), Decimal(0))

    def instances(self, volume: int) -> None:
        """Nothing is rented."""
        del volume


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """Instances that are paid for whether they work or not."""

    count: int
    per_hour: Decimal
    """Of one."""
    advance: Decimal
    """A month's part of what was paid in advance, for all of them."""


@dataclass(frozen=True, kw_only=True)
class Rented:
    """Whole instances by the hour."""

    per_hour: Decimal
    """Of one on demand."""
    capacity: Fraction
    """Inferences that one instance may carry in a month."""
    minimum: int
    reservation: Reservation | None = None
    single_price: None = None
    """An inference has no price: machines do."""

    def instances(self, volume: int) -> int:
        """How many instances a month of so many inferences takes.

        Raises:
            MeasurementError: more than anybody rents.
        """
        needed = max(self.minimum, math.ceil(volume / self.capacity))
        if needed > _MOST:
            raise MeasurementError(
                f"{volume:,} inferences a month would take more than {_MOST:,} instances; check "
                "the measured throughput and 'cost: billing: instance:'."
            )
        return needed

    def lines(self, volume: int, used: int) -> Iterator[BillLine]:
        """What a month of so many inferences costs; others have no part in whole machines."""
        del used
        needed, held = self.instances(volume), self.reservation
        if held is not None:
            yield _machines("reserved", held.count, held.per_hour)
            if held.advance:
                yield BillLine(kind="upfront", price=held.advance, amount=held.advance)
            needed = max(0, needed - held.count)
        if needed or held is None:
            yield _machines("on_demand", needed, self.per_hour)


def _machines(kind: Literal["reserved", "on_demand"], count: int, per_hour: Decimal) -> BillLine:
    month = per_hour * HOURS
    return BillLine(kind=kind, quantity=count, price=month, amount=count * month)


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What one model's month costs."""

    usage: Graduated | ReadAndWritten | Rented
    """What is paid by use or by machine."""
    discount: Decimal = Decimal(0)
    """Share that is taken off every amount."""
    minimum: Decimal = Decimal(0)
    """Least amount of a month."""
    others: int = 0
    """Units that other models bring onto the same bill; what they cost is not this model's."""

    def cost(self, volume: int) -> Decimal:
        """Money for a month of so many units, exact.

        >>> tiers = Graduated(tiers=((100, Decimal("0.5")), (None, Decimal("0.25"))))
        >>> Bill(usage=tiers).cost(120), Bill(usage=tiers, minimum=Decimal(60)).cost(120)
        (Decimal('55.00'), Decimal('60'))
        """
        used = _sum(self.usage.lines(volume, self.others)) * (1 - self.discount)
        if not self.minimum:
            return used
        before = self._before()
        alone = max(self.minimum, before) if self.others else Decimal(0)
        return max(self.minimum, before + used) - alone

    def _before(self) -> Decimal:
        """What the others' use comes to, without this model."""
        if not self.others:
            return Decimal(0)
        return _sum(self.usage.lines(self.others, 0)) * (1 - self.discount)

    def lines(self, volume: int) -> tuple[BillLine, ...]:
        """The same, line by line."""
        lines = list(self.usage.lines(volume, self.others))
        if self.discount:
            off = -_sum(iter(lines)) * self.discount
            lines.append(BillLine(kind="discount", price=self.discount, amount=off))
        filled = self.cost(volume) - _sum(iter(lines))
        if filled:
            lines.append(BillLine(kind="minimum", price=self.minimum, amount=filled))
        return tuple(lines)

    def instances(self, volume: int) -> int | None:
        """How many instances a month takes; None: they are not what is paid for."""
        return self.usage.instances(volume)

    @property
    def single_price(self) -> Decimal | None:
        """What every unit costs, whatever the volume; None: there is no such price."""
        price = self.usage.single_price
        return None if price is None or self.minimum else price * (1 - self.discount)


def _sum(lines: Iterator[BillLine]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


def monthly_capacity(throughput: float, utilisation: float) -> Fraction:
    """Inferences a month that one instance carries.

    Args:
        throughput: measured, per second.
        utilisation: share of it that the average load may take up, above 0 to 1.
    """
    return Fraction(str(throughput)) * Fraction(str(utilisation)) * _SECONDS
