"""Unseen range: where nothing but a loss that no row shows keeps a limit on scores open.

Of scores whose range the policy gives, every test reckons with one more row that lost all of it
(``stats/mean.py``). Where the range is far wider than what scores are like, that row decides, and
the interval of what was seen lies well within the limit: that is said, with what helps.
"""

from __future__ import annotations

from dataclasses import replace

from prunegate.evidence.mean_value import MeanValue
from prunegate.evidence.rates import Evidence
from prunegate.metrics.hypothesis import Hypothesis
from prunegate.policy.schema import Policy
from prunegate.text.numbers import MINUS, exact
from prunegate.verdict.finding import Finding


def with_unseen_range(
    policy: Policy, finding: Finding, about: Evidence, claim: Hypothesis
) -> Finding:
    """The open finding, with the range of scores where that alone keeps it open.

    Args:
        policy: which gives the range, or not.
        finding: whose test shows neither side.
        about: its evidence.
        claim: its limit.
    """
    within = policy.task.range
    if within is None or not isinstance(about, MeanValue) or about.span is None:
        return finding
    if about.seen_alone(claim).p_value > policy.evidence.alpha:
        return finding
    low, high = within
    return replace(finding, unseen_low=float(low), unseen_high=float(high), note=_told(low, high))


def _told(low: float, high: float) -> str:
    """Why it is open, and what else than rows helps."""
    ends = ", ".join(exact(end).replace(MINUS, "-") for end in (low, high))
    return (
        "the rows show it by themselves, and with one unseen row that is off by all of 'task: "
        f"range: [{ends}]' they do not; give the narrowest range that no number can leave"
    )
