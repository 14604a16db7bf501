"""A family of slices: every conjunction with enough rows, and what the table says of each.

Sums per slice are sums over its cells; the spread of a slice's change is that under sign flips, so
with groups it is the spread of what each group changes within the slice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prunegate.counting.change_cells import Cells, mask_of
from prunegate.discovery.conjunctions import ConjunctionBlock, conjunction_blocks
from prunegate.discovery.selection import CLEARLY, Around, Mask
from prunegate.policy.declare import containing, declares
from prunegate.policy.schema import Policy
from prunegate.stats.sign_flips import SignFlips


@dataclass(frozen=True, kw_only=True, eq=False)
class SliceFamily:
    """All slices with enough rows, and what the table says of each."""

    policy: Policy
    cells: Cells
    wheres: tuple[dict[str, str | None], ...]
    """Each slice's values by column; None where missing."""
    homes: tuple[tuple[ConjunctionBlock, int], ...]
    """Where each slice's cells are: a block, and its number there."""
    rows: NDArray[np.float64]
    lost: NDArray[np.float64]
    gained: NDArray[np.float64]
    change: NDArray[np.float64]
    spread: NDArray[np.float64]
    """Standard deviation of the change under sign flips; 0 where nothing changed."""
    common: NDArray[np.float64]
    """Covariance of the change with the whole table's under sign flips."""
    whole: float
    """Variance of the whole table's change under sign flips."""
    open: Mask
    """Which slices the policy does not declare."""

    @property
    def z(self) -> NDArray[np.float64]:
        """The change in standard deviations, [slices]; 0 where nothing changed."""
        return np.divide(
            self.change, self.spread, out=np.zeros_like(self.change), where=self.spread > 0
        )

    def members(self, numbers: NDArray[np.intp]) -> Any:
        """Sparse 0/1 [slices, cells] of some slices, in ascending order."""
        from scipy.sparse import vstack

        parts, start = [], 0
        while start < len(numbers):
            block = self.homes[numbers[start]][0]
            end = start
            while end < len(numbers) and self.homes[numbers[end]][0] is block:
                end += 1
            parts.append(block.members()[[self.homes[n][1] for n in numbers[start:end]]])
            start = end
        return vstack(parts, format="csr")

    def clear(self) -> list[int]:
        """Slices that lost clearly, and clearly more than the whole table; the worst first.

        The second is asked again, with all else that is known, in ``selection``; here it spares
        thousands of slices that look.
        """
        z = np.array([ten_digits(value) for value in self.z])
        share = self.rows / self.cells.rows.sum()
        excess = self.change - share * self.cells.change.sum()
        variance = self.spread**2 - 2 * share * self.common + share**2 * self.whole
        found = (z >= CLEARLY) & (excess > 0) & (excess**2 >= 0.99 * CLEARLY**2 * variance)
        return sorted(np.flatnonzero(found), key=lambda n: (-z[n], len(self.wheres[n]), n))

    def around(self, number: int) -> Around:
        """The cells of a slice, and those of every declared slice that contains it."""
        declared = containing(self.policy, self.wheres[number])
        return self.mask(number), (mask_of(self.cells, allowed) for allowed in declared)

    def mask(self, number: int) -> Mask:
        """The cells of a slice, bool [cells]."""
        block, place = self.homes[number]
        mask: Mask = block.of_cell == place
        return mask


def slice_family(
    policy: Policy, cells: Cells, source: SignFlips, depth: int, support: int
) -> SliceFamily:
    """Every conjunction of up to ``depth`` columns with at least ``support`` rows.

    Raises:
        InputError: more of them than can be looked at together.
    """
    found = conjunction_blocks(cells, depth=depth, support=support)
    homes = [(block, place) for block in found for place in range(len(block))]
    wheres = [_where(cells, block, place) for block, place in homes]

    common = source.times(np.ones(len(cells.rows)))

    def joined(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.concatenate([np.zeros(0), *parts])

    return SliceFamily(
        policy=policy,
        cells=cells,
        wheres=tuple(wheres),
        homes=tuple(homes),
        rows=joined([block.sums(cells.rows) for block in found]),
        lost=joined([block.sums(cells.lost) for block in found]),
        gained=joined([block.sums(cells.gained) for block in found]),
        change=joined([block.sums(cells.change) for block in found]),
        spread=np.sqrt(joined([source.variances(block.members()) for block in found])),
        common=joined([block.sums(common) for block in found]),
        whole=float(common.sum()),
        open=np.array([not _is_declared(policy, where) for where in wheres], np.bool_),
    )


def _where(cells: Cells, block: ConjunctionBlock, place: int) -> dict[str, str | None]:
    codes = block.values[place]
    return {
        cells.columns[column]: cells.levels[column][code]
        for column, code in zip(block.places, codes, strict=True)
    }


def _is_declared(policy: Policy, where: Mapping[str, str | None]) -> bool:
    texts = {column: text for column, text in where.items() if text is not None}
    return len(texts) == len(where) and declares(policy, texts)


def ten_digits(value: float) -> float:
    """Ten significant digits: sums of an engine's threads differ in the last ones."""
    return float(f"{value:.10g}")
