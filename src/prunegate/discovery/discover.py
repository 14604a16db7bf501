"""Discovery: undeclared slices that lost most, with a guard against having looked at so many.

::

    table -> cells (one GROUP BY) -> conjunctions -> z, worst first -> apart from each other
                                          sign flips over all of them -> guarded p ^

z is the summed change of the loss over its spread under sign flips (of rows, or of groups). Over
hundreds of slices some z is always large, so each is held against the largest z of all slices in
many sign flips. What is found is advice: it changes no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prunegate.counting.change_cells import Cells, flips_of, mask_of, read_cells
from prunegate.data.predictions.table import Table
from prunegate.discovery.discovered import DiscoveredSlice, Discovery
from prunegate.discovery.selection import Ground, worst_apart
from prunegate.discovery.slice_family import SliceFamily, slice_family, ten_digits
from prunegate.policy.declare import named_slices, snippet
from prunegate.policy.naming import slice_name
from prunegate.policy.schema import Policy
from prunegate.stats.sign_flips import SignFlips, guarded_p, largest_of_flips

SIGNIFICANT = 0.05


@dataclass(frozen=True, kw_only=True)
class DiscoveryRequest:
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


def discover(policy: Policy, table: Table, request: DiscoveryRequest) -> Discovery:
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
    family = slice_family(policy, cells, source, request.depth, request.support)
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
        net_loss=ten_digits(cells.change.sum() / cells.rows.sum()),
        candidates=int(family.open.sum()),
        declared=int((~family.open).sum()),
        largest_z=ten_digits(family.z[family.open].max()) if family.open.any() else None,
        method=method,
        slices=tuple(_described(family, source, largest, request.top)),
    )


def _largest(
    family: SliceFamily, source: SignFlips, request: DiscoveryRequest
) -> NDArray[np.float64]:
    """The largest z in each sign flip, over the undeclared slices in which anything changed."""
    moving = np.flatnonzero(family.open & (family.spread > 0))
    if not len(moving):
        return np.zeros(request.flips)
    (changed,) = np.nonzero(family.cells.moved)
    return largest_of_flips(
        family.members(moving)[:, changed],
        family.spread[moving],
        source.among(changed),
        flips=request.flips,
        seed=request.seed,
    )


def _described(
    family: SliceFamily, source: SignFlips, largest: NDArray[np.float64], top: int
) -> Iterator[DiscoveredSlice]:
    ground = Ground(cells=family.cells, flips=source)
    taken: set[str] = set()
    z = family.z
    clear = family.clear()
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
            net_loss=ten_digits(family.change[number] / family.rows[number]),
            z=ten_digits(z[number]),
            guarded_p=float(p),
            beyond=ten_digits(found.beyond),
            stands_out=bool(max(p, p_beyond) <= SIGNIFICANT),
            snippet=_snippet(family.policy, where, taken),
        )


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
