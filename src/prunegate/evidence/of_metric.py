"""Metrics on tallies: what the rows of one slice say about a metric, by the form that it has.

The catalogue says of every metric what it is computed from (``metrics/forms.py``); here each form
gets its evidence. A new kind of evidence is one class and one function below. Values are turned so
that larger is better: the false positive rate is seen as specificity, means where lower is better
as their negative; the verdict turns them back for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from prunegate.counting.cluster_sums import Clusters, Pair
from prunegate.counting.tallies import Cells, JointCounts, LabelCounts, Sums, Tally
from prunegate.errors import UnsupportedError
from prunegate.evidence.grouped_rates import (
    GroupedOverlappingRate,
    GroupedPairedRate,
    GroupedSingleRate,
)
from prunegate.evidence.macro_rate import MacroRate
from prunegate.evidence.mean_value import MeanValue, Perplexity
from prunegate.evidence.overlapping_rates import OverlappingRate
from prunegate.evidence.rates import Evidence, PairedRate, SingleRate
from prunegate.metrics.catalogue import METRICS, Metric
from prunegate.metrics.forms import Flips, Form, Mean, OverClasses, Overlapping, SharedRows


@dataclass(frozen=True, kw_only=True)
class WantedMetric:
    """A metric as a rule asks for it."""

    metric: str
    class_label: str | None = None
    """The one class that it is about; None: binary, or the average of all classes."""
    strict: bool = False
    """Use the method that is never liberal where there are two."""
    grouped: bool = False
    """Whether units are groups of rows."""


Tested = Callable[[Any, WantedMetric, Any], Evidence]
"""A form, the metric as it is wanted, and the tally of one slice -> what it says."""
EVIDENCE: dict[type[Form], Tested] = {}
"""The evidence of every form."""
_Tested = TypeVar("_Tested", bound=Tested)


def evidence_of(form: type[Form]) -> Callable[[_Tested], _Tested]:
    """Register a function as the evidence of a form."""

    def register(tested: _Tested) -> _Tested:
        EVIDENCE[form] = tested
        return tested

    return register


def evidence(wanted: WantedMetric, tally: Tally) -> Evidence:
    """What the tally of one slice says about a metric.

    Raises:
        UnsupportedError: the metric is not computed from such a tally.
    """
    if isinstance(tally, LabelCounts) and wanted.class_label is not None:
        tally = one_against_the_rest(tally, wanted.class_label)
    metric = METRICS.get(wanted.metric)
    form = None if metric is None else _form(metric, tally)
    if form is None:
        raise _unknown(wanted.metric, tally)
    return EVIDENCE[type(form)](form, wanted, tally)


def _form(metric: Metric, tally: Tally) -> Form | None:
    return next((metric.forms[task] for task in tally.tasks if task in metric.forms), None)


def of_decisions(metric: str, cells: Cells) -> Evidence:
    """What eight joint counts say about a metric of a binary task, rows being independent."""
    return evidence(WantedMetric(metric=metric), JointCounts(cells=cells))


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


Parts = tuple[frozenset[Any], ...]


@evidence_of(SharedRows)
def _shared(form: SharedRows, _: WantedMetric, tally: JointCounts | LabelCounts) -> Evidence:
    if isinstance(tally, JointCounts):
        parts: Parts = tuple(frozenset(cells) for cells in form.roles)
    else:
        parts = _roles(tally)[0]
    cells = _numbered(tally)
    both, lost, gained, neither = (sum(cells.get(c, 0) for c in part) for part in parts)
    counts = {"both": both, "lost": lost, "gained": gained, "neither": neither}
    if tally.clusters is None or not sum(counts.values()):
        return PairedRate(**counts)
    return GroupedPairedRate(**counts, parts=parts, groups=tally.clusters)


def _numbered(tally: JointCounts | LabelCounts) -> Mapping[Any, int]:
    return tally.cells if isinstance(tally, LabelCounts) else dict(enumerate(tally.cells))


def _roles(tally: LabelCounts) -> tuple[Parts, frozenset[Any]]:
    """Cells by role (both right, lost, gained, neither), and those wrong in two different ways."""
    parts: list[set[Any]] = [set(), set(), set(), set()]
    moved: set[Any] = set()
    for label, baseline, candidate in tally.cells:
        role = 2 * (label != baseline) + (label != candidate)
        parts[role].add((label, baseline, candidate))
        if role == 3 and baseline != candidate:
            moved.add((label, baseline, candidate))
    return tuple(frozenset(part) for part in parts), frozenset(moved)


@evidence_of(Overlapping)
def _overlapping(form: Overlapping, wanted: WantedMetric, tally: JointCounts) -> Evidence:
    f1 = form.kind == "f1"
    plain = OverlappingRate(cells=tally.cells, f1=f1, strict=wanted.strict)
    if tally.clusters is None or plain.baseline is None or plain.candidate is None:
        return plain
    return GroupedOverlappingRate(
        cells=tally.cells, f1=f1, strict=wanted.strict, groups=tally.clusters
    )


@evidence_of(OverClasses)
def _over_classes(form: OverClasses, _: WantedMetric, tally: JointCounts | LabelCounts) -> Evidence:
    named = _named(tally) if isinstance(tally, JointCounts) else tally
    return MacroRate(
        kind=form.kind,
        cells=named.cells,
        groups=named.clusters,
        least_classes=form.least_classes,
        least_rows=form.least_rows,
    )


def _named(tally: JointCounts) -> LabelCounts:
    """Yes/no decisions as labels of two classes."""
    cells = {_triple(cell): n for cell, n in enumerate(tally.cells) if n}
    groups = tally.clusters
    if groups is None:
        return LabelCounts(cells=cells)
    return LabelCounts(
        cells=cells,
        clusters=Clusters(
            groups=groups.groups, products=_by_name(groups.products), shared=_by_name(groups.shared)
        ),
    )


def _by_name(sums: Mapping[Pair, int]) -> dict[Pair, int]:
    return {(_triple(one), _triple(other)): n for (one, other), n in sums.items()}


def _triple(cell: Any) -> tuple[str, str, str]:
    return str(cell >> 2 & 1), str(cell >> 1 & 1), str(cell & 1)


@evidence_of(Flips)
def _flips(form: Flips, _: WantedMetric, tally: JointCounts | LabelCounts) -> Evidence:
    """Negative flips are the lost rows; churn is every row that is decided differently."""
    if isinstance(tally, JointCounts):
        lost, gained, moved = frozenset({6, 1}), frozenset({5, 2}), frozenset[Any]()
    else:
        (_both, lost, gained, _neither), moved = _roles(tally)
    wrong: frozenset[Any] = lost if form.negative_only else lost | gained | moved
    cells, rows = _numbered(tally), tally.rows
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


@evidence_of(Mean)
def _mean(form: Mean, wanted: WantedMetric, tally: Sums) -> Evidence:
    return (Perplexity if form.exponential else MeanValue)(
        n=tally.rows,
        moments=tally.quantities[form.quantity],
        lower_is_better=METRICS[wanted.metric].lower_is_better,
        span=tally.span,
        grouped=wanted.grouped,
    )


def _unknown(metric: str, tally: Tally) -> UnsupportedError:
    known = ", ".join(sorted(name for name, entry in METRICS.items() if entry.forms))
    return UnsupportedError(
        f"metric '{metric}' cannot be computed from {tally.what}; the metrics are: {known}"
    )
