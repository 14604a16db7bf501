"""Public reasons: why nothing was judged, in words that a merge request may show.

What stderr says is for whoever has the data before him. A summary, a step's page and an annotation
are read by others, so they hold no value and no row id of a table and no path of a machine: what is
quoted stays only where the policy itself holds it or it is a key or a command of prunegate's own,
examples go, and so does what a library said of the data. An error that is not about input is told
by its kind alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from prunegate.errors import Ended, EvidenceError, InputError, PolicyError
from prunegate.text.escape import one_line

STOPPED = "It was stopped before there was a verdict."
MORE = "The console of the run says more."
_LEFT_OUT = "…"
_COLUMNS = frozenset({"id", "label", "baseline", "candidate", "group", "n"})
_EXAMPLES = re.compile(r"[ (;]*\bfor example\b.*", re.DOTALL)
_QUOTED = re.compile(r"(?<!\w)(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|`([^`]*)`)")
_COMMAND = re.compile(r"prunegate(?: policy| audit)? [a-z]+(?: --[a-z-]+)*(?: [A-Z]+)*")
_ABOUT = re.compile(rf"{_COMMAND.pattern} (.+)")
_POLICY_PLACE = re.compile(r"[a-z_]+:[\w:{}\[\],. ]*")
_PLACE = re.compile(r"(?<![\w./])(?:[A-Za-z]:\\|~?/)[^\s'\"`,;:()]*")


def why(error: BaseException) -> str:
    """What ended the work, in all its words."""
    if isinstance(error, KeyboardInterrupt | Ended):
        return STOPPED
    worded = getattr(error, "format_message", None)  # click's usage errors keep their words apart
    told = str(worded() if worded else error)
    return told or f"It ended in {type(error).__name__}."


def public_reason(error: BaseException, policy: str = "", paths: Sequence[Path] = ()) -> str:
    """What ended the work, without anything of the data or of the machine.

    Args:
        error: what ended it.
        policy: the policy's text, whose words may be shown; empty: it cannot be read.
        paths: that the command was given; they are told by their names.
    """
    usage = hasattr(error, "format_message")
    if isinstance(error, KeyboardInterrupt | Ended):
        return STOPPED
    if not usage and not isinstance(error, InputError | EvidenceError):
        return f"It ended in {type(error).__name__}. {MORE}"
    told = _without_places(_without_causes(why(error), error), paths)
    if usage or (isinstance(error, PolicyError) and policy):
        return told
    names = {text for path in paths for text in (str(path), path.name)}
    shown = "\n".join(_without_values(line, policy, names) for line in told.splitlines())
    return shown if shown == told else f"{shown}\n{MORE}"


def _without_values(line: str, policy: str, names: Collection[str]) -> str:
    """A line without examples, and with no quoted word that the policy does not hold."""
    found = _EXAMPLES.search(line)
    if found:
        line = f"{line[: found.start()]}{_LEFT_OUT}"
        line += ")" * (line.count("(") - line.count(")"))

    def kept(match: re.Match[str]) -> str:
        word = next(part for part in match.groups() if part is not None)
        known = word in _COLUMNS or _is_in(policy, word) or _is_hint(word, policy, names)
        return match[0] if word and known else _LEFT_OUT

    return _QUOTED.sub(kept, line)


def _is_in(policy: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", policy) is not None


def _is_hint(quoted: str, policy: str, names: Collection[str]) -> bool:
    """Whether it is a command, or a place in a policy: nothing that a table could have said.

    A command may end in a file that was given.
    """
    about = _ABOUT.fullmatch(quoted)
    if _COMMAND.fullmatch(quoted) or (about is not None and about[1] in names):
        return True
    if not _POLICY_PLACE.fullmatch(quoted):
        return False
    words = _policy_words()
    return all(word in words or _is_in(policy, word) for word in re.findall(r"\w+", quoted))


@cache
def _policy_words() -> frozenset[str]:
    """Keys of the policy language, and the words that it takes as values."""
    from prunegate.policy.json_schema import json_schema

    found = {"FILE", "FOLDER"}
    parts: list[Any] = [json_schema()]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            found |= set(part.get("properties", ()))
            found |= {str(one) for one in (*part.get("enum", ()), part.get("const"))}
        parts += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return frozenset(found)


def _without_causes(told: str, error: BaseException) -> str:
    """The message without what a library said, which may quote rows as they are."""
    cause = error.__cause__ or error.__context__
    while cause is not None:
        if not isinstance(cause, OSError | InputError):
            for said in (str(cause), one_line(str(cause)), *str(cause).splitlines()):
                if len(said.strip()) > len(_LEFT_OUT):
                    told = told.replace(said.strip(), _LEFT_OUT)
        cause = cause.__cause__ or cause.__context__
    return told


def _without_places(told: str, paths: Sequence[Path]) -> str:
    """The message with absolute paths told by their names."""
    known = {str(one): one for path in paths for one in (path, *path.parents) if one.is_absolute()}
    for text in sorted(known, key=len, reverse=True):
        if len(known[text].parts) > 1:
            told = told.replace(text, known[text].name)
    return _PLACE.sub(lambda match: Path(match[0]).name or _LEFT_OUT, told)
