"""The schema's mistakes in the user's words: one per place, with got, expected and the nearest key.

Takes plain values and runs the pydantic model of ``schema.py`` over them. pydantic reports every
branch of a union and names its own types; here each place gets one message. Positions in the file
are added by ``load.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from prunegate.metrics.checks import CHECKS, change_check
from prunegate.policy.expectations import why_left_out
from prunegate.policy.messages import literal, nearest_word, reading_hint, suggest
from prunegate.policy.people import MOST_EXAMPLES
from prunegate.policy.schema import Policy
from prunegate.policy.section import Section

Path = tuple[str | int, ...]
Root = TypeVar("Root", bound=Section)


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One thing that is wrong, and where."""

    path: Path
    message: str


_COLUMN = "the name of a column"
_PRICE = "a price per inference above 0, a bare number such as 0.0042"
_VOLUME = "a whole number of inferences a month such as 180000"
_ROWS = "a whole number of at least 1"
_EXPECTED = {
    "prunegate": "1, the version of the policy language",
    "claims": "1, the version of the claims file",
    "metrics.name": "the name of a metric such as recall",
    "name": "a name of letters, digits, '.', '_' and '-' (at most 80, not starting with a sign)",
    "task": "a mapping such as {kind: binary, positive: unsafe}",
    "positive": "the positive label: text, a number, true or false",
    "threshold": "a number from 0 to 1",
    "threshold.candidate": "a number from 0 to 1, or tuned",
    "task.ignore": "a list of labels such as [unsure, -1]",
    "bins": "edges that rise, such as [100, 500]",
    "quantiles": "a whole number from 2 to 100",
    "every": "day, week, month, quarter or year",
    "task.labels": "a list of names such as [violence, adult, hate]",
    "task.classes": "a list of labels such as [cat, dog, bird]",
    "range": "the smallest and the largest score, such as [0, 5]",
    "slices": "a list such as [{by: content_type}]",
    "rules": "a list of at least one rule such as {metric: recall, at_least: 0.85}",
    "rules.slices": "overall, all, a slicing key, a slice's name, or a list of these",
    "by": "the name of a column, or a list of them",
    "expect": "a list of values",
    "slices.expect": "a list of values such as [display, video]",
    "where": "a mapping from columns to values such as {season: holiday}",
    "group": _COLUMN,
    "weight": _COLUMN,
    "confidence": "a number between 0.5 and 1 such as 0.95",
    "minimum.rows": _ROWS,
    "minimum.positives": _ROWS,
    "at": "a share above 0 and below 1 such as 0.9",
    **{name: check.expected for name, check in CHECKS.items()},
    "relative": "a number from 0 to below 1",
    "error_ratio": "a number from 0 to 10",
    "amount": "a share such as 0.4, or {share_below: 0.02} or {keep: 64}",
    "revalidate": "a mapping such as {after_days: 180}",
    "after_days": "a whole number of days from 1 to 3650 such as 180",
    "waivers": "a mapping such as {max_days: 30, at_most: 2}",
    "max_days": "a whole number of days from 1 to 366 such as 30",
    "waivers.at_most": "a whole number from 1 to 20 such as 2",
    "approvals": "a mapping such as {required: [{role: client, count: 1}]}",
    "required": "a list of at least one role such as [{role: client, count: 1}]",
    "role": "the name of a role such as client",
    "required.count": "a whole number from 1 to 9",
    "distinct": "a list of key, person, organisation",
    "max_age_days": "a whole number of days from 1 to 3650 such as 30",
    "currency": "three capital letters such as USD",
    **dict.fromkeys(("now", "target"), _VOLUME),
    **dict.fromkeys(("low", "high"), f"{_VOLUME} (beside by_month: a list of them)"),
    "months": "a whole number of months from 1 to 600",
    "by_month": "a list of at least one month's inferences such as [180000, 200000]",
    "per_inference.baseline": _PRICE,
    "per_inference.candidate": "a price per inference, a bare number such as 0.0029",
    "per_hour": "a price per hour above 0, a bare number such as 1.20",
    "one_off": "an amount of at least 0, a bare number such as 1200",
    "utilisation": "a share above 0 such as 0.6",
    "report.examples": f"a whole number from 1 to {MOST_EXAMPLES}, or none",
    "data.production": "one slicing key with shares, such as {content_type: {ad: 0.7, ugc: 0.3}}",
    **dict.fromkeys(
        ("id", "label", "image", "split", "tokens", "baseline_quality", "candidate_quality"),
        _COLUMN,
    ),
}
"""By the last two names of a path, or its last: what belongs there."""

_BY_TYPE = {
    "scalar": "text, a number, true or false",
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "finite_number": "a finite number",
    **dict.fromkeys(("int_type", "int_parsing"), "a whole number"),
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "string_too_long": "at most {max_length} characters",
    "tuple_type": "a list",
    "too_short": "a list that is not empty",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "one of {expected}",
}


def validate_values(value: dict[str, Any]) -> tuple[Policy | None, list[Mistake]]:
    """The policy that plain values describe, or every mistake in them."""
    return validate_as(Policy, value)


def validate_as(root: type[Root], value: dict[str, Any]) -> tuple[Root | None, list[Mistake]]:
    """The document that plain values describe, or every mistake in them."""
    try:
        return root.model_validate(value), []
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    return None, list(_one_per_place(root, value, errors))


def _one_per_place(
    root: type[Section], value: dict[str, Any], errors: list[Any]
) -> Iterator[Mistake]:
    found: dict[Path, Any] = {}
    for error in errors:
        path = _path(error, value)
        if path in found and error["type"] == "string_type" and found[path]["type"] == "bool_type":
            found[path] = {**error, "type": "scalar"}  # every branch of Scalar refused it
        found.setdefault(path, error)
    unknown = [path for path, error in found.items() if error["type"] == "extra_forbidden"]
    outer = {path[:length] for path in found for length in range(len(path))}
    for path, error in found.items():
        if path in outer:
            continue  # the deeper mistake says it better
        if error["type"] == "missing" and _is_misspelt(path, unknown):
            continue
        yield Mistake(path=path, message=_message(root, path, error, value))


def _path(error: Any, value: Any) -> Path:
    """The library's location without the names of union branches, which are not in the file."""
    path: list[str | int] = []
    steps = error["loc"]
    for place, step in enumerate(steps):
        inside = isinstance(value, dict) and step in value
        inside |= isinstance(value, list) and isinstance(step, int) and step < len(value)
        if inside:
            value = value[step]
            path.append(step)
        elif isinstance(step, str) and error["type"] == "missing" and place == len(steps) - 1:
            path.append(step)
    return tuple(path)


def _is_misspelt(path: Path, unknown: list[Path]) -> bool:
    siblings = [other for other in unknown if other[:-1] == path[:-1]]
    return any(nearest_word(str(other[-1]), [str(path[-1])]) for other in siblings)


def _message(root: type[Section], path: Path, error: Any, value: Any) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(root, path)
    if kind == "missing" and isinstance(error["loc"][-1], str):
        return f"missing; expected {_expected(path, error)}"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    got: Any = value
    for step in path:
        got = got[step]
    if kind == "literal_error":
        return f"got {literal(got)}, expected {_literal(path, error, got)}"
    return f"got {literal(got)}, expected {_expected(path, error, got)}{_hint(error, got)}"


def _unknown_key(root: type[Section], path: Path) -> str:
    key, valid = str(path[-1]), valid_keys(path[:-1], root)
    if reason := why_left_out(key):
        return f"unknown key {show_key(key)}; left out, as it {reason}: remove the entry"
    if key in valid:  # of another form of the same section
        return f"the key {show_key(key)} does not go with those beside it; remove one"
    below = [one for one in valid if key in valid_keys((*path[:-1], one), root)]
    if len(below) == 1 and not nearest_word(key, valid):
        return f"unknown key {show_key(key)}; it goes under {show_key(below[0])}"
    return f"unknown key {show_key(key)}; {suggest(key, valid)}"


def show_key(key: object) -> str:
    """A key in single quotes, inert."""
    return f"'{literal(str(key))[1:-1]}'"


def _literal(path: Path, error: Any, got: Any) -> str:
    words = re.findall(r"'([^']*)'", error["ctx"]["expected"])
    if not words:
        return _expected(path, error)
    near = nearest_word(got, words) if isinstance(got, str) else None
    other = " or a list of classes" if path[-1] == "classes" else ""
    return f"one of {', '.join(words)}{other}" + (f"; did you mean '{near}'?" if near else "")


def _expected(path: Path, error: Any, got: Any = None) -> str:
    names = [step for step in path if isinstance(step, str)]
    if path and isinstance(path[-1], int):
        names = []  # an element of a list is described by its type
    change = change_check(names[-1]) if names else None
    if change is not None and change.loss and isinstance(got, dict):
        return "{relative: 0.03} or {error_ratio: 0.5}, one of them"
    known = _EXPECTED.get(".".join(names[-2:])) or _EXPECTED.get("".join(names[-1:]))
    if known:
        return known
    phrase = _BY_TYPE.get(error["type"])
    if phrase:
        return phrase.format(**error.get("ctx", {}))
    return str(error["msg"]).lower().removeprefix("input should be ")


def _hint(error: Any, got: Any) -> str:
    wants_text = error["type"].startswith(("string", "tuple", "dict", "model"))
    return "" if wants_text else reading_hint(got, wants_boolean=error["type"] == "bool_type")


def valid_keys(path: Path, root: type[Section] = Policy) -> tuple[str, ...]:
    """The keys that a place of the file may have, in the schema's order."""
    kinds: tuple[type[Section], ...] = (root,)
    for step in path:
        if isinstance(step, str):
            fields = [kind.model_fields[step] for kind in kinds if step in kind.model_fields]
            kinds = tuple(part for field in fields for part in _sections(field.annotation))
    return tuple(dict.fromkeys(key for kind in kinds for key in kind.model_fields))


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for part in get_args(annotation):
        yield from _sections(part)
