"""Slices: their names, and the tally that everything about them follows from.

The engine hands over one piece per combination of slicing values; here the pieces are added up to
overall and to every slice of the policy. The slices of a key have to add up to the total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from typing import Any

from prunegate.counting.stratum import Stratum
from prunegate.counting.tallies import Cells, DecidedRows, Tally, Worth
from prunegate.counting.tasks.every import task_of
from prunegate.errors import InternalError, TableError
from prunegate.policy.intervals import names_of_bins
from prunegate.policy.naming import slice_name, value_text
from prunegate.policy.schema import Policy, SliceSpec
from prunegate.text.said import said


@dataclass(frozen=True, kw_only=True)
class KeyTexts:
    """Reads the values of the slicing keys and remembers how each was spelled."""

    keys: tuple[str, ...]
    """Names of the slicing keys, in the order that values come in."""
    _spelled: dict[tuple[str, str], Any] = field(default_factory=dict)

    def of(self, values: Sequence[Any]) -> tuple[str | None, ...]:
        """The texts of one row's values; None where there is no value.

        Raises:
            TableError: a value that another row spells differently.
        """
        return tuple(self._text(key, value) for key, value in zip(self.keys, values, strict=True))

    def spelled(self, key: str, text: str) -> Any:
        """How the table spells a text that it holds; None where it does not."""
        return self._spelled.get((key, text))

    def _text(self, key: str, value: Any) -> str | None:
        if value is None or value != value or value == "":  # noqa: PLR0124  # NaN differs from itself
            return None
        text = value_text(value)
        first = self._spelled.setdefault((key, text), value)
        if first != value:
            raise TableError(
                f"column '{key}' spells one value in two ways ({first!a} and {value!a}); "
                "make them the same"
            )
        return text


OVERALL = "overall"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Rows with the same slicing values, summed up."""

    values: tuple[str | None, ...]
    """Text of each slicing key's value, in the order of ``policy.keys``; None where empty."""
    tally: Tally


@dataclass(frozen=True, kw_only=True)
class SliceCounts:
    """One slice and what its rows sum up to."""

    name: str
    slicing: str
    """``overall``, the by-key(s) joined by a comma, or the slice's own name."""
    declared: bool
    """Named in the policy, so that its absence matters."""
    tally: Tally
    strata: tuple[Stratum, ...] | None = None
    """What all rows were reweighted by, where the slice is ``production``; None: any other."""

    @property
    def rows(self) -> int:
        """All rows."""
        return self.tally.rows

    @property
    def positives(self) -> int:
        """Rows of the positive class; of the rarest class where there are several."""
        return self.tally.positives

    @property
    def worth(self) -> Worth | None:
        """How many rows of equal weight its rows are worth; None: they have no weights."""
        return self.tally.worth if isinstance(self.tally, DecidedRows) else None

    @property
    def cells(self) -> Cells:
        """The eight joint counts of yes/no decisions; empty for other tasks."""
        return self.tally.eight


def slice_counts(policy: Policy, pieces: Iterable[Piece]) -> tuple[SliceCounts, ...]:
    """Overall and every slice of the policy, from the pieces of one GROUP BY.

    Raises:
        TableError: no rows at all, or an empty value in a slicing key.
        InternalError: the slices of a key do not add up to the total.
    """
    merged = _merge(policy, pieces)
    kinds = {type(tally) for tally in merged.values()}
    none = kinds.pop()() if kinds else task_of(policy).none
    total = reduce(add, merged.values(), none)
    if total.rows == 0:
        raise TableError("there are no rows to judge; give a table with at least one row")
    slices = [SliceCounts(name=OVERALL, slicing=OVERALL, declared=True, tally=total)]
    for spec in policy.slices:
        if spec.keys:
            slices += _by_keys(policy, spec, merged, total)
        else:
            slices.append(_named(policy, spec, merged, none))
    return tuple(slices)


def with_tallies(
    slices: Sequence[SliceCounts], change: Callable[[SliceCounts], Tally]
) -> tuple[SliceCounts, ...]:
    """The same slices with tallies that know more about the same rows.

    Raises:
        InternalError: a tally is not of the same rows.
    """
    changed = tuple(replace(one, tally=change(one)) for one in slices)
    for before, after in zip(slices, changed, strict=True):
        if before.tally != after.tally:
            raise InternalError(f"the groups of {before.name} do not add up to its rows")
    return changed


def _merge(policy: Policy, pieces: Iterable[Piece]) -> dict[tuple[str, ...], Tally]:
    merged: dict[tuple[str, ...], Tally] = {}
    for piece in pieces:
        if piece.tally.rows:
            values = _present(policy, piece.values)
            merged[values] = merged[values] + piece.tally if values in merged else piece.tally
    return merged


def _present(policy: Policy, values: Sequence[str | None]) -> tuple[str, ...]:
    for key, value in zip(policy.keys, values, strict=True):
        if value is None:
            raise TableError(
                f"column '{key}' has rows without a value; every row needs one, because the policy "
                "slices by it"
            )
    return tuple(value for value in values if value is not None)


def _by_keys(
    policy: Policy, spec: SliceSpec, merged: Mapping[tuple[str, ...], Tally], total: Tally
) -> list[SliceCounts]:
    places = [policy.keys.index(key) for key in spec.keys]
    none = type(total)()
    found: dict[tuple[str, ...], Tally] = {}
    for values, tally in merged.items():
        part = tuple(values[place] for place in places)
        found[part] = found[part] + tally if part in found else tally
    expected = expected_values(spec)
    slices = [
        SliceCounts(
            name=slice_name(spec.keys, values),
            slicing=spec.label,
            declared=values in expected,
            tally=found.get(values, none),
        )
        for values in in_order(policy, spec, found)
    ]
    if reduce(add, (one.tally for one in slices), none) != total:
        raise InternalError(f"the slices of {spec.label} do not add up to the total")
    return slices


def in_order(
    policy: Policy, spec: SliceSpec, found: Iterable[tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    """The values of a slicing: expected ones first, then by their texts, bins by their edges."""
    bins = {key: names_of_bins(how.bins) for key, how in policy.intervals.items() if how.bins}

    def place(values: tuple[str, ...]) -> list[tuple[int, str]]:
        pairs = zip(spec.keys, values, strict=True)
        return [(_place(bins.get(key, ()), value), value) for key, value in pairs]

    return tuple(dict.fromkeys((*expected_values(spec), *sorted(found, key=place))))


def _place(names: Sequence[str], value: str) -> int:
    return names.index(value) if value in names else len(names)


def expected_values(spec: SliceSpec) -> list[tuple[str, ...]]:
    """The values that a slicing expects, as texts, one for each of its keys."""
    return [_expected(value) for value in spec.expect]


def _expected(value: object) -> tuple[str, ...]:
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(value_text(part) for part in parts)


def _named(
    policy: Policy, spec: SliceSpec, merged: Mapping[tuple[str, ...], Tally], none: Tally
) -> SliceCounts:
    wanted = {
        policy.keys.index(key): set(_expected(value)) for key, value in (spec.where or {}).items()
    }
    tally = reduce(
        add,
        (
            part
            for values, part in merged.items()
            if all(values[place] in allowed for place, allowed in wanted.items())
        ),
        none,
    )
    return SliceCounts(name=spec.label, slicing=spec.label, declared=True, tally=tally)


def identical(rows: int) -> str:
    """The warning about two models that cannot be told apart."""
    return said("warning.identical", rows=rows)


def same_scores(rows: int) -> str:
    """The same of two models that differ in their thresholds alone."""
    return said("warning.same_scores", rows=rows)
