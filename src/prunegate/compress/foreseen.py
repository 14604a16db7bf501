"""Foreseen removals: what the steps of a recipe will remove, followed one by one on sizes alone.

Units are counted, not chosen. How many go is known where a step says a share or how many stay;
where among the rows they go is known where each row has a share of its own. Of what is ranked
together the total is known, and that no row falls below the step's minimum, which is enough for
further steps that leave no larger minimum. Beyond that (a share of importance, a budget over units
of different cost, layers whose heads differ) only the recipe itself can tell. No model, no torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from prunegate.compress.removals import in_cycle, removals
from prunegate.errors import AmountError
from prunegate.models.kept_units import IN_LAYERS, KeptUnits, Kind
from prunegate.policy.steps import Prune, Scope, ShareBelow, Step
from prunegate.text.numbers import as_written

_SHARES = 10**6
"""Into how many parts a largest share is rounded down, which are the digits of a search."""


@dataclass(frozen=True, kw_only=True)
class UnitsLeft:
    """How many units of a kind there are before a step."""

    rows: tuple[int, ...]
    """Of each row; where they are not known, one of the ways in which they can lie."""
    floor: int | None = None
    """None: the rows are known. Else what every row has left that had as many, and a step counts
    the same whichever way they lie as long as it leaves no more."""

    def tell(self, wanted: Prune) -> bool:
        """Whether they are enough to count what a step removes."""
        if self.floor is None:
            return True
        return wanted.scope != "per_layer" and wanted.min_per_layer <= self.floor


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """One pruning step before it is carried out."""

    number: int
    """From 1, among all steps."""
    wanted: Prune
    units: UnitsLeft | None
    """What it will find; None: not known."""
    counts: tuple[int, ...] | None
    """What will go, in all or per row; None: not known, or not possible."""
    refusal: AmountError | None = None
    """Why it cannot be carried out."""

    @property
    def why(self) -> str:
        """What is wrong with its amount, and the largest share that would do; empty: nothing."""
        if self.refusal is None:
            return ""
        most = largest_amount(self.wanted, self.units) if self.units is not None else 0.0
        asked = self.wanted.amount
        told = isinstance(asked, float) and 0 < most < asked
        largest = f" The largest amount possible is {as_written(most)}." if told else ""
        return f"{self.refusal}{largest}"

    @property
    def all_that_can(self) -> bool:
        """Whether no larger share of its units would remove more; False also where not known."""
        if self.units is None or self.counts is None or self.wanted.scope == "budget":
            return False
        most = largest_amount(self.wanted, self.units)
        counts = removals(
            most,
            self.units.rows,
            scope=_scope(self.wanted),
            min_per_layer=self.wanted.min_per_layer,
        )
        return counts == self.counts


def foresee(
    steps: Sequence[Step], kept: KeptUnits, seen: Mapping[int, int] = MappingProxyType({})
) -> Iterator[Foreseen]:
    """Follow the pruning steps; of a kind that one cannot remove, later ones are not told.

    Args:
        steps: of a recipe, in order.
        kept: what the baseline has, as far as it is known; other kinds are not told.
        seen: units that steps were seen to remove whose amount only scores tell, by their number.
    """
    known = {kind: UnitsLeft(rows=tuple(map(len, kept.rows(kind)))) for kind in kept.kinds}
    alike = {kind: len(set(units.rows)) == 1 for kind, units in known.items()}
    for number, step in enumerate(steps, start=1):
        wanted = step.prune
        if wanted is None or wanted.units is None:
            continue
        found = _foreseen(number, wanted, known.get(wanted.units), seen.get(number))
        yield found
        _carry_out(known, found, wanted.units, alike)


def largest_amount(wanted: Prune, units: UnitsLeft) -> float:
    """The largest share that leaves the minimum in every layer; 0: nothing can go.

    Args:
        wanted: the step.
        units: what it will find.
    """
    spare = [max(0, size - wanted.min_per_layer) for size in units.rows]
    if wanted.scope == "per_layer":
        pairs = zip(spare, units.rows, strict=True)
        share = min((left / size for left, size in pairs), default=0.0)
    else:
        share = sum(spare) / sum(units.rows) if sum(units.rows) else 0.0
    return math.floor(share * _SHARES) / _SHARES


def _foreseen(number: int, wanted: Prune, units: UnitsLeft | None, seen: int | None) -> Foreseen:
    counts, refusal = None, None
    if units is not None and not units.tell(wanted):
        units = None
    if units is not None and not isinstance(wanted.amount, ShareBelow | None):
        try:
            counts = removals(
                wanted.amount,
                units.rows,
                scope=_scope(wanted),
                min_per_layer=wanted.min_per_layer,
            )
            if wanted.cycles > 1:
                in_cycle(counts, 1, wanted.cycles)
        except AmountError as error:
            counts, refusal = None, error
    elif seen is not None and units is not None and wanted.scope == "global":
        counts = (seen,)
    return Foreseen(number=number, wanted=wanted, units=units, counts=counts, refusal=refusal)


def _carry_out(
    known: dict[Kind, UnitsLeft], done: Foreseen, kind: Kind, alike: Mapping[Kind, bool]
) -> None:
    """Narrow what is known of a kind, and of what its layers take along; forget what is not."""
    left = _left(done, alike.get(kind, False))
    before = known.pop(kind, None)
    if left is not None:
        known[kind] = left
    if kind != "layers" or before is None:
        return
    for other in IN_LAYERS:
        units = known.pop(other, None)
        if (
            units is not None
            and left is not None
            and units.floor is None
            and len({*units.rows}) == 1
        ):
            known[other] = UnitsLeft(rows=units.rows[: left.rows[0]])


def _left(done: Foreseen, alike: bool) -> UnitsLeft | None:
    wanted, units, counts = done.wanted, done.units, done.counts
    if units is None or counts is None:
        return None
    if wanted.scope == "budget" and not (alike and wanted.units in IN_LAYERS):
        return None  # a share of the cost, which is another number of units
    if len(counts) == len(units.rows):
        rows = zip(units.rows, counts, strict=True)
        return UnitsLeft(rows=tuple(row - count for row, count in rows), floor=units.floor)
    rows_left, going = [], counts[0]
    for row in units.rows:
        gone = min(going, max(0, row - wanted.min_per_layer))
        rows_left.append(row - gone)
        going -= gone
    return UnitsLeft(rows=tuple(rows_left), floor=wanted.min_per_layer)


def _scope(wanted: Prune) -> Scope:
    return "per_layer" if wanted.scope == "per_layer" else "global"
