"""Losses: which slices got worse beyond chance, although no more than their limit allows.

Of fifty slices of a candidate that changed nothing, one or two look worse: their 95 % interval lies
below zero. So a loss is called real only where it stands up to Holm over every limit on a loss that
was looked at; then at most 5 % of verdicts on unchanged candidates call any loss real
(``tests/benchmarks/loss_warnings.py``). What only looks like a loss is not told as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from prunegate.metrics.checks import change_check
from prunegate.metrics.hypothesis import Difference
from prunegate.stats.result import adjust
from prunegate.verdict.finding import Finding

LEVEL = 0.05
"""Of all losses of a verdict together, whatever the policy's own confidence."""
NOTHING_LOST = Difference(margin=Fraction(0))
"""The claim that a loss contradicts."""


def is_loss(finding: Finding) -> bool:
    """Whether a loss is limited, and the whole interval of the change lies on that side of zero."""
    check = change_check(finding.check)
    if check is None or not check.loss:
        return False
    if check.moves == "drop":
        return finding.ci_high is not None and finding.ci_high < 0
    return finding.ci_low is not None and finding.ci_low > 0


def with_adjusted_losses(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings with the evidence of a loss adjusted for the number that was looked at.

    A slice whose interval holds zero counts as one that was looked at and showed nothing.
    """
    places = [place for place, finding in enumerate(findings) if _looked_at(finding)]
    shown = [findings[place].p_loss for place in places]
    adjusted = adjust([1.0 if p is None else p for p in shown])
    found = list(findings)
    for place, p_loss, p_adjusted in zip(places, shown, adjusted, strict=True):
        if p_loss is not None:
            found[place] = replace(findings[place], p_loss_adjusted=p_adjusted)
    return tuple(found)


def is_real_loss(finding: Finding) -> bool:
    """Whether a loss stands up to the number of losses that were looked at."""
    return finding.p_loss_adjusted is not None and finding.p_loss_adjusted <= LEVEL


def _looked_at(finding: Finding) -> bool:
    check = change_check(finding.check)
    return check is not None and check.loss and finding.difference is not None
