"""The words of a changed bar: one plain sentence per change, made from its fields here alone."""

from __future__ import annotations

from typing import Any

from prunegate.metrics.catalogue import METRICS
from prunegate.policy.change import Change, LimitChanged
from prunegate.policy.explain import explain_check
from prunegate.policy.messages import literal
from prunegate.policy.schema import Rule
from prunegate.text.escape import escaped

BECAUSE = {
    "number": {"tightened": "more is demanded", "loosened": "less is demanded"},
    "order": {"tightened": "more is demanded", "loosened": "less is demanded"},
    "added": {"tightened": "that is demanded now"},
    "removed": {"loosened": "that is demanded no longer"},
    "expected": {"tightened": "without it nothing is approved now"},
    "not_expected": {"loosened": "its absence holds nothing back any more"},
    "waivable": {"loosened": "findings that do not hold can be let pass now"},
    "not_waivable": {"tightened": "no finding can be let pass any more"},
    "implied": {"neutral": "another limit that is as strict or stricter demands it all the same"},
    "judged": {
        "tightened": "some slice there has to have enough evidence to be judged now",
        "loosened": "it may be that no slice there has enough evidence to be judged",
    },
    "form": {"loosened": "which form is stricter depends on the baseline's value"},
    "undeclared": {"loosened": "prunegate knows no direction for it"},
    "undeclared_slices": {
        "loosened": "slices that the policy does not name are passed over below it"
    },
    "task": {"loosened": "the same limits now speak of other decisions"},
    "range": {"loosened": "losses that were not seen are reckoned with in another way"},
    "where": {"loosened": "the slice has other rows now"},
    "group": {"loosened": "other rows count as dependent on each other"},
    "weight": {"loosened": "rows count for more or less than they did"},
    "generate": {"loosened": "texts are written at other lengths"},
    "quality": {"loosened": "what is written is rated in another way"},
    "production": {"loosened": "results are reweighted to another mix"},
    "data": {"loosened": "other data are judged"},
    "baseline": {"loosened": "the candidate is compared with another model"},
    "money": {"loosened": "limited or stated figures of money follow from it"},
    "claims": {"loosened": "other figures are held against what was measured"},
    "language": {"loosened": "the policy is in another version of the language"},
    "same": {"neutral": "the value that holds is the same"},
    "reordered": {"neutral": "their order does not matter"},
    "words": {"neutral": "it names or explains and judges nothing"},
    "making": {"neutral": "it is about how a candidate is made, and each is judged alike"},
    "candidate": {"neutral": "another candidate faces the same bar"},
    "no_money_rule": {"neutral": "no rule limits money, and no figures are stated"},
    "place": {"neutral": "the figures read from it are compared themselves"},
}
"""Why a change is of its kind, by the name of the reason and the kind."""


def change_sentence(change: Change) -> str:
    """The change in one sentence, with names from the policy made harmless."""
    why = BECAUSE[change.because][change.kind]
    if not change.told:
        why = f"whether more can pass now cannot be told, because {why}"
    return f"{_what(change)}; {why}."


def _what(change: Change) -> str:
    if change.about is None:
        return f"{escaped(change.where)} {_moved(literal(change.old), literal(change.new), change)}"
    field, about = change.where.removeprefix("rules."), change.about
    if field == about.check:
        moved = _moved(_limit(about, change.old), _limit(about, change.new), change)
        return f"{_subject(about)}: the limit {moved}"
    moved = _moved(literal(change.old), literal(change.new), change)
    return f"{_subject(about)}, {_limit(about, about.limit)}: its {field} {moved}"


def _moved(old: str, new: str, change: Change) -> str:
    if change.old is None:
        return f"is new ({new})"
    return f"is gone (was {old})" if change.new is None else f"was {old} and is {new}"


def _subject(about: LimitChanged) -> str:
    """``recall on content_type and overall``, with the classes where they are judged alone."""
    name = METRICS[about.metric].phrase if about.metric in METRICS else escaped(about.metric)
    if about.classes:
        name += " of every class" if about.classes == ("each",) else f" of {_listed(about.classes)}"
    if about.metric in METRICS and METRICS[about.metric].operational:
        return name
    return f"{name} on {_listed(about.slices)}"


def _limit(about: LimitChanged, limit: Any) -> str:
    """``at least 85 %``; empty for a limit that is not there."""
    if limit is None:
        return ""
    rule = Rule.model_validate({"metric": about.metric, about.check: limit})
    return explain_check(rule, about.check)


def _listed(names: tuple[str, ...]) -> str:
    words = [escaped(name) for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
