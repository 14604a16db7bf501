"""Lookalikes: values of one column that people would take for one, and that are told apart.

``video``, ``Video`` and ``video `` are three texts, and so three slices or three classes, each with
a part of the rows. Which of them is meant is for whoever wrote them to say; here they are shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from prunegate.data.predictions.columns import EXAMPLES, shown
from prunegate.data.predictions.many_values import Lines
from prunegate.data.predictions.spelled import Spelling, canonical
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.text.said import said

_SPELLED: tuple[Spelling, ...] = ("time", "moment")
_WHOLE = re.compile(r"([+-]?)0*([0-9]+)(\.0*)?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_SIGNS = {"yes": "1", "true": "1", "no": "0", "false": "0"}
"""Words that mean a number where the other is a number."""


def hints_of_lookalikes(policy: Policy, lines: Lines) -> tuple[str, ...]:
    """What to do about values of slicing keys that look alike.

    Args:
        policy: slices by them; values that it lists side by side are meant.
        lines: every combination of values at least once, by key.
    """
    lines = list(lines)
    listed = {
        value_text(value)
        for spec in policy.slices
        for value in spec.expect
        if not isinstance(value, tuple)
    }
    keys = [key for key in policy.keys if key not in policy.intervals]
    values = {key: {str(line[key]) for line in lines if line.get(key)} for key in keys}
    return tuple(
        said("warning.in_key", key=shown(key), told=told)
        for key in keys
        for told in lookalikes(values[key], meant=listed)
    )


def lookalikes(texts: Iterable[str], meant: Iterable[str] = ()) -> list[str]:
    """What is said of those that differ in blanks, case or spelling alone.

    >>> lookalikes(["video", "Video ", "display"])
    ["the values 'Video ' and 'video' differ in blanks, case or spelling only, and are told apart; \
spell them alike if they are one."]
    """
    alike: dict[str, list[str]] = {}
    for text in sorted(set(texts)):
        alike.setdefault(look(text), []).append(text)
    found = [names for names in alike.values() if len(set(names) - set(meant)) and len(names) > 1]
    return [_said(names) for names in found[:EXAMPLES]] + (
        [said("warning.lookalikes_more", n=len(found) - EXAMPLES)] if len(found) > EXAMPLES else []
    )


def _said(names: list[str]) -> str:
    values, more = list(map(shown, names[:EXAMPLES])), len(names) - EXAMPLES
    if more > 0:
        return said("warning.lookalike_more", values=values, more=more)
    return said("warning.lookalike", values=values)


def look(text: str) -> str:
    """What a reader sees of a text: no case, no blanks around it, one spelling of a value."""
    seen = "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf"
    )
    word = " ".join(seen.split())
    word = (
        word.replace(",", "" if _THOUSANDS.fullmatch(word) else ".") if _is_number(word) else word
    )
    word = _SIGNS.get(word.casefold(), word)
    for kind in _SPELLED:
        if (value := canonical(word, kind)) is not None:
            return f"{kind} {value}"
    whole = _WHOLE.fullmatch(word)
    return f"{whole[1].lstrip('+')}{whole[2]}" if whole else word.casefold()


def _is_number(word: str) -> bool:
    """Whether a word is a number with commas in it."""
    return bool(_THOUSANDS.fullmatch(word) or _COMMA.fullmatch(word))
