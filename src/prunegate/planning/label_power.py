"""How likely some labels are to decide a limit, if nothing changed, before anybody labelled.

How many rows differ is known; how many of them are positive is not, and has to be assumed. If
nothing changed, each row that bears on the change is lost as likely as gained. Planning takes the
exact test at the number of positives that the sample is expected to promise, not the largest p over
all numbers: a few thousandths less.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from scipy.special import bdtr

from prunegate.counting.partial_counts import GAMMA
from prunegate.metrics.forms import Flips, Form, Overlapping, SharedRows
from prunegate.metrics.hypothesis import Difference, Hypothesis, Level, SuccessRatio
from prunegate.planning.label_precision import SampledFlags
from prunegate.stats import clopper_pearson, finite_sample, paired_exact, unconditional
from prunegate.stats.margin_line import Boundary

DIFFERING = 0.5
"""Share of the rows that differ which are positive, as assumed."""
AGREED = 0.8
"""Share of the rows that both models decide as a class which are of it, as assumed."""
Decided = tuple[int, ...]
"""Rows of a slice by ``2 * baseline + candidate``."""


@lru_cache(maxsize=1024)
def power_of(
    claim: Hypothesis, form: Form, decided: Decided, sample: int, alpha: float
) -> float | None:
    """Chance that a limit is shown to hold; None: it is not known beforehand.

    Args:
        claim: what the limit claims.
        form: of its metric.
        decided: the slice's decisions.
        sample: labels among the rows that both models decide as the metric's class.
        alpha: one-sided level.
    """
    differ = decided[0b01] + decided[0b10]
    if isinstance(form, Flips):
        return _cap(claim, differ, sum(decided), alpha) if form.negative_only else None
    if isinstance(form, Overlapping) and form.kind == "precision":
        flags = SampledFlags(decided=decided, sample=sample, right=(AGREED, DIFFERING))
        return flags.power(claim, alpha)
    if not isinstance(form, SharedRows) or getattr(claim, "swapped", False):
        return None
    return _of_shared(claim, form, decided, sample, alpha)


def _of_shared(
    claim: Hypothesis, form: SharedRows, decided: Decided, sample: int, alpha: float
) -> float | None:
    """The same of metrics whose rows both models share."""
    differ = decided[0b01] + decided[0b10]
    if isinstance(claim, Difference) and len(form.labels) > 1:
        return _paired(differ, sum(decided), float(claim.margin), alpha)
    changed = round(differ * DIFFERING)
    agreed = decided[3 * form.labels[0]]
    if isinstance(claim, Difference):
        level = 0.0 if sample >= agreed else GAMMA
        sure = promised(agreed, sample)
        return _paired(changed, changed + sure, float(claim.margin), alpha - level)
    if isinstance(claim, SuccessRatio) and form.labels == (1,):
        ratio = float(claim.ratio)
        line = Boundary(intercept=1 - ratio, slope=ratio)
        return _line(changed, changed + round(agreed * AGREED), line, alpha)
    return None


def promised(agreed: int, sample: int) -> int:
    """Rows of a class that a sample of so many is expected to promise among ``agreed``."""
    sample = min(sample, agreed)
    if not sample:
        return 0
    return finite_sample.count_at_least(round(sample * AGREED), sample, agreed, GAMMA)


def power_at_random(
    claim: Hypothesis, form: Form, decided: Decided, labels: int, alpha: float
) -> float | None:
    """The same with as many labels on rows drawn at random."""
    if isinstance(form, Overlapping) and form.kind == "precision":
        few = tuple(round(n * min(1.0, labels / max(1, sum(decided)))) for n in decided)
        flags = SampledFlags(decided=few, sample=few[0b11], right=(AGREED, DIFFERING))
        return flags.power(claim, alpha)
    if not isinstance(form, SharedRows) or not isinstance(claim, Difference) or claim.swapped:
        return None
    share = min(1.0, labels / max(1, sum(decided)))
    every = len(form.labels) > 1
    differ = decided[0b01] + decided[0b10]
    changed = round(differ * (1.0 if every else DIFFERING) * share)
    agreed = sum(decided) - differ if every else round(decided[3 * form.labels[0]] * AGREED)
    n = changed + round(agreed * share)
    return _paired(changed, n, float(claim.margin), alpha) if n else 0.0


def _paired(changed: int, n: int, margin: float, alpha: float) -> float | None:
    return _line(changed, n, Boundary(intercept=margin), alpha) if margin > 0 else None


def _line(changed: int, n: int, line: Boundary, alpha: float) -> float:
    if n == 0:
        return 0.0
    beta = paired_exact.BETA

    def passes(lost: int) -> bool:
        return unconditional.unconditional_p(lost, changed - lost, n, line, beta) <= alpha

    return _half(changed, passes)


def _cap(claim: object, differ: int, rows: int, alpha: float) -> float | None:
    if not isinstance(claim, Level) or not claim.at_least:
        return None
    limit = float(claim.limit)
    return _half(
        differ, lambda lost: clopper_pearson.tail_at_least(rows - lost, rows, limit) <= alpha
    )


def _half(changed: int, passes: Callable[[int], bool]) -> float:
    """Chance of so few losses that the test passes, each changed row being lost with one half."""
    low, high = -1, changed + 1  # passes at low, not at high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    return float(bdtr(low, changed, 0.5)) if low >= 0 else 0.0
