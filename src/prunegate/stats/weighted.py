"""Tests of rows that weigh differently: a posterior of the weighted cells, with one heaviest loss.

Where a table holds one class or one stratum more often than the world does, every row stands for a
number of rows, its design weight, and a metric is a ratio of sums of weights (Hajek's estimate).
Few heavy rows may decide it, and a stratum of heavy rows without any loss is no proof that there
are none: normal theory on the linearised variance (Taylor's) approves up to .6 of candidates at
their margin there. So each cell's rows are taken as so many equally heavy ones as have the same sum
and the same sum of squares, which keeps the linearised variance to the last digit; their shares get
the posterior that goes with no prior knowledge (Rubin's Bayesian bootstrap); and besides the rows
that were seen one is reckoned with that was not, as heavy as the heaviest and as bad as can be. Of
rows that weigh alike that is Clopper and Pearson's limit, of rare losses of unlike weights Fay and
Feuer's. Which is why no number of degrees of freedom is asked for: a cell of few rows has a long
tail of its own.

The posterior of a weighted sum of gamma variables is found by the saddlepoint; of a contrast of
ratios at the point nearest to what was observed where the contrast is at its limit.

Sources: Hajek (1971), in Foundations of Statistical Inference, 236; Rubin (1981), Ann. Statist. 9,
130-134; Fay & Feuer (1997), Statist. Med. 16, 791-801; Lugannani & Rice (1980), Adv. Appl. Probab.
12, 475-490; Barndorff-Nielsen (1986), Biometrika 73, 307-322.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scipy.special import ndtr, ndtri

from prunegate.stats import normal, roots
from prunegate.stats.result import Interval, TestResult

METHOD = "posterior of weighted cells with one heaviest loss, saddlepoint"
_ITERATIONS, _ROUNDS, _LEAST_DAMPING = 100, 150, 0.03
_CLOSE, _SAME = 1e-12, 1e-9
_FLAT = 1e-4
"""Signed roots so small that the tail's formula divides by nearly nothing."""
_STRIDE = 1 / 64
_MOST_UNKNOWN = 400
"""Cells with rows up to which a point far away is looked for: the work grows with their square."""
_FAR, _CLOSE_ENOUGH = 60.0, 1e-8
_UNSEEN = (0.02, 0.1, 0.3, 1.0)
"""Shares of rows that nobody saw at which a point far away is looked for."""
_SMALLEST = 1e-30
"""Tails that are found far away are no more exact than this."""


@dataclass(frozen=True, kw_only=True)
class WeightedCells:
    """Rows by cell, each cell's as if they weighed alike."""

    units: Sequence[float]
    """Rows that each cell's weigh as much as: the squared sum of weights over that of squares."""
    weight: Sequence[float]
    """Weight of one of them; 0 in an empty cell."""
    heaviest: float
    """Weight of the heaviest row (or group of rows)."""

    @property
    def totals(self) -> list[float]:
        """Sums of weights."""
        return [k * v for k, v in zip(self.units, self.weight, strict=True)]


Scores = Callable[[Sequence[float]], Sequence[float]]
"""Sums of weights by cell -> what a row of each cell adds to a contrast less its limit, linearised
there; the sum over the cells is 0 where the contrast is at its limit."""


@dataclass(frozen=True, kw_only=True)
class WeightedContrast:
    """A contrast less its limit: is it above 0?"""

    cells: WeightedCells
    scores: Scores
    """Of each cell."""
    ends: tuple[int, int] | None = None
    """The cells whose scores are the worst and the best; None: by their scores."""

    @property
    def p_value(self) -> float:
        """One-sided p of "below its limit"."""
        return _tail(self.cells, self.scores, self._ends[0], 1.0)

    @property
    def p_harm(self) -> float:
        """One-sided p of "at or above its limit"."""
        return _tail(self.cells, self.scores, self._ends[1], -1.0)

    @property
    def _ends(self) -> tuple[int, int]:
        if self.ends is not None:
            return self.ends
        scores = list(self.scores(self.cells.totals))
        return scores.index(min(scores)), scores.index(max(scores))

    def test(self, *, at_least: bool = True) -> TestResult:
        """Both p-values; of "at most" they change places."""
        p_value, p_harm = self.p_value, self.p_harm
        if not at_least:
            p_value, p_harm = p_harm, p_value
        return TestResult(p_value=p_value, p_harm=p_harm, method=METHOD)


def interval(
    at: Callable[[float], WeightedContrast],
    ends: tuple[float, float],
    seen: float,
    confidence: float = 0.95,
) -> Interval:
    """Two-sided interval of the values that neither tail refutes.

    Args:
        at: the contrast less such a value.
        ends: smallest and largest value there can be.
        seen: the estimate.
        confidence: two-sided.
    """
    z = normal.two_sided_z(confidence)
    start = seen, z
    low = roots.first_crossing(lambda v: z - _deviate(at(v).p_value), start, ends[0], _STRIDE)
    high = roots.first_crossing(lambda v: z - _deviate(at(v).p_harm), start, ends[1], _STRIDE)
    return Interval(low=min(low, seen), high=max(high, seen), method=METHOD)


def _deviate(p: float) -> float:
    """The standard normal deviate of a tail, within bounds."""
    return -float(ndtri(min(max(p, 1e-300), 1 - 1e-16)))


def _tail(cells: WeightedCells, scores: Scores, unseen: int, sign: float) -> float:
    """Posterior probability that ``sign`` times the contrast is not above its limit.

    Of a contrast that is not linear the point is looked for at which its own slopes lead back to
    it; without one nothing is shown.
    """
    units, weight = [*cells.units, 1.0], [*cells.weight, cells.heaviest]
    masses, damping, before = cells.totals, 1.0, math.inf
    for _ in range(_ROUNDS):
        each = list(scores(masses))
        g = [sign * v * s for v, s in zip(weight, [*each, each[unseen]], strict=True)]
        tilt = _tilted(units, g)
        if tilt is None:
            return 0.0 if min(g) >= 0 else 1.0
        fitted = [k * v / (1 - tilt * x) for k, v, x in zip(units, weight, g, strict=True)]
        fitted[unseen] += fitted.pop()
        step = max(abs(a - b) / (a + b) for a, b in zip(fitted, masses, strict=True) if a + b)
        if step <= _SAME:
            return _below_zero(units, g, tilt)
        damping = max(0.7 * damping, _LEAST_DAMPING) if step > 0.9 * before else damping
        before = step
        masses = [a + damping * (b - a) for a, b in zip(masses, fitted, strict=True)]
    return _far_tail(cells, scores, unseen, sign)


def _far_tail(cells: WeightedCells, scores: Scores, unseen: int, sign: float) -> float:
    """The same where the steps run in circles: far from the limit, by Powell's hybrid method.

    It is begun at several shares of rows that nobody saw; of the points that are found, the one
    that shows least counts.
    """
    if sum(mass > 0 for mass in cells.totals) >= _MOST_UNKNOWN:
        return 1.0
    total = sum(cells.totals)
    shares = (cells.heaviest / total, *_UNSEEN)
    tails = [_far_point(cells, scores, unseen, sign, share * total) for share in shares]
    return max((max(tail, _SMALLEST) for tail in tails if tail is not None), default=1.0)


def _far_point(
    cells: WeightedCells, scores: Scores, unseen: int, sign: float, begun: float
) -> float | None:
    """The tail at a point that leads back to itself; None: none is found from this start."""
    begin = cells.totals
    begin[unseen] = max(begin[unseen], begun)
    held = [place for place, mass in enumerate(begin) if mass > 0]
    units, weight = [*cells.units, 1.0], [*cells.weight, cells.heaviest]
    tail = 1.0

    def amiss(logs: Sequence[float]) -> list[float]:
        nonlocal tail
        masses = [0.0] * len(cells.units)
        for place, log in zip(held, logs, strict=True):
            masses[place] = math.exp(min(max(log, -_FAR), _FAR))
        each = list(scores(masses))
        g = [sign * v * s for v, s in zip(weight, [*each, each[unseen]], strict=True)]
        tilt = _tilted(units, g)
        if tilt is None:
            return [_FAR] * len(held)
        fitted = [k * v / (1 - tilt * x) for k, v, x in zip(units, weight, g, strict=True)]
        fitted[unseen] += fitted.pop()
        tail = _below_zero(units, g, tilt)
        return [math.log(fitted[place]) - log for place, log in zip(held, logs, strict=True)]

    from scipy.optimize import root  # a fifth of what `gate` imports, for few tables with weights

    found = root(
        amiss, [math.log(begin[place]) for place in held], method="hybr", options={"xtol": _CLOSE}
    )
    return tail if max(map(abs, amiss(list(found.x)))) <= _CLOSE_ENOUGH else None


def _tilted(units: Sequence[float], g: Sequence[float]) -> float | None:
    """The multiplier t with sum k g / (1 - t g) = 0; None: the scores are all on one side."""
    terms = [(k, x) for k, x in zip(units, g, strict=True) if k > 0 and x != 0]
    low, high = min((x for _, x in terms), default=0.0), max((x for _, x in terms), default=0.0)
    if not low < 0 < high:
        return None
    inside, outside = (1 / low) * (1 - 1e-14), (1 / high) * (1 - 1e-14)
    t, close = 0.0, _CLOSE * (outside - inside)
    for _ in range(_ITERATIONS):
        value = slope = 0.0
        for k, x in terms:
            part = x / (1 - t * x)
            value += k * part
            slope += k * part * part
        if value > 0:  # it rises with t
            outside = t
        else:
            inside = t
        step = value / slope
        t -= step
        if not inside < t < outside:
            t = (inside + outside) / 2
        elif abs(step) <= close:
            break
    return t


def _below_zero(units: Sequence[float], g: Sequence[float], t: float) -> float:
    """P(sum of gamma variables times scores <= 0), by Barndorff-Nielsen's r*."""
    terms = [(k, x) for k, x in zip(units, g, strict=True) if k > 0 and x != 0]
    depth = 2 * math.fsum(k * math.log1p(-t * x) for k, x in terms)
    root = math.copysign(math.sqrt(max(depth, 0.0)), t)
    if abs(root) < _FLAT:
        second = math.fsum(k * x * x for k, x in terms)
        third = 2 * math.fsum(k * x**3 for k, x in terms)
        mean = math.fsum(k * x for k, x in terms)
        return float(ndtr(-mean / math.sqrt(second) + third / (6 * second**1.5)))
    curve = math.fsum(k * (x / (1 - t * x)) ** 2 for k, x in terms)
    return float(ndtr(root + math.log(t * math.sqrt(curve) / root) / root))
