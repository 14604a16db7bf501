"""Outcome: what findings come to."""

from __future__ import annotations

from collections.abc import Sequence

from prunegate.verdict.finding import BEATS_CONSTANT, Finding, Outcome


def outcome(findings: Sequence[Finding]) -> Outcome:
    """The decision; nothing blocking judged is never an approve."""
    blocking = [f for f in findings if f.severity == "block"]
    if any(f.status == "fail" for f in blocking):
        return "reject"
    # what is waived is judged, but holds not; the reference is no limit that could hold
    passed = any(f.status == "pass" and f.check != BEATS_CONSTANT for f in blocking)
    if passed and all(f.status in ("pass", "waived") for f in blocking):
        return "approve"
    return "inconclusive"
