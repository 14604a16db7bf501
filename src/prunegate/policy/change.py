"""A change of the bar: one difference between two policies, as fields.

What is said of it is made elsewhere (``diff_words.py``); here is what it is. ``kind`` answers the
one question that counts for whoever relies on the policy: can a candidate pass now that could not
pass before? Where that cannot be told the change counts as loosened, and ``told`` is false.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prunegate.policy.section import Section

Kind = Literal["tightened", "loosened", "neutral"]
KINDS: tuple[Kind, ...] = ("loosened", "tightened", "neutral")
"""In the order in which they are to be read: the loosened ones must not be overlooked."""


@dataclass(frozen=True, kw_only=True)
class ChangeDirection:
    """Which way one value moved, and how that is known."""

    kind: Kind
    because: str
    """Why, by the name of the reason in ``diff_words.BECAUSE``."""
    told: bool = True
    """Whether the direction is known; where it is not, ``kind`` is loosened."""


@dataclass(frozen=True, kw_only=True)
class LimitChanged:
    """The limit that a change is about: rules have no names, so this is how one is recognised."""

    metric: str
    check: str
    limit: Any
    """As the new policy has it, or the old one where it is gone; a plain JSON value."""
    slices: tuple[str, ...]
    """``overall``, slicings by their label, single slices by their name."""
    classes: tuple[str, ...] = ()
    """The classes of a multiclass task that are judged by themselves; empty: all together."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference between two policies."""

    kind: Kind
    where: str
    """The field as a dotted path: ``evidence.confidence``; ``rules.max_drop`` for a limit."""
    old: Any
    """Plain JSON value of the old policy; None: it was not there."""
    new: Any
    """Plain JSON value of the new policy; None: it is not there any more."""
    because: str
    """Why it is of this kind, by the name of the reason in ``diff_words.BECAUSE``."""
    told: bool = True
    """Whether the direction is known; where it is not, ``kind`` is loosened."""
    about: LimitChanged | None = None
    """The limit, for a change of the rules."""


def bar_change(
    where: str, old: Any, new: Any, told: ChangeDirection, about: LimitChanged | None = None
) -> Change:
    """The change of one value, with its values made plain."""
    return Change(
        kind=told.kind,
        where=where,
        old=plain_value(old),
        new=plain_value(new),
        because=told.because,
        told=told.told,
        about=about,
    )


def plain_value(value: Any) -> Any:
    """A policy's value as plain JSON, with every default written out."""
    if isinstance(value, Section):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): plain_value(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [plain_value(part) for part in value]
    return value


def comparable_text(value: Any) -> str:
    """A value as text by which it can be compared: 1, 1.0, true and "1" are four values.

    >>> comparable_text(1) == spelled(True), spelled((1, 2)) == spelled([1, 2])
    (False, True)
    """
    return json.dumps(plain_value(value), sort_keys=True)
