"""Hunt: attempt after attempt on the search split, then the choice.

One amount is bisected, several are explored by an optimiser; the choice is the same: of the
attempts that pass, the one with the smallest objective. Where none passes, nothing is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from prunegate.audit.search_record import NotMade
from prunegate.audit.search_record import Search as SearchRecord
from prunegate.criteria import CONTROL
from prunegate.errors import InputError
from prunegate.search.attempt import Attempt, Tried, nearest_attempt, state_of, violation
from prunegate.search.bisection import State, bisect
from prunegate.search.memo import Amounts, Memo
from prunegate.search.several import Outcome, explore
from prunegate.search.trials import Trials
from prunegate.search.variation import Variant, other_scope, rounded_amounts, varied
from prunegate.text.numbers import as_written
from prunegate.verdict.finding import ABSENT


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Everything that a search tried."""

    objective: str
    baseline: float | None
    """The objective of the baseline; None: it is only known by timing."""
    varied: tuple[str, ...]
    rows: int
    """Of the search split."""
    confidence: float
    """One-sided, of every test there."""
    attempts: tuple[Attempt, ...]
    chosen: Attempt | None
    next_up: Attempt | None
    """The nearest attempt that removed more than the chosen one and did not pass."""
    control: Attempt | None
    """The chosen amounts, drawn at random."""
    further_draws: tuple[Attempt, ...] | None = field(default=None, metadata=ABSENT)
    """Likewise, each by a seed of its own."""
    other_scope: Attempt | None = field(default=None, metadata=ABSENT)
    """The chosen amounts by another scope; never chosen."""
    not_made: tuple[NotMade, ...] | None = field(default=None, metadata=ABSENT)
    """What could not be made, in the order of trying."""
    at_largest: bool | None = field(default=None, metadata=ABSENT)
    """True: every varied step of the choice removes all that it can."""

    @property
    def draws(self) -> tuple[Attempt, ...]:
        """Every draw of the random control."""
        return (*((self.control,) if self.control else ()), *(self.further_draws or ()))

    @property
    def nearest_miss(self) -> Attempt | None:
        """The attempt that came nearest, where none passed."""
        return None if self.chosen else nearest_attempt(self.attempts)

    def record(self) -> SearchRecord:
        """The short form for the decision record of the chosen candidate."""
        assert self.chosen is not None  # noqa: S101  # without a choice there is no record
        return SearchRecord(
            objective=self.objective,
            baseline=self.baseline,
            varied=self.varied,
            rows=self.rows,
            confidence=self.confidence,
            attempts=tuple(attempt.short() for attempt in self.attempts),
            chosen=self.chosen.number,
            next_up=self.next_up.number if self.next_up else None,
            control=self.control.short() if self.control else None,
            further_draws=tuple(one.short() for one in self.further_draws or ()) or None,
            other_scope=self.other_scope.short() if self.other_scope else None,
            not_made=self.not_made,
            at_largest=self.at_largest,
        )


def hunt(trials: Trials) -> Trace:
    """Try candidates until the edge is found or the attempts are used up."""
    best = _Best(trials)
    memo = Memo(best.attempt, trials.key, trials.search.attempts)
    ranges = [vary.amount for vary in trials.search.vary]
    if len(ranges) == 1:
        _bisect(memo, ranges[0], trials.search.tolerance)
    else:
        explore(lambda amounts: _outcome(memo(amounts)), ranges, seed=trials.bench.settings.seed)
    attempts = tuple(
        replace(one, also_asked=_others(one, again))
        for one, again in zip(memo.found, memo.again, strict=True)
        if isinstance(one, Attempt)
    )
    not_made = [one for one in memo.found if isinstance(one, NotMade)]
    if not attempts:
        trials.forget()
        raise _nothing_made(not_made)
    chosen = best.chosen
    held = _beside(trials, chosen) if chosen else []
    draws = [one for one in held if isinstance(one, Attempt) and one.scope is None]
    scoped = [one for one in held if isinstance(one, Attempt) and one.scope is not None]
    not_made += [one for one in held if isinstance(one, NotMade)]
    return Trace(
        objective=trials.search.objective,
        baseline=trials.baseline_objective,
        varied=varied(trials.policy, trials.search),
        rows=trials.rows,
        confidence=trials.judging.evidence.confidence,
        attempts=attempts,
        chosen=chosen,
        next_up=next_up(attempts, chosen) if chosen else None,
        control=draws[0] if draws else None,
        further_draws=tuple(draws[1:]) or None,
        other_scope=scoped[0] if scoped else None,
        not_made=tuple(not_made) or None,
        at_largest=(chosen is not None and trials.at_largest(chosen)) or None,
    )


def _nothing_made(tried: Sequence[NotMade]) -> InputError:
    """That no amounts could be removed, so that there was nothing to judge."""
    first = tried[0]
    shares = " and ".join(f"{as_written(amount)}" for amount in first.amounts)
    return InputError(
        f"search: none of the amounts tried ({len(tried)}) can be removed; of {shares}: "
        f"{first.reason}"
    )


def next_up(attempts: Sequence[Attempt], chosen: Attempt) -> Attempt | None:
    """The nearest attempt that removed at least as much in every step and did not pass."""
    beyond = [a for a in attempts if not a.passes and _covers(a.amounts, chosen.amounts)]
    return min(beyond, key=lambda attempt: sum(attempt.amounts), default=None)


class _Best:
    """The smallest attempt that passes; its candidate is the only one that stays on disk."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self.chosen: Attempt | None = None

    def attempt(self, amounts: Amounts) -> Tried:
        made = self._trials.attempt(amounts)
        if isinstance(made, NotMade):
            self._trials.discard(made)
            return made
        better = made.passes and (self.chosen is None or made.objective < self.chosen.objective)
        loser = self.chosen if better else made
        if better:
            self.chosen = made
        if loser is not None:
            self._trials.discard(loser)
        return made


def _bisect(memo: Memo[Tried], amount: tuple[float, float], tolerance: float) -> None:
    def ask(value: float) -> State | None:
        found = memo((value,))
        return None if found is None else state_of(found)

    bisect(ask, low=amount[0], high=amount[1], tolerance=tolerance)


def _others(attempt: Attempt, asked: Sequence[Amounts]) -> tuple[Amounts, ...] | None:
    """What was asked for besides an attempt's own amounts, each once; None: nothing was."""
    found = dict.fromkeys(rounded_amounts(amounts) for amounts in asked)
    return tuple(amounts for amounts in found if amounts != attempt.amounts) or None


def _outcome(tried: Tried | None) -> Outcome | None:
    if tried is None:
        return None
    return Outcome(
        number=tried.number,
        state=state_of(tried),
        objective=tried.objective if isinstance(tried, Attempt) else 0.0,
        violation=violation(tried),
    )


def _covers(one: Amounts, other: Amounts) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


def _beside(trials: Trials, chosen: Attempt) -> list[Tried]:
    """What the choice is held beside: the same amounts drawn, and by another scope.

    None are drawn where drawing is what was chosen; none of it is kept on disk.
    """
    draws = 0 if chosen.criterion == CONTROL else trials.search.beside.draws
    variants = [Variant(draw=number) for number in range(1, draws + 1)]
    scope = other_scope(trials.policy, trials.search)
    if scope is not None:
        variants.append(Variant(scope=scope))
    made = [trials.attempt(chosen.amounts, variant, chosen) for variant in variants]
    for one in made:
        trials.discard(one)
    return made
