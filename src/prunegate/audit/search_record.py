"""What a record keeps of the search that its candidate came out of."""

from __future__ import annotations

from dataclasses import dataclass, field

from prunegate.verdict.finding import ABSENT, Outcome


@dataclass(frozen=True, kw_only=True)
class LostMore:
    """What a control lost against the chosen candidate, by a paired test on the same rows."""

    p_value: float
    """One-sided p of "nothing was lost", after Holm over all losses that the rules look at. 1 where
    no loss stands out by itself, its 95 % interval lying wholly below no change: what was lost is
    then not shown, whatever it was."""
    metric: str | None = None
    """Of the loss with the most evidence; None: none stands out by itself."""
    class_label: str | None = None
    slice: str | None = None
    more: float | None = None
    """How much more the control lost there, in the metric's own terms."""


@dataclass(frozen=True, kw_only=True)
class SearchAttempt:
    """One candidate that a search made, judged on the search split."""

    number: int
    """From 1, in the order of making."""
    amounts: tuple[float, ...]
    """The share that each varied step removed."""
    criterion: str
    """What ranked the units."""
    objective: float
    """What was to be small."""
    parameters: int
    model_bytes: int
    outcome: Outcome
    loss: float | None
    """What the worst slice lost, in the metric's own terms; negative is a gain."""
    loss_metric: str | None
    loss_class: str | None
    loss_slice: str | None
    margin_used: float | None
    """That loss as a share of what the policy allows; 1 is the limit."""
    reason: str
    """Why it did not pass; empty where it did."""
    scope: str | None = field(default=None, metadata=ABSENT)
    """What its varied steps were ranked within, where that is not what the policy says."""
    lost_more: LostMore | None = field(default=None, metadata=ABSENT)
    """Of a control: against the chosen candidate; None: not tested."""
    same_as: int | None = field(default=None, metadata=ABSENT)
    """Number of the first attempt whose candidate has the very same weights; None: no earlier one
    has."""


@dataclass(frozen=True, kw_only=True)
class NotMade:
    """An attempt whose amounts its model could not give, so that there is no candidate to judge."""

    number: int
    """Counted with the attempts that were made."""
    amounts: tuple[float, ...]
    """The share that each varied step was to remove."""
    criterion: str
    """What was to rank the units."""
    beyond: bool
    """Whether more was to go than can; else nothing would have gone."""
    reason: str
    scope: str | None = field(default=None, metadata=ABSENT)
    """What its varied steps were ranked within, where that is not what the policy says."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """How the candidate was chosen: on the search split, by the policy's own rules."""

    objective: str
    baseline: float | None
    """The objective of the baseline."""
    varied: tuple[str, ...]
    """The steps that varied, in words."""
    rows: int
    """Of the search split."""
    confidence: float
    """How sure an attempt had to be there, one-sided, for every test."""
    attempts: tuple[SearchAttempt, ...]
    chosen: int
    """Number of the smallest attempt that passed."""
    next_up: int | None
    """Number of the nearest attempt that removed more and did not pass; None: none was made."""
    control: SearchAttempt | None
    """The chosen amounts with the random criterion."""
    further_draws: tuple[SearchAttempt, ...] | None = field(default=None, metadata=ABSENT)
    """The same drawn again, each by a seed of its own; None: it was drawn once at most."""
    other_scope: SearchAttempt | None = field(default=None, metadata=ABSENT)
    """The chosen amounts by another scope, for comparison only; None: none was made."""
    not_made: tuple[NotMade, ...] | None = field(default=None, metadata=ABSENT)
    """What could not be made, controls among it; None: everything could."""
    at_largest: bool | None = field(default=None, metadata=ABSENT)
    """True: every varied step of the chosen attempt removes all that it can; None: it does not, or
    that is not known."""

    @property
    def draws(self) -> tuple[SearchAttempt, ...]:
        """Every draw of the random control."""
        return (*((self.control,) if self.control else ()), *(self.further_draws or ()))
