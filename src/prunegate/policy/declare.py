r"""Declare: the lines of a policy that would declare one slice and give it the policy's margin.

A named slice (``where``) declares exactly the rows meant; ``by`` would declare every other value of
the same columns too. The lines are items to add under the policy's own ``slices:`` and ``rules:``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import losses
from prunegate.policy.consistency import RESERVED
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy, Rule
from prunegate.policy.template import quote

_LONGEST_NAME = 60
_LONGEST_TEXT = 2000
_COPIED = ("classes", "evidence", "severity", "on_undefined")


def declares(policy: Policy, where: Mapping[str, str]) -> bool:
    """Whether a slice of the policy has exactly these columns' values as its rows."""
    for spec in policy.slices:
        if spec.keys and set(spec.keys) == set(where):
            return True
        if spec.where and set(spec.where) == set(where):
            allowed = {key: _texts(value) for key, value in spec.where.items()}
            if all(allowed[key] == {text} for key, text in where.items()):
                return True
    return False


def containing(policy: Policy, where: Mapping[str, str | None]) -> list[dict[str, set[str]]]:
    """The declared slices that every row with these values belongs to, as allowed values."""
    found: list[dict[str, set[str]]] = []
    for spec in policy.slices:
        values = {key: where.get(key) for key in (*spec.keys, *(spec.where or {}))}
        texts = {key: value for key, value in values.items() if value is not None}
        if len(texts) < len(values):
            continue
        allowed = {key: _texts(value) for key, value in (spec.where or {}).items()}
        if all(texts[key] in allowed.get(key, {texts[key]}) for key in texts):
            found.append({key: allowed.get(key, {texts[key]}) for key in texts})
    return found


def named_slices(policy: Policy, columns: Sequence[str]) -> list[dict[str, set[str]]]:
    """The slices that the policy names by values of these columns alone, as allowed values."""
    specs = (spec.where for spec in policy.slices if spec.where)
    return [
        {key: _texts(value) for key, value in where.items()}
        for where in specs
        if set(where) <= set(columns)
    ]


def snippet(policy: Policy, where: Mapping[str, str], taken: set[str]) -> str | None:
    """YAML with a slice to add under ``slices:`` and, with the policy's margin, a rule for it.

    Args:
        policy: whose first rule with a margin is copied; a policy without one gets no rule, and
            its rules on ``all`` slices still hold for the slice.
        where: the text of each column's value.
        taken: names that other snippets have used; the new one is added.

    Returns:
        The text, or None where a policy cannot hold a value or a column's name: more than 2,000
        characters, or a NUL.
    """
    texts = [*where, *where.values()]
    if any(len(text) > _LONGEST_TEXT or "\0" in text for text in texts):
        return None
    name = _name(policy, where, taken)
    taken.add(name)
    pairs = ", ".join(f"{quote(key)}: {quote(text)}" for key, text in where.items())
    lines = ["slices:", f"  - {{name: {quote(name)}, where: {{{pairs}}}}}"]
    if rule := _rule(policy, name):
        lines += ["rules:", f"  - {rule}"]
    return "\n".join(lines) + "\n"


def _texts(value: Any) -> set[str]:
    parts = value if isinstance(value, tuple) else (value,)
    return {value_text(part) for part in parts}


def _name(policy: Policy, where: Mapping[str, str], taken: set[str]) -> str:
    """``holiday-eu`` for season=holiday, region=eu; numbered where that is a name already."""
    plain = unicodedata.normalize("NFKD", "-".join(where.values()))
    words = re.sub(r"[^A-Za-z0-9._]+", "-", re.sub(r"[\u0300-\u036f]", "", plain)).strip("-._")
    base = words[:_LONGEST_NAME].rstrip("-._") or "slice"
    known = {*RESERVED, *taken, *(spec.label for spec in policy.slices)}
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(known) + 2))
    return next(name for name in names if name not in known)


def _rule(policy: Policy, name: str) -> str | None:
    """The first rule with a margin on a model's quality, blocking ones first, for one slice."""
    rules = sorted(policy.rules, key=lambda rule: rule.severity != "block")
    for rule in rules:
        metric = METRICS.get(rule.metric)
        limits = [check for check in losses() if check in rule.limits]
        if metric is not None and not metric.operational and limits:
            return _flow({"metric": rule.metric, "slices": name, **_fields(rule, limits)})
    return None


def _fields(rule: Rule, limits: list[str]) -> dict[str, Any]:
    given = rule.model_dump(mode="json", exclude_unset=True)
    return {field: given[field] for field in (*limits, *_COPIED) if field in given}


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return quote(value)
