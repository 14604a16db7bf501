"""The words about a sealed bar: was it the same, and was it there before the predictions?"""

from __future__ import annotations

from prunegate.audit.record import Bar
from prunegate.policy.schema import Policy
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
        return "no: none is known for this gate set"
    other = _another(attempt, bar)
    if other:
        return f"no: {other}"
    sealed = _sealed(bar)
    if bar.before_predictions is None:
        return f"{sealed}; when the predictions were made is not known"
    before = ("yes", "before") if bar.before_predictions else ("no", "not before")
    return f"{before[0]}: {sealed}, {before[1]} the predictions were made"


def _sealed(bar: Bar) -> str:
    return f"sealed at {bar.sealed_at} (entry {bar.entry[:12]})"


def _another(attempt: GateSetAttempt, bar: Bar) -> str:
    """Why the bar is not the one that was judged by; empty: it is."""
    if bar.rules != attempt.rules:
        return f"other rules were {_sealed(bar)}; this verdict was not held to them"
    if bar.contents != attempt.contents:
        return f"the rules were {_sealed(bar)}, but slicing values of the gate set changed since"
    if bar.looser:
        return f"the rules were {_sealed(bar)}, but more may be waived now, or for longer"
    return ""


def bar_warning(attempt: GateSetAttempt, bar: Bar | None) -> tuple[str, ...]:
    """A warning where a bar was sealed and the verdict was not held to it."""
    why = "" if bar is None else _another(attempt, bar)
    if not why:
        return ()
    return (f"The bar sealed for this gate set is not the one it was judged by: {why}.",)
