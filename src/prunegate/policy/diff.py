"""Diff: how the bar moved between two policies, every change as tightened, loosened or neutral.

Pure: two policies in, changes out. Sections are compared field by field, each field by its declared
direction (``directions.py``); rules and slices by what they are about, so that their order does not
matter. Defaults are written out first: saying one is no change. A name, a purpose or the making of
the candidate is neutral; whatever cannot be told counts as loosened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from prunegate.policy.change import KINDS, Change, bar_change, comparable_text
from prunegate.policy.consistency import expected_texts
from prunegate.policy.diff_rules import limit_changes
from prunegate.policy.directions import APART, Both, Direction, Move, direction_of, present, untold
from prunegate.policy.messages import show_path
from prunegate.policy.naming import slice_name
from prunegate.policy.schema import ErrorRatio, Policy, Relative, SliceSpec
from prunegate.policy.section import Section
from prunegate.policy.steps import Keep, ShareBelow

VALUES = (Relative, ErrorRatio, Keep, ShareBelow)
"""Sections that are one value with the name of its form."""


def diff(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Every difference between two policies, loosened ones first; none for equal ones."""
    both = Both(old=old, new=new)
    found = [
        *limit_changes(both),
        *_slices(both),
        *_expectations(both),
        *_sections(old, new, (), both),
    ]
    return tuple(one for kind in KINDS for one in found if one.kind == kind)


def loosened(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """The changes that let more pass, or of which that cannot be ruled out."""
    return tuple(one for one in changes if one.kind == "loosened")


def _sections(
    old: Section, new: Section, at: tuple[str | int, ...], both: Both
) -> Iterator[Change]:
    for name in type(old).model_fields:
        direction = direction_of(type(old), name)
        if direction is not APART:
            values = getattr(old, name), getattr(new, name)
            yield from _values(values, (*at, name), direction, both)


def _values(
    values: tuple[Any, Any], at: tuple[str | int, ...], direction: Direction, both: Both
) -> Iterator[Change]:
    old, new = values
    if comparable_text(old) == comparable_text(new):
        return
    if isinstance(old, Section) and type(old) is type(new) and not isinstance(old, VALUES):
        yield from _sections(old, new, at, both)
    elif _are_sections(old) and _are_sections(new):
        for place, pair in enumerate(zip_longest(old, new)):
            yield from _values(pair, (*at, place), direction, both)
    else:
        yield bar_change(show_path(at), old, new, direction(Move(old=old, new=new, both=both)))


def _are_sections(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(part, Section) for part in value)


def _slices(both: Both) -> Iterator[Change]:
    """Slicings and slices by their label: what they are, and what of them has to be there."""
    old, new = ({spec.label: spec for spec in policy.slices} for policy in (both.old, both.new))
    for label in dict.fromkeys((*old, *new)):
        before, after = old.get(label), new.get(label)
        at, move = ("slices", label), Move(old=before, new=after, both=both)
        if before is None or after is None:
            yield bar_change(show_path(at), before, after, present(move))
        elif before.keys != after.keys:
            yield bar_change(show_path(at), before, after, untold("where")(move))
        else:
            yield from _one_slicing(before, after, both)


def _one_slicing(old: SliceSpec, new: SliceSpec, both: Both) -> Iterator[Change]:
    for name in SliceSpec.model_fields:
        direction, at = direction_of(SliceSpec, name), ("slices", old.label, name)
        if direction is not APART:
            for before, after in _differing(name, old, new):
                yield bar_change(
                    show_path(at), before, after, direction(Move(old=before, new=after, both=both))
                )


def _differing(name: str, old: SliceSpec, new: SliceSpec) -> Iterator[tuple[Any, Any]]:
    """What differs in one field: each expected value by itself, everything else as a whole."""
    before, after = getattr(old, name), getattr(new, name)
    if name == "expect":
        a, b = _expected(old), _expected(new)
        yield from ((value, None) for value in a if value not in b)
        yield from ((None, value) for value in b if value not in a)
    elif name == "where":
        if _selection(before) != _selection(after):
            yield before, after
    elif comparable_text(before) != comparable_text(after):
        yield before, after


def _expectations(both: Both) -> Iterator[Change]:
    """What the data must be: each expectation as a whole, wherever it stands."""
    old, new = (
        {comparable_text(one): one for one in policy.data.expect} for policy in (both.old, both.new)
    )
    for text, either in {**old, **new}.items():
        before, after = old.get(text), new.get(text)
        if before is None or after is None:
            at = ("data", "expect", either.name)
            yield bar_change(
                show_path(at), before, after, present(Move(old=before, new=after, both=both))
            )


def _selection(where: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """Conditions by column, in any order of their alternatives."""
    parts = {k: v if isinstance(v, tuple) else (v,) for k, v in (where or {}).items()}
    return {key: sorted(set(map(comparable_text, values))) for key, values in parts.items()}


def _expected(spec: SliceSpec) -> list[str]:
    """The names of the slices that have to be there."""
    return [slice_name(spec.keys, expected_texts(value)) for value in spec.expect]
