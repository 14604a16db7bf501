"""Limits on the axis of differences: where a finding's margin lies, and how near the evidence is.

Relative margins and growth of the error rate hang on the baseline's true value, which is estimated;
their line is drawn at the estimate and is for display only. The verdict never uses it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from prunegate.metrics.checks import change_check
from prunegate.report.units import lower_is_better
from prunegate.verdict.finding import Finding
from prunegate.verdict.losses import is_real_loss


@dataclass(frozen=True, kw_only=True)
class Line:
    """The margin of one finding on the axis candidate - baseline."""

    at: float
    allowed_above: bool
    """True: differences at or above the line are allowed; False: at or below."""


def line(finding: Finding) -> Line | None:
    """Where the finding's margin lies; None where it has none (levels, ratios, no baseline)."""
    size, check = _size(finding), change_check(finding.check)
    if check is None or size is None:
        return None
    sign = check.sign("lower" if lower_is_better(finding.metric) else "higher")
    return Line(at=sign * size, allowed_above=(sign > 0) != check.at_most)


def _size(finding: Finding) -> float | None:
    if finding.limit_kind == "absolute":
        return finding.limit
    if finding.baseline is None:
        return None
    if finding.limit_kind == "relative":
        return finding.limit * abs(finding.baseline)
    errors = finding.baseline if lower_is_better(finding.metric) else 1 - finding.baseline
    return finding.limit * errors


def slack(finding: Finding) -> float | None:
    """Distance of the estimate from its margin; negative is outside, None is not defined."""
    margin = line(finding)
    if margin is None or finding.difference is None:
        return None
    away = finding.difference - margin.at
    return away if margin.allowed_above else -away


def relative_slack(finding: Finding) -> float | None:
    """Slack as a share of what is allowed, so that metrics of different units can be compared."""
    margin, away = line(finding), slack(finding)
    if margin is None or away is None:
        return None
    return away / abs(margin.at) if margin.at else math.copysign(math.inf, away) if away else 0.0


def worst_plausible(finding: Finding) -> float | None:
    """The end of the displayed interval that is nearer to breaking the margin."""
    margin = line(finding)
    if margin is None:
        return None
    return finding.ci_low if margin.allowed_above else finding.ci_high


def crosses(finding: Finding) -> bool:
    """Whether the displayed interval reaches over the margin."""
    margin, worst = line(finding), worst_plausible(finding)
    if margin is None or worst is None:
        return False
    return worst < margin.at if margin.allowed_above else worst > margin.at


def lost_for_certain(finding: Finding) -> bool:
    """Whether a change is a loss that stands up to the number of losses that were looked at."""
    return change_check(finding.check) is not None and is_real_loss(finding)
