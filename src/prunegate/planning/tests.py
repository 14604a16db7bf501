"""Families: the method that the gate uses for one limit, applied to many tables at once.

Each answers which tables pass (p <= level) and which show harm (p_harm <= level), with the very
decisions of ``evidence.test``. The evidence itself comes from ``metrics.evidence``, whose cells may
be whole arrays. A metric whose form is not known here is tested table by table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from prunegate.counting.tallies import Cells
from prunegate.evidence.of_metric import of_decisions
from prunegate.evidence.overlapping_rates import OverlappingRate
from prunegate.evidence.rates import Evidence, PairedRate, SingleRate
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.forms import Flips, Overlapping, SharedRows
from prunegate.metrics.hypothesis import (
    Contrast,
    Difference,
    ErrorsAtMost,
    Hypothesis,
    Level,
    SuccessRatio,
)
from prunegate.planning.planned_limits import PLANNED
from prunegate.stats import joint_counts, paired_exact, ratio_many
from prunegate.stats.acceptance import (
    Bools,
    Ints,
    PairedAcceptance,
    tail_at_least,
    tail_at_most,
)
from prunegate.stats.margin_line import Boundary

Floats = NDArray[np.float64]


class ManyTests(Protocol):
    """p-values of one limit on many tables, asked only against levels."""

    def passes(self, level: float) -> Bools:
        """Whether p_value <= level, bool [tables]."""

    def harms(self, level: float, where: Bools) -> Bools:
        """Whether p_harm <= level, bool [tables]; tables outside of ``where`` are False, unseen."""

    def harm(self, table: int) -> float:
        """p_harm of one table."""


def tested(metric: str, claim: Hypothesis, cells: Ints) -> ManyTests:
    """The tests of a claim on tables, int64 [tables, 8], all with defined rates."""
    if not in_columns(metric):
        return _Singly(metric=metric, claim=claim, cells=cells)
    about = evidence_of_many(metric, cells)
    if isinstance(claim, Level):
        successes, trials = _share(about)
        limit = _limit(about, claim)
        return _Shares(successes=successes, trials=trials, limit=limit, at_least=claim.at_least)
    if isinstance(about, PairedRate):
        return _paired(about, claim)
    if isinstance(about, OverlappingRate):
        return _Ratios(p_value_harm=_score_test(about, cells, claim))
    return _Singly(metric=metric, claim=claim, cells=cells)


def in_columns(metric: str) -> bool:
    """Whether the metric's evidence can be had of many tables at once."""
    return isinstance(METRICS[metric].forms[PLANNED], SharedRows | Overlapping | Flips)


def evidence_of_many(metric: str, cells: Ints) -> Evidence:
    """The evidence of many tables, int64 [tables, 8]; its counts are arrays [tables]."""
    return of_decisions(metric, cast("Cells", tuple(cells.T)))  # sums of cells work on arrays too


def each(metric: str, cells: Ints, judge: Callable[[Evidence], bool]) -> Bools:
    """What is found of every table's evidence, bool [tables]; equal tables are looked at once."""
    if not len(cells):
        return np.zeros(0, dtype=np.bool_)
    different, place = np.unique(cells, axis=0, return_inverse=True)
    found = [judge(of_decisions(metric, tuple(table))) for table in different.tolist()]
    return np.array(found, dtype=np.bool_)[place.reshape(-1)]


def _share(about: Evidence) -> tuple[Ints, Ints]:
    """Successes of the candidate, and trials."""
    if isinstance(about, PairedRate):
        return _array(about.both + about.gained), _array(about.n)
    if isinstance(about, SingleRate):
        return _array(about.good), _array(about.n)
    assert isinstance(about, OverlappingRate)  # noqa: S101  # the three kinds of binary evidence
    u, v = totals(about, "candidate")
    return (u // 2, v - u // 2) if about.f1 else (u, v)


def totals(about: OverlappingRate, model: Literal["baseline", "candidate"]) -> tuple[Ints, Ints]:
    """Numerator and denominator of precision or F1, each [tables]."""
    weights = joint_counts.weights("f1" if about.f1 else "precision", model)
    u, v = weights.totals(cast("tuple[float, ...]", about.cells))
    return _array(u), _array(v)


def _limit(about: Evidence, claim: Level) -> float:
    f1 = isinstance(about, OverlappingRate) and about.f1
    return float(claim.limit / (2 - claim.limit) if f1 else claim.limit)


def _array(counts: object) -> Ints:
    return np.atleast_1d(np.asarray(counts)).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class _Shares:
    """A floor or a cap: exact binomial tails."""

    successes: Ints
    trials: Ints
    limit: float
    at_least: bool

    def passes(self, level: float) -> Bools:
        return np.asarray(self._p(harm=False) <= level)

    def harms(self, level: float, where: Bools) -> Bools:
        return np.asarray((self._p(harm=True) <= level) & where)

    def harm(self, table: int) -> float:
        return float(self._p(harm=True)[table])

    def _p(self, *, harm: bool) -> Floats:
        if self.limit == (0.0 if self.at_least else 1.0):  # always holds
            return np.full(len(self.trials), 1.0 if harm else 0.0)
        tail = tail_at_least if self.at_least != harm else tail_at_most
        return tail(self.successes, self.trials, self.limit)


def _paired(about: PairedRate, claim: Contrast) -> ManyTests:
    lost, gained = _array(about.lost), _array(about.gained)
    if claim.swapped:
        lost, gained = gained, lost
    line = boundary(claim)
    n = about.n
    if isinstance(claim, SuccessRatio):
        n = n - about.neither
    elif isinstance(claim, ErrorsAtMost):
        n = n - about.both
    return _Paired(lost=lost, gained=gained, n=_array(n), line=line)


def boundary(claim: Contrast) -> Boundary:
    """The line that the exact paired test holds a claim against, with its own rounding."""
    if isinstance(claim, Difference):
        return Boundary(intercept=float(claim.margin))
    if isinstance(claim, SuccessRatio):
        ratio = 1 - float(1 - claim.ratio)
    else:
        ratio = 1 / (1 + float(claim.ratio - 1))
    return Boundary(intercept=1 - ratio, slope=ratio)


@lru_cache(maxsize=256)
def _acceptance(line: Boundary, beta: float) -> PairedAcceptance:
    """One memory of p-values per line, shared by slices of equal sizes."""
    return PairedAcceptance(boundary=line, beta=beta)


@dataclass(frozen=True, kw_only=True)
class _Paired:
    """A change of a paired rate: the exact unconditional test."""

    lost: Ints
    gained: Ints
    n: Ints
    line: Boundary

    def passes(self, level: float) -> Bools:
        found = _acceptance(self.line, paired_exact.BETA)
        return found.at_most(self.lost, self.gained, self.n, level)

    def harms(self, level: float, where: Bools) -> Bools:
        found = _acceptance(self.line.reversed, paired_exact.BETA_HARM)
        shown = np.zeros(len(where), dtype=np.bool_)
        lost, gained, n = (a[where] for a in (self.gained, self.lost, self.n))
        shown[where] = found.at_most(lost, gained, n, level)
        return shown

    def harm(self, table: int) -> float:
        found = _acceptance(self.line.reversed, paired_exact.BETA_HARM)
        return found.p(int(self.gained[table]), int(self.lost[table]), int(self.n[table]))


def linear(claim: Contrast) -> tuple[float, float]:
    """Slope k and margin of a claim as ``candidate - k * baseline >= -margin``."""
    if isinstance(claim, Difference):
        return 1.0, float(claim.margin)
    margin = claim.ratio - 1 if isinstance(claim, ErrorsAtMost) else 0
    return float(claim.ratio), float(margin)


def exchanged(cells: NDArray[Any]) -> NDArray[Any]:
    """The same rows, [..., 8], with the two models exchanged."""
    return cells[..., [0, 2, 1, 3, 4, 6, 5, 7]]


def _score_test(about: OverlappingRate, cells: Ints, claim: Contrast) -> tuple[Floats, Floats]:
    k, margin = linear(claim)
    wanted = ratio_many.Claim(kind="f1" if about.f1 else "precision", k=k, margin=margin)
    return ratio_many.test(exchanged(cells) if claim.swapped else cells, wanted)


@dataclass(frozen=True, kw_only=True)
class _Ratios:
    """A change of precision or F1: the score test, whose p-values are worked out at once."""

    p_value_harm: tuple[Floats, Floats]

    def passes(self, level: float) -> Bools:
        return np.asarray(self.p_value_harm[0] <= level)

    def harms(self, level: float, where: Bools) -> Bools:
        return np.asarray((self.p_value_harm[1] <= level) & where)

    def harm(self, table: int) -> float:
        return float(self.p_value_harm[1][table])


@dataclass(frozen=True, kw_only=True)
class _Singly:
    """Any other evidence: its own test, once for every different table."""

    metric: str
    claim: Hypothesis
    cells: Ints
    _p: dict[str, Floats] = field(default_factory=dict)

    def passes(self, level: float) -> Bools:
        return np.asarray(self._values("p_value") <= level)

    def harms(self, level: float, where: Bools) -> Bools:
        return np.asarray((self._values("p_harm") <= level) & where)

    def harm(self, table: int) -> float:
        return float(self._values("p_harm")[table])

    def _values(self, name: str) -> Floats:
        if not self._p:
            different, place = np.unique(self.cells, axis=0, return_inverse=True)
            results = [
                of_decisions(self.metric, tuple(cells)).test(self.claim)
                for cells in different.tolist()
            ]
            for key in ("p_value", "p_harm"):
                values = np.array([getattr(result, key) for result in results])
                self._p[key] = values[place.reshape(-1)]
        return self._p[name]
