"""The words of a mistake: where it is, what was found, what is valid and nearest to it.

Pure text. Everything from the file is shown on one line, shortened, with control and
bidirectional characters as escapes, so that a hostile value cannot rewrite a message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from prunegate.policy.yaml.scalars import resolve
from prunegate.text.escape import escaped

_LONGEST = 60
_FEW = 16
_YAML_1_1_WORDS = frozenset({"yes", "no", "on", "off", "y", "n"})
_BARE_KEY = re.compile(r"\w[\w-]*")
_BASE_60 = re.compile(r"[-+]?\d+(:\d\d?)+(\.\d*)?")


def literal(value: Any) -> str:
    """A value as the file could say it, on one line of at most 60 characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = escaped(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def show_path(path: Iterable[str | int]) -> str:
    """A place in the file: ``rules[0].max_drop``.

    >>> show_path(("slices", 1, "where", "content type"))
    'slices[1].where["content type"]'
    """
    parts = ""
    for step in path:
        if isinstance(step, int):
            parts += f"[{step}]"
        elif _BARE_KEY.fullmatch(step) or step == "?":
            parts += f".{step}"
        else:
            parts += f"[{literal(step)}]"
    return parts.removeprefix(".")


def nearest_word(word: str, valid: Iterable[str]) -> str | None:
    """The valid word most like this one; None when nothing is near."""
    known = {candidate.casefold(): candidate for candidate in valid}
    close = get_close_matches(word.casefold()[:200], list(known), n=1, cutoff=0.6)
    return known[close[0]] if close else None


def suggest(word: str, valid: Iterable[str]) -> str:
    """``did you mean 'max_drop'?``, or the valid words when nothing is near."""
    words = tuple(dict.fromkeys(valid))
    near = nearest_word(word, words)
    if near is not None:
        return f"did you mean '{escaped(near)}'?"
    listed = ", ".join(escaped(word) for word in words[:_FEW])
    return f"valid: {listed}" + (", ..." if len(words) > _FEW else "")


def reading_hint(value: Any, *, wants_boolean: bool) -> str:
    """Why YAML 1.2 read a value as text, where YAML 1.1 or a hasty writer meant something else."""
    if not isinstance(value, str):
        return ""
    if value.casefold() in _YAML_1_1_WORDS:
        hint = ": write true or false" if wants_boolean else ""
        return f"; YAML 1.2 reads {value} as text{hint}"
    if _BASE_60.fullmatch(value):
        return f"; YAML 1.2 reads {value} as text"
    return "; remove the quotes" if _is_number(value) else ""


def _is_number(text: str) -> bool:
    try:
        return isinstance(resolve(text), int | float)
    except ValueError:
        return False
