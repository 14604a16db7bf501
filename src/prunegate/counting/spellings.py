"""Spellings: the texts by which a policy calls values of the columns whose values are compared.

A table's slices are called as the policy calls them: where it says ``"True"``, a slice has that
name, whether the file writes true, True or 1 bit of Parquet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prunegate.counting.tasks.every import task_of
from prunegate.policy.naming import parse_slice_name, value_text
from prunegate.policy.schema import Policy


def spellings(policy: Policy) -> Mapping[str, frozenset[str]]:
    """By slicing key, and column of labels that are compared as texts: what the policy names."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for key in policy.keys:
        found[key].update(())
    for key, value in _of_slices(policy):
        found[key].add(value_text(value))
    if task_of(policy).as_text:
        classes = [*policy.task.classes, *_of_rules(policy)]
        columns = policy.columns
        for column in (columns.label, columns.baseline, columns.candidate):
            found[column].update(map(value_text, classes))
    return {column: frozenset(texts) for column, texts in found.items()}


def _of_slices(policy: Policy) -> Iterator[tuple[str, Any]]:
    for spec in policy.slices:
        for expected in spec.expect:
            yield from zip(spec.keys, _parts(expected), strict=True)
        for key, wanted in (spec.where or {}).items():
            yield from ((key, value) for value in _parts(wanted))
    for rule in policy.rules:
        for selector in rule.selects:
            pairs = parse_slice_name(selector) or {}
            yield from ((key, value) for key, value in pairs.items() if key in policy.keys)


def _of_rules(policy: Policy) -> Iterator[Any]:
    for rule in policy.rules:
        if isinstance(rule.classes, tuple):
            yield from rule.classes


def _parts(value: Any) -> Iterable[Any]:
    return value if isinstance(value, tuple) else (value,)
