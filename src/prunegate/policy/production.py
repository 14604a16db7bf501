"""The production mix: which content a model meets, as ``data: production:`` declares it.

A table rarely holds content as often as production does. The mix says how often each value of one
slicing key occurs there, so that what is true of the table can be told of production, too: each
value's rows count for its share (post-stratification), under the slice's name ``production``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from prunegate.errors import UnsupportedError
from prunegate.metrics.catalogue import METRICS
from prunegate.policy.messages import literal, suggest
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.policy.validation import Path
from prunegate.policy.weight_consistency import WEIGHED
from prunegate.text.numbers import as_written

PRODUCTION = "production"
"""What rules call the slice, and the slice's name."""
ROUNDED = Fraction(1, 100)
"""How far from 1 the shares may add up to, because people round them; they are scaled to 1."""


@dataclass(frozen=True, kw_only=True)
class ProductionMix:
    """How often production sees each value of a slicing key."""

    key: str
    shares: Mapping[str, Fraction]
    """By the value's text, the largest first; they add up to 1."""


def production_mix(policy: Policy) -> ProductionMix | None:
    """The mix that a policy declares; None: it declares none."""
    for key, given in (policy.data.production or {}).items():
        shares = {value_text(value): Fraction(str(share)) for value, share in given.items()}
        total = sum(shares.values())
        if total > 0:  # in one order, because a record does not keep a mapping's
            each = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0]))
            return ProductionMix(key=key, shares={value: s / total for value, s in each})
    return None


def reweights(policy: Policy) -> bool:
    """Whether the slice ``production`` is made: of yes/no decisions and classes, without groups."""
    single = policy.group is None and policy.weight is None
    return policy.data.production is not None and single and policy.task.traits.weighed


def refuse_production_rules(policy: Policy, why: str) -> None:
    """Refuse rules on the slice ``production`` where rows cannot be reweighted.

    Args:
        policy: the policy.
        why: goes on after the rule's slice, and says what to do.

    Raises:
        UnsupportedError: a rule names it.
    """
    if policy.data.production is not None and any(PRODUCTION in r.selects for r in policy.rules):
        raise UnsupportedError(f"'slices: production' {why}")


def production_disagreements(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Where the declared mix contradicts the rest of a policy, or itself."""
    given = policy.data.production
    if given is None:
        if policy.data.tolerance is not None:
            yield ("data", "tolerance"), "is for 'data: production:', which is missing; declare it"
        return
    if policy.weight is not None:
        message = "'weight' says already how often the world has each row; keep one of the two"
        yield ("data", "production"), message
    for key, shares in given.items():
        yield from _of_key(policy, key, shares)
    yield from _of_rules(policy)


def _of_key(policy: Policy, key: str, shares: Mapping[str, float]) -> Iterator[tuple[Path, str]]:
    at: Path = ("data", "production", key)
    known = [spec.label for spec in policy.slices if len(spec.keys) == 1]
    if key not in known:
        hint = suggest(key, known) if known else "the policy has none: add 'slices: [{by: ...}]'"
        yield at, f"{literal(key)} is no slicing key by itself ('slices: [{{by: ...}}]'); {hint}"
    if len({value_text(value) for value in shares}) < len(shares):
        yield at, "lists a value twice, in two spellings of Unicode; keep one"
    total = sum(Fraction(str(share)) for share in shares.values())
    if abs(Fraction(total) - 1) > ROUNDED:
        found = as_written(float(total))
        yield at, f"the shares add up to {found}; they are shares of all, and add up to 1"


def _of_rules(policy: Policy) -> Iterator[tuple[Path, str]]:
    labels = {spec.label for spec in policy.slices}
    if PRODUCTION in labels:
        message = "a slice is called 'production' already, which names the mix; rename the slice"
        yield ("data", "production"), message
    for index, rule in enumerate(policy.rules):
        if PRODUCTION not in rule.selects:
            continue
        at: Path = ("rules", index, "slices")
        metric = METRICS.get(rule.metric)
        form = None if metric is None else metric.forms.get(policy.task.kind)
        if not policy.task.traits.weighed:
            message = f"rows are reweighted of binary and multiclass tasks, not {policy.task.kind}"
            yield at, f"{message}; limit it overall and on each value"
        elif policy.group is not None:
            message = "rows that come in groups ('group') are not reweighted by this version"
            yield at, f"{message}; limit it overall and on each value"
        elif metric is not None and not metric.operational and not isinstance(form, WEIGHED):
            yield at, f"{rule.metric} cannot be reweighted to production; limit it overall"
