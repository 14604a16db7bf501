"""A policy in plain English: one sentence per rule, then what its words mean.

For people who sign but do not read YAML. Says what each rule demands, on which part of the data,
and what happens where it does not hold. ``max_drop`` and ``max_rise`` limit how far a value may
move; ``min_gain`` and ``max_gain`` speak of improvement in the metric's better direction, so for
latency a gain is a fall. A ``max_gain`` is there because an improvement out of proportion usually
means that the test data leaked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prunegate.errors import InputError
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS, change_check
from prunegate.metrics.forms import OverDecisions, WholeRows
from prunegate.metrics.metric import Metric
from prunegate.policy.figures import limit_in_words
from prunegate.policy.messages import suggest
from prunegate.policy.naming import value_text
from prunegate.policy.production import PRODUCTION, production_mix
from prunegate.policy.schema import Policy, Rule, SliceSpec, bound_of
from prunegate.text.escape import escaped
from prunegate.text.nouns import one_of
from prunegate.text.numbers import exact, plain


def explain_policy(policy: Policy) -> list[str]:
    """One sentence per rule, in the policy's order, then the sentences that hold for all of them.

    Raises:
        InputError: a rule names a metric that does not exist.
    """
    rules = [_rule(policy, rule) for rule in policy.rules]
    return rules + [sentence for sentence in _in_general(policy) if sentence]


def explain_check(rule: Rule, check: str, currency: str = "") -> str:
    """One limit of a rule in a few words, for a table: ``drop of at most 2 points``.

    Raises:
        InputError: the rule has no such limit, or names a metric that does not exist.
    """
    if check not in rule.limits:
        valid = ", ".join(rule.limits)
        raise InputError(f"the rule on {escaped(rule.metric)} has no {check}; it has {valid}")
    return _check(rule, check, currency, whole=False)


def _check(rule: Rule, name: str, currency: str, *, whole: bool) -> str:
    """A limit in a few words, or as the end of a ``whole`` sentence."""
    quantity = _metric(rule).quantity(currency)
    bound = bound_of(rule.limits[name])
    return plain(limit_in_words(CHECKS[name], bound, quantity, whole=whole))


def _metric(rule: Rule) -> Metric:
    if rule.metric not in METRICS:
        hint = suggest(rule.metric, METRICS)
        raise InputError(f"unknown metric '{escaped(rule.metric)}'; {hint}")
    return METRICS[rule.metric]


def _rule(policy: Policy, rule: Rule) -> str:
    metric = _metric(rule)
    currency = policy.cost.currency if policy.cost else ""
    demands = [
        f"{_how_sure(rule, check)} {_check(rule, check, currency, whole=True)}".strip()
        for check in rule.limits
    ]
    where = ", ".join([*_places(policy, rule), ""])
    subject = f"{where}{_name(rule, metric)}{_classes(policy, rule)}"
    sentence = f"{subject} must be {', and '.join(demands)}; {_otherwise(rule)}"
    return sentence[0].upper() + sentence[1:]


def _how_sure(rule: Rule, check: str) -> str:
    if _metric(rule).operational:
        return "measured" if change_check(check) is not None else ""
    return "proven" if rule.evidence == "proven" else "measured"


def _name(rule: Rule, metric: Metric) -> str:
    if metric.kind == "rate":
        return metric.phrase_at(k=rule.k, at=rule.at)
    return f"the share of {metric.words}" if metric.kind == "flips" else f"the {metric.words}"


def _classes(policy: Policy, rule: Rule) -> str:
    """Which classes a multiclass rule is about; empty for metrics and tasks without classes."""
    if policy.task.traits.sets:
        return _labels(rule)
    if not policy.task.traits.classes or not _metric(rule).per_class:
        return ""
    if rule.classes == "macro":
        return ", averaged over the classes with equal weight,"
    if rule.classes == "each":
        return " of every class by itself"
    named = [_value(value) for value in rule.classes]
    if len(named) == 1:
        return f" of the class {named[0]}"
    return f" of each of the classes {_listed(named)}"


def _labels(rule: Rule) -> str:
    """Which labels a rule is about, where rows have several."""
    form = _metric(rule).form_of("label sets")
    if form is None:
        return ""
    if rule.classes == "micro" or (rule.classes == "macro" and isinstance(form, OverDecisions)):
        return ", over the decisions on all labels together,"
    if rule.classes == "macro":
        whole = ", of rows with all of their labels,"
        return whole if isinstance(form, WholeRows) else ", averaged over the labels,"
    if rule.classes == "each":
        return " of every label by itself"
    named = [_value(value) for value in rule.classes]
    if len(named) == 1:
        return f" of the label {named[0]}"
    return f" of each of the labels {_listed(named)}"


def _otherwise(rule: Rule) -> str:
    when = "otherwise"
    if rule.on_undefined == "fail":
        when = "otherwise, and where it is undefined,"
    if rule.severity == "warn":
        return f"{when} the report warns, and the decision stays as it is."
    return f"{when} the candidate is not approved."


def _places(policy: Policy, rule: Rule) -> list[str]:
    """``on every content_type (...)`` for each selector; empty for a figure of the whole model."""
    if _metric(rule).operational:
        return []
    places = [_place(policy, selector) for selector in rule.selects]
    return [_listed(places)]


def _place(policy: Policy, selector: str) -> str:
    if selector == "overall":
        return "overall"
    if selector == "all":
        return "overall and on every slice" if policy.slices else "overall"
    if selector == PRODUCTION and policy.data.production is not None:
        return "overall, reweighted to production's mix"
    spec = next((spec for spec in policy.slices if spec.label == selector), None)
    if spec is None:
        return f"on {escaped(selector)}"
    if not spec.keys:
        return f"on the slice {escaped(selector)} ({_conditions(spec)})"
    keys = [escaped(key) for key in spec.keys]
    every = f"every {keys[0]}" if len(keys) == 1 else f"every combination of {_listed(keys)}"
    return f"on {every}{_expected(spec)}"


def _expected(spec: SliceSpec) -> str:
    if not spec.expect:
        return ""
    values = [_value(value) for value in spec.expect]
    return f" ({_listed(values)} must be there)"


def _conditions(spec: SliceSpec) -> str:
    return _listed(
        [f"{escaped(key)} {_either(value)}" for key, value in (spec.where or {}).items()]
    )


def _either(value: Any) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return " or ".join(_value(part) for part in parts)


def _value(value: Any) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return " with ".join(escaped(value_text(part)) for part in parts)


def _listed(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _in_general(policy: Policy) -> list[str]:
    """What the words of the rules mean, and what holds for every slice."""
    return [
        _meaning_of_proven(policy),
        _REUSE[policy.evidence.reuse],
        _meaning_of_measured(policy),
        _minimum(policy),
        _reference(policy),
        _undefined(policy),
        _groups(policy),
        _weights(policy),
        _production(policy),
        _claims(policy),
        _revalidated(policy),
        *_approvals(policy),
        _waivers(policy),
    ]


def _minimum(policy: Policy) -> str:
    minimum, task = policy.evidence.minimum, policy.task.traits
    wanted = _count(minimum.rows, one_of(task.noun))
    if task.yes_no:
        wanted += f" or {_count(minimum.positives, 'positive')}"
    if task.sets:
        wanted += f" or {_count(minimum.positives, 'row')} of a label that is judged"
    if task.classes:
        wanted += f" or {_count(minimum.positives, 'row')} of a class that is judged"
    return (
        f"A slice with fewer than {wanted} is inconclusive: that is too little evidence to approve."
    )


_ORDERED = "to order the rows as the labels do"


def _reference(policy: Policy) -> str:
    """What is demanded of the baseline itself."""
    forms = [_metric(rule).forms.get(policy.task.kind) for rule in policy.rules]
    rows = any(form is not None and form.against_labels for form in forms)
    if policy.evidence.reference == "off" or not rows:
        return ""
    required = policy.evidence.reference == "required"
    each = ", for every label by itself" if policy.task.traits.sets else ""
    then = "nothing is approved" if required else "the report warns"
    agree = "to agree with the labels" if policy.task.traits.decided else _ORDERED
    return (
        f"The baseline has to be shown {agree} beyond chance, on all rows and on "
        f"every slice that is judged{each}; otherwise {then}, because no change against a model "
        "that knows nothing says nothing."
    )


def _claims(policy: Policy) -> str:
    if policy.claims is None:
        return ""
    blocks = policy.claims.severity == "block"
    then = "the candidate is not approved" if blocks else "the report warns"
    return f"Stated figures must not contradict arithmetic or what was measured; otherwise {then}."


def _revalidated(policy: Policy) -> str:
    if policy.revalidate is None:
        return ""
    days = _count(policy.revalidate.after_days, "day")
    return f"A decision holds for {days}; after that the candidate has to be judged anew."


def _approvals(policy: Policy) -> list[str]:
    """Whose word it takes, and how long it holds."""
    wanted = policy.approvals
    if wanted is None:
        return []
    who = _listed([f"{_count(r.count, 'approval')} as {escaped(r.role)}" for r in wanted.required])
    names = {"key": "keys", "person": "people", "organisation": "organisations"}
    differ = _listed([names[one] for one in wanted.distinct])
    told = f", from different {differ}" if len(wanted.distinct) and wanted.total > 1 else ""
    sentences = [f"Before the candidate ships it takes {who}{told}."]
    if wanted.max_age_days is not None:
        days = _count(wanted.max_age_days, "day")
        sentences.append(f"An approval counts for {days}, or until it expires itself.")
    if wanted.attested == "count":
        sentences.append("An approval that only the agency attests counts as well.")
    return sentences


def _waivers(policy: Policy) -> str:
    wanted = policy.waivers
    if wanted is None:
        return ""
    days, most = _count(wanted.max_days, "day"), _count(wanted.at_most, "finding")
    return (
        f"At most {most} of a verdict can be waived, each for {days} at most and on the signed "
        "word of somebody other than who asks for it; it is shown as waived, never as passed."
    )


def _count(count: int, noun: str) -> str:
    return f"{exact(count)} {noun}" if count == 1 else f"{exact(count)} {noun}s"


def _groups(policy: Policy) -> str:
    if policy.group is None:
        return ""
    return (
        f"Rows with the same {escaped(policy.group)} are not counted as independent of each other."
    )


def _weights(policy: Policy) -> str:
    if policy.weight is None:
        return ""
    return (
        f"Rows are weighed by {escaped(policy.weight)}, so that figures hold for the mix that the "
        "weights stand for and not for that of the table."
    )


def _production(policy: Policy) -> str:
    """What production sees, and how far the table may be from it."""
    mix = production_mix(policy)
    if mix is None:
        return ""
    shares = [f"{escaped(v)} {exact(float(share), 2)} %" for v, share in mix.shares.items()]
    told = f"Production sees by {escaped(mix.key)}: {', '.join(shares)}."
    if policy.data.tolerance is None:
        return told
    most = exact(policy.data.tolerance, 2)
    return f"{told} The table's mix may be {most} % of the rows from that; else nothing is judged."


def _judged(policy: Policy, evidence: str) -> bool:
    rows = [rule for rule in policy.rules if _metric(rule).kind != "operational"]
    return any(rule.evidence == evidence for rule in rows)


def _meaning_of_proven(policy: Policy) -> str:
    if not _judged(policy, "proven"):
        return ""
    confidence = exact(policy.evidence.confidence, 2)
    data = "documents" if policy.task.traits.documents else "labelled data"
    told = f"Proven means shown by the {data} with {confidence} % confidence (one-sided)."
    looks = policy.evidence.looks
    if looks == 1:
        return told
    each = exact(round(1 - policy.evidence.alpha, 6), 2)
    return (
        f"{told} That is so over {looks} looks at ever more labels together: each is held to "
        f"{each} %."
    )


_REUSE = {
    "ledger": "",
    "strict": (
        "Every attempt on one gate set, the first too, is held to more than that, so that it is "
        "true of all attempts together."
    ),
    "none": "That speaks of one attempt: further ones on the same gate set cost nothing here.",
}


def _meaning_of_measured(policy: Policy) -> str:
    if not _judged(policy, "point"):
        return ""
    return "Measured means by the estimate alone, which chance can move either way."


def _undefined(policy: Policy) -> str:
    if all(rule.on_undefined == "fail" for rule in policy.rules):
        return ""
    return (
        "Where a value is missing or undefined the answer is inconclusive, which is not an "
        "approval, unless the rule says otherwise."
    )
