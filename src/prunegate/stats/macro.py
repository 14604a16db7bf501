"""Macro averages of two models over several classes: the constrained-likelihood score test.

A macro average weighs every class the same, so a rare class with few rows makes most of its noise;
and a row that one class loses another one often gains. Hence the joint counts over (label,
baseline, candidate) are needed whole: tables per class lose the covariance. As for precision and F1
of two classes (`prunegate.stats.ratio_score`), the variance is taken at the most likely
probabilities under which the contrast sits exactly at its limit, and a cell that was never seen may
be among them. That is what keeps a class without any loss from passing as proof: by simulation the
usual delta method approves up to .75 of candidates at their margin at n = 50 and .18 at n = 300,
this test .06 (`tests/benchmarks/error_rates.py`). Approximate all the same, so reports say "about".

Where the fit finds no such point, the limit is moved towards what was observed, which only weakens
the evidence.

Sources: Tango (1998), Statistics in Medicine 17, 891-908; Owen (2001), Empirical Likelihood;
Takahashi et al. (2022), Applied Intelligence 52, 4961-4972 (influence of a row on a macro average).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from prunegate.stats import arguments, empirical_likelihood, normal, roots
from prunegate.stats.class_coefficients import COEFFICIENTS, Coefficient
from prunegate.stats.result import Interval, TestResult, statistical_test

METHOD = "constrained-likelihood score of a macro average"
Kind = Literal["recall", "precision", "f1"] | Coefficient
Floats = NDArray[np.float64]
Whole = NDArray[np.intp]
Cell = tuple[int, int, int]

_ROUNDS, _HOLD, _RETREATS, _CLOSE, _RESIDUAL, _EMPTY = 80, 40, 10, 1e-9, 1e-8, 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelDecisions:
    """What one model decided in each cell: worked out once, used at every limit."""

    made: Whole
    """The decision in each cell."""
    right: Whole
    """Places of the cells in which it is the label."""
    hit: Whole
    """Labels of those cells."""
    correct: Floats
    """1 in those cells, 0 in the others."""
    flat: Whole
    """Place of (label, decision) in a flattened matrix of influences."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ConfusionCounts:
    """Joint counts over (label, baseline, candidate); classes are numbered from 0."""

    kind: Kind
    """The metric that is averaged, or a coefficient of all classes, which is no average."""
    classes: int
    """How many classes are averaged; the decision ``classes`` stands for any other one (which a
    coefficient has not: every decision is a class of its own)."""
    label: Whole
    """Label of each cell's rows; every class has at least one row."""
    baseline: Whole
    """The baseline's decision in each cell, up to ``classes``."""
    candidate: Whole
    """The candidate's decision in each cell, up to ``classes``."""
    count: Floats
    """Rows of each cell; may be fractional."""
    others: int = 0
    """1 where rows may be of none of the classes: their label is then ``classes`` (of averages)."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfusionCounts) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @cached_property
    def _content(self) -> tuple[object, ...]:
        cells = (self.label, self.baseline, self.candidate, self.count)
        return self.kind, self.classes, *(column.tobytes() for column in cells)

    @property
    def decided(self) -> int:
        """How many classes a decision can be of, any other one than the averaged ones included."""
        return self.classes if self.kind in COEFFICIENTS else self.classes + 1

    @cached_property
    def shares(self) -> Floats:
        """Observed share of each cell, [cells]."""
        return np.asarray(self.count / self.count.sum())

    @cached_property
    def observed(self) -> NDArray[np.bool_]:
        """Which cells have rows, bool [cells]."""
        return self.count > 0

    @property
    def swapped(self) -> ConfusionCounts:
        """The same rows with the two models exchanged."""
        return replace(self, baseline=self.candidate, candidate=self.baseline)

    def including(self, cell: Cell) -> tuple[ConfusionCounts, int]:
        """The table with a cell (label, baseline, candidate), empty if it is new; its place."""
        place = self._places.get(cell)
        if place is not None:
            return self, place
        if cell not in self._wider:  # the same few are asked for at every limit
            label, baseline, candidate = cell
            self._wider[cell] = replace(
                self,
                label=np.append(self.label, label),
                baseline=np.append(self.baseline, baseline),
                candidate=np.append(self.candidate, candidate),
                count=np.append(self.count, 0.0),
            )
        return self._wider[cell], self.count.size

    @cached_property
    def _places(self) -> dict[Cell, int]:
        """Where each cell stands; the first place of one that stands twice."""
        columns = (self.label.tolist(), self.baseline.tolist(), self.candidate.tolist())
        cells = list(enumerate(zip(*columns, strict=True)))
        return {cell: place for place, cell in reversed(cells)}

    @cached_property
    def _wider(self) -> dict[Cell, ConfusionCounts]:
        return {}

    @cached_property
    def observed_shares(self) -> list[float]:
        """Shares of the cells that have rows, and 0 for what is in reserve."""
        return [*self.shares[self.observed].tolist(), 0.0]

    @cached_property
    def models(self) -> tuple[ModelDecisions, ModelDecisions]:
        """The candidate's decisions and the baseline's."""
        return self._decisions(self.candidate), self._decisions(self.baseline)

    def _decisions(self, made: Whole) -> ModelDecisions:
        return ModelDecisions(
            made=made,
            right=np.flatnonzero(made == self.label),
            hit=self.label[made == self.label],
            correct=(made == self.label).astype(float),
            flat=self.label * self.decided + made,
        )


_OF_TWO = np.array(list(product(range(2), repeat=3)), dtype=np.intp).T


def of_two(kind: Kind, cells: Sequence[float]) -> ConfusionCounts:
    """Eight joint counts of a yes/no task, at index ``4 * label + 2 * baseline + candidate``."""
    count = np.asarray(cells, dtype=float)
    held = count > 0
    label, baseline, candidate = (column[held] for column in _OF_TWO)
    return ConfusionCounts(
        kind=kind,
        classes=2,
        label=label,
        baseline=baseline,
        candidate=candidate,
        count=count[held],
    )


def average(table: ConfusionCounts, decisions: ModelDecisions) -> float:
    """Macro average of one model; NaN where some class has no value."""
    return _influence(table, decisions, table.shares)[0]


@statistical_test
def test(
    table: ConfusionCounts,
    k: float,
    margin: float,
    df: int | None = None,  # noqa: PT028  not a pytest test, defaults are allowed
) -> TestResult:
    """Is the candidate's macro average minus ``k`` times the baseline's at least ``-margin``?

    Args:
        table: Joint counts.
        k: Weight of the baseline: 1 for an absolute margin, 1 - r for a relative one, 1 + r (with
            margin r) for growth of the error rate, 0 for a floor of ``-margin``.
        margin: Allowed shortfall.
        df: Degrees of freedom of the counts' design effect, where they are effective ones.

    Raises:
        ValueError: A class has no value under one of the models, or ``k`` is negative.
    """
    _check(table, k, margin)
    found = _fit(table, k, margin)
    if found is None:
        return TestResult(p_value=1.0, p_harm=1.0, method=METHOD)
    return TestResult(
        p_value=max(normal.upper_tail(z, df) for z in found),
        p_harm=max(normal.upper_tail(-z, df) for z in found),
        method=METHOD,
    )


@lru_cache(maxsize=1024)
def interval(table: ConfusionCounts, k: float = 1.0, confidence: float = 0.95) -> Interval:
    """Two-sided interval of candidate minus ``k`` times baseline: the values not refuted.

    With ``k = 0`` that of the candidate's own average, within [0, 1]. Kept for the tables that were
    asked for last: slices and metrics of one verdict often come to the same one.
    """
    _check(table, k, 0.0)
    arguments.open_interval("confidence", confidence, 0, 1)
    z = normal.two_sided_z(confidence)

    def score(value: float) -> float:
        found = _fit(table, k, -value)
        return 0.0 if found is None else found[0]  # unfitted: not refuted

    centre = room(table, k, 0.0)
    floor, top = ends(table.kind, k)
    start = centre, z  # the score is 0 at what was observed
    low = roots.first_crossing(lambda d: z - score(d), start, floor, 1 / 64)
    high = roots.first_crossing(lambda d: z + score(d), start, top, 1 / 64)  # the mirrored way
    return Interval(low=low, high=high, method=METHOD)


def ends(kind: Kind, k: float) -> tuple[float, float]:
    """The smallest and largest value that candidate minus ``k`` times baseline can have."""
    lowest = -1.0 if kind in COEFFICIENTS else 0.0
    return (lowest, 1.0) if k == 0 else (lowest - 1.0, 1.0 - lowest)


def influence(table: ConfusionCounts, k: float, shares: Floats | None = None) -> Floats:
    """How much a row of each cell moves candidate minus ``k`` times baseline, times n; [cells]."""
    slopes, _ = _slopes(table, table.shares if shares is None else shares, k)
    return _on_cells(table, slopes)


def _on_cells(table: ConfusionCounts, slopes: tuple[Floats, Floats]) -> Floats:
    ahead, behind = slopes
    candidate, baseline = table.models
    return np.asarray(ahead.ravel()[candidate.flat] - behind.ravel()[baseline.flat])


@lru_cache(maxsize=4096)
def _fit(table: ConfusionCounts, k: float, margin: float) -> tuple[float, float] | None:
    """Score and signed root at the limit, or at the nearest one on the way that can be fitted."""
    away = room(table, k, margin)
    for retreat in range(_RETREATS):
        nearer = margin - away * (1 - 0.5**retreat)
        found = _fixed_point(table, k, nearer)
        if found is not None:
            return _describe(*found, k, nearer)
    return None


def _fixed_point(
    table: ConfusionCounts, k: float, margin: float
) -> tuple[ConfusionCounts, Floats] | None:
    """The most likely probabilities at the limit, by repeated linearisation; None without any.

    The table comes back with the unseen cells that have got probability at its end. Where several
    of them tie they take turns, and each turn moves probability a little way; the mixture that
    this comes to is then held, as if it were one cell.
    """
    side = -1 if room(table, k, margin) > 0 else 1
    p, damping, before, spare = table.shares, 1.0, math.inf, np.zeros(0)
    for turn in range(_ROUNDS):
        slopes, contrast = _slopes(table, p, k)
        if turn < _HOLD:
            table, place = table.including(_furthest(*slopes, side))
            if p.size < table.count.size:
                p = np.append(p, 0.0)
            spare = np.eye(1, p.size, place)[0]
        elif turn == _HOLD:
            spare, damping, before = _mixture(table, p, spare), 1.0, math.inf
        q = _tilted(table, _on_cells(table, slopes) + contrast + margin, spare)
        if q is None:
            return None
        step = float(np.maximum.reduce(np.abs(q - p)))
        if step < _CLOSE and abs(contrast + margin) < _RESIDUAL:
            return table, q
        damping = max(0.7 * damping, 0.05) if step > 0.9 * before else damping
        before = step
        p = p + damping * (q - p)
    return None


def _mixture(table: ConfusionCounts, p: Floats, spare: Floats) -> Floats:
    """How probability is spread over the unseen cells; ``spare`` where they have none."""
    unseen = np.where(table.count > 0, 0.0, p)
    return np.asarray(unseen / unseen.sum()) if unseen.sum() > _EMPTY else spare


def _tilted(table: ConfusionCounts, weights: Floats, spare: Floats) -> Floats | None:
    """Probabilities with mean weight 0, a mixture of cells in reserve; None if there are none."""
    g = [*weights[table.observed].tolist(), float(spare @ weights)]
    if not min(g) < 0 < max(g):
        return None
    fitted = empirical_likelihood.fit_shares(table.observed_shares, g, len(g) - 1)
    q = spare * fitted.pop()
    q[table.observed] += fitted
    return np.asarray(q)


def _describe(table: ConfusionCounts, p: Floats, k: float, margin: float) -> tuple[float, float]:
    slopes, contrast = _slopes(table, p, k)
    weights = _on_cells(table, slopes) + contrast + margin
    n, shares = float(table.count.sum()), table.shares
    excess, variance = float(shares @ weights), float(p @ (weights * weights))
    seen = table.observed
    logs = float(shares[seen] @ np.log(shares[seen] / p[seen]))
    root = math.copysign(math.sqrt(max(2 * n * logs, 0.0)), excess)
    return excess * math.sqrt(n / variance) if variance > 0 else 0.0, root


def _slopes(table: ConfusionCounts, p: Floats, k: float) -> tuple[tuple[Floats, Floats], float]:
    """Influence of a row by (label, decision) for candidate and baseline; their contrast."""
    candidate, baseline = table.models
    mean, ahead = _influence(table, candidate, p)
    if k == 0:
        return (ahead, np.zeros_like(ahead)), mean
    other, behind = _influence(table, baseline, p)
    return (ahead, k * behind), mean - k * other


def _influence(table: ConfusionCounts, model: ModelDecisions, p: Floats) -> tuple[float, Floats]:
    """Macro average of one model, and what a row labelled i and decided j adds to it."""
    if table.kind in COEFFICIENTS:
        return _coefficient(table, model, p)
    k = table.classes
    hits = np.bincount(model.hit, weights=p[model.right], minlength=k)[:k]
    bottom = _bottom(table, model, p)
    if not np.minimum.reduce(bottom) > _EMPTY:
        bottom = np.where(bottom > _EMPTY, bottom, np.nan)
    hit = 2.0 if table.kind == "f1" else 1.0
    value = hit * hits / bottom
    loss = value / bottom
    added = np.zeros((k + table.others, k + 1))
    added.reshape(-1)[: k * (k + 2) : k + 2] = hit / bottom  # the diagonal
    if table.kind != "precision":
        added[:k] -= loss[:, None]
    if table.kind != "recall":
        added[:, :k] -= loss
    return float(np.add.reduce(value)) / k, added / k


def _bottom(table: ConfusionCounts, model: ModelDecisions, p: Floats) -> Floats:
    """Each class's denominator: the share of rows that are it, are called it, or their sum."""
    k = table.classes
    if table.kind == "recall":
        return np.asarray(np.bincount(table.label, weights=p, minlength=k)[:k], dtype=float)
    called = np.asarray(np.bincount(model.made, weights=p, minlength=k + 1)[:k], dtype=float)
    if table.kind == "precision":
        return called
    return np.asarray(np.bincount(table.label, weights=p, minlength=k)[:k] + called)


def _coefficient(table: ConfusionCounts, model: ModelDecisions, p: Floats) -> tuple[float, Floats]:
    """A coefficient of all classes, and its influence."""
    k = table.classes
    t = np.asarray(np.bincount(table.label, weights=p, minlength=k), dtype=float)
    q = np.asarray(np.bincount(model.made, weights=p, minlength=k), dtype=float)
    value, slope = COEFFICIENTS[table.kind](float(p @ model.correct), t, q)
    return value, slope - float(p @ slope.ravel()[model.flat])


def _furthest(ahead: Floats, behind: Floats, side: int) -> tuple[int, int, int]:
    """The cell (label, baseline, candidate) that moves the contrast most to one side."""
    if side < 0:
        ahead, behind = -ahead, -behind
    reach = np.maximum.reduce(ahead, axis=1) - np.minimum.reduce(behind, axis=1)
    label = int(reach.argmax())
    return label, int(behind[label].argmin()), int(ahead[label].argmax())


def room(table: ConfusionCounts, k: float, margin: float, shares: Floats | None = None) -> float:
    """How far candidate minus ``k`` times baseline lies above ``-margin``, at shares [cells]."""
    _, contrast = _slopes(table, table.shares if shares is None else shares, k)
    return contrast + margin


def _check(table: ConfusionCounts, k: float, margin: float) -> None:
    arguments.counts(k=k, **{f"cell {i}": float(c) for i, c in enumerate(table.count)})
    if not math.isfinite(room(table, k, margin)):
        raise ValueError("a class has no row in its denominator: its value is undefined.")
