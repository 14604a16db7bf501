"""Memo: every candidate is tried once, and no more than so many are tried.

Amounts that round to the same removed units are one candidate (``variation.key``); asking for it
again costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Found = TypeVar("Found")
Amounts = tuple[float, ...]
"""One share to remove for each step that varies."""


class Memo(Generic[Found]):
    """An expensive question with a memory and a budget."""

    def __init__(
        self,
        answer: Callable[[Amounts], Found],
        key: Callable[[Amounts], Hashable],
        budget: int,
    ) -> None:
        self._answer = answer
        self._key = key
        self._budget = budget
        self._known: dict[Hashable, Found] = {}

    def __call__(self, amounts: Amounts) -> Found | None:
        """The answer; None: it is not known, and the budget is spent."""
        key = self._key(amounts)
        if key not in self._known:
            if self.spent:
                return None
            self._known[key] = self._answer(amounts)
        return self._known[key]

    @property
    def spent(self) -> bool:
        """Whether nothing new may be asked."""
        return len(self._known) >= self._budget

    @property
    def found(self) -> tuple[Found, ...]:
        """Every answer, in the order of asking."""
        return tuple(self._known.values())
