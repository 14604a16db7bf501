"""Grouping: slices whose rows come in groups that are not independent of each other.

Per slicing one more pass inside the engine: rows are first summed up per group, then over groups.
A group that spans several slices counts in each of them with the rows it has there.
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
from prunegate.policy.naming import slice_name, value_text

_OTHER = "prunegate__other_cell"
ALL = "prunegate__all"
"""Derived column that is the same for every row."""
_PRODUCT, _WEIGHTS, _HEAVIEST, _SHARED = (
    f"prunegate__{name}" for name in ("product", "weights", "heaviest", "shared")
)
Frame = nw.LazyFrame[Any]


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
class SlicingPart:
    """One slicing: which rows, split by which keys."""

    frame: Frame
    by: tuple[str, ...]
    label: str
    """The slice's name where it is a single one."""

    @property
    def keys(self) -> tuple[str, ...]:
        """What its slices are told apart by; a GROUP BY needs something."""
        return self.by or (ALL,)

    def name(self, line: Mapping[str, Any]) -> str:
        """The slice that a line of an answer, grouped by these keys, is about."""
        if not self.by:
            return self.label
        return slice_name(self.by, [value_text(line[key]) for key in self.by])


def slicing_parts(
    reading: Reading, texts: KeyTexts, more: Mapping[str, nw.Expr] | None = None
) -> Iterator[SlicingPart]:
    """Overall, and every slicing of the policy, with more derived columns."""
    further = (expression.alias(name) for name, expression in (more or {}).items())
    frame = reading.frame().with_columns(nw.lit(0).alias(ALL), *further)
    yield SlicingPart(frame=frame, by=(), label=OVERALL)
    for spec in reading.policy.slices:
        if spec.keys:
            yield SlicingPart(frame=frame, by=spec.keys, label=spec.label)
            continue
        chosen = frame
        for key, value in (spec.where or {}).items():
            wanted = value if isinstance(value, tuple) else (value,)
            spelled = [texts.spelled(key, value_text(one)) for one in wanted]
            chosen = chosen.filter(nw.col(key).is_in([one for one in spelled if one is not None]))
        yield SlicingPart(frame=chosen, by=(), label=spec.label)


def clustered_cells(reading: Reading, part: SlicingPart) -> dict[str, dict[str, Any]]:
    """Per slice, what its tally has of how cells occur together within groups."""
    group, cells = str(reading.policy.group), list(reading.cells)
    keys = [*part.by, ALL, group]
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
        .group_by(*part.by, *cells, *(name + _OTHER for name in cells))
        .agg(
            *(nw.col(name).sum() for name in summed.values()),
            *(nw.col(name).max().alias(_HEAVIEST) for name in weighed),
            nw.len().alias(_SHARED),
        )
    )
    groups = part.frame.group_by(*(part.by or (ALL,))).agg(nw.col(group).n_unique().alias(N))
    with reading.table.reading():
        lines = pairs.collect().rows(named=True)
        sizes = {part.name(line): int(line[N]) for line in groups.collect().rows(named=True)}
    found = _clusters(reading, part, lines, sizes)
    return _with_weights(reading, part, found, lines) if weighed else found


def _heaviest_groups(reading: Reading, part: SlicingPart) -> dict[str, int]:
    """Per slice the weight of the group that weighs most."""
    by = part.by or (ALL,)
    groups = part.frame.group_by(*by, str(reading.policy.group)).agg(nw.col(WEIGHT).sum())
    most = groups.group_by(*by).agg(nw.col(WEIGHT).max())
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
    keys = [*part.by, ALL, str(reading.policy.group)]
    units = part.frame.group_by(*keys).agg(
        nw.len().alias(N), *(nw.col(name).sum() for name in features)
    )
    sums = {
        N: nw.col(N).sum(),
        "prunegate__units": nw.len(),
        **sums_of(reading.quantities),
    }
    total = units.group_by(*(part.by or (ALL,))).agg(*(e.alias(name) for name, e in sums.items()))
    with reading.table.reading():
        lines = total.collect().rows(named=True)
    return {
        part.name(line): {
            "count": int(line[N]),
            "quantities": reading.moments(line, int(line["prunegate__units"])),
        }
        for line in lines
    }
