"""What can still be checked in a policy whose schema has mistakes.

A file with a misspelt key in one rule may also name an unknown slice in another: people want both
in one run. So wrong keys are left out, parts that are then still broken give way to harmless
stand-ins in the same place, and the rest is checked. That policy is for finding mistakes
only; nothing is ever judged by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from prunegate.metrics.checks import CHECKS
from prunegate.policy.schema import Policy
from prunegate.policy.validation import Path, valid_keys, validate_values

_STAND_INS: dict[str, Any] = {
    "prunegate": 1,
    "name": "unnamed",
    "task": {"kind": "score"},
    "rules": [{"metric": "?", "at_least": 0}],
}
_LISTS = ("rules", "slices")
_MANY = 200
"""A file with more mistakes than this is no policy with slips: its last ones can wait."""


@dataclass(frozen=True, kw_only=True)
class CheckablePart:
    """The part of a broken policy that can be checked."""

    policy: Policy
    left_out: tuple[Path, ...]
    """Keys that were removed."""
    replaced: tuple[Path, ...]
    """Parts that a stand-in took the place of: (section,) or (section, index)."""

    @property
    def sections(self) -> frozenset[str]:
        """Sections that are not what the file says, so that nothing may lean on them."""
        return frozenset(str(path[0]) for path in self.replaced)

    def doubts(self, path: Path) -> bool:
        """Whether a mistake found at this path may come from what was left out."""
        related = any(_is_within(path, out) or _is_within(out, path) for out in self.left_out)
        return related or any(_is_within(path, part) for part in self.replaced)


def checkable_part(value: dict[str, Any], broken: Iterable[Path]) -> CheckablePart | None:
    """What is left when the ``broken`` paths are left out or stood in for; None if nothing is."""
    paths = tuple(broken)
    if len(paths) > _MANY:
        return None
    left_out = tuple(filter(None, map(_removable, paths)))
    rest: Any = dict(value)
    for path in left_out:
        rest = _without(rest, path)
    policy, mistakes = validate_values(rest)
    replaced = tuple(dict.fromkeys(_part(mistake.path) for mistake in mistakes))
    if policy is None:
        for part in replaced:
            _stand_in(rest, part)
        policy, _ = validate_values(rest)
    if policy is None:
        return None
    return CheckablePart(policy=policy, left_out=left_out, replaced=replaced)


def _removable(path: Path) -> Path | None:
    """The key to leave out: an unknown one, a rule's limit, or the expected values of a slicing."""
    if path and isinstance(path[-1], str) and path[-1] not in valid_keys(path[:-1]):
        return path
    if path[:1] == ("rules",) and len(path) > 2 and path[2] in CHECKS:
        return path[:3]
    if path[:1] == ("slices",) and len(path) > 2 and path[2] == "expect":
        return path[:3]
    return None


def _without(value: Any, path: Path) -> Any:
    head, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_without(item, rest) if i == head else item for i, item in enumerate(value)]
    if not rest:
        return {key: item for key, item in value.items() if key != head}
    return {key: _without(item, rest) if key == head else item for key, item in value.items()}


def _part(path: Path) -> Path:
    is_element = len(path) > 1 and path[0] in _LISTS
    return path[:2] if is_element else path[:1]


def _stand_in(rest: dict[str, Any], part: Path) -> None:
    match part:
        case ("rules", int(place)):
            _put(rest, part, {"metric": f"?{place}", "at_least": 0})
        case ("slices", int(place)):
            _put(rest, part, {"by": f"?{place}"})
        case (str(section),) if section in _STAND_INS:
            rest[section] = _STAND_INS[section]
        case _:
            rest.pop(str(part[0]), None)


def _put(rest: dict[str, Any], part: Path, stand_in: dict[str, Any]) -> None:
    section, place = str(part[0]), part[1]
    rest[section] = [stand_in if i == place else x for i, x in enumerate(rest[section])]


def _is_within(path: Path, outer: Path) -> bool:
    return path[: len(outer)] == outer
