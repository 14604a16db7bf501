"""Registry: the entries of one kind (metrics, checks, criteria, ...) by name, open to new ones.

Whoever extends prunegate writes one entry and adds it; everything that reads the registry then
knows it. Adding is strict: a name is taken once, and after a registry has been read into something
that cannot change any more (the policy's schema), it is closed and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class Registry(Mapping[str, Entry], Generic[Entry]):
    """Entries by name, in the order in which they were added.

    Args:
        what: what an entry is, for messages: ``metric``.
        name: how an entry is called.
        entries: the first ones.
    """

    def __init__(
        self, what: str, name: Callable[[Entry], str], entries: Iterable[Entry] = ()
    ) -> None:
        self._what, self._name = what, name
        self._entries: dict[str, Entry] = {}
        self._closed = ""
        for entry in entries:
            self.add(entry)
        self._first = len(self._entries)

    def add(self, entry: Entry) -> Entry:
        """Add one entry; usable as a decorator of classes.

        Raises:
            ValueError: the name is taken, or the registry is closed.
        """
        name = self._name(entry)
        if self._closed:
            raise ValueError(f"the {self._what} '{name}' comes too late: {self._closed}.")
        if name in self._entries:
            raise ValueError(f"there is a {self._what} '{name}' already; choose another name.")
        self._entries[name] = entry
        return entry

    @property
    def added(self) -> tuple[str, ...]:
        """What was added to the first entries, which only this process knows."""
        return tuple(self._entries)[self._first :]

    @property
    def extended(self) -> bool:
        """Whether anything was."""
        return bool(self.added)

    def close(self, because: str) -> None:
        """Take no further entries; ``because`` says what has read them, and when to add instead."""
        self._closed = because

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
