"""Parser events to plain values, noting every flaw on the way.

Works from events with its own stack: no object construction, no recursion, no references, so that a
hostile text ends in one clean message. What is refused leaves ``REFUSED`` in its place, which no
schema accepts, and reading goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from prunegate.policy.yaml.scalars import resolve
from prunegate.text.escape import one_line

MAX_DEPTH = 64
MAX_VALUES = 10_000
"""Keys and values together; a policy has some hundred, and every one can be a mistake."""

DIRECTIVE = "remove the % directive; policies are YAML 1.2"

Path = tuple[str | int, ...]
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


class Mark(NamedTuple):
    """A position in the text, from 1."""

    line: int
    column: int


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """One thing that the text may not contain."""

    path: Path
    mark: Mark
    message: str


class _Refused:
    """Stands where a refused value stood; no schema accepts it, and it was reported already."""


REFUSED = _Refused()


class Stop(Exception):  # noqa: N818 - not an error: ends the reading where nothing more can be said
    """The rest of the text is not read."""


_NOTHING = object()
_UNUSABLE = "\x00"
"""Stands for a refused key in the paths below it; no key that is kept can contain it."""
_NOT_TEXT_MESSAGE = "an escape that is not a character (NUL or half of a pair); write the character"


@dataclass(kw_only=True)
class _Frame:
    """A mapping or list that is being filled."""

    path: Path
    items: dict[str, Any] | list[Any]
    key: Any = _NOTHING
    """The key whose value comes next; ``_NOTHING`` when a key comes next."""
    stored: bool = True
    """Whether the pending key's value is kept (not for a duplicate or a refused key)."""


@dataclass(kw_only=True)
class Builder:
    """Turns events into values, noting every flaw on the way."""

    flaws: list[Flaw] = field(default_factory=list)
    root: Any = None
    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)
    stack: list[_Frame] = field(default_factory=list)
    documents: int = 0
    count: int = 0
    stopped: bool = False
    as_written: Callable[[Path], bool] = lambda _path: False
    """Where a number stays the text that it is written as, because its digits matter."""

    def take(self, event: Any) -> None:
        """Digest one event of the parser."""
        mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, DocumentStartEvent):
            self._start_document(event, mark)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self.stack.pop()
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._open({} if isinstance(event, MappingStartEvent) else [], event, mark)
        elif isinstance(event, ScalarEvent | AliasEvent):
            self._scalar(event, mark)

    def _start_document(self, event: Any, mark: Mark) -> None:
        self.documents += 1
        if self.documents > 1:
            # The first document is whole: it is still checked.
            self._flaw((), mark, "a second document starts here; keep one per file")
            raise Stop
        if event.tags or event.version not in (None, (1, 2)):
            self._flaw((), mark, DIRECTIVE)

    def _open(self, items: dict[str, Any] | list[Any], event: Any, mark: Mark) -> None:
        self._weigh(mark)
        self._decorations(event, mark)
        if self._wants_key():
            self._flaw(self.stack[-1].path, mark, "a key must be text, not a list or mapping")
            self.stack[-1].key, self.stack[-1].stored = _UNUSABLE, False
            self.stack.append(_Frame(path=(*self.stack[-1].path, _UNUSABLE), items=items))
        else:
            path = self._attach(items, mark)
            self.stack.append(_Frame(path=path, items=items))
        if len(self.stack) > MAX_DEPTH:
            self._flaw((), mark, f"more than {MAX_DEPTH} levels of nesting; a policy needs five")
            raise Stop

    def _scalar(self, event: Any, mark: Mark) -> None:
        self._weigh(mark)
        if self._wants_key():
            self._key(event, mark)
            return
        path = self._next_path()
        refused = self._decorations(event, mark)
        value = REFUSED if refused else self._resolve(event, path, mark)
        self._attach(value, mark)

    def _key(self, event: Any, mark: Mark) -> None:
        frame = self.stack[-1]
        frame.key, frame.stored = _UNUSABLE, False
        if self._decorations(event, mark):
            return
        if event.value == "<<" and event.implicit[0]:
            self._flaw(frame.path, mark, "merge keys (<<) are not allowed; write the keys out")
            return
        key = event.value
        if not _is_text(event):
            message = f"got the key {one_line(key) or 'nothing'}, expected text: quote it"
            self._flaw(frame.path, mark, message)
        elif key in frame.items:
            first = self.keys[(*frame.path, key)].line
            self._flaw((*frame.path, key), mark, f"duplicate key; it is on line {first} already")
        elif _NOT_TEXT.search(key):
            self._flaw(frame.path, mark, _NOT_TEXT_MESSAGE)
        else:
            frame.key, frame.stored = key, True
            self.keys.setdefault((*frame.path, key), mark)

    def _resolve(self, event: Any, path: Path, mark: Mark) -> Any:
        if _NOT_TEXT.search(event.value):
            self._flaw(path, mark, _NOT_TEXT_MESSAGE)
            return REFUSED
        if not event.implicit[0]:
            return event.value
        try:
            value = resolve(event.value)
        except ValueError as error:
            self._flaw(path, mark, str(error))
            return REFUSED
        if value is None and self.stack:
            self._flaw(path, self.keys.get(path, mark), "no value; write one or remove the key")
            return REFUSED
        if isinstance(value, int | float) and not isinstance(value, bool) and self.as_written(path):
            return event.value
        return value

    def _decorations(self, event: Any, mark: Mark) -> bool:
        """Note anchors, references and tags; whether the event's value is unusable."""
        path = self._next_path()
        if isinstance(event, AliasEvent):
            name = one_line(event.anchor)
            self._flaw(path, mark, f"references (*{name}) are not allowed; repeat the value")
            return True
        if event.anchor is not None:
            name = one_line(event.anchor)
            self._flaw(path, mark, f"anchors (&{name}) are not allowed; remove it")
        if event.tag is not None:
            self._flaw(path, mark, f"tags ({one_line(event.tag)}) are not allowed; remove it")
            return isinstance(event, ScalarEvent)
        return False

    def _attach(self, value: Any, mark: Mark) -> Path:
        path = self._next_path()
        self.values.setdefault(path, mark)
        if not self.stack:
            self.root = value
            return path
        frame = self.stack[-1]
        if isinstance(frame.items, list):
            frame.items.append(value)
        else:
            if frame.stored:
                frame.items[frame.key] = value
            frame.key = _NOTHING
        return path

    def _next_path(self) -> Path:
        if not self.stack:
            return ()
        frame = self.stack[-1]
        if isinstance(frame.items, list):
            return (*frame.path, len(frame.items))
        return frame.path if frame.key is _NOTHING else (*frame.path, frame.key)

    def _wants_key(self) -> bool:
        return (
            bool(self.stack)
            and isinstance(self.stack[-1].items, dict)
            and (self.stack[-1].key is _NOTHING)
        )

    def _weigh(self, mark: Mark) -> None:
        self.count += 1
        if self.count > MAX_VALUES:
            self._flaw((), mark, f"more than {MAX_VALUES} keys and values; put data in a table")
            raise Stop

    def _flaw(self, path: Path, mark: Mark, message: str) -> None:
        shown = tuple("?" if step == _UNUSABLE else step for step in path)
        self.flaws.append(Flaw(path=shown, mark=mark, message=message))


def _is_text(event: Any) -> bool:
    if not event.implicit[0]:
        return True
    try:
        return isinstance(resolve(event.value), str)
    except ValueError:
        return False
