"""Findings and slices from plain counts, worked out with textbook formulas (Wald, normal p).

They only have to be plausible to read, never right; the estimators have their own tests.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from prunegate.verdict.finding import Finding, SliceSummary


def upper_tail(z: float) -> float:
    """Of the normal distribution."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def change(**given: Any) -> Finding:
    """A max_drop finding: slice, rule, n, right (by the baseline), lost, gained, margin."""
    n, lost, gained, margin = (given.pop(k) for k in ("n", "lost", "gained", "margin"))
    right = given.pop("right")
    difference = (gained - lost) / n
    spread = math.sqrt(max(lost + gained - n * difference**2, 1)) / n
    safe = upper_tail((difference + margin) / spread)
    harm = 1 - safe
    status = "pass" if safe <= 0.05 else "fail" if 4 * harm <= 0.05 else "inconclusive"
    values: dict[str, Any] = {
        "metric": "recall",
        "check": "max_drop",
        "status": status,
        "severity": "block",
        "evidence": "proven",
        "baseline": right / n,
        "candidate": (right + gained - lost) / n,
        "difference": difference,
        "ci_low": difference - 1.96 * spread,
        "ci_high": difference + 1.96 * spread,
        "limit": margin,
        "p_value": safe,
        "p_harm": harm,
        "p_harm_adjusted": min(1.0, 4 * harm),
        "n": n,
        "lost": lost,
        "gained": gained,
        "method": "exact unconditional (Berger-Boos, Tango ordering)",
    }
    return Finding(**{**values, **given})


def level(**given: Any) -> Finding:
    """An at_least finding from its counts: slice, rule, n, right (candidate), limit."""
    n, right, limit = given.pop("n"), given.pop("right"), given.pop("limit")
    value = right / n
    spread = math.sqrt(value * (1 - value) / n)
    safe = upper_tail((value - limit) / spread)
    values: dict[str, Any] = {
        "metric": "recall",
        "check": "at_least",
        "severity": "block",
        "evidence": "proven",
        "status": "pass" if safe <= 0.05 else "inconclusive" if safe < 0.95 else "fail",
        "baseline": given.pop("before") / n,
        "candidate": value,
        "difference": None,
        "ci_low": value - 1.96 * spread,
        "ci_high": value + 1.96 * spread,
        "limit": limit,
        "p_value": safe,
        "p_harm": 1 - safe,
        "p_harm_adjusted": min(1.0, 4 * (1 - safe)),
        "n": n,
        "method": "exact binomial (Clopper-Pearson)",
    }
    finding = Finding(**{**values, **given})
    return replace(finding, difference=finding.candidate - finding.baseline)  # type: ignore[operator]  # both set


def figure(**given: Any) -> Finding:
    """An operational finding."""
    values: dict[str, Any] = {
        "slice": "overall",
        "severity": "block",
        "evidence": "proven",
        "ci_low": None,
        "ci_high": None,
        "p_value": None,
        "p_harm": None,
        "n": 0,
        "method": "figure",
    }
    finding = Finding(**{**values, **given, "difference": None})
    if finding.baseline is None or finding.candidate is None:
        return finding
    return replace(finding, difference=finding.candidate - finding.baseline)


def summary(name: str, slicing: str, cells: tuple[int, ...], **given: bool) -> SliceSummary:
    flags = {"declared": True, "judged": True, **given}
    return SliceSummary(
        name=name, slicing=slicing, rows=sum(cells), positives=sum(cells[4:]), cells=cells, **flags
    )
