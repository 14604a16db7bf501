"""Discovery: undeclared slices that lost most, with a guard against having looked at so many.

::

    table -> cells (one GROUP BY) -> conjunctions -> z, worst first -> apart from each other
                                          sign flips over all of them -> guarded p ^

z is the summed change of the loss over its spread under sign flips (of rows, or of groups). Over
hundreds of slices some z is always large, so each is held against the largest z of all slices in
many sign flips. What is found is advice: it changes no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prunegate.data.tables import Table
from prunegate.evaluation.change_cells import Cells, flips_of, mask_of, read_cells
from prunegate.evaluation.conjunctions import Block, blocks
from prunegate.evaluation.discovered import DiscoveredSlice, Discovery
from prunegate.evaluation.standing_out import CLEARLY, Around, Ground, Mask, worst_apart
from prunegate.policy.declare import containing, declares, named_slices, snippet
from prunegate.policy.model import Policy
from prunegate.policy.naming import slice_name
from prunegate.stats.sign_flips import Flips, guarded_p, largest_of_flips

SIGNIFICANT = 0.05


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to look at, and how closely."""

    columns: tuple[str, ...]
    depth: int = 3
    """Most columns in one conjunction."""
    support: int = 100
    """Fewest rows of a slice."""
    top: int = 10
    """Most slices handed back."""
    flips: int = 999
    seed: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Family:
    """All slices with enough rows, and what the table says of each."""

    policy: Policy
    cells: Cells
    wheres: tuple[dict[str, str | None], ...]
    """Each slice's values by column; None where missing."""
    homes: tuple[tuple[Block, int], ...]
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
        """The change in standard deviations; 0 where nothing changed."""
        return np.divide(
            self.change, self.spread, out=np.zeros_like(self.change), where=self.spread > 0
        )

    def around(self, number: int) -> Around:
        """The cells of a slice, and those of every declared slice that contains it."""
        declared = containing(self.policy, self.wheres[number])
        return self.mask(number), (mask_of(self.cells, allowed) for allowed in declared)

    def mask(self, number: int) -> Mask:
        """The cells of a slice."""
        block, place = self.homes[number]
        mask: Mask = block.of_cell == place
        return mask


def discover(policy: Policy, table: Table, request: Request) -> Discovery:
    """Look for undeclared slices that lost.

    Args:
        policy: names the task, the group column and what is declared already.
        table: a readable predictions table that also holds the columns of the request, as text.
        request: which columns, and how closely to look.

    Raises:
        InputError: more combinations of values than can be looked at together.
        TableError: rows that cannot be read.
    """
    cells = read_cells(policy, table, request.columns)
    source, method = flips_of(policy, table, cells)
    family = _family(policy, cells, source, request)
    largest = _largest(family, source, request)
    return Discovery(
        task=policy.task.kind,
        columns=request.columns,
        depth=request.depth,
        support=request.support,
        flips=request.flips,
        seed=request.seed,
        rows=int(cells.rows.sum()),
        lost=int(cells.lost.sum()),
        gained=int(cells.gained.sum()),
        net_loss=_rounded(cells.change.sum() / cells.rows.sum()),
        candidates=int(family.open.sum()),
        declared=int((~family.open).sum()),
        largest_z=_rounded(family.z[family.open].max()) if family.open.any() else None,
        method=method,
        slices=tuple(_described(family, source, largest, request.top)),
    )


def _family(policy: Policy, cells: Cells, source: Flips, request: Request) -> Family:
    found = blocks(cells, depth=request.depth, support=request.support)
    homes = [(block, place) for block in found for place in range(len(block))]
    wheres = [_where(cells, block, place) for block, place in homes]

    common = source.times(np.ones(len(cells.rows)))

    def joined(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.concatenate([np.zeros(0), *parts])

    return Family(
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


def _where(cells: Cells, block: Block, place: int) -> dict[str, str | None]:
    codes = block.values[place]
    return {
        cells.columns[column]: cells.levels[column][code]
        for column, code in zip(block.places, codes, strict=True)
    }


def _is_declared(policy: Policy, where: Mapping[str, str | None]) -> bool:
    texts = {column: text for column, text in where.items() if text is not None}
    return len(texts) == len(where) and declares(policy, texts)


def _largest(family: Family, source: Flips, request: Request) -> NDArray[np.float64]:
    """The largest z in each sign flip, over the undeclared slices in which anything changed."""
    moving = np.flatnonzero(family.open & (family.spread > 0))
    if not len(moving):
        return np.zeros(request.flips)
    (changed,) = np.nonzero(family.cells.moved)
    return largest_of_flips(
        _members(family, moving)[:, changed],
        family.spread[moving],
        source.among(changed),
        flips=request.flips,
        seed=request.seed,
    )


def _members(family: Family, numbers: NDArray[np.intp]) -> Any:
    from scipy.sparse import vstack

    parts, start = [], 0
    while start < len(numbers):
        block = family.homes[numbers[start]][0]
        end = start
        while end < len(numbers) and family.homes[numbers[end]][0] is block:
            end += 1
        parts.append(block.members()[[family.homes[n][1] for n in numbers[start:end]]])
        start = end
    return vstack(parts, format="csr")


def _described(
    family: Family, source: Flips, largest: NDArray[np.float64], top: int
) -> Iterator[DiscoveredSlice]:
    ground = Ground(cells=family.cells, flips=source)
    taken: set[str] = set()
    z = family.z
    clear = _clear(family)
    known = [family.mask(n) for n in clear if not family.open[n]]
    known += [
        mask_of(family.cells, where) for where in named_slices(family.policy, family.cells.columns)
    ]
    ranked = ((n, family.around(n)) for n in clear if family.open[n])
    for found in worst_apart(ground, known, ranked, top):
        number, where = found.number, family.wheres[found.number]
        p, p_beyond = guarded_p(largest, np.array([z[number], found.beyond]))
        yield DiscoveredSlice(
            name=slice_name(tuple(where), _shown(family.cells, where)),
            columns=tuple(where),
            values=tuple(where.values()),
            rows=int(family.rows[number]),
            lost=int(family.lost[number]),
            gained=int(family.gained[number]),
            net_loss=_rounded(family.change[number] / family.rows[number]),
            z=_rounded(z[number]),
            guarded_p=float(p),
            beyond=_rounded(found.beyond),
            stands_out=bool(max(p, p_beyond) <= SIGNIFICANT),
            snippet=_snippet(family.policy, where, taken),
        )


def _clear(family: Family) -> list[int]:
    """Slices that lost clearly, and clearly more than the table as a whole; the worst first.

    The second is asked again, with all else that is known, in ``standing_out``; here it spares
    thousands of slices that look.
    """
    z = np.array([_rounded(value) for value in family.z])
    share = family.rows / family.cells.rows.sum()
    excess = family.change - share * family.cells.change.sum()
    variance = family.spread**2 - 2 * share * family.common + share**2 * family.whole
    clear = (z >= CLEARLY) & (excess > 0) & (excess**2 >= 0.99 * CLEARLY**2 * variance)
    return sorted(np.flatnonzero(clear), key=lambda n: (-z[n], len(family.wheres[n]), n))


def _snippet(policy: Policy, where: Mapping[str, str | None], taken: set[str]) -> str | None:
    texts = {column: text for column, text in where.items() if text is not None}
    return snippet(policy, texts, taken) if len(texts) == len(where) else None


def _shown(cells: Cells, where: Mapping[str, str | None]) -> list[str]:
    """Values as texts; rows without one are ``missing``, in brackets where that is a value."""
    texts = []
    for column, value in where.items():
        text = "missing"
        while text in cells.levels[cells.columns.index(column)]:
            text = f"({text})"
        texts.append(text if value is None else value)
    return texts


def _rounded(value: float) -> float:
    """Ten significant digits: sums of an engine's threads differ in the last ones."""
    return float(f"{value:.10g}")
