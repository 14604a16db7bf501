"""Grouping: slices whose rows come in groups that are not independent of each other.

One more pass inside the engine for each slicing, or several of a small table: rows are first summed
up per group, then over groups. A group that spans several slices counts in each of them with the
rows it has there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw

from prunegate.counting.cluster_sums import Clusters
from prunegate.counting.column_reading import N, Reading
from prunegate.counting.slices import OVERALL, KeyTexts, SliceCounts, with_tallies
from prunegate.counting.tallies import DecidedRows, Tally
from prunegate.counting.values import Values, features_of, sums_of
from prunegate.counting.weighing import WEIGHT
from prunegate.data.predictions.table import Table
from prunegate.policy.naming import slice_name, value_text

_OTHER = "prunegate__other_cell"
ALL = "prunegate__all"
"""Derived column that is the same for every row."""
_PRODUCT, _WEIGHTS, _HEAVIEST, _SHARED = (
    f"prunegate__{name}" for name in ("product", "weights", "heaviest", "shared")
)
Frame = nw.LazyFrame[Any]
ROWS_TOGETHER = 100_000
"""The most rows of a query about several slicings, a row counted in each of these."""
_SLICINGS_TOGETHER = 6


def with_groups(
    reading: Reading, texts: KeyTexts, slices: tuple[SliceCounts, ...]
) -> tuple[SliceCounts, ...]:
    """The slices with what their groups say; as they are where the policy names no group.

    Raises:
        InternalError: the groups of a slice do not add up to its rows.
    """
    if reading.policy.group is None:
        return slices
    found: dict[str, dict[str, Any]] = {}
    for part in slicing_parts(reading, texts):
        found |= (
            _moments(reading, part)
            if isinstance(reading, Values)
            else clustered_cells(reading, part)
        )
    return with_tallies(slices, lambda one: _completed(one.tally, found.get(one.name, {})))


def _completed(tally: Tally, found: Mapping[str, Any]) -> Tally:
    """A tally with what the groups say; of weights, what they say beside the sums that it has."""
    tally = replace(tally, **{name: sums for name, sums in found.items() if name != "weights"})
    if "weights" not in found or not isinstance(tally, DecidedRows) or tally.weights is None:
        return tally
    return replace(tally, weights=replace(tally.weights, **found["weights"]))


@dataclass(frozen=True, kw_only=True)
class _Slicing:
    """One slicing: which rows, split by which keys."""

    frame: Frame
    by: tuple[str, ...]
    label: str
    """The slice's name where it is a single one."""


@dataclass(frozen=True, kw_only=True)
class SlicingPart:
    """The rows of one slicing, or of several one below the other."""

    frame: Frame
    keys: tuple[str, ...]
    """What all its slices are told apart by; a GROUP BY needs something."""
    slicings: tuple[_Slicing, ...]
    """By their number in the column ``ALL``."""
    table: Table
    """Which the rows are of."""
    few: bool
    """Whether there are so few rows that planning takes longer than answering."""

    def held(self, frame: Frame) -> Frame:
        """A frame over this one that queries read several times: worked out once if small."""
        if not self.few:
            return frame
        with self.table.reading():
            return self.table.engine.held(frame)

    def name(self, line: Mapping[str, Any]) -> str:
        """The slice that a line of an answer, grouped by these keys, is about."""
        slicing = self.slicings[int(line.get(ALL, 0))]
        if not slicing.by:
            return slicing.label
        return slice_name(slicing.by, [value_text(line[key]) for key in slicing.by])


def slicing_parts(
    reading: Reading, texts: KeyTexts, more: Mapping[str, nw.Expr] | None = None
) -> Iterator[SlicingPart]:
    """Overall, and every slicing of the policy, with more derived columns.

    A query about few rows takes its time for being planned: of those, several slicings are asked
    about in one. Otherwise every slicing is a part, so that no more than a table's rows are held.
    """
    further = (expression.alias(name) for name, expression in (more or {}).items())
    frame = reading.frame().with_columns(nw.lit(0).alias(ALL), *further)
    slicings = list(_slicings(reading, texts, frame))
    kinds = {reading.table.kinds[key] for one in slicings for key in one.by}
    fitting = ROWS_TOGETHER // max(1, reading.table.rows_hint) if kinds <= {"text"} else 0
    size = min(max(fitting, 1), _SLICINGS_TOGETHER)
    for first in range(0, len(slicings), size):
        part = _together(reading.table, tuple(slicings[first : first + size]), few=fitting > 0)
        yield replace(part, frame=part.held(part.frame))


def _slicings(reading: Reading, texts: KeyTexts, frame: Frame) -> Iterator[_Slicing]:
    yield _Slicing(frame=frame, by=(), label=OVERALL)
    for spec in reading.policy.slices:
        chosen = frame
        for key, value in (spec.where or {}).items():
            wanted = value if isinstance(value, tuple) else (value,)
            spelled = [texts.spelled(key, value_text(one)) for one in wanted]
            chosen = chosen.filter(nw.col(key).is_in([one for one in spelled if one is not None]))
        yield _Slicing(frame=chosen, by=spec.keys, label=spec.label)


def _together(table: Table, slicings: tuple[_Slicing, ...], *, few: bool) -> SlicingPart:
    """One part of several slicings; the keys that a slicing does not split by are left empty."""
    first = slicings[0]
    if len(slicings) == 1:
        keys = first.by or (ALL,)
        return SlicingPart(frame=first.frame, keys=keys, slicings=slicings, table=table, few=few)
    keys = tuple(dict.fromkeys(key for one in slicings for key in one.by))
    frames = [
        one.frame.with_columns(
            nw.lit(number).alias(ALL),
            *(nw.lit("").alias(key) for key in keys if key not in one.by),
        )
        for number, one in enumerate(slicings)
    ]
    frame = nw.concat(frames, how="vertical")
    return SlicingPart(frame=frame, keys=(ALL, *keys), slicings=slicings, table=table, few=few)


def clustered_cells(reading: Reading, part: SlicingPart) -> dict[str, dict[str, Any]]:
    """Per slice, what its tally has of how cells occur together within groups."""
    group, cells = str(reading.policy.group), list(reading.cells)
    keys = [*part.keys, group]
    weighed = {WEIGHT: nw.col(WEIGHT).sum()} if reading.weighing is not None else {}
    counts = part.frame.group_by(*keys, *cells).agg(
        reading.rows().alias(N), *(total.alias(name) for name, total in weighed.items())
    )
    summed = {N: _PRODUCT, **dict.fromkeys(weighed, _WEIGHTS)}
    other = counts.rename({name: name + _OTHER for name in (*cells, *summed)})
    pairs = (
        counts.join(other, on=keys, how="inner")
        .with_columns(
            *((nw.col(n) * nw.col(n + _OTHER)).alias(product) for n, product in summed.items())
        )
        .group_by(*part.keys, *cells, *(name + _OTHER for name in cells))
        .agg(
            *(nw.col(name).sum() for name in summed.values()),
            *(nw.col(name).max().alias(_HEAVIEST) for name in weighed),
            nw.len().alias(_SHARED),
        )
    )
    groups = part.frame.group_by(*part.keys).agg(nw.col(group).n_unique().alias(N))
    with reading.table.reading():
        lines = pairs.collect().rows(named=True)
        sizes = {part.name(line): int(line[N]) for line in groups.collect().rows(named=True)}
    found = _clusters(reading, part, lines, sizes)
    return _with_weights(reading, part, found, lines) if weighed else found


def _heaviest_groups(reading: Reading, part: SlicingPart) -> dict[str, int]:
    """Per slice the weight of the group that weighs most."""
    groups = part.frame.group_by(*part.keys, str(reading.policy.group)).agg(nw.col(WEIGHT).sum())
    most = groups.group_by(*part.keys).agg(nw.col(WEIGHT).max())
    with reading.table.reading():
        return {part.name(line): int(line[WEIGHT]) for line in most.collect().rows(named=True)}


def _with_weights(
    reading: Reading,
    part: SlicingPart,
    found: dict[str, dict[str, Any]],
    lines: Sequence[Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """The same with the products of the groups' weights, and with the largest."""
    products: dict[str, dict[Any, int]] = {name: {} for name in found}
    heaviest: dict[str, dict[Any, int]] = {name: {} for name in found}
    for line in lines:
        name, cell, other = part.name(line), reading.cell(line), reading.cell(line, _OTHER)
        products[name][cell, other] = int(line[_WEIGHTS])
        if cell == other:
            heaviest[name][cell] = int(line[_HEAVIEST])
    groups = _heaviest_groups(reading, part)
    for name, sums in found.items():
        sums["weights"] = {
            "products": products[name],
            "heaviest": heaviest[name],
            "heaviest_group": groups[name],
        }
    return found


def _clusters(
    reading: Reading,
    part: SlicingPart,
    lines: Sequence[Mapping[str, Any]],
    sizes: Mapping[str, int],
) -> dict[str, dict[str, Any]]:
    products: dict[str, dict[Any, int]] = {name: {} for name in sizes}
    shared: dict[str, dict[Any, int]] = {name: {} for name in sizes}
    for line in lines:
        pair = (reading.cell(line), reading.cell(line, _OTHER))
        products[part.name(line)][pair] = int(line[_PRODUCT])
        shared[part.name(line)][pair] = int(line[_SHARED])
    return {
        name: {"clusters": Clusters(groups=groups, products=products[name], shared=shared[name])}
        for name, groups in sizes.items()
    }


def _moments(reading: Values, part: SlicingPart) -> dict[str, dict[str, Any]]:
    """Per slice, what its tally has of the moments of its groups."""
    features = features_of(reading.quantities)
    keys = [*part.keys, str(reading.policy.group)]
    units = part.frame.group_by(*keys).agg(
        nw.len().alias(N), *(nw.col(name).sum() for name in features)
    )
    sums = {
        N: nw.col(N).sum(),
        "prunegate__units": nw.len(),
        **sums_of(reading.quantities),
    }
    total = units.group_by(*part.keys).agg(*(e.alias(name) for name, e in sums.items()))
    with reading.table.reading():
        lines = total.collect().rows(named=True)
    return {
        part.name(line): {
            "count": int(line[N]),
            "quantities": reading.moments(line, int(line["prunegate__units"])),
        }
        for line in lines
    }
