"""The checks: what a rule's limit demands, one entry for each field of a rule that is a limit.

An entry says what the limit is a limit of, what it claims about the two models (a hypothesis),
which way is tighter, and how it is put into words, short and long. The policy's schema, the gate,
the plan and the report read nothing else; only the second opinion has its own arithmetic, on
purpose.

A new check is one entry here (and one line of arithmetic for the second opinion, in
``audit/opinion/facts.py``).
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from operator import attrgetter
from typing import ClassVar, Literal

from prunegate.errors import UnsupportedError
from prunegate.metrics.hypothesis import (
    Difference,
    ErrorsAtMost,
    Hypothesis,
    Level,
    SuccessRatio,
    exact_fraction,
)
from prunegate.metrics.metric import Better, Metric
from prunegate.registry import Registry

LimitKind = Literal["absolute", "relative", "error_ratio"]
Form = Literal["level", "margin", "factor"]
"""How a policy writes the limit: a value of the metric; an allowed or demanded change (a number, a
share of the baseline's value, or growth of the error rate); a multiple of the baseline's value."""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A limit's number, and what it is in."""

    value: float
    kind: LimitKind = "absolute"
    """absolute: the metric's own unit; relative: a share of the baseline's value; error_ratio:
    growth of the baseline's error rate."""


@dataclass(frozen=True, kw_only=True)
class Check(ABC):
    """One field of a rule that limits something; each makes one finding per slice."""

    form: ClassVar[Form]

    name: str
    """As a policy spells it, and a finding's ``check``."""
    tighter: Better
    """Which way its number is tighter."""
    meaning: str
    """What it limits, for the policy's schema."""
    brief: str
    """In a few words, with the limit's place: ``drop of at most {}``."""
    sentence: str
    """The rest of a sentence that begins "must be proven"."""
    expected: str
    """What a policy can write there, for a mistake's message."""
    cap: str = ""
    """The check that must not be set below this one, because nothing could satisfy both."""

    @abstractmethod
    def claim(self, bound: Bound, metric: Metric) -> Hypothesis:
        """What a limit claims about values turned so that larger is better."""


@dataclass(frozen=True, kw_only=True)
class LevelCheck(Check):
    """A limit on the candidate's own value."""

    form: ClassVar[Form] = "level"

    floor: bool
    """At least so much; else at most."""

    def claim(self, bound: Bound, metric: Metric) -> Hypothesis:
        at_least = self.floor != metric.lower_is_better
        return Level(limit=metric.turned(exact_fraction(bound.value)), at_least=at_least)


@dataclass(frozen=True, kw_only=True)
class ChangeCheck(Check):
    """A limit on how far the value moves away from the baseline's."""

    form: ClassVar[Form] = "margin"

    moves: Literal["drop", "rise", "gain"]
    """Which movement: down, up, or towards the better."""
    at_most: bool
    """Whether the movement is limited; else it is demanded."""

    @property
    def loss(self) -> bool:
        """Whether it limits a loss: a drop, or a rise of something bad."""
        return self.moves != "gain"

    def sign(self, better: Better) -> int:
        """The movement on the axis candidate - baseline: 1 is up."""
        if self.loss:
            return 1 if self.moves == "rise" else -1
        return 1 if better == "higher" else -1

    def improves(self, better: Better) -> bool:
        """Whether the movement is an improvement, so that limiting it is nearly always a slip."""
        return self.loss and (self.moves == "rise") == (better == "higher")

    def claim(self, bound: Bound, metric: Metric) -> Hypothesis:
        share = exact_fraction(bound.value)
        if bound.kind == "absolute":
            margin = share if self.at_most else -share
            return Difference(margin=margin, swapped=self.at_most and not self.loss)
        if bound.kind == "error_ratio" or metric.lower_is_better:
            return self._of_errors(share)
        return self._of_successes(share)

    def _of_successes(self, share: Fraction) -> Hypothesis:
        """A margin as a share of the baseline's success rate."""
        if not self.at_most:
            return SuccessRatio(ratio=1 + share)
        if not self.loss:
            return SuccessRatio(ratio=1 / (1 + share), swapped=True)
        return SuccessRatio(ratio=1 - share)

    def _of_errors(self, share: Fraction) -> Hypothesis:
        """A margin as growth of the error rate."""
        if not self.at_most:
            return ErrorsAtMost(ratio=1 - share)
        if not self.loss:
            if share >= 1:
                raise UnsupportedError(f"{self.name}: error_ratio has to be below 1")
            return ErrorsAtMost(ratio=1 / (1 - share), swapped=True)
        return ErrorsAtMost(ratio=1 + share)


@dataclass(frozen=True, kw_only=True)
class RatioCheck(Check):
    """A cap on the value as a multiple of the baseline's."""

    form: ClassVar[Form] = "factor"

    def claim(self, bound: Bound, metric: Metric) -> Hypothesis:
        factor = exact_fraction(bound.value)
        if metric.lower_is_better:
            return ErrorsAtMost(ratio=factor)
        return SuccessRatio(ratio=1 / factor, swapped=True)


_MARGIN = "a number such as 0.02 (or {relative: 0.03})"

CHECKS: Registry[Check] = Registry(
    "check",
    attrgetter("name"),
    (
        LevelCheck(
            name="at_least",
            floor=True,
            tighter="higher",
            meaning="Floor of the candidate's own value.",
            brief="at least {}",
            sentence="at least {}",
            expected="a number such as 0.85",
            cap="at_most",
        ),
        LevelCheck(
            name="at_most",
            floor=False,
            tighter="lower",
            meaning="Cap of the candidate's own value.",
            brief="at most {}",
            sentence="at most {}",
            expected="a number such as 0.05",
        ),
        ChangeCheck(
            name="max_drop",
            moves="drop",
            at_most=True,
            tighter="lower",
            meaning="Most that a metric whose higher values are better may lose: the "
            "non-inferiority margin.",
            brief="drop of at most {}",
            sentence="to have dropped by no more than {}",
            expected=_MARGIN,
        ),
        ChangeCheck(
            name="max_rise",
            moves="rise",
            at_most=True,
            tighter="lower",
            meaning="Most that a metric whose lower values are better may grow.",
            brief="rise of at most {}",
            sentence="to have risen by no more than {}",
            expected=_MARGIN,
        ),
        ChangeCheck(
            name="min_gain",
            moves="gain",
            at_most=False,
            tighter="higher",
            meaning="Least that the metric has to get better by.",
            brief="improvement of at least {}",
            sentence="to have improved by at least {}",
            expected=_MARGIN,
            cap="max_gain",
        ),
        ChangeCheck(
            name="max_gain",
            moves="gain",
            at_most=True,
            tighter="lower",
            meaning="Most that it may get better by: a larger gain is suspicious.",
            brief="improvement of at most {}",
            sentence="to have improved by no more than {} (more would be suspicious)",
            expected=_MARGIN,
        ),
        RatioCheck(
            name="max_ratio",
            tighter="lower",
            meaning="Largest ratio of the candidate's value to the baseline's, of operational "
            "metrics.",
            brief="at most {} the baseline's",
            sentence="at most {} the baseline's",
            expected="a number above 0 such as 0.75",
        ),
    ),
)
"""Every check by the name that a policy uses, in the order in which findings are made."""


def is_level(check: str) -> bool:
    """Whether a finding's check limits the candidate's own value."""
    return check in CHECKS and CHECKS[check].form == "level"


def is_factor(check: str) -> bool:
    """Whether a finding's check limits the value as a multiple of the baseline's."""
    return check in CHECKS and CHECKS[check].form == "factor"


def change_check(check: str) -> ChangeCheck | None:
    """The check of that name that limits a change; None: there is none."""
    found = CHECKS.get(check)
    return found if isinstance(found, ChangeCheck) else None


def losses() -> tuple[str, ...]:
    """The checks that limit a loss against the baseline."""
    return tuple(n for n, c in CHECKS.items() if isinstance(c, ChangeCheck) and c.loss)
