"""Further rows: how many more would likely settle an open finding, under each of two assumptions.

*As seen*: the estimate is taken at its word, and the slice goes on as it has begun. *Unchanged*:
the candidate is in truth as good as its baseline there, and only decides as many rows otherwise as
were seen to differ. The two can be far apart, and neither is known to be right; who passes one on
says which it is. A limit that the estimate almost touches cannot be settled by any number of labels
if they are like those seen, and the answer is None rather than a number nobody would label.

Unchanged, a plan (``planning/needs.py``) says how many rows it takes in all, were there none yet.
Those that are there may speak against the assumption, and the test may be stricter than the plan's
formula; the further rows have to make up for both, so that after them the limit is likely settled
and the same advice does not stand again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from scipy.special import ndtri

from prunegate.evidence.rates import Evidence, PairedRate
from prunegate.evidence.unseen_loss import Sureness, further_rows
from prunegate.metrics.hypothesis import Contrast, Difference, Hypothesis, Level, SuccessRatio
from prunegate.stats import sample_size
from prunegate.stats.least_rows import least_rows
from prunegate.stats.result import TestResult

POWER = 0.9
HOPELESS = 1_000_000
"""More labels than this is "too close to call"."""
_TWO_SIDED = 0.975


@dataclass(frozen=True, kw_only=True)
class Further:
    """Rows of the metric's own kind still wanted, at least 1."""

    unchanged: int | None
    """To show the limit to hold, if nothing changed; None: it is no limit that this settles."""
    as_seen: int | None
    """To show what rows like those seen show; None: too close to tell."""
    shows: Literal["holds", "broken"] | None
    """What these show."""
    alike: bool = False
    """Whether a change was to be tested and the two models differ in nothing here."""
    foretold: bool = True
    """Whether numbers can be told at all for such a metric."""


NOT_FORETOLD = Further(unchanged=None, as_seen=None, shows=None, foretold=False)


@dataclass(frozen=True, kw_only=True)
class Tested:
    """An open limit, and what its test gave."""

    claim: Hypothesis
    result: TestResult
    width: float | None
    """Of the 95 % interval of the change; None: it has no end, or the limit is on a level."""
    whole: Fraction
    """What the metric's value and error add up to: 1 for rates, 0 for means."""


def further(evidence: Evidence, tested: Tested, alpha: float) -> Further:
    """How many rows a test needs to reach its level with 90 % power.

    Args:
        evidence: one slice's evidence, not yet conclusive.
        tested: the limit, and its p-values on the evidence.
        alpha: one-sided level.

    For a paired difference the score test's sample-size formula is used (Tango 1998 variance under
    the limit, observed discordance); elsewhere the squared distance in standard errors is scaled,
    which is the same formula to first order.
    """
    hypothesis, result = tested.claim, tested.result
    held = evidence.count(hypothesis)
    if (bounded := _bounded(evidence, tested, alpha)) is not None:
        return bounded
    plain = type(evidence) is PairedRate  # grouped rows weigh less than their number
    paired = evidence if plain and isinstance(evidence, PairedRate) else None
    if paired is not None and isinstance(hypothesis, Difference):
        total = _never_less(_paired(paired, hypothesis, alpha), _scaled(held, result, alpha))
    else:
        total = _scaled(held, result, alpha)
    as_seen = _missing(total, held)
    unchanged = None
    if not isinstance(hypothesis, Level):
        unchanged = _unchanged(evidence, hypothesis, tested, alpha)
        alike = not _spread(evidence, hypothesis, tested, held)
        if alike and (unchanged is not None or as_seen is None):  # seen was no change
            shown: Literal["holds"] | None = None if unchanged is None else "holds"
            return Further(unchanged=unchanged, as_seen=unchanged, shows=shown, alike=True)
    side: Literal["holds", "broken"] = "holds" if result.p_value < result.p_harm else "broken"
    return Further(
        unchanged=unchanged,
        as_seen=as_seen,
        shows=None if as_seen is None else side,
    )


def _bounded(evidence: Evidence, tested: Tested, alpha: float) -> Further | None:
    """Where a loss is reckoned with of which none is seen; None: it is not, or of a level."""
    claim = tested.claim
    if isinstance(claim, Level) or evidence.baseline is None or evidence.candidate is None:
        return None
    allowed = _allowed(evidence, claim, tested.whole)
    loss = None if allowed is None or allowed <= 0 else evidence.unseen_loss(claim)
    if loss is None:
        return None
    held = evidence.count(claim)
    sure = Sureness(alpha=alpha, power=POWER, most=HOPELESS)
    unchanged = further_rows(loss, loss.room, sure)
    if evidence.candidate == evidence.baseline and not _spread(evidence, claim, tested, held):
        shown: Literal["holds"] | None = None if unchanged is None else "holds"
        return Further(unchanged=unchanged, as_seen=unchanged, shows=shown, alike=True)
    side: Literal["holds", "broken"]
    if loss.seen.mean > 0:
        as_seen, side = further_rows(loss, loss.seen.mean, sure), "holds"
    else:
        as_seen, side = _missing(_scaled(held, tested.result, alpha), held), "broken"
    return Further(
        unchanged=unchanged,
        as_seen=as_seen,
        shows=None if as_seen is None else side,
    )


def _missing(total: float | None, held: int) -> int | None:
    if total is None or not math.isfinite(total) or total - held > HOPELESS:
        return None
    return max(1, math.ceil(total - held))


def _never_less(planned: float | None, scaled: float | None) -> float | None:
    """What is planned, and no less than the test itself, as it stands, has still to go."""
    return planned if planned is None or scaled is None else max(planned, scaled)


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


def _unchanged(evidence: Evidence, claim: Contrast, tested: Tested, alpha: float) -> int | None:
    """Further rows to show the limit to hold, if nothing changed."""
    allowed, held = _allowed(evidence, claim, tested.whole), evidence.count(claim)
    if allowed is None or not allowed > 0 or evidence.baseline is None:
        return None  # a gain is asked for: without any change the limit is broken
    spread, room = _spread(evidence, claim, tested, held), float(allowed)
    if not spread:
        total = evidence.rows_unseen(room, _z(alpha)) if evidence.shows_alike else 0.0
        return _missing(total, held) if total > held else None
    if type(evidence) is PairedRate and isinstance(claim, Difference) and room < 1:
        differ = sample_size.coarse((evidence.lost + evidence.gained + 1) / (evidence.n + 2))
        total = float(sample_size.paired_by_score(differ, 0.0, room, alpha, POWER))
    else:
        total = ((_z(alpha) + float(ndtri(POWER))) * spread / room) ** 2
        total = max(total, evidence.rows_unseen(room, _z(alpha)))
    change = float((evidence.candidate or 0) - evidence.baseline) * (-1 if claim.swapped else 1)
    seen = _Seen(rows=held, change=change, spread=spread)
    score = _z(alpha) + _stricter(seen, room, tested.result.p_value)
    making_up = _making_up(seen, room, score)
    if making_up is None or total <= held:
        return making_up
    planned = _missing(total, held)
    return None if planned is None else max(planned, making_up)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """Rows that are there."""

    rows: int
    change: float
    """Larger is better."""
    spread: float
    """Standard deviation of one row's change."""


def _spread(evidence: Evidence, claim: Contrast, tested: Tested, held: int) -> float | None:
    """Standard deviation of one row's change: of pairs by their number, else by the interval."""
    if type(evidence) is PairedRate and isinstance(claim, Difference):
        return math.sqrt((evidence.lost + evidence.gained + 1) / (evidence.n + 2))
    if not tested.width:
        return None
    return tested.width / (2 * float(ndtri(_TWO_SIDED))) * math.sqrt(held)


def _stricter(seen: _Seen, room: float, p_value: float) -> float:
    """By how many standard errors the test finds the rows further from its level than they lie."""
    if not 0 < p_value < 1:
        return 0.0
    lies = (room + seen.change) * math.sqrt(seen.rows) / seen.spread
    return max(0.0, lies + float(ndtri(p_value)))


def _making_up(seen: _Seen, room: float, score: float) -> int | None:
    """Further unchanged rows until all together show the limit, with 90 % power.

    Args:
        seen: the rows that are there.
        room: the change that the limit allows.
        score: how many standard errors the estimate has to be from the limit.
    """

    def enough(further: int) -> bool:
        total = seen.rows + further
        expected = room + seen.change * seen.rows / total
        wanted = score * math.sqrt(total) + float(ndtri(POWER)) * math.sqrt(further)
        return expected >= wanted * seen.spread / total

    return least_rows(enough, HOPELESS)


def _allowed(evidence: Evidence, claim: Contrast, whole: Fraction) -> Fraction | None:
    """The change that meets the limit, from no change, in the metric's own terms."""
    if isinstance(claim, Difference):
        return claim.margin
    before = evidence.baseline
    if before is None:
        return None
    if isinstance(claim, SuccessRatio):
        return (1 - claim.ratio) * before
    return (claim.ratio - 1) * (whole - before)


def _scaled(held: int, result: TestResult, alpha: float) -> float | None:
    p_value = min(result.p_value, result.p_harm)
    return rows_for_score(held, float(-ndtri(p_value)), alpha) if 0 < p_value < 0.5 else None


def rows_lacking(weighing: Sequence[float], least: float, rows: int) -> int:
    """Rows of a slice's mix until the rarest kind of them has as many as a method takes.

    Args:
        weighing: what the rows of each kind weigh, in rows that are independent.
        least: as many as the method takes of each.
        rows: of the slice.
    """
    fewest = min(weighing)
    return math.ceil(max(0.0, least - fewest) * rows / max(fewest, 1.0))


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
