"""Metrics: which cells (or sums) of a tally each named metric is about.

One line per metric and kind of tally. Rates whose better direction is *lower* are given as their
complement (the false positive rate as specificity), means as their negative; the verdict turns
them back for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from prunegate.errors import UnsupportedError
from prunegate.evaluation.clusters import Clusters
from prunegate.evaluation.evidence import Evidence, PairedRate, SingleRate
from prunegate.evaluation.grouped import (
    GroupedOverlappingRate,
    GroupedPairedRate,
    GroupedSingleRate,
)
from prunegate.evaluation.macro_rate import MacroRate
from prunegate.evaluation.mean_value import MeanValue, Perplexity
from prunegate.evaluation.overlapping import OverlappingRate
from prunegate.evaluation.tallies import Cells, JointCounts, LabelCounts, Sums, Tally
from prunegate.evaluation.values import ERROR, VALUE


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A metric as a rule asks for it."""

    metric: str
    class_label: str | None = None
    """The one class that it is about; None: binary, or the average of all classes."""
    strict: bool = False
    """Use the method that is never liberal where there are two."""
    grouped: bool = False
    """Whether units are groups of rows."""


def evidence(wanted: Wanted, tally: Tally) -> Evidence:
    """What the tally of one slice says about a metric.

    Raises:
        UnsupportedError: the metric is not computed from such a tally.
    """
    if isinstance(tally, LabelCounts):
        if wanted.class_label is not None:
            return _binary(wanted, one_against_the_rest(tally, wanted.class_label))
        return _multiclass(wanted, tally)
    if isinstance(tally, Sums):
        return _mean(wanted, tally)
    assert isinstance(tally, JointCounts)  # noqa: S101  # the last kind there is
    return _binary(wanted, tally)


def of_decisions(metric: str, cells: Cells) -> Evidence:
    """What eight joint counts say about a metric of a binary task, rows being independent."""
    return evidence(Wanted(metric=metric), JointCounts(cells=cells))


def one_against_the_rest(tally: LabelCounts, name: str) -> JointCounts:
    """The eight counts of one class; all others are the negative one."""

    def cell(triple: Any) -> int:
        return sum((part == name) << shift for part, shift in zip(triple, (2, 1, 0), strict=True))

    cells = [0] * 8
    for triple, n in tally.cells.items():
        cells[cell(triple)] += n
    groups = tally.clusters
    merged = None if groups is None else _merged(groups, cell)
    return JointCounts(cells=tuple(cells), clusters=merged)


def _merged(groups: Clusters, cell: Callable[[Any], int]) -> Clusters:
    """Groups with their cells merged; of groups that hold merged cells the fewest are assumed."""
    products: dict[Any, int] = {}
    for (one, other), product in groups.products.items():
        pair = (cell(one), cell(other))
        products[pair] = products.get(pair, 0) + product
    places = range(8)
    shared: dict[Any, int] = {
        (i, j): groups.holding(lambda c, i=i: cell(c) == i)  # type: ignore[misc]  # binds the loop's value
        if i == j
        else _most_shared(groups, cell, (i, j))
        for i in places
        for j in places
    }
    return Clusters(groups=groups.groups, products=products, shared=shared)


def _most_shared(groups: Clusters, cell: Callable[[Any], int], pair: tuple[int, int]) -> int:
    """At most so many groups hold both: more overlap means fewer groups, which is cautious."""
    both = sum(n for (a, b), n in groups.shared.items() if (cell(a), cell(b)) == pair)
    return min(both, groups.groups)


RIGHT_OF_TWO: dict[str, tuple[Set[int], Set[int], Set[int], Set[int]]] = {
    "recall": ({7}, {6}, {5}, {4}),
    "specificity": ({0}, {1}, {2}, {3}),
    "false_positive_rate": ({0}, {1}, {2}, {3}),
    "accuracy": ({7, 0}, {6, 1}, {5, 2}, {4, 3}),
}
"""Cells by role (both right, lost, gained, neither), of rates whose rows both models share."""


def _binary(wanted: Wanted, tally: JointCounts) -> Evidence:
    metric = wanted.metric
    if metric in RIGHT_OF_TWO:
        return _paired([frozenset(p) for p in RIGHT_OF_TWO[metric]], _numbered(tally), tally)
    if metric in ("precision", "f1"):
        return _overlapping(wanted, tally)
    if metric in _FLIPS:
        lost, gained = frozenset({6, 1}), frozenset({5, 2})
        return _flips(metric, (lost, gained, frozenset()), _numbered(tally), tally)
    raise _unknown(metric, "binary decisions")


def _numbered(tally: JointCounts) -> dict[Any, int]:
    return dict(enumerate(tally.cells))


def _overlapping(wanted: Wanted, tally: JointCounts) -> Evidence:
    f1 = wanted.metric == "f1"
    plain = OverlappingRate(cells=tally.cells, f1=f1, strict=wanted.strict)
    if tally.clusters is None or plain.baseline is None or plain.candidate is None:
        return plain
    return GroupedOverlappingRate(
        cells=tally.cells, f1=f1, strict=wanted.strict, groups=tally.clusters
    )


_MACRO = ("recall", "precision", "f1")
_FLIPS = ("negative_flip_rate", "churn")


def _multiclass(wanted: Wanted, tally: LabelCounts) -> Evidence:
    metric = wanted.metric
    if metric in _MACRO:
        return MacroRate(kind=metric, cells=tally.cells, groups=tally.clusters)  # type: ignore[arg-type]  # one of the three
    parts: list[set[Any]] = [set(), set(), set(), set()]
    moved: set[Any] = set()
    for label, baseline, candidate in tally.cells:
        role = 2 * (label != baseline) + (label != candidate)
        parts[role].add((label, baseline, candidate))
        if role == 3 and baseline != candidate:
            moved.add((label, baseline, candidate))
    frozen = [frozenset(part) for part in parts]
    if metric == "accuracy":
        return _paired(frozen, tally.cells, tally)
    if metric in _FLIPS:
        return _flips(metric, (frozen[1], frozen[2], frozenset(moved)), tally.cells, tally)
    raise _unknown(metric, "labels of several classes")


def _paired(
    parts: list[frozenset[Any]], cells: Mapping[Any, int], tally: JointCounts | LabelCounts
) -> Evidence:
    both, lost, gained, neither = (sum(cells.get(c, 0) for c in part) for part in parts)
    counts = {"both": both, "lost": lost, "gained": gained, "neither": neither}
    if tally.clusters is None or not sum(counts.values()):
        return PairedRate(**counts)
    return GroupedPairedRate(**counts, parts=tuple(parts), groups=tally.clusters)


def _flips(
    metric: str,
    parts: tuple[frozenset[Any], frozenset[Any], frozenset[Any]],
    cells: Mapping[Any, int],
    tally: JointCounts | LabelCounts,
) -> Evidence:
    """Negative flips are the lost rows; churn is every row that is decided differently."""
    lost, gained, moved = parts
    wrong = lost if metric == "negative_flip_rate" else lost | gained | moved
    rows = tally.rows
    counts: dict[str, Any] = {
        "good": rows - sum(cells.get(cell, 0) for cell in wrong),
        "n": rows,
        "lost": sum(cells.get(cell, 0) for cell in lost),
        "gained": sum(cells.get(cell, 0) for cell in gained),
    }
    if tally.clusters is None or not rows:
        return SingleRate(**counts)
    right = frozenset(cell for cell in cells if cell not in wrong)
    return GroupedSingleRate(**counts, right=right, wrong=wrong, groups=tally.clusters)


_MEANS = {
    "mean_score": (MeanValue, VALUE, False),
    "mae": (MeanValue, ERROR, True),
    "nll_per_token": (MeanValue, VALUE, True),
    "perplexity": (Perplexity, VALUE, True),
}


def _mean(wanted: Wanted, tally: Sums) -> Evidence:
    if wanted.metric not in _MEANS:
        raise _unknown(wanted.metric, "numbers")
    kind, quantity, lower = _MEANS[wanted.metric]
    found: Evidence = kind(
        n=tally.rows,
        moments=tally.quantities[quantity],
        lower_is_better=lower,
        span=tally.span,
        grouped=wanted.grouped,
    )
    return found


def _unknown(metric: str, what: str) -> UnsupportedError:
    known = ", ".join(sorted({*RIGHT_OF_TWO, *_MACRO, *_FLIPS, *_MEANS}))
    return UnsupportedError(
        f"metric '{metric}' cannot be computed from {what}; the metrics are: {known}"
    )
