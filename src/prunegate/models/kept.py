"""What is left of a model: the heads and neurons per layer, in the numbering of the whole model.

Every cut is recorded in ORIGINAL indices, so that several prunings compose, a plan can be replayed
on other weights (lottery-ticket rewinding) and a report can point at the head that went. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

Kind = Literal["heads", "neurons"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Indices = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The units that remain, layer by layer; indices ascend and count from 0."""

    heads: Indices
    """Attention heads of each layer."""
    neurons: Indices
    """Hidden neurons of each layer's MLP."""

    @classmethod
    def whole(cls, heads: Sequence[int], neurons: Sequence[int]) -> Kept:
        """Everything is there: ``heads`` and ``neurons`` count the units of each layer."""
        return cls(
            heads=tuple(tuple(range(count)) for count in heads),
            neurons=tuple(tuple(range(count)) for count in neurons),
        )

    def of(self, kind: Kind) -> Indices:
        """Return the remaining heads or neurons."""
        return self.heads if kind == "heads" else self.neurons

    def counts(self, kind: Kind) -> tuple[int, ...]:
        """Count what remains per layer."""
        return tuple(len(layer) for layer in self.of(kind))

    def narrowed(self, kind: Kind, positions: Sequence[Sequence[int]]) -> Kept:
        """Keep only some of what remains.

        Args:
            kind: Heads or neurons.
            positions: Per layer, where the survivors stand among the *present* units.
        """
        left = tuple(
            tuple(layer[position] for position in kept)
            for layer, kept in zip(self.of(kind), positions, strict=True)
        )
        return replace(self, heads=left) if kind == "heads" else replace(self, neurons=left)

    @property
    def active_heads(self) -> int:
        """Heads that remain in the whole model."""
        return sum(self.counts("heads"))
