"""Slices: their names, and the joint counts that everything about them follows from.

For a binary decision eight numbers per slice are sufficient: label x baseline x candidate. Cells
are indexed ``4 * label + 2 * baseline + candidate`` with 1 for positive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prunegate.errors import InternalError, TableError
from prunegate.policy.model import Policy, SliceSpec
from prunegate.policy.naming import slice_name, value_text

OVERALL = "overall"
Cells = tuple[int, ...]
DISAGREE = (0b001, 0b010, 0b101, 0b110)
"""Cells in which the two models decide differently."""


@dataclass(frozen=True, kw_only=True)
class CellRow:
    """One group of the GROUP BY: a combination of key values and decisions, and its rows."""

    values: tuple[str | None, ...]
    """Text of each slicing key's value, in the order of ``policy.keys``; None where empty."""
    cell: int
    n: int


@dataclass(frozen=True, kw_only=True)
class SliceCounts:
    """One slice and its eight joint counts."""

    name: str
    slicing: str
    """``overall``, the by-key(s) joined by a comma, or the slice's own name."""
    declared: bool
    """Named in the policy, so that its absence matters."""
    cells: Cells

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.cells)

    @property
    def positives(self) -> int:
        """Rows whose label is positive."""
        return sum(self.cells[4:])


def slice_counts(policy: Policy, rows: Iterable[CellRow]) -> tuple[SliceCounts, ...]:
    """Overall and every slice of the policy, from the groups of one GROUP BY.

    Raises:
        TableError: no rows at all, or an empty value in a slicing key.
        InternalError: the slices of a key do not add up to the total.
    """
    groups = _merge(policy, rows)
    total = _add(groups.values())
    if sum(total) == 0:
        raise TableError("there are no rows to judge; give a table with at least one row")
    overall = SliceCounts(name=OVERALL, slicing=OVERALL, declared=True, cells=total)
    slices = [overall]
    for spec in policy.slices:
        if spec.keys:
            slices += _by_keys(policy, spec, groups, total)
        else:
            slices.append(_named(policy, spec, groups))
    return tuple(slices)


Groups = dict[tuple[str, ...], list[int]]


def _merge(policy: Policy, rows: Iterable[CellRow]) -> Groups:
    groups: Groups = {}
    for row in rows:
        if row.n:
            groups.setdefault(_present(policy, row.values), [0] * 8)[row.cell] += row.n
    return groups


def _present(policy: Policy, values: Sequence[str | None]) -> tuple[str, ...]:
    for key, value in zip(policy.keys, values, strict=True):
        if value is None:
            raise TableError(
                f"column '{key}' has rows without a value; every row needs one, because the policy "
                "slices by it"
            )
    return tuple(value for value in values if value is not None)


def _add(cells: Iterable[Sequence[int]]) -> Cells:
    total = [0] * 8
    for eight in cells:
        for index, count in enumerate(eight):
            total[index] += count
    return tuple(total)


def _by_keys(policy: Policy, spec: SliceSpec, groups: Groups, total: Cells) -> list[SliceCounts]:
    places = [policy.keys.index(key) for key in spec.keys]
    found: dict[tuple[str, ...], list[list[int]]] = {}
    for values, cells in groups.items():
        found.setdefault(tuple(values[place] for place in places), []).append(cells)
    expected = [_expected(value) for value in spec.expect]
    slices = [
        SliceCounts(
            name=slice_name(spec.keys, values),
            slicing=spec.label,
            declared=values in expected,
            cells=_add(found.get(values, ())),
        )
        for values in dict.fromkeys((*expected, *sorted(found)))
    ]
    if _add(s.cells for s in slices) != total:
        raise InternalError(f"the slices of {spec.label} do not add up to the total")
    return slices


def _expected(value: object) -> tuple[str, ...]:
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(value_text(part) for part in parts)


def _named(policy: Policy, spec: SliceSpec, groups: Groups) -> SliceCounts:
    wanted = {
        policy.keys.index(key): set(_expected(value)) for key, value in (spec.where or {}).items()
    }
    cells = _add(
        cells
        for values, cells in groups.items()
        if all(values[place] in allowed for place, allowed in wanted.items())
    )
    return SliceCounts(name=spec.label, slicing=spec.label, declared=True, cells=cells)
