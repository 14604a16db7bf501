"""Memo: every candidate is tried once, and no more than so many are tried.

Amounts that round to the same removed units are one candidate (``variation.amounts_key``); asking
for it again costs nothing. What is known of amounts may grow with what was found, so keys are taken
anew at each asking.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Found = TypeVar("Found")
Amounts = tuple[float, ...]
"""One share to remove for each step that varies."""


@dataclass(kw_only=True)
class _Known(Generic[Found]):
    amounts: Amounts
    found: Found
    again: list[Amounts] = field(default_factory=list)


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
        self._known: list[_Known[Found]] = []

    def __call__(self, amounts: Amounts) -> Found | None:
        """The answer; None: it is not known, and the budget is spent."""
        key = self._key(amounts)
        for known in self._known:
            if self._key(known.amounts) == key:
                known.again.append(amounts)
                return known.found
        if self.spent:
            return None
        self._known.append(_Known(amounts=amounts, found=self._answer(amounts)))
        return self._known[-1].found

    @property
    def spent(self) -> bool:
        """Whether nothing new may be asked."""
        return len(self._known) >= self._budget

    @property
    def found(self) -> tuple[Found, ...]:
        """Every answer, in the order of asking."""
        return tuple(known.found for known in self._known)

    @property
    def again(self) -> tuple[tuple[Amounts, ...], ...]:
        """For every answer the amounts that were asked for later and are the same candidate."""
        return tuple(tuple(known.again) for known in self._known)
