"""Warnings of a verdict: what a reader should know although it does not decide, as facts.

What a rule finds that only warns, which slices nobody judged, which losses are real though allowed:
each is a fact (``WarningFact``) with one sentence in ``warnings``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from prunegate.policy.schema import Policy
from prunegate.verdict import sentences
from prunegate.verdict.finding import Finding, SliceSummary, Verdict, WarningFact, WarningKind
from prunegate.verdict.losses import is_real_loss

FEW_UNJUDGED = 5
"""Slices without a judgement that each get a sentence; of the others there is one for all."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One warning: its sentence, and what it is about; None: of several slices."""

    sentence: str
    fact: WarningFact | None


def with_warnings(verdict: Verdict, told: Iterable[Told]) -> Verdict:
    """The verdict with further warnings after those that it has."""
    warnings, facts = list(verdict.warnings), list(verdict.warning_facts)
    for one in told:
        if one.fact is not None:
            facts.append(replace(one.fact, place=len(warnings)))
        warnings.append(one.sentence)
    losses = tuple(fact.place for fact in facts if fact.kind == "loss")
    return replace(
        verdict, warnings=tuple(warnings), warning_facts=tuple(facts), allowed_losses=losses
    )


def with_first_warning(verdict: Verdict, sentence: str) -> Verdict:
    """The verdict with one more warning, before those that it has."""
    facts = tuple(replace(fact, place=fact.place + 1) for fact in verdict.warning_facts)
    return replace(
        verdict,
        warnings=(sentence, *verdict.warnings),
        warning_facts=facts,
        allowed_losses=tuple(place + 1 for place in verdict.allowed_losses),
    )


def warned(policy: Policy, findings: Sequence[Finding], start: int = 0) -> Iterator[Told]:
    """What only warns and does not hold, or is not shown to.

    Args:
        policy: the policy.
        findings: all of the verdict.
        start: the first finding that is looked at.
    """
    kinds: dict[str, WarningKind] = {"fail": "broken", "inconclusive": "open"}
    for status, kind in kinds.items():
        for place, finding in enumerate(findings):
            if place >= start and finding.severity == "warn" and finding.status == status:
                sentence = sentences.only_warned(policy, findings, finding)
                yield _told(kind, sentence, finding=place)


def of_slices(policy: Policy, slices: Sequence[SliceSummary]) -> Iterator[Told]:
    """Slices that the data hold and the policy does not declare, where that needs saying."""
    listed = {spec.label for spec in policy.slices if spec.expect}
    for one in slices:
        if one.slicing in listed and not one.declared and one.judged:
            yield _told("undeclared", sentences.of_undeclared(one), about=one.name)
    unjudged = [one for one in slices if one.rows and not one.judged]
    first = sorted(unjudged, key=lambda one: (-(one.lost or 0), -one.rows, one.name))
    for one in first[:FEW_UNJUDGED]:
        sentence = sentences.of_unjudged(policy, one)
        yield _told("unjudged", sentence, about=one.name)
    if first[FEW_UNJUDGED:]:
        yield Told(sentence=sentences.of_more_unjudged(first[FEW_UNJUDGED:]), fact=None)


def allowed_losses(policy: Policy, findings: Sequence[Finding]) -> Iterator[Told]:
    """Losses that are real and within their limits."""
    places = [n for n, f in enumerate(findings) if f.status == "pass" and is_real_loss(f)]
    said = sentences.losing(policy, findings, places)
    for place, sentence in zip(places, said, strict=True):
        yield _told("loss", sentence, finding=place)


def _told(
    kind: WarningKind, sentence: str, *, finding: int | None = None, about: str | None = None
) -> Told:
    fact = WarningFact(kind=kind, place=0, finding=finding, slice=about)
    return Told(sentence=sentence, fact=fact)
