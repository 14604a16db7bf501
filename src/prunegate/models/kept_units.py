"""What is left of a model: its units, kind by kind, in the numbering of the whole model.

Every cut is recorded in ORIGINAL indices, so that several prunings compose, a plan can be replayed
on other weights (lottery-ticket rewinding) and a report can point at the head that went. Pure.

A kind has rows of units. Heads and neurons have one row per layer, and a layer that was dropped
has an empty one; filters have one row per group of convolutions; layers are a single row. A unit
of heads is a head with its query, key and value; where several heads share a key and a value
(grouped-query attention), it is the whole group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from prunegate.errors import ModelError

Kind = Literal["heads", "neurons", "filters", "layers"]
KINDS: tuple[Kind, ...] = get_args(Kind)
IN_LAYERS: tuple[Kind, ...] = ("heads", "neurons")
"""The kinds with one row per layer."""

_MOST_UNITS = 1 << 24  # a model of 70 thousand million parameters has 2.3 million

Indices = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class KeptUnits:
    """The units that remain; indices ascend and count from 0."""

    units: Mapping[Kind, Indices]
    """Rows of indices, for each kind that the architecture has."""

    @classmethod
    def whole(cls, counts: Mapping[Kind, Sequence[int]]) -> KeptUnits:
        """Everything is there: ``counts`` says how many units each row of each kind has.

        Raises:
            ModelError: more units than any model has; a config that says so is hostile.
        """
        units = sum(map(sum, counts.values()))
        if units > _MOST_UNITS:
            raise ModelError(f"config: {units:,} units; at most {_MOST_UNITS:,} are supported.")
        return cls(
            units={
                kind: tuple(tuple(range(count)) for count in rows) for kind, rows in counts.items()
            }
        )

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that the architecture has."""
        return tuple(self.units)

    def of(self, kind: Kind) -> Indices:
        """Return the rows of a kind; none where the architecture has no such units."""
        return self.units.get(kind, ())

    def counts(self, kind: Kind) -> tuple[int, ...]:
        """Count what remains per row."""
        return tuple(len(row) for row in self.of(kind))

    def total(self, kind: Kind) -> int:
        """Count what remains in all."""
        return sum(self.counts(kind))

    def present(self, kind: Kind) -> tuple[int, ...]:
        """Return the rows that the module still has: those of layers that were not dropped."""
        if kind in IN_LAYERS and "layers" in self.units:
            return self.units["layers"][0]
        return tuple(range(len(self.of(kind))))

    def rows(self, kind: Kind) -> Indices:
        """Return the rows that are present."""
        return tuple(self.of(kind)[row] for row in self.present(kind))

    def narrowed(self, kind: Kind, positions: Sequence[Sequence[int]]) -> KeptUnits:
        """Keep only some of what remains.

        Args:
            kind: What is cut.
            positions: Per present row, where the survivors stand among its remaining units.
        """
        left = list(self.of(kind))
        for row, kept in zip(self.present(kind), positions, strict=True):
            left[row] = tuple(left[row][position] for position in kept)
        units: dict[Kind, Indices] = {**self.units, kind: tuple(left)}
        if kind == "layers":
            for other in IN_LAYERS:
                if other in units:
                    units[other] = tuple(
                        row if layer in left[0] else () for layer, row in enumerate(units[other])
                    )
        return KeptUnits(units=units)

    @property
    def active_heads(self) -> int:
        """Units of attention that remain: heads, or groups of heads that share a key."""
        return self.total("heads")
