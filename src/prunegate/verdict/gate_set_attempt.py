"""Attempt: which try on its gate set a verdict is, and what that leaves of alpha.

The number is told by whoever keeps count (``audit/ledger.py``); what follows from it is worked out
here, from the policy and the number alone, so that a verdict can be recomputed from its record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from prunegate.policy.schema import Policy
from prunegate.stats.paired_exact import BETA
from prunegate.stats.reuse import Reuse, level_of_attempt, of_all, rows_ratio
from prunegate.text.numbers import upper_bound_share as in_percent
from prunegate.text.said import joined, said
from prunegate.verdict.finding import ABSENT, Verdict

POWER = 0.9
"""At which further attempts are compared with the first."""


@dataclass(frozen=True, kw_only=True)
class GateSetAttempt:
    """One candidate under one set of rules on one gate set, among those before it."""

    gate_set: str
    """sha256 of ids and labels (``counting/gate_set.py``): what attempts are counted by."""
    contents: str
    """sha256 of ids, labels, slicing values and groups."""
    candidate: tuple[str, ...]
    """Digests that each tell the candidate: of its answers, and of its files where it was run."""
    baseline: tuple[str, ...]
    """Likewise of the baseline."""
    rules: str
    """sha256 of what decides in the policy (``policy/rules_digest.py``)."""
    number: int
    """From 1. The same candidate under the same rules again has the number that it had."""
    known: int
    """Attempts on this gate set that the audit folder knows, this one included."""
    reuse: Reuse
    alpha: float
    """Level of every test of this attempt."""
    alpha_of_all: float | None
    """A bound for wrongly approving any of all attempts on this gate set; None: there is none."""
    look: int | None = field(default=None, metadata=ABSENT)
    """Which look at labels it is, from 1; None: the policy allows one."""
    list: str | None = field(default=None, metadata=ABSENT)
    """sha256 of the list that was labelled; None: every row has its label."""
    round: int | None = field(default=None, metadata=ABSENT)
    """Round of labelling of that list."""
    unjudged: tuple[int, ...] | None = field(default=None, metadata=ABSENT)
    """Earlier rounds of labelling of which the audit folder has no verdict; each counts as a look;
    None: none."""
    ids: str | None = field(default=None, metadata=ABSENT)
    """sha256 of ids alone: what attempts on labels of some rows and of all are counted together
    by; None: the task has no labels."""


def spent(policy: Policy, number: int) -> float:
    """The level that a policy leaves to attempt ``number``."""
    return level_of_attempt(policy.evidence.reuse, policy.evidence.alpha, number)


def promised_of_all(policy: Policy) -> float | None:
    """What a policy promises of all attempts on one gate set together."""
    return of_all(policy.evidence.reuse, policy.evidence.alpha_of_looks)


def as_attempted(policy: Policy, attempt: GateSetAttempt | None) -> Policy:
    """The policy with its tests at the level of an attempt; None: nobody counted, the first."""
    return policy if attempt is None else policy.at_level(spent(policy, attempt.number))


def with_attempt_statement(
    verdict: Verdict, policy: Policy, attempt: GateSetAttempt | None
) -> Verdict:
    """The verdict whose statement says which attempt it is and what that means."""
    if attempt is None:
        return verdict
    if verdict.guarantee is None:  # without a test no attempt has an error rate either
        told: str = said("attempt.alone", which=_which(attempt))
    else:
        told = attempt_sentences(policy, attempt)
    return replace(verdict, statement=joined((verdict.statement, told), " "))


def attempt_sentences(policy: Policy, attempt: GateSetAttempt) -> str:
    """Which attempt this is, what holds for all of them, and what it costs."""
    return joined(_of_attempt(policy, attempt), " ")


def _of_attempt(policy: Policy, attempt: GateSetAttempt) -> Iterator[str]:
    first, which, total = policy.evidence.alpha, _which(attempt), promised_of_all(policy)
    yield from _looks(policy, attempt)
    if total is None:
        share = in_percent(policy.evidence.alpha_of_looks)
        yield said("attempt.unreckoned", which=which, share=share)
        return
    own = spent(policy, attempt.number)
    if own == first:
        yield said("attempt.alone", which=which)
    else:
        yield said("attempt.held", which=which, own=in_percent(own), first=in_percent(first))
    yield said("attempt.all", share=in_percent(total))
    if own != first:
        yield _cost(first, own)


def _looks(policy: Policy, attempt: GateSetAttempt) -> Iterator[str]:
    """Which look this is, and what all of them keep."""
    looks = policy.evidence.looks
    if looks == 1:
        return
    own = spent(policy, attempt.number)
    which = said("attempt.looks", looks=looks)
    if attempt.look is not None:
        which = said("attempt.look", look=attempt.look, looks=looks)
    shares = {"own": in_percent(own, digits=3), "share": in_percent(own * looks)}
    yield said("attempt.each", which=which, **shares)
    yield from _passed_over(attempt)


def _passed_over(attempt: GateSetAttempt) -> Iterator[str]:
    """That rounds were not judged, which uses their looks up."""
    if attempt.unjudged:
        yield said("attempt.unjudged", rounds=", ".join(map(str, attempt.unjudged)))


def _which(attempt: GateSetAttempt) -> str:
    return said("attempt.which", number=attempt.number)


def _cost(first: float, own: float) -> str:
    ratio = rows_ratio(first, own, POWER)
    if ratio is None or own < BETA:
        return said("attempt.cost_none")
    return said("attempt.cost", ratio=f"{ratio:.2g}", first=in_percent(first))
