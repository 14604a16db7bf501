"""What must agree about intervals: one set for each key, and no name that is none of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prunegate.policy.intervals import Intervals, names_of_bins
from prunegate.policy.messages import literal, suggest
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy, SliceSpec
from prunegate.policy.validation import Path


def interval_disagreements(policy: Policy) -> Iterator[tuple[Path, str]]:
    """A key has one set of intervals, and values that are named are among them."""
    for index, spec in enumerate(policy.slices):
        found = policy.intervals.get(spec.keys[0]) if len(spec.keys) == 1 else None
        if found is not None and spec.intervals not in (None, found):
            message = f"{literal(spec.keys[0])} has other intervals in another entry; keep one"
            yield ("slices", index, "by"), message
        for key, value in _named_values(spec):
            known = _interval_names(policy.intervals.get(key))
            if known and value_text(value) not in known:
                field = "expect" if spec.keys else "where"
                message = f"{literal(value)} is no interval of {literal(key)}"
                yield ("slices", index, field), f"{message}; {suggest(value_text(value), known)}"


def _named_values(spec: SliceSpec) -> Iterator[tuple[str, Any]]:
    """Keys and values that an entry names."""
    for expected in spec.expect:
        parts = expected if isinstance(expected, tuple) else (expected,)
        yield from zip(spec.keys, parts, strict=False)
    for key, wanted in (spec.where or {}).items():
        for value in wanted if isinstance(wanted, tuple) else (wanted,):
            yield key, value


def _interval_names(intervals: Intervals | None) -> tuple[str, ...]:
    """The names that intervals have; empty where the data tell."""
    if intervals is None or intervals.every:
        return ()
    if intervals.quantiles:
        return tuple(f"q{place}" for place in range(1, intervals.quantiles + 1))
    return names_of_bins(intervals.bins)
