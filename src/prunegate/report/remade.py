"""Sentences made again from a record's own fields: what an earlier record says without phrases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from prunegate.audit.assemble import tuned_in_words
from prunegate.audit.control_words import ControlThresholds, control_in_words
from prunegate.audit.recipe_words import step_in_words
from prunegate.audit.recompute import policy_of
from prunegate.audit.record import DecisionRecord
from prunegate.counting.slices import identical
from prunegate.errors import PrunegateError
from prunegate.policy.schema import Policy
from prunegate.text.said import Phrase, joined, phrases_in, said
from prunegate.verdict.gate_set_attempt import attempt_sentences
from prunegate.verdict.reference_sentences import doubt_sentence
from prunegate.verdict.sentences import statement


def phrases_of(record: DecisionRecord) -> tuple[Phrase, ...]:
    """What the sentences of a record say: as it tells, and as its fields give them again.

    One that was worded otherwise then is not there in the same words, and is not taken for it.
    """
    return (*(record.phrases or ()), *phrases_in(_again(record)))


def _again(record: DecisionRecord) -> Iterator[str]:
    yield from tuned_in_words(record.tuned)
    yield from map(doubt_sentence, record.doubts)
    yield from (identical(one.rows) for one in record.slices)
    if record.compression is not None:
        yield from map(step_in_words, record.compression.recipe)
    with suppress(PrunegateError):  # a policy that this build does not know
        yield from _by_policy(record, policy_of(record))


def _by_policy(record: DecisionRecord, policy: Policy) -> Iterator[str]:
    """What the gate guarantees, what the attempt adds, what varied, and the control's reason."""
    attempt = record.attempt
    more = "" if attempt is None else attempt_sentences(policy, attempt)
    yield joined((statement(policy, record.guarantee), more), " ")
    if record.search is not None and policy.search is not None:
        for step in (one.step for one in policy.search.vary):
            varied = policy.compress[step - 1].prune
            yield said("search.varied", what=varied.what if varied else "", step=step)
    if record.control is not None:
        at = ControlThresholds(
            baseline=policy.task.threshold_of("baseline"),
            candidate=policy.task.threshold_of("candidate"),
            control=record.control.threshold,
        )
        yield control_in_words(record.control.slices, None if at.control is None else at)
