"""Many values: slicing keys with so many values that hardly a slice can be judged.

A column of widths or times has a value for nearly every row. Its slices are tiny, every one is
inconclusive and asks for thousands of rows more; what was meant are intervals. Past some thousand
slices the statistics take minutes, so that is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.spelled import Spelling, spelling_of
from prunegate.policy.schema import Policy, SliceSpec
from prunegate.text.said import said

MANY = 100
"""Values of one entry of ``slices`` from which a hint is due."""
MANY_ORDERED = 40
"""The same of numbers and times, which intervals would put together."""
MOST = 2_000
"""Values that are judged; each takes some milliseconds."""
_ADVICE = {"number": "numbers", "time": "times", "moment": "times"}
Lines = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class KeyValues:
    """The values of one entry of ``slices``."""

    said: str
    """The entry, for people."""
    number: int
    many: bool
    """Whether a hint is due."""
    advice: str
    """What to do about many."""


def too_many_values(policy: Policy, lines: Lines, most: int = MOST) -> list[str]:
    """What is wrong with keys of more values than can be judged.

    Args:
        policy: slices by them.
        lines: every combination of values at least once, by key.
        most: values of one entry that can be.
    """
    return [
        f"{found.said} has {found.number:,} values, and at most {most:,} slices are judged; "
        f"{found.advice}"
        for found in key_values(policy, lines)
        if found.number > most
    ]


def hints(policy: Policy, lines: Lines) -> tuple[str, ...]:
    """What to do about keys of so many values that most slices are small."""
    return tuple(
        said("warning.many_values", what=found.said, n=found.number, advice=found.advice)
        for found in key_values(policy, lines)
        if found.many
    )


def key_values(policy: Policy, lines: Lines) -> Iterator[KeyValues]:
    """How many values each entry of ``slices`` has; those by ``name`` and ``where`` have none."""
    lines = list(lines)
    for spec in policy.slices:
        if spec.keys:
            values = {tuple(line[key] for key in spec.keys) for line in lines}
            kind = _kind(spec, values)
            yield KeyValues(
                said=_said(spec),
                number=len(values),
                many=len(values) > (MANY if kind is None else MANY_ORDERED),
                advice=said(f"warning.{_ADVICE.get(kind or '', 'words')}", key=spec.label),
            )


def _said(spec: SliceSpec) -> str:
    if len(spec.keys) == 1:
        return said("warning.key", key=shown(spec.keys[0]))
    return said("warning.cross", keys=tuple(map(shown, spec.keys)))


def _kind(spec: SliceSpec, values: set[tuple[Any, ...]]) -> Spelling | None:
    """What a single key's values are; None: words, or a cross."""
    if len(spec.keys) > 1:
        return None
    return spelling_of(str(value) for (value,) in values if value)
