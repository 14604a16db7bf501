"""Planning: how many more rows would likely settle an open finding.

The estimate is taken at its word: if the slice goes on as it has begun, how many rows does a test
need to reach its level with 90 % power? A limit that the estimate almost touches cannot be settled
by any number of labels, and the answer is None rather than a number nobody would label.
"""

from __future__ import annotations

import math

from scipy.special import ndtri

from prunegate.evidence.rates import Evidence, PairedRate
from prunegate.metrics.hypothesis import Difference, Hypothesis
from prunegate.stats.result import TestResult

POWER = 0.9
HOPELESS = 1_000_000
"""More labels than this is "too close to call"."""


def further(
    evidence: Evidence, hypothesis: Hypothesis, result: TestResult, alpha: float
) -> int | None:
    """Rows of the metric's own kind still wanted, at least 1; None if labels will not settle it.

    Args:
        evidence: one slice's evidence, not yet conclusive.
        hypothesis: the limit's claim.
        result: its p-values on the evidence.
        alpha: one-sided level.

    For a paired difference the score test's sample-size formula is used (Tango 1998 variance under
    the limit, observed discordance); elsewhere the squared distance in standard errors is scaled,
    which is the same formula to first order.
    """
    held = evidence.count(hypothesis)
    plain = type(evidence) is PairedRate  # grouped rows weigh less than their number
    if plain and isinstance(evidence, PairedRate) and isinstance(hypothesis, Difference):
        total = _paired(evidence, hypothesis, alpha)
    else:
        total = _scaled(held, result, alpha)
    if total is None or total - held > HOPELESS:
        return None
    return max(1, math.ceil(total - held))


def _paired(evidence: PairedRate, claim: Difference, alpha: float) -> float | None:
    lost, gained = evidence.lost, evidence.gained
    if claim.swapped:
        lost, gained = gained, lost
    n, margin = evidence.n, float(claim.margin)
    change = (gained - lost) / n
    room = change + margin
    if abs(room) * HOPELESS < 1:
        return None
    psi = max((lost + gained + 1) / (n + 1), abs(margin))
    under_limit = max(psi - margin**2, 1e-12)
    as_seen = max(psi - change**2, 1e-12)
    spread = _z(alpha) * math.sqrt(under_limit) + ndtri(POWER) * math.sqrt(as_seen)
    return float((spread / room) ** 2)


def _scaled(held: int, result: TestResult, alpha: float) -> float | None:
    p_value = min(result.p_value, result.p_harm)
    return rows_for_score(held, float(-ndtri(p_value)), alpha) if 0 < p_value < 0.5 else None


def rows_for_score(held: int, score: float, alpha: float) -> float:
    """Rows, these among them, at which a test like this one reaches its level with 90 % power.

    Args:
        held: rows that have been seen.
        score: how many standard errors their estimate is from what is to be refuted, above 0.
        alpha: one-sided level.
    """
    return float(held * ((_z(alpha) + ndtri(POWER)) / score) ** 2)


def _z(alpha: float) -> float:
    return float(-ndtri(alpha))
