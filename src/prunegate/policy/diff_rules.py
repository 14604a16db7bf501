"""The rules of two policies compared by what they are about, not by where they stand.

A rule is taken apart into limits: one metric, one check, one place (overall, a slicing, a slice)
and one class each, so that it does not matter whether one rule or three say the same. Limits about
the same are paired; what is left over was added or removed, unless a stricter limit of the other
policy says it anyway. Changes that differ only in place are told together again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prunegate.metrics.checks import CHECKS
from prunegate.policy.change import (
    Change,
    ChangeDirection,
    Kind,
    LimitChanged,
    bar_change,
    comparable_text,
    plain_value,
)
from prunegate.policy.consistency import expected_texts
from prunegate.policy.directions import APART, DIRECTIONS, Both, Move, direction_of
from prunegate.policy.naming import parse_slice_name, slice_name, value_text
from prunegate.policy.schema import Policy, Rule, SliceSpec

OVERALL, ALL = "overall", "all"


@dataclass(frozen=True, kw_only=True)
class ComparedLimit:
    """One limit at one place: what one finding is about."""

    metric: str
    check: str
    place: str
    label: str
    """The class that is judged by itself; ``macro``: all together."""
    fields: tuple[tuple[str, Any], ...]
    """The limit itself under the check's name, then how it is held: evidence, severity, ..."""

    @property
    def matter(self) -> tuple[str, str, str, str]:
        """What it is about."""
        return self.metric, self.check, self.place, self.label

    @property
    def spelled(self) -> str:
        """Its values as one text, by which it can be compared and put in order."""
        return comparable_text(tuple(value for _, value in self.fields))

    def about(self) -> LimitChanged:
        """The limit as a change names it."""
        return LimitChanged(
            metric=self.metric,
            check=self.check,
            limit=plain_value(self.fields[0][1]),
            slices=(self.place,),
            classes=() if self.label == "macro" else (self.label,),
        )


def limit_changes(both: Both) -> Iterator[Change]:
    """Every difference between what the rules of two policies demand."""
    old, new = _limits(both.old), _limits(both.new)
    found = [
        one
        for matter in dict.fromkeys((*(x.matter for x in old), *(x.matter for x in new)))
        for one in _about_one_matter(matter, old, new, both)
    ]
    yield from _together(found)
    yield from _unjudged(both)


def _limits(policy: Policy) -> list[ComparedLimit]:
    return [
        ComparedLimit(
            metric=rule.metric, check=check, place=place, label=label, fields=_fields(rule, check)
        )
        for rule in policy.rules
        for check in rule.limits
        for place in _places(policy, rule)
        for label in _labels(policy, rule)
    ]


def _fields(rule: Rule, check: str) -> tuple[tuple[str, Any], ...]:
    held = [
        name
        for name in Rule.model_fields
        if name not in CHECKS and DIRECTIONS[Rule].get(name) is not APART
    ]
    return tuple((name, getattr(rule, name)) for name in (check, *held))


def _places(policy: Policy, rule: Rule) -> tuple[str, ...]:
    """Where a rule is judged, each place once."""
    named = [place for selector in rule.selects for place in _named_by(policy, selector)]
    return tuple(dict.fromkeys(named))


def _named_by(policy: Policy, selector: str) -> tuple[str, ...]:
    if selector == ALL:
        return (OVERALL, *(spec.label for spec in policy.slices))
    return (selector,)


def _labels(policy: Policy, rule: Rule) -> tuple[str, ...]:
    if isinstance(rule.classes, tuple):
        return tuple(value_text(value) for value in rule.classes)
    known = policy.task.labels or policy.task.classes
    if rule.classes == "each" and known:
        return tuple(value_text(value) for value in known)
    return (rule.classes,)


def _about_one_matter(
    matter: tuple[str, ...], old: Sequence[ComparedLimit], new: Sequence[ComparedLimit], both: Both
) -> Iterator[Change]:
    pairs, gone, come = _paired(
        [limit for limit in old if limit.matter == matter],
        [limit for limit in new if limit.matter == matter],
    )
    for before, after in pairs:
        yield from _between(before, after, both)
    for limit in gone:
        implied = any(_implies(other, limit, both.new, both) for other in new)
        yield _one_sided(limit, "loosened", "implied" if implied else "removed")
    for limit in come:
        back = Both(old=both.new, new=both.old)
        implied = any(_implies(other, limit, both.old, back) for other in old)
        yield _one_sided(limit, "tightened", "implied" if implied else "added")


def _paired(
    old: list[ComparedLimit], new: list[ComparedLimit]
) -> tuple[list[tuple[ComparedLimit, ComparedLimit]], list[ComparedLimit], list[ComparedLimit]]:
    """The likest limits in pairs, equal ones left out; then what is left on either side.

    The order of preference does not depend on which side is the old one, so that the way back is
    told as the same steps.
    """
    for limit in list(old):
        if limit in new:
            old.remove(limit)
            new.remove(limit)
    pairs = []
    while old and new:
        best = min(((a, b) for a in old for b in new), key=lambda pair: _unlikeness(*pair))
        pairs.append(best)
        old.remove(best[0])
        new.remove(best[1])
    return pairs, old, new


def _unlikeness(a: ComparedLimit, b: ComparedLimit) -> tuple[int, list[str]]:
    pairs = zip(a.fields, b.fields, strict=True)
    return sum(comparable_text(x) != comparable_text(y) for x, y in pairs), sorted(
        (a.spelled, b.spelled)
    )


def _between(old: ComparedLimit, new: ComparedLimit, both: Both) -> Iterator[Change]:
    for (name, before), (_, after) in zip(old.fields, new.fields, strict=True):
        if comparable_text(before) != comparable_text(after):
            told = direction_of(Rule, name)(Move(old=before, new=after, both=both))
            yield bar_change(f"rules.{name}", before, after, told, new.about())


def _one_sided(limit: ComparedLimit, kind: Any, because: str) -> Change:
    told = ChangeDirection(kind="neutral" if because == "implied" else kind, because=because)
    about = limit.about()
    old, new = (about.limit, None) if kind == "loosened" else (None, about.limit)
    return bar_change(f"rules.{limit.check}", old, new, told, about)


def _implies(strong: ComparedLimit, weak: ComparedLimit, policy: Policy, both: Both) -> bool:
    """Whether a limit of the newer policy holds only where this one of the older does."""
    if (strong.metric, strong.check, strong.label) != (weak.metric, weak.check, weak.label):
        return False
    return _lies_in(weak.place, strong.place, policy) and all(
        comparable_text(before) == comparable_text(after)
        or direction_of(Rule, name)(Move(old=before, new=after, both=both)).kind != "loosened"
        for (name, before), (_, after) in zip(weak.fields, strong.fields, strict=True)
    )


def _lies_in(place: str, other: str, policy: Policy) -> bool:
    """Whether a place is another one, or one slice of that slicing."""
    if place == other:
        return True
    keys = tuple(parse_slice_name(place) or ())
    return bool(keys) and any(s.label == other and s.keys == keys for s in policy.slices)


def _together(changes: list[Change]) -> Iterator[Change]:
    """Changes that differ only in their slices, and then only in their classes, as one."""
    for part in ("slices", "classes"):
        merged: dict[str, Change] = {}
        for one in changes:
            key = comparable_text(_without(one, part))
            merged[key] = _joined(merged[key], one, part) if key in merged else one
        changes = list(merged.values())
    yield from changes


def _without(one: Change, part: str) -> tuple[Any, ...]:
    about = _about(one)
    rest = about.classes if part == "slices" else about.slices
    held = (about.metric, about.check, about.limit, rest)
    return (one.kind, one.where, one.old, one.new, one.because, *held)


def _joined(first: Change, second: Change, part: str) -> Change:
    a, b = _about(first), _about(second)
    if part == "slices":
        about = replace(a, slices=(*a.slices, *b.slices))
    else:
        about = replace(a, classes=(*a.classes, *b.classes))
    return replace(first, about=about)


def _about(one: Change) -> LimitChanged:
    assert one.about is not None  # noqa: S101  # every change of a limit has one
    return one.about


@dataclass(frozen=True, kw_only=True)
class Demand:
    """That something is judged: a selector of which no slice can be judged is inconclusive."""

    places: frozenset[str]
    """Places of which at least one slice has to have enough evidence."""
    without: frozenset[str]
    """Slices of these places that an earlier selector of the rule has named already."""
    label: str = ""
    """The class that has to be there, where classes are listed."""


def _unjudged(both: Both) -> Iterator[Change]:
    """Demands of the old policy that nothing of the new one answers, and the other way round.

    ``slices: content_type`` asks that some content type can be judged. ``slices: all`` does not:
    overall is enough for it, if no content type is expected.
    """
    ways: tuple[tuple[Policy, Policy, Kind], ...] = (
        (both.old, both.new, "loosened"),
        (both.new, both.old, "tightened"),
    )
    for source, other, kind in ways:
        asked = list(_demands(other))
        for demand in dict.fromkeys(_demands(source)):
            met = any(_is_met(policy=source, place=place) for place in demand.places)
            if met or any(_answers(answer, demand, other) for answer in asked):
                continue
            places = tuple(sorted(demand.places))
            told = ChangeDirection(kind=kind, because="judged")
            old, new = (places, None) if kind == "loosened" else (None, places)
            yield bar_change("rules.slices", old, new, told)


def _demands(policy: Policy) -> Iterator[Demand]:
    """What the blocking rules about rows ask to be judged."""
    for rule in policy.rules:
        if rule.severity != "block":
            continue
        labels = [value_text(x) for x in rule.classes] if isinstance(rule.classes, tuple) else []
        named: list[str] = []
        for selector in rule.selects:
            places = [p for p in _named_by(policy, selector) if p not in named]
            within = frozenset(n for n in named if _lies_in_any(n, frozenset(places), policy))
            for label in ("", *labels) if places else ():
                yield Demand(places=frozenset(places), without=within, label=label)
            named += places


def _is_met(policy: Policy, place: str) -> bool:
    """Whether something of a place is always judged: overall, and slices that are declared."""
    if place == OVERALL:
        return True
    return any(spec.label == place and _is_declared(spec) for spec in policy.slices) or any(
        slice_name(spec.keys, expected_texts(value)) == place
        for spec in policy.slices
        for value in spec.expect
    )


def _is_declared(spec: SliceSpec) -> bool:
    return bool(spec.expect) or spec.name is not None


def _answers(answer: Demand, demand: Demand, policy: Policy) -> bool:
    """Whether what one demand asks to be judged is something that the other asks for."""
    return (
        demand.without <= answer.without
        and demand.label in ("", answer.label)
        and all(_lies_in_any(place, demand.places, policy) for place in answer.places)
    )


def _lies_in_any(place: str, others: frozenset[str], policy: Policy) -> bool:
    return any(_lies_in(place, other, policy) for other in others)
