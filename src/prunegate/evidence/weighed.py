"""Weighed: the evidence of rows that have design weights.

Where the rows that a metric is about all weigh alike, their weights say nothing about it and the
evidence is that of rows without weights, to the last digit: recall of a table in which one class
was drawn more often than the other, for example. Elsewhere it is Hajek's estimate with the test of
``stats/weighted.py``.
"""

from __future__ import annotations

from dataclasses import replace

from prunegate.counting.tallies import DecidedRows, JointCounts, Tally
from prunegate.evidence.macro_rate import MacroRate
from prunegate.evidence.rates import Evidence
from prunegate.evidence.weighted_macro import WeightedMacroRate
from prunegate.evidence.weighted_overlapping import WeightedOverlappingRate
from prunegate.evidence.weighted_rates import WeightedRate, WeightedRows
from prunegate.metrics.forms import Flips, Form, OverClasses, Overlapping, SharedRows


def weighed(form: Form, plain: Evidence, tally: Tally) -> Evidence:
    """What the rows of a slice say with their weights.

    Args:
        form: of the metric.
        plain: what they would say if all weighed alike.
        tally: of the slice.
    """
    weights = tally.weights if isinstance(tally, DecidedRows) else None
    if weights is None or plain.candidate is None or not isinstance(tally, DecidedRows):
        return plain
    if isinstance(form, OverClasses) and isinstance(plain, MacroRate):
        return _macro(plain, tally)
    base = _base(form, tally)
    rows_about = sum(tally.counted.get(cell, 0) for cell in base)
    if weights.even(base, rows_about) and not weights.outweighed(base, rows_about):
        return plain
    rows = WeightedRows(weights=weights, plain=plain, base=base)
    if isinstance(form, Overlapping) and isinstance(tally, JointCounts):
        every = replace(rows, unseen=frozenset(weights.totals))  # whatever is flagged next
        return WeightedOverlappingRate(rows=every, f1=form.kind == "f1")
    if isinstance(form, SharedRows):
        return WeightedRate(rows=rows, parts=tally.roles(form))
    assert isinstance(form, Flips)  # noqa: S101  # no other form may have weights
    lost, gained, moved = tally.changed
    wrong = lost if form.negative_only else lost | gained | moved
    none = frozenset[object]()
    return WeightedRate(rows=rows, parts=(base - wrong, none, none, wrong), paired=False)


def _base(form: Form, tally: DecidedRows) -> frozenset[object]:
    """The cells whose rows a metric is about."""
    if isinstance(form, SharedRows):
        return frozenset[object]().union(*tally.roles(form))
    return frozenset(form.base.cells if isinstance(form, Overlapping) else tally.counted)


def _macro(plain: MacroRate, tally: DecidedRows) -> Evidence:
    named = tally.named
    assert named.weights is not None  # noqa: S101  # of a tally that has them
    if named.weights.even(tuple(named.cells), named.rows):
        return plain
    return WeightedMacroRate(
        kind=plain.kind,
        cells=named.weights.totals,
        least_classes=plain.least_classes,
        least_rows=plain.least_rows,
        rows=WeightedRows(weights=named.weights, plain=plain, base=frozenset(named.cells)),
    )
