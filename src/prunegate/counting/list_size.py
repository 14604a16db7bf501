"""List size: how many rows a list would have, for many sizes of its samples.

Samples of slices that overlap are the first rows in one order, so that they share rows; each row is
labelled once. Each slice is asked of the engine once or twice, however many sizes are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from prunegate.counting.labelling import ClassFrame, SliceFrame, SlicePlaces, needed_whole
from prunegate.counting.partial_labels import SampleOf

_FIRST = 5000
"""Rows of a slice's sample that are asked for at first."""


@dataclass(frozen=True, kw_only=True)
class ListSize:
    """Rows on the lists of one table and seed."""

    places: SlicePlaces
    _whole: dict[SliceFrame, frozenset[str]] = field(default_factory=dict)
    _samples: dict[tuple[str, SampleOf], list[str]] = field(default_factory=dict)

    def of(self, frames: Sequence[SliceFrame]) -> int:
        """How many rows have to have a label."""
        found: set[str] = set()
        for one in needed_whole(frames):
            found |= self._every(one)
        for one in frames:
            found |= self._every_of_classes(one)
            for sample, rows in one.sizes.items():
                found.update(self._first(one.name, sample, max(rows)))
        return len(found)

    def _every(self, one: SliceFrame) -> frozenset[str]:
        key = SliceFrame(name=one.name, rows=one.rows, differs=one.differs, flagged=one.flagged)
        if key not in self._whole:
            self._whole[key] = frozenset(self.places.every(key))
        return self._whole[key]

    def _every_of_classes(self, one: SliceFrame) -> frozenset[str]:
        flagged = tuple(
            ClassFrame(label=of.label, flagged=True) for of in one.classes or () if of.flagged
        )
        if not flagged:
            return frozenset()
        key = SliceFrame(name=one.name, rows=one.rows, classes=flagged)
        if key not in self._whole:
            self._whole[key] = frozenset(self.places.every_of_classes(key))
        return self._whole[key]

    def _first(self, slice_name: str, sample: SampleOf, rows: int) -> Sequence[str]:
        if not rows:
            return ()
        key = (slice_name, sample)
        held = self._samples.get(key)
        if held is None:
            held = self._samples[key] = self.places.first(slice_name, sample, _FIRST)
        if len(held) < rows and len(held) == _FIRST:
            held = self._samples[key] = self.places.first(slice_name, sample, rows)
        return held[:rows]
