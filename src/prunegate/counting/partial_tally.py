"""Partial tally: decisions of all rows of a slice, and the labels of those somebody looked at.

How the two models decide is known of every row, what is right of some. Rows on which the models
agree add nothing to a change, so that what is told of the others here is all that limits on
accuracy and flips rest on, of however many classes the task is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Self

from prunegate.counting.tallies import Tally


class PartialTally(Tally):
    """Rows of a slice with labels for some."""

    @property
    @abstractmethod
    def labelled(self) -> int:
        """Rows with a label."""

    @property
    @abstractmethod
    def doubted(self) -> int:
        """Rows that somebody looked at and could not label."""

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether every row has a label."""

    @property
    @abstractmethod
    def differ(self) -> int:
        """Rows that the models decide differently."""

    @property
    @abstractmethod
    def differ_labelled(self) -> bool:
        """Whether each of these has a label."""

    @property
    @abstractmethod
    def both_wrong(self) -> int:
        """Rows that are known to be decided wrongly by both models."""

    @property
    @abstractmethod
    def drawn_at_random(self) -> int:
        """Labelled rows of the random sample of all rows."""

    @property
    @abstractmethod
    def single_label(self) -> bool:
        """Whether every row has a label, the same one; a label that nobody saw may be another."""

    @property
    @abstractmethod
    def possible(self) -> Iterator[Self]:
        """The tally for every way to settle rows that nobody could label, those alike together."""
