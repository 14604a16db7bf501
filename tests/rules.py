"""What a verdict says of the policy's own rules."""

from __future__ import annotations

from prunegate.verdict.finding import BEATS_CONSTANT, Finding, Verdict


def of_rules(verdict: Verdict) -> tuple[Finding, ...]:
    """The findings that rules ask for, without those on the reference that stand after them."""
    return tuple(f for f in verdict.findings if f.check != BEATS_CONSTANT)
