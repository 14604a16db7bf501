"""Checked: what became of one stated figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["right", "contradicted", "not checked"]
Basis = Literal["arithmetic", "architecture", "measurement", "none"]


@dataclass(frozen=True, kw_only=True)
class CheckedFigure:
    """One check of one stated figure, or why there was none."""

    figure: str
    """Which one: ``recall: change``, ``heads: after``, ``monthly at 800,000: before``."""
    stated: str
    """As it was written."""
    status: Status
    basis: Basis
    """What it was held against."""
    sum: str
    """The sum in words and numbers, or why it was not checked."""
    uses: tuple[str, ...] = ()
    """The other stated figures that the sum rests on."""


@dataclass(frozen=True, kw_only=True)
class Claims:
    """All checks of a set of stated figures."""

    about: str | None
    """Where the figures are from, as they say."""
    checks: tuple[CheckedFigure, ...]

    @property
    def contradictions(self) -> tuple[CheckedFigure, ...]:
        """The checks that a figure did not stand up to."""
        return tuple(check for check in self.checks if check.status == "contradicted")

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each contradiction, no two alike: ``heads: after (architecture)``."""
        names = [f"{check.figure} ({check.basis})" for check in self.contradictions]
        return tuple(
            name if names.count(name) == 1 else f"{name} {names[: place + 1].count(name)}"
            for place, name in enumerate(names)
        )

    @property
    def exit_code(self) -> int:
        """0: all that was checked is right. 3: a contradiction. 4: nothing could be checked."""
        if self.contradictions:
            return 3
        return 0 if any(check.status == "right" for check in self.checks) else 4
