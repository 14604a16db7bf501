"""Trials: make a candidate, judge it on the search split, and remember it.

Every candidate is made by the policy's own steps and judged by the policy's own rules, exactly as
the gate does, only on other rows. Of the candidates only the smallest that passes is kept on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.search_record import LostMore, NotMade
from prunegate.compress.steps import Candidate
from prunegate.cost.measurement import Measurements
from prunegate.cost.operations import operations
from prunegate.errors import AmountError, InputError, InternalError
from prunegate.gate import judge
from prunegate.io.progress import Progress
from prunegate.metrics.catalogue import priced, timed
from prunegate.models.load import LoadedModel
from prunegate.models.surgery import SURGERY_FILE
from prunegate.pipeline.context import Context
from prunegate.pipeline.tuning import with_tuned_threshold
from prunegate.policy.schema import Policy
from prunegate.policy.steps import SearchSection, Split
from prunegate.policy.task import Task
from prunegate.predict.tasks.task_answers import Scored
from prunegate.search.attempt import Attempt, Tried, missed, worst_change
from prunegate.search.memo import Amounts
from prunegate.search.paired_comparison import lost_more, task_of_pair
from prunegate.search.variation import (
    AS_SAID,
    Seen,
    Variant,
    amounts_key,
    at_largest,
    criterion_of,
    rounded_amounts,
    seen_before,
    with_amounts,
)
from prunegate.search.workfolder import KeptAttempt, Losses, WorkFolder
from prunegate.text.numbers import as_written
from prunegate.verdict.finding import Verdict
from prunegate.verdict.operational_figures import operational_figures

PARTS = 100
"""Steps of the bar per stage."""


class Meter:
    """Turns the progress of stages, one after the other, into that of one task."""

    def __init__(self, progress: Progress, words: str, stages: int) -> None:
        self._progress = progress
        self._words = words
        self._total = stages * PARTS
        self._seen: list[str] = []
        progress(words, 0, self._total)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take the progress of a stage; a new name is a new stage."""
        if stage not in self._seen:
            self._seen.append(stage)
        before = PARTS * self._seen.index(stage)
        now = before + PARTS * done // max(total, 1)
        self._progress(self._words, min(now, self._total), self._total)


SPLIT: Split = "search"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a candidate made of the search split."""

    scored: Scored
    task: Task
    """With the candidate's own threshold, where one was tuned."""


@dataclass(frozen=True, kw_only=True)
class Trials:
    """A context that makes one candidate after the other."""

    bench: Context
    search: SearchSection
    work: WorkFolder
    losses: dict[int, Losses] = field(default_factory=dict)
    """Training losses, by the attempt's number."""
    names: dict[int, str] = field(default_factory=dict)
    """What each attempt is called in the work folder."""
    answers: dict[int, Answers] = field(default_factory=dict)
    """What candidates that may still be chosen made of the split, where they were scored here."""
    first: dict[str, int] = field(default_factory=dict)
    """The first attempt of each candidate, by its weights."""
    seen: dict[int, int] = field(default_factory=dict)
    """Units that steps were seen to remove which all attempts do alike, by their number."""

    @property
    def policy(self) -> Policy:
        """The policy."""
        return self.bench.policy

    @cached_property
    def judging(self) -> Policy:
        """The policy that attempts are judged by: its own rules, as sure as the search asks.

        Stated figures are of the final candidate; they say nothing about attempts. The baseline is
        the same in all of them, and the gate asks for it.
        """
        evidence: dict[str, Any] = {"reference": "off"}
        if self.search.confidence is not None:
            evidence["confidence"] = self.search.confidence
        update = {"claims": None, "evidence": self.policy.evidence.model_copy(update=evidence)}
        return self.policy.model_copy(update=update)

    @cached_property
    def rows(self) -> int:
        """Rows of the search split."""
        return len(self.bench.material.split(SPLIT))

    @cached_property
    def baseline_objective(self) -> float | None:
        """The objective of the baseline, where it is counted and not timed."""
        return self._figure(self.bench.counted(self.bench.baseline), required=False)

    @cached_property
    def timed(self) -> bool:
        """Whether an attempt has to be timed: the objective or a blocking rule asks for it."""
        asked = {rule.metric for rule in self.policy.rules if rule.severity == "block"}
        asked.add(self.search.objective)
        return bool(asked & timed()) or (bool(asked & priced()) and not _quoted(self.policy))

    def key(self, amounts: Amounts) -> Hashable:
        """Amounts with equal keys are one candidate."""
        return amounts_key(
            self.policy,
            self.search,
            self.bench.baseline.kept,
            rounded_amounts(amounts),
            tuple(self.seen.items()),
        )

    def at_largest(self, attempt: Attempt) -> bool:
        """Whether every varied step removes all that it can."""
        kept = self.bench.baseline.kept
        return at_largest(self.policy, self.search, kept, attempt.amounts)

    def attempt(
        self, amounts: Amounts, variant: Variant = AS_SAID, beside: Attempt | None = None
    ) -> Tried:
        """Make and judge the candidate of these amounts, or take up where it was judged before.

        Where its steps find an amount that they cannot remove, that is told in its place.

        Args:
            amounts: the share to remove in each step that varies.
            variant: what else is other than the policy says.
            beside: the choice that it is a control of, which it is then tested against.
        """
        number = len(self.names) + 1
        wanted = rounded_amounts(amounts)
        self.names[number] = name = _name(wanted, variant)
        kept = self.work.find(name) or self._made(name, number, wanted, variant, beside)
        self.losses[number] = kept.losses
        made = replace(kept.attempt, number=number)
        if isinstance(made, NotMade) or not made.weights:
            return made
        if variant != AS_SAID:
            return replace(made, same_as=self.first.get(made.weights))
        self.seen.update(kept.seen)
        first = self.first.setdefault(made.weights, number)
        return made if first == number else replace(made, same_as=first)

    def discard(self, attempt: Tried) -> None:
        """Remove the candidate of an attempt that will not be chosen."""
        self.work.discard(self.names[attempt.number])
        self.answers.pop(attempt.number, None)

    def forget(self) -> None:
        """Keep nothing of this search."""
        for name in self.names.values():
            self.work.forget(name)

    def candidate(self, attempt: Attempt) -> LoadedModel:
        """The candidate of an attempt; made again, bit for bit, where it is not there any more.

        Raises:
            InternalError: it comes out otherwise the second time.
        """
        name = self.names[attempt.number]
        model = self.work.load(name, attempt)
        if model is not None:
            return model
        steps = with_amounts(self.policy, self.search, attempt.amounts)
        meter = Meter(self.bench.settings.progress, "make the chosen candidate again", len(steps))
        bench = self._reporting(meter)
        made, _ = bench.make(steps, self.work.fresh(name))
        if made.digest != attempt.digest:
            raise InternalError(
                f"the candidate of attempt {attempt.number} came out otherwise the second time; "
                "an input may have changed while the search was at work"
            )
        return made

    def recipe(self, attempt: Attempt, model: LoadedModel) -> Candidate | None:
        """How a candidate was made, as ``compress`` had told it."""
        if model.surgery is None:
            return None
        return Candidate(
            module=model.module,
            kept=model.kept,
            surgery=model.surgery,
            losses=self.losses[attempt.number],
        )

    def _made(
        self, name: str, number: int, amounts: Amounts, variant: Variant, beside: Attempt | None
    ) -> KeptAttempt:
        steps = variant.changed(with_amounts(self.policy, self.search, amounts), self.search)
        words = variant.words(number, amounts)
        bench = self._reporting(
            Meter(self.bench.settings.progress, words, len(steps) + 1 + self.timed)
        )
        seeded = replace(bench.settings, seed=variant.seed(bench.settings.seed))
        try:
            model, made = replace(bench, settings=seeded).make(steps, self.work.fresh(name))
        except AmountError as error:
            unmade = NotMade(
                number=number,
                amounts=amounts,
                criterion=criterion_of(steps),
                beyond=error.beyond,
                reason=error.told,
                scope=variant.scope,
            )
            return self._kept(name, KeptAttempt(attempt=unmade, losses=()))
        except InputError as error:
            shares = " and ".join(f"{as_written(amount)}" for amount in amounts)
            by = f", by scope: {variant.scope}" if variant.scope else ""
            raise InputError(f"search, amount {shares}{by}: {error}") from error
        bench, _ = with_tuned_threshold(bench, model)
        judging = self.judging.model_copy(update={"task": bench.policy.task})
        before, after = self.bench.of_baseline(SPLIT), bench.score(model, "it", SPLIT)
        self.answers[number] = Answers(scored=after, task=bench.policy.task)
        scores = {"baseline": before, "candidate": after}
        measured = bench.measure(model, SPLIT) if self.timed else bench.counted(model)
        verdict = judge(judging, bench.predictions(scores, SPLIT), measurements=measured)
        attempt = self._attempt(number, model, verdict, measured)
        attempt = replace(
            attempt,
            amounts=amounts,
            criterion=criterion_of(steps),
            scope=variant.scope,
            lost_more=None if beside is None else self._against(beside, self.answers[number]),
        )
        return self._kept(
            name, KeptAttempt(attempt=attempt, losses=made.losses, seen=self._shown(made))
        )

    def _shown(self, made: Candidate) -> Seen:
        """What a candidate shows of all others; those of a variant are not asked."""
        earlier = self.bench.baseline.surgery
        own = made.surgery.recipe[len(earlier.recipe) if earlier else 0 :]
        return seen_before(self.policy, self.search, own)

    def _against(self, chosen: Attempt, control: Answers) -> LostMore:
        """The paired test of a control on the rows that what was chosen answered too."""
        if chosen.number not in self.answers:  # made before this search was taken up again
            model = self.candidate(chosen)
            bench, _ = with_tuned_threshold(self.bench, model)
            scored = bench.score(model, "it", SPLIT)
            self.answers[chosen.number] = Answers(scored=scored, task=bench.policy.task)
        before = self.answers[chosen.number]
        task = task_of_pair(before.task, control.task)
        scores = {"baseline": before.scored, "candidate": control.scored}
        policy = self.judging.model_copy(update={"task": task})
        return lost_more(policy, self.bench.predictions(scores, SPLIT))

    def _kept(self, name: str, kept: KeptAttempt) -> KeptAttempt:
        """Write an attempt down, and go on with what stands there, as one that is taken up does."""
        self.work.keep(name, kept)
        return self.work.find(name) or kept

    def _attempt(
        self, number: int, model: LoadedModel, verdict: Verdict, measured: Measurements
    ) -> Attempt:
        lost = worst_change(verdict.findings)
        finding = None if lost is None else lost.finding
        return Attempt(
            number=number,
            amounts=(),
            criterion="",
            objective=self._figure(measured) or 0.0,
            parameters=model.parameters,
            model_bytes=model.model_bytes,
            outcome=verdict.outcome,
            loss=lost.loss if lost else None,
            loss_metric=finding.metric if finding else None,
            loss_class=finding.class_label if finding else None,
            loss_slice=finding.slice if finding else None,
            margin_used=lost.used if lost else None,
            reason=missed(verdict),
            digest=model.digest,
            weights=_weights(model),
            reasons=verdict.reasons,
            findings=verdict.findings,
        )

    def _figure(self, measured: Measurements, *, required: bool = True) -> float | None:
        """The objective of a measured candidate; None where it is not known and not required."""
        known = operations(self.policy, measured)
        figure = operational_figures(known.measurements, known.cost, known.unpriced).get(
            self.search.objective
        )
        value = None if figure is None else figure.candidate
        if required and figure is not None and figure.unusable:
            raise InputError(
                f"search: {self.search.objective}: {figure.unusable}, or search for parameters or "
                "model_bytes, which need no clock"
            )
        if required and (figure is None or value is None):
            raise InputError(
                f"search: {self.search.objective} could not be measured in so short a time; give "
                "more --seconds"
            )
        return value

    def _reporting(self, meter: Meter) -> Context:
        return replace(self.bench, settings=replace(self.bench.settings, progress=meter))


def _weights(model: LoadedModel) -> str | None:
    """Digest of a candidate's files; its manifest tells the amounts that were asked for, too."""
    files = {path: sha256 for path, sha256 in model.files.items() if path != SURGERY_FILE}
    return hashlib.sha256(canonical_bytes(files)).hexdigest() if files else None


def _quoted(policy: Policy) -> bool:
    return policy.cost is not None and policy.cost.billing.quoted


def _name(amounts: Amounts, variant: Variant) -> str:
    return hashlib.sha256(canonical_bytes(variant.named(amounts))).hexdigest()[:12]
