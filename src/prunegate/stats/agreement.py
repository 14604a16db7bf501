"""Agreement beyond chance: does a model know anything of the labels?

Whoever always names the commonest class is right often where that class is common, so being right
says little by itself. What a constant, a coin and a model of other labels have in common is that
their decisions are independent of the labels: shuffled against each other, they would be right as
often. So the statistic is the number of right decisions and its reference every way of shuffling,
with the numbers of labels and of decisions kept: a test of Cohen's kappa against 0, which a
prevalence of 0.5 % does not blind as it blinds accuracy.

Two classes: Fisher's exact test, one-sided. More: the first three moments over all shuffles, which
are known exactly (rook numbers of the classes' rectangles), under a gamma curve; simulated in
``tests/benchmarks/reference.py``. Rows in groups: the larger of that and Student's t on the groups.

Sources: Fisher (1935), JRSS 98, 39-82; Cohen (1960), Educ. Psychol. Meas. 20, 37-46; Riordan
(1958), Combinatorial Analysis, ch. 7; Mielke & Berry (2007), Permutation Methods, ch. 2.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from scipy.special import gammainc, gammaincc, stdtr

from prunegate.stats import normal
from prunegate.stats.clusters import ENOUGH_GROUPS

METHOD_EXACT = "Fisher's exact test of decisions and labels"
METHOD_MANY = "shuffling test of decisions and labels (three moments)"
METHOD_GROUPS = "Student's t of agreement over groups"
Confusion = Mapping[tuple[str, str], int]
"""Rows by label and decision."""
_LARGE_SPREAD = 10_000
"""Standard deviation, of hits, from which the normal tail is used: from some 1e9 rows on."""
_SYMMETRIC = 1e-4
"""Skewness below which the gamma curve is the normal one."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far decisions agree with labels, and whether chance would do."""

    rows: int
    right: int
    """Rows whose decision is their label."""
    chance: float
    """Rows that would be right by chance: on average over all ways of shuffling."""
    kappa: float
    """Cohen's: 1 all right, 0 as by chance or always the same decision, below 0 worse."""
    decisions: tuple[str, ...]
    """Decisions that occur, in the order of their names."""
    score: float
    """Standard deviations of the right decisions above chance; 0 where nothing can be told."""
    p_value: float
    """One-sided p of "no better than chance"; 1 where nothing can be told."""
    method: str
    exact: bool

    @property
    def value(self) -> float:
        """What is shown of it: kappa."""
        return self.kappa

    @property
    def single(self) -> bool:
        """Whether the same decision is made everywhere."""
        return len(self.decisions) < 2


@dataclass(frozen=True, kw_only=True)
class GroupSums:
    """What is known of rows that come in groups."""

    between: Callable[[Mapping[tuple[str, str], float]], float]
    """Sum over groups of the squared sum of a row's number, given by label and decision."""
    bearing: int
    """Groups that hold what is rare, as equally large ones."""
    rows_per_group: float
    """Mean square of the groups' sizes over their mean."""


def agreement(confusion: Confusion, groups: GroupSums | None = None) -> Agreement:
    """The test of one model's decisions.

    >>> found = agreement({("a", "a"): 3, ("a", "b"): 1, ("b", "a"): 1, ("b", "b"): 3})
    >>> found.kappa, round(found.p_value, 6)
    (0.5, 0.242857)
    """
    cells = {cell: n for cell, n in confusion.items() if n}
    labels, decisions = _margins(cells)
    n = sum(labels.values())
    right = sum(count for (label, decision), count in cells.items() if label == decision)
    pairs = [(labels[name], decisions[name]) for name in sorted({*labels, *decisions})]
    exact = len(pairs) <= 2 and groups is None
    chance = sum(a * b for a, b in pairs) / (n * n) if n else 0.0
    p_value, kappa, score = 1.0, 0.0, 0.0
    if len(labels) > 1 and len(decisions) > 1:
        p_value = _fisher(right, n, *pairs[0]) if len(pairs) == 2 else _shuffled(right, n, pairs)
        kappa, score = _kappa(right, n, pairs), _score(right, n, pairs)
        if groups is not None:
            t = _t_over_groups(cells, groups)
            score = min(score, t)
            p_value = max(p_value, float(stdtr(groups.bearing - 1, -t)) if t else 1.0)
    method = METHOD_GROUPS if groups else METHOD_EXACT if exact else METHOD_MANY
    return Agreement(
        rows=n,
        right=right,
        chance=chance * n,
        kappa=kappa,
        score=score,
        decisions=tuple(sorted(decisions)),
        p_value=p_value,
        method=method,
        exact=exact,
    )


def kappa_influence(confusion: Confusion) -> dict[tuple[str, str], float]:
    """What a row of each cell pulls kappa by, times the number of rows, to first order.

    Fleiss, Cohen & Everitt (1969), Psychological Bulletin 72, 323-327: the variance of kappa is the
    mean square of these over the rows. Empty where one label or decision is the only one.

    >>> pulls = kappa_influence({("a", "a"): 3, ("a", "b"): 1, ("b", "a"): 1, ("b", "b"): 3})
    >>> pulls["a", "a"], pulls["a", "b"]
    (0.5, -1.5)
    """
    labels, decisions = _margins(confusion)
    n = sum(labels.values())
    chance = sum(labels[name] * decisions[name] for name in labels) / n**2 if n else 1.0
    if chance >= 1:
        return {}
    wrong = 1 - sum(count for (y, d), count in confusion.items() if y == d) / n

    def pull(y: str, d: str) -> float:
        of_chance = (decisions[y] + labels[d]) / n - 2 * chance
        return ((y == d) - 1 + wrong) / (1 - chance) - of_chance * wrong / (1 - chance) ** 2

    return {(y, d): pull(y, d) for y, d in confusion}


def _kappa(right: int, n: int, pairs: list[tuple[int, int]]) -> float:
    chance = Fraction(sum(a * b for a, b in pairs), n * n)
    return float((Fraction(right, n) - chance) / (1 - chance))


def _score(right: int, n: int, pairs: list[tuple[int, int]]) -> float:
    mean, variance, _ = _moments(n, tuple(pairs))
    return (right - mean) / math.sqrt(variance) if variance > 0 else 0.0


def _margins(cells: Confusion) -> tuple[Counter[str], Counter[str]]:
    labels: Counter[str] = Counter()
    decisions: Counter[str] = Counter()
    for (label, decision), count in cells.items():
        labels[label] += count
        decisions[decision] += count
    return labels, decisions


def _fisher(right: int, n: int, labelled: int, decided: int) -> float:
    """Hypergeometric upper tail; right decisions fix the table once its margins are known."""
    hits = (right - n + labelled + decided) // 2
    low, high = max(0, labelled + decided - n), min(labelled, decided)
    mode = min(max((labelled + 1) * (decided + 1) // (n + 2), low), high)
    mean = labelled * decided / n
    spread = math.sqrt(mean * (1 - labelled / n) * (1 - decided / n))
    if spread > _LARGE_SPREAD:
        return normal.upper_tail((hits - 0.5 - mean) / spread)
    reach = int(40 * spread + 800)  # beyond it there is less than 1e-300 (Bernstein)
    bottom, top = max(low, mode - reach), min(high, mode + reach)
    if hits <= low:
        return 1.0
    if hits > top:
        return 0.0
    counts = np.arange(bottom, top, dtype=np.float64)
    other = n - labelled - decided
    steps = np.log((labelled - counts) * (decided - counts)) - np.log(
        (counts + 1) * (other + counts + 1)
    )
    logs = np.concatenate(([0.0], np.cumsum(steps)))
    weights = np.exp(logs - logs.max())
    return min(1.0, float(weights[max(hits - bottom, 0) :].sum() / weights.sum()))


def _shuffled(right: int, n: int, pairs: list[tuple[int, int]]) -> float:
    """Upper tail of the number of right decisions under a gamma curve, corrected for steps."""
    mean, variance, third = _moments(n, tuple(pairs))
    if variance <= 0:
        return 1.0
    spread = math.sqrt(variance)
    return shuffled_tail((right - 0.5 - mean) / spread, third / spread**3)


def shuffled_tail(z: float, skew: float) -> float:
    """Upper tail of what shuffling gives, by the gamma curve with its skewness.

    Args:
        z: standard deviations above the mean.
        skew: the third central moment over the cube of the standard deviation.
    """
    if abs(skew) < _SYMMETRIC:
        return normal.upper_tail(z)
    shape = 4 / skew**2
    at = max(0.0, shape + math.copysign(1, skew) * z * math.sqrt(shape))
    return float(gammaincc(shape, at) if skew > 0 else gammainc(shape, at))


@lru_cache(maxsize=1024)
def _moments(n: int, pairs: tuple[tuple[int, int], ...]) -> tuple[float, float, float]:
    """Mean, variance and third central moment over all shuffles, from exact fractions.

    Kept: a gate asks for each model of each slice twice, and again as it verifies its record.
    """
    rooks = [1, 0, 0, 0]  # ways to place as many rooks on the rectangles label x decision
    for a, b in pairs:
        own = [math.comb(a, j) * math.comb(b, j) * math.factorial(j) for j in range(4)]
        rooks = [sum(rooks[i] * own[j - i] for i in range(j + 1)) for j in range(4)]
    one, two, three = (
        Fraction(rooks[j] * math.factorial(j), math.perm(n, j)) if n >= j else Fraction(0)
        for j in (1, 2, 3)
    )
    second, cube = two + one, three + 3 * two + one
    third = cube - 3 * one * second + 2 * one**3
    return float(one), float(second - one**2), float(third)


def _t_over_groups(cells: Confusion, groups: GroupSums) -> float:
    """Agreement beyond chance over its standard error between groups; 0 where there are too few."""
    if groups.bearing < 2:
        return 0.0
    labels, decisions = _margins(cells)
    n = sum(labels.values())
    observed = sum(count for (y, d), count in cells.items() if y == d) / n
    chance = sum(labels[name] * decisions[name] for name in labels) / n**2
    influence = {
        (y, d): (y == d) - (decisions[y] + labels[d]) / n + 2 * chance - observed for y, d in cells
    }
    alone = math.fsum(count * influence[cell] ** 2 for cell, count in cells.items())
    variance = max(alone, groups.between(influence) * groups.bearing / (groups.bearing - 1))
    if groups.bearing < ENOUGH_GROUPS:
        variance = max(variance, alone * groups.rows_per_group)
    return n * (observed - chance) / math.sqrt(variance) if variance > 0 else 0.0
