"""The rules' digest: one name for everything in a policy that decides a verdict.

Two policies that judge alike have the same digest: comments, titles, names and owners, the order of
keys, of rules and of slices, defaults written out, names that ``data: columns:`` maps, how a
candidate is made or found and where a place outside the policy's folder lies do not matter.
Whatever is not listed as deciding nothing is in it, so that a new key of the policy language starts
as one that decides.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from prunegate.metrics.checks import CHECKS
from prunegate.policy.place import PUBLIC
from prunegate.policy.schema import Policy
from prunegate.policy.task import Thresholds

DECIDES_NOTHING = frozenset(
    {
        *("prunegate", "name", "title", "purpose", "owner", "words", "labels", "report"),
        *("model", "data", "compress", "search"),
        *("revalidate", "approvals", "waivers"),
    }
)
"""Keys of a policy that turn no finding; some are other issues' and may not be there yet."""


def rules_digest(policy: Policy) -> str:
    """sha256 of what decides, lower-case hexadecimal."""
    rules = policy.model_dump(mode="json", exclude=set(DECIDES_NOTHING), context=PUBLIC)
    rules["evidence"].pop("reuse")  # the ledger is kept whichever way it is spent
    if isinstance(policy.task.threshold, Thresholds):
        rules["task"]["threshold"].pop("found")  # follows from the rules and the candidate
    if policy.data.production is not None:  # of the data section, all that turns a finding
        rules["production"] = policy.data.production
    if policy.data.expect:  # where these are not met, nothing is judged
        rules["expect"] = _unordered([one.model_dump(mode="json") for one in policy.data.expect])
    _leave_out_what_is_not_said(rules)
    for spec in rules["slices"]:
        spec["expect"] = _unordered(spec["expect"])
    for rule in rules["rules"]:
        rule["slices"] = _list(rule["slices"])
        rule["classes"] = _list(rule["classes"])
    rules["slices"], rules["rules"] = map(_unordered, (rules["slices"], rules["rules"]))
    rules["task"]["classes"] = _unordered(rules["task"]["classes"])
    if "labels" in rules["task"]:
        rules["task"]["labels"] = _unordered(rules["task"]["labels"])
    if rules.get("claims"):
        rules["claims"].pop("file")  # its figures are here
    return hashlib.sha256(_spelled(rules).encode()).hexdigest()


_FIRST_CHECKS = frozenset(
    {
        *("at_least", "at_most", "max_drop", "max_rise", "min_gain", "max_gain"),
        "max_ratio",
    }
)
"""Checks that the first digests have whether a rule sets them or not. It is history: a check that
is new does not belong here, and is left out where a rule does not set it."""
_LATER: dict[tuple[str, ...], dict[str, Any]] = {
    ("evidence",): {"reference": "required", "looks": 1},
    ("task",): {"ignore": [], "tune": None, "labels": []},
    ("rules",): {
        "k": None,
        "at": None,
        **dict.fromkeys(name for name in CHECKS if name not in _FIRST_CHECKS),
    },
    (): {"weight": None, "generate": None, "quality": None},
    ("claims", "figures"): {"time_to_first_token": None, "time_per_token": None},
    ("slices",): {"bins": None, "quantiles": None, "every": None},
    ("cost", "billing"): {
        **dict.fromkeys(("per_1k_tokens", "per_second", "tokens_per_inference")),
        "seconds_per_inference": None,
        "other_inferences": 0,
        "discount": 0.0,
        "minimum_per_month": 0.0,
    },
    ("cost", "billing", "instance"): {"reserved": None},
    ("cost", "billing", "tiers"): dict.fromkeys(("per_1k_tokens", "per_second")),
}
"""Keys that came later than the first digests, with what they are where a policy says nothing of
them: then they are left out, so that a bar that was sealed before them is still the same bar."""


def _leave_out_what_is_not_said(rules: dict[str, Any]) -> None:
    for path, defaults in _LATER.items():
        found: Any = rules
        for name in path:
            found = (found or {}).get(name)
        for section in found if isinstance(found, list) else [found or {}]:
            for key, value in defaults.items():
                if key in section and section[key] == value:
                    del section[key]


def _list(value: Any) -> list[Any]:
    """``overall`` and ``[overall]`` are one."""
    return _unordered(value if isinstance(value, list) else [value])


def _unordered(values: list[Any]) -> list[Any]:
    """Values in one order, each once."""
    found = {_spelled(value): value for value in values}
    return [found[key] for key in sorted(found)]


def _spelled(value: Any) -> str:
    """JSON in one spelling; whole numbers are alike however they are written."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
