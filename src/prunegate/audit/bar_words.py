"""The words about a sealed bar: was it the same, and was it there before the predictions?"""

from __future__ import annotations

from prunegate.audit.record import Bar
from prunegate.verdict.attempt import Attempt


def bar_in_words(attempt: Attempt, bar: Bar | None) -> str:
    """One sentence for provenance and console."""
    if bar is None:
        return "no: none is known for this gate set"
    sealed = f"sealed at {bar.sealed_at} (entry {bar.entry[:12]})"
    if bar.rules != attempt.rules:
        return f"no: other rules were {sealed}; this verdict was not held to them"
    if bar.contents != attempt.contents:
        return f"no: the rules were {sealed}, but slicing values of the gate set changed since"
    if bar.before_predictions is None:
        return f"{sealed}; when the predictions were made is not known"
    if bar.before_predictions:
        return f"yes: {sealed}, before the predictions were made"
    return f"no: {sealed}, not before the predictions were made"


def bar_warning(attempt: Attempt, bar: Bar | None) -> tuple[str, ...]:
    """A warning where a bar was sealed and the verdict was not held to it."""
    if bar is None or (bar.rules, bar.contents) == (attempt.rules, attempt.contents):
        return ()
    why = bar_in_words(attempt, bar).removeprefix("no: ")
    return (f"The bar sealed for this gate set is not the one it was judged by: {why}.",)
