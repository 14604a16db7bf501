"""Sign flips: how large the largest of many paired z values gets when nothing changed.

A unit (a row, or a group of rows that depend on each other) carries a change per cell; where the
two models are alike, a unit's changes have either sign with the same chance. Flipping every unit's
sign by a coin, many times, and noting the largest z over all slices each time gives the null
distribution of the *largest* z: a z that beats it is no accident of having looked at many slices.

Three ways to flip, one result: whole changes of -1 and 1 by binomial counts per cell (exact), units
one by one (exact), and normal numbers per cell (an approximation that errs on the safe side: a sum
of flipped signs has thinner tails than the normal of the same variance).

Source: Westfall & Young (1993), Resampling-Based Multiple Testing (max-T); Hemerik & Goeman (2018),
TEST 27, 811-825 (random sign flips, with the identity among them).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_NUMBERS_AT_ONCE = 16_000_000
"""Random numbers held in memory together."""
_WORD = 64
_ROUNDING = 1e-9
"""Relative; a flip that ties with the observed z up to rounding counts against it."""


class SignFlips(Protocol):
    """Changes by cell whose signs can be flipped unit by unit."""

    @property
    def size(self) -> int:
        """How many random numbers one flip of everything takes."""

    def among(self, cells: NDArray[np.intp]) -> SignFlips:
        """The same for some of the cells, by their numbers, int [kept]."""

    def draw(self, rng: np.random.Generator, flips: int) -> Floats:
        """Sums of flipped changes, float64 [cells, flips]."""

    def times(self, weights: Floats) -> Floats:
        """Covariance under flipping of each cell's sum with a sum weighted [cells]; [cells]."""

    def variances(self, members: Any) -> Floats:
        """Variance under flipping of sums of cells, [sums]; ``members`` 0/1 [sums, cells]."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WholeFlips:
    """Rows that changed by -1 or 1, each a unit of its own."""

    moved: NDArray[np.int64]
    """Changed rows per cell."""

    @property
    def size(self) -> int:
        """A number a cell: a 64-bit word holds 64 coins."""
        return len(self.moved)

    def among(self, cells: NDArray[np.intp]) -> WholeFlips:
        """Some of the cells."""
        return WholeFlips(moved=self.moved[cells])

    def draw(self, rng: np.random.Generator, flips: int) -> Floats:
        """``2 B - moved`` with B binomial: the bits set among ``moved`` random ones."""
        few = self.moved <= _WORD
        heads = np.empty((len(self.moved), flips))
        heads[few] = _bits(rng, self.moved[few], flips)
        heads[~few] = rng.binomial(self.moved[~few, None], 0.5, (int((~few).sum()), flips))
        return 2 * heads - self.moved[:, None]

    def times(self, weights: Floats) -> Floats:
        """Every changed row has variance one and sits in one cell."""
        return self.moved * weights

    def variances(self, members: Any) -> Floats:
        """Changed rows of each sum."""
        return np.asarray(members @ self.moved.astype(np.float64))


@dataclass(frozen=True, kw_only=True, eq=False)
class NormalFlips:
    """Too many rows to flip one by one: each cell's sum is drawn as a normal number."""

    squares: Floats
    """Sum of squared changes per cell."""

    @property
    def size(self) -> int:
        """One number a cell."""
        return len(self.squares)

    def among(self, cells: NDArray[np.intp]) -> NormalFlips:
        """Some of the cells."""
        return NormalFlips(squares=self.squares[cells])

    def draw(self, rng: np.random.Generator, flips: int) -> Floats:
        """Normal with mean zero and the variance that flipped signs have."""
        numbers = rng.standard_normal((len(self.squares), flips))
        return numbers * np.sqrt(self.squares)[:, None]

    def times(self, weights: Floats) -> Floats:
        """Cells are independent."""
        return self.squares * weights

    def variances(self, members: Any) -> Floats:
        """Squared changes of each sum."""
        return np.asarray(members @ self.squares)


@dataclass(frozen=True, kw_only=True, eq=False)
class UnitFlips:
    """Units flipped one by one; a group may have changes in several cells."""

    changes: Any
    """Sparse float64 [cells, units]: each unit's summed change in each cell."""

    @property
    def size(self) -> int:
        """A sign a unit, and a sum a cell."""
        return int(max(self.changes.shape))

    def among(self, cells: NDArray[np.intp]) -> UnitFlips:
        """Some of the cells."""
        return UnitFlips(changes=self.changes[cells])

    def draw(self, rng: np.random.Generator, flips: int) -> Floats:
        """One coin a unit."""
        units = self.changes.shape[1]
        coins = np.unpackbits(
            np.frombuffer(rng.bytes(-(-units * flips // 8)), np.uint8), count=units * flips
        )
        signs = coins.astype(np.float64).reshape(units, flips)
        return np.asarray(self.changes @ (2 * signs - 1))

    def times(self, weights: Floats) -> Floats:
        """Through the units, because a group ties its cells together."""
        return np.asarray(self.changes @ (self.changes.T @ weights))

    def variances(self, members: Any) -> Floats:
        """Squares of each unit's change in each sum."""
        sums = members @ self.changes
        return np.asarray(sums.multiply(sums).sum(axis=1)).ravel()


def largest_of_flips(
    members: Any, spreads: Floats, source: SignFlips, *, flips: int, seed: int
) -> Floats:
    """The largest z over all sums in each of many sign flips, ascending.

    Args:
        members: sparse 0/1 [sums, cells]: which cells each sum takes.
        spreads: standard deviation of each sum under flipping, above 0.
        source: the changes.
        flips: how many times everything is flipped.
        seed: of the coins.
    """
    rng = np.random.default_rng(seed)
    at_once = max(1, _NUMBERS_AT_ONCE // max(source.size, *members.shape))
    largest = [
        np.max(np.asarray(members @ source.draw(rng, count)) / spreads[:, None], axis=0)
        for count in (min(at_once, flips - start) for start in range(0, flips, at_once))
    ]
    return np.sort(np.concatenate(largest))


def guarded_p(largest: Floats, z: Floats) -> Floats:
    """Share of flips, the data themselves among them, whose largest z is at least ``z``.

    >>> guarded_p(np.array([1.0, 2.0, 3.0]), np.array([2.0, 9.0])).tolist()
    [0.75, 0.25]
    """
    below = np.searchsorted(largest, z - _ROUNDING * np.abs(z), side="left")
    shares: Floats = (1 + len(largest) - below) / (1 + len(largest))
    return shares


def _bits(rng: np.random.Generator, counts: NDArray[np.int64], flips: int) -> NDArray[np.uint8]:
    """Binomial(count, 1/2) for counts up to 64; exact."""
    ones = np.uint64(2**64 - 1)
    # A shift by 64 is undefined, so a count of 0 is masked apart.
    masks = np.where(counts > 0, ones >> (_WORD - np.maximum(counts, 1)).astype(np.uint64), 0)
    words = rng.integers(0, ones, (len(counts), flips), dtype=np.uint64, endpoint=True)
    counted: NDArray[np.uint8] = np.bitwise_count(words & masks.astype(np.uint64)[:, None])
    return counted
