"""Attempt: one candidate as the search split judges it, with every finding.

Whether it passes is the verdict's word alone. What is worked out here only says where to look next
(is it too much, or not yet small enough?) and how near a failing candidate came.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from prunegate.audit.search_record import NotMade, SearchAttempt
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS, Bound, is_factor, is_level, losses
from prunegate.metrics.hypothesis import Hypothesis, asks_for_more
from prunegate.report.frontier_rows import severity
from prunegate.report.slack import relative_slack, slack
from prunegate.search.bisection import State
from prunegate.text.numbers import plain, share
from prunegate.verdict.finding import ABSENT, Finding, Verdict
from prunegate.verdict.quantities import Quantities


@dataclass(frozen=True, kw_only=True)
class Attempt(SearchAttempt):
    """An attempt whole: what the record says of it, and what it rests on."""

    digest: str
    """Of the candidate's folder."""
    reasons: tuple[str, ...]
    """The verdict's."""
    findings: tuple[Finding, ...]
    weights: str | None = field(default=None, metadata=ABSENT)
    """Digest of the candidate's files, less what tells how it was made."""

    also_asked: tuple[tuple[float, ...], ...] | None = field(default=None, metadata=ABSENT)
    """Other amounts that remove the same units: they were asked for later, and not made again."""

    @property
    def passes(self) -> bool:
        """Whether every blocking limit holds."""
        return self.outcome == "approve"

    @property
    def state(self) -> State:
        """Passes; or nothing but size, speed or cost is in the way; or how sure quality ends it."""
        if self.passes:
            return "passes"
        open_ = unmet(self.findings)
        quality = [finding for finding in open_ if not _wants_smaller(finding)]
        if open_ and not quality:
            return "too_little"
        proven = not quality or any(finding.status == "fail" for finding in quality)
        return "too_much" if proven else "unproven"

    def short(self) -> SearchAttempt:
        """What the record says of it."""
        names = [field.name for field in dataclasses.fields(SearchAttempt)]
        return SearchAttempt(**{name: getattr(self, name) for name in names})


Tried = Attempt | NotMade
"""What came of amounts."""
_FAR = 1e6
"""The violation of what cannot be made: farther from passing than anything that was judged."""


def state_of(tried: Tried) -> State:
    """Where an attempt stands; one that could not be made is on that side of what can go."""
    if isinstance(tried, Attempt):
        return tried.state
    return "too_much" if tried.beyond else "too_little"


@dataclass(frozen=True, kw_only=True)
class Worst:
    """The change that used most of its margin."""

    finding: Finding
    loss: float
    used: float | None


def unmet(findings: Sequence[Finding]) -> list[Finding]:
    """Blocking findings that do not pass."""
    return [f for f in findings if f.severity == "block" and f.status not in ("pass", "waived")]


def worst_change(findings: Sequence[Finding]) -> Worst | None:
    """The blocking change that used most of its margin; None: no change of quality is known.

    Where no rule limits a change, the largest loss among the values that rules look at.
    """
    quality = [
        f
        for f in findings
        if f.severity == "block" and not METRICS[f.metric].operational and f.difference is not None
    ]
    shares = [(used, f) for f in quality if (used := _used(f)) is not None]
    if shares:
        used, finding = max(shares, key=lambda pair: pair[0])
        return Worst(finding=finding, loss=_loss(finding), used=used)
    if not quality:
        return None
    finding = max(quality, key=_loss)
    return Worst(finding=finding, loss=_loss(finding), used=None)


def violation(attempt: Tried) -> float:
    """How far from passing, for an optimiser: 0 passes; else limits not met, and how clearly.

    The fraction is the largest p-value of "the limit is broken" among them (1 without one).
    """
    if isinstance(attempt, NotMade):
        return _FAR
    open_ = unmet(attempt.findings)
    if attempt.passes:
        return 0.0
    doubt = max((1.0 if f.p_value is None else f.p_value for f in open_), default=1.0)
    return len(open_) + doubt


def nearest_attempt(attempts: Sequence[Attempt]) -> Attempt:
    """The attempt that came nearest: fewest limits broken, then fewest open, then least lost."""

    def distance(attempt: Attempt) -> tuple[int, int, float, float]:
        open_ = unmet(attempt.findings)
        failed = sum(f.status == "fail" for f in open_)
        lost = severity(attempt)
        return failed, len(open_), math.inf if lost is None else lost, attempt.objective

    return min(attempts, key=distance)


def missed(verdict: Verdict) -> str:
    """The limit that was missed most, and by how much; empty where nothing was.

    Of open limits it is one of those that the verdict's reasons tell.
    """
    if verdict.outcome == "approve":
        return ""
    open_ = unmet(verdict.findings)
    ordered = [f for status in ("fail", "inconclusive") for f in open_ if f.status == status]
    whole = len(verdict.reasons) == len(ordered)
    told = list(zip(ordered, verdict.reasons if whole else verdict.reasons[:-1], strict=False))
    failing = [pair for pair in told if pair[0].status == "fail"] or told
    if not failing:
        return verdict.reasons[0]
    finding, reason = max(failing, key=lambda pair: _beyond(pair[0]))
    return f"{reason}{_by_how_much(finding)}"


def _wants_smaller(finding: Finding) -> bool:
    """Whether it limits size, speed or cost in a way that removing more helps to meet."""
    metric = METRICS[finding.metric]
    return metric.operational and asks_for_more(_claim(finding))


def _used(finding: Finding) -> float | None:
    left = relative_slack(finding) if finding.check in losses() else None
    return None if left is None or math.isinf(left) else 1 - left


def _loss(finding: Finding) -> float:
    difference = finding.difference or 0.0
    lower = METRICS[finding.metric].lower_is_better
    return difference if lower else 0.0 - difference  # nothing lost has no sign


def _claim(finding: Finding) -> Hypothesis:
    bound = Bound(value=finding.limit, kind=finding.limit_kind)
    return CHECKS[finding.check].claim(bound, METRICS[finding.metric])


def _excess(finding: Finding) -> float | None:
    """How far the estimate is beyond the limit, in the limit's terms; negative is within."""
    if is_factor(finding.check):
        if finding.candidate is None or not finding.baseline:
            return None
        return finding.candidate / finding.baseline - finding.limit
    if is_level(finding.check):
        if finding.candidate is None:
            return None
        over = finding.candidate - finding.limit
        floor = asks_for_more(_claim(finding)) != METRICS[finding.metric].lower_is_better
        return -over if floor else over
    left = slack(finding)
    return None if left is None else -left


def _beyond(finding: Finding) -> float:
    """The excess as a share of the limit, so that limits in other units can be compared."""
    excess = _excess(finding)
    return math.inf if excess is None else excess / (abs(finding.limit) or 1.0)


def _by_how_much(finding: Finding) -> str:
    excess = _excess(finding)
    if excess is None or excess <= 0:
        return ""
    if is_factor(finding.check):
        return f" It misses by {plain(share(excess))} of the baseline's."
    return f" It misses by {plain(Quantities()[finding.metric].size(excess))}."
