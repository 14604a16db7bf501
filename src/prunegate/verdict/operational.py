"""Operational findings: limits on figures (latency, size, cost), which are not sampled rows.

A counted figure (bytes, parameters, a quoted price) passes or fails outright. An estimated ratio
passes under ``proven`` only if its whole 95 % interval clears the limit. A figure that was not
measured, or on a noisy machine, is inconclusive: never a pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from prunegate.policy.catalogue import METRICS
from prunegate.policy.model import LEVELS, Rule
from prunegate.verdict.figures import Figure
from prunegate.verdict.finding import Finding, Status
from prunegate.verdict.hypotheses import exact


def operational(common: Mapping[str, object], rule: Rule, figure: Figure | None) -> Finding:
    """One limit on one figure; ``common`` are the finding's fields that the question decides."""
    check, limit = str(common["check"]), float(common["limit"])  # type: ignore[arg-type]  # a number by its schema
    share = common["limit_kind"] == "relative"
    status, note = _status(rule, Limited(check=check, limit=exact(limit), share=share), figure)
    baseline = figure.baseline if figure else None
    candidate = figure.candidate if figure else None
    both = baseline is not None and candidate is not None
    shown = figure.ratio if figure and check == "max_ratio" else None
    estimated = figure is not None and figure.ratio is not None and check not in LEVELS
    return Finding(
        **common,  # type: ignore[arg-type]  # built by name
        slice="overall",
        status=status,
        baseline=baseline,
        candidate=candidate,
        difference=candidate - baseline if both else None,  # type: ignore[operator]  # both are numbers
        ci_low=shown.low if shown else None,
        ci_high=shown.high if shown else None,
        p_value=None,
        p_harm=None,
        n=0,
        method="95 % interval of paired rounds" if estimated else "figure",
        note=note,
    )


@dataclass(frozen=True, kw_only=True)
class Limited:
    """What is limited, and how far."""

    check: str
    limit: Fraction
    share: bool
    """The limit is a share of the baseline's figure."""


def _status(rule: Rule, limited: Limited, figure: Figure | None) -> tuple[Status, str]:
    undefined: Status = "fail" if rule.on_undefined == "fail" else "inconclusive"
    if figure is None or figure.candidate is None:
        return undefined, "not measured: give --measurements, or use a rule that needs none"
    if figure.unusable:
        return undefined, figure.unusable
    value = exact(figure.candidate)
    if limited.check in LEVELS:
        low = limited.check == "at_least"
        good = value >= limited.limit if low else value <= limited.limit
        return ("pass" if good else "fail"), ""
    ratio = limited.check == "max_ratio" or limited.share
    if figure.baseline is None or (figure.baseline == 0 and ratio):
        return undefined, "the baseline's figure is missing or zero, so there is no ratio"
    before = exact(figure.baseline)
    if figure.ratio is None or rule.evidence == "point":
        return ("pass" if _within(rule, limited, before, value) else "fail"), ""
    ends = (figure.ratio.low, figure.ratio.high)
    return _settled([_within(rule, limited, before, before * exact(end)) for end in ends])


def _settled(good: Sequence[bool]) -> tuple[Status, str]:
    """An estimate settles a limit when its whole interval lies on one side."""
    if all(good):
        return "pass", ""
    if not any(good):
        return "fail", ""
    return "inconclusive", "the interval of the ratio holds the limit; measure more rounds"


def _within(rule: Rule, limited: Limited, before: Fraction, after: Fraction) -> bool:
    limit = limited.limit * before if limited.share else limited.limit
    rise = after - before
    gain = rise if METRICS[rule.metric].better == "higher" else -rise
    return {
        "max_ratio": after <= limited.limit * before,
        "max_rise": rise <= limit,
        "max_drop": -rise <= limit,
        "min_gain": gain >= limit,
        "max_gain": gain <= limit,
    }[limited.check]
