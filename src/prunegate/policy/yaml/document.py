"""Strict YAML 1.2: text to plain values, with the line and column of every key and value.

Stands between a file that anybody may have written and the policy's schema. It builds on ruamel's
parser, not on its object construction (``events.py``). Mistakes are collected, not raised; it will
not guess what a text may have meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from prunegate.policy.messages import literal
from prunegate.policy.yaml.events import DIRECTIVE, REFUSED, Builder, Flaw, Mark, Path, Stop
from prunegate.text.escape import one_line

MAX_BYTES = 1024 * 1024
MAX_LINE = 64 * 1024
"""Some tokens (tags) take the parser time in the square of their length."""
TOO_LONG = "more than 1 MiB; a policy is a page or two: put data in a table"
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, kw_only=True)
class Document:
    """What could be read, and everything that was wrong with it."""

    value: dict[str, Any] | None
    """The top-level mapping; None where the text has none."""
    keys: dict[Path, Mark]
    """Where each key stands."""
    values: dict[Path, Mark]
    """Where each value starts."""
    flaws: tuple[Flaw, ...]

    def locate(self, path: Path) -> Mark:
        """Where to point for a path: a scalar's own place, else its key, else what contains it."""
        here = self.values.get(path)
        key = self.keys.get(path)
        if here is not None and (key is None or self._is_scalar(path)):
            return here
        if key is not None:
            return key
        return self.locate(path[:-1]) if path else Mark(1, 1)

    def _is_scalar(self, path: Path) -> bool:
        value: Any = self.value
        for step in path:
            value = value[step]
        return not isinstance(value, dict | list)


def read_yaml(text: str, as_written: Callable[[Path], bool] = lambda _path: False) -> Document:
    """Read one YAML document whose top level is a mapping; never raises on bad text.

    Numbers at paths that are ``as_written`` stay text, with every digit.

    What is longer than ``MAX_BYTES`` (as UTF-8), deeper than ``MAX_DEPTH`` levels or has more than
    ``MAX_VALUES`` keys and values is refused.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return _document(Builder(), [Flaw(path=(), mark=Mark(1, 1), message=TOO_LONG)])
    if long := _long_line(text):
        return _document(Builder(), [long])
    flaws = list(_bad_characters(text))
    builder = Builder(flaws=flaws, as_written=as_written)
    clean = _NOT_YAML.sub(" ", text.removeprefix("\ufeff"))
    try:
        for event in YAML(typ="safe", pure=True).parse(clean):
            builder.take(event)
    except Stop:
        builder.stopped = bool(builder.stack)
    except (YAMLError, ValueError, OverflowError) as error:
        builder.stopped = True
        flaws.append(_syntax(error))
    except AssertionError:  # ruamel's word on a version of YAML that it does not know
        builder.stopped = True
        flaws.append(Flaw(path=(), mark=Mark(1, 1), message=DIRECTIVE))
    if not builder.stopped and not isinstance(builder.root, dict):
        flaws.append(_top_level(builder))
    return _document(builder, flaws)


def _document(builder: Builder, flaws: list[Flaw]) -> Document:
    whole = isinstance(builder.root, dict) and not builder.stopped
    return Document(
        value=builder.root if whole else None,
        keys=builder.keys,
        values=builder.values,
        flaws=tuple(flaws),
    )


def _long_line(text: str) -> Flaw | None:
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MAX_LINE:
            message = f"a line of more than {MAX_LINE} characters; break it"
            return Flaw(path=(), mark=Mark(number, 1), message=message)
    return None


def _bad_characters(text: str) -> Iterator[Flaw]:
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if match := _NOT_YAML.search(line):
            message = f"control character U+{ord(match.group()):04X}; remove it"
            yield Flaw(path=(), mark=Mark(number, match.start() + 1), message=message)


def _syntax(error: Exception) -> Flaw:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    parts = [str(error)]
    if isinstance(error, MarkedYAMLError):
        parts = [str(part) for part in (error.context, error.problem) if part]
    message = one_line(", ".join(parts))
    if "'\\t'" in message:
        message += "; indent with spaces, not tabs"
    place = Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)
    return Flaw(path=(), mark=place, message=f"not YAML: {message}")


def _top_level(builder: Builder) -> Flaw:
    if builder.root is None or builder.root is REFUSED:
        message = "the file is empty; 'prunegate policy new' writes a policy to start from"
    else:
        message = f"got {literal(builder.root)}, expected keys and values such as 'prunegate: 1'"
    return Flaw(path=(), mark=builder.values.get((), Mark(1, 1)), message=message)
