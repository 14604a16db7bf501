"""The words about a sealed bar: was it the same, and was it there before the predictions?"""

from __future__ import annotations

from prunegate.audit.record import Bar
from prunegate.policy.schema import Policy
from prunegate.text.said import said
from prunegate.verdict.gate_set_attempt import GateSetAttempt

SEAL = "urn:prunegate:seal:v1"
"""Predicate type of a bar that was sealed before its run."""


def is_looser(policy: Policy, bar: Bar) -> bool:
    """Whether a policy lets more be waived, or for longer, than the one that was sealed."""
    now = policy.waivers
    return now is not None and (now.at_most > bar.at_most or now.max_days > bar.max_days)


def bar_in_words(attempt: GateSetAttempt, bar: Bar | None) -> str:
    """One sentence for provenance and console."""
    if bar is None:
        return said("warning.bar_none")
    other = _another(attempt, bar)
    if other:
        return said("warning.bar_no", why=other)
    sealed = _sealed(bar)
    if bar.before_predictions is None:
        return said("warning.bar_unknown", sealed=sealed)
    key = "warning.bar_before" if bar.before_predictions else "warning.bar_after"
    return said(key, sealed=sealed)


def _sealed(bar: Bar) -> str:
    return said("warning.sealed", at=bar.sealed_at, entry=bar.entry[:12])


def _another(attempt: GateSetAttempt, bar: Bar) -> str:
    """Why the bar is not the one that was judged by; empty: it is."""
    if bar.rules != attempt.rules:
        return said("warning.bar_rules", sealed=_sealed(bar))
    if bar.contents != attempt.contents:
        return said("warning.bar_contents", sealed=_sealed(bar))
    if bar.looser:
        return said("warning.bar_looser", sealed=_sealed(bar))
    return ""


def bar_warning(attempt: GateSetAttempt, bar: Bar | None) -> tuple[str, ...]:
    """A warning where a bar was sealed and the verdict was not held to it."""
    why = "" if bar is None else _another(attempt, bar)
    if not why:
        return ()
    return (said("warning.bar", why=why),)
