"""Recompute: does a record's outcome follow from its own policy, tallies and measurements?

Whoever reads a record works its verdict out again before believing a word of it: slices, costs,
claims, every number of every finding, reasons, statement and exit code. What cannot be worked out
from a record (what was measured, how the rows were counted) is evidence that it names by digest;
``replay.py`` counts the rows again where they are at hand.

Nothing here loads a model, an engine or the second opinion.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

from prunegate.audit.assemble import known_limits, revalidate_on
from prunegate.audit.canonical import canonical_bytes, plain_json
from prunegate.audit.expectations_record import stated_expectations
from prunegate.audit.labelling_record import partial_slices
from prunegate.audit.measured_values import measured_of
from prunegate.audit.provenance import made_elsewhere
from prunegate.audit.record import DecisionRecord
from prunegate.audit.sealed_bar import is_looser
from prunegate.audit.tallied import slices_in
from prunegate.audit.waivers.consistency import flaws
from prunegate.claims.check import check_claims
from prunegate.cost.operations import Operations, operations
from prunegate.counting.production_counts import counted_slices, with_production
from prunegate.counting.slices import OVERALL, SliceCounts, expected_values, in_order
from prunegate.counting.tallies import Sums
from prunegate.errors import EvidenceError, InputError, InternalError
from prunegate.policy.consistency import disagreements
from prunegate.policy.explain import explain_policy
from prunegate.policy.messages import literal, show_path
from prunegate.policy.naming import parse_slice_name, slice_name
from prunegate.policy.rules_digest import rules_digest
from prunegate.policy.schema import Policy
from prunegate.policy.validation import validate_values
from prunegate.text.escape import one_line
from prunegate.verdict.claim_findings import with_claims
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import Finding, Verdict
from prunegate.verdict.gate_set_attempt import (
    GateSetAttempt,
    as_attempted,
    promised_of_all,
    spent,
    with_attempt_statement,
)
from prunegate.verdict.operational_figures import operational_figures
from prunegate.verdict.waiver import with_waivers

NUMBERS = ("numpy", "scipy")
"""Libraries that a finding's numbers depend on."""
REAL = (
    *("p_value", "p_harm", "p_harm_adjusted", "ci_low", "ci_high"),
    *("p_loss", "p_loss_adjusted"),
)
"""Fields of a finding that are worked out in floating point."""
ROUNDING = 1e-9
"""How far, relatively, these may differ: their last digits (1e-14 was seen) depend on the vector
instructions of the processor. What was decided by them may not differ at all."""
_IMPOSSIBLE = (InputError, InternalError, ArithmeticError, AssertionError, ValueError)
"""What sums and limits that no data have (rows past 2**53, sums past every float) end in."""
MOMENT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
FIELDS = (
    *("outcome", "exit_code", "findings", "reasons", "statement", "slices", "claims"),
    "production",
)
"""The record's fields that a verdict has under the same name."""
ADDED = ("method_kind", "open_because", "needed_for")
"""Fields of a finding that the first records do not have; a record has them all, or none."""
ADDED_LATER = ("needed_if_unchanged", "needed_if_as_seen", "as_seen", "p_loss", "p_loss_adjusted")
"""Those that came with ``warning_facts``."""


@dataclass(frozen=True, kw_only=True)
class RecordDifference:
    """One place where a record is not what it has to be."""

    where: str
    """``findings[3].status``"""
    got: Any
    expected: Any
    floating: bool = False
    """Whether it is a number that is worked out in floating point."""

    @property
    def rounding(self) -> bool:
        """Whether another processor may well have made it."""
        pair = (self.got, self.expected)
        return (
            self.floating
            and all(isinstance(n, int | float) for n in pair)
            and math.isclose(*pair, rel_tol=ROUNDING, abs_tol=1e-15)
        )

    def __str__(self) -> str:
        return f"{self.where} is {_shown(self.got)}, but must be {_shown(self.expected)}"


class _Missing:
    """Stands for what is not there."""


def require_follows(record: DecisionRecord, name: str) -> int:
    """Refuse a record whose verdict is not what its own policy and tallies give.

    Returns how many numbers differ in their last digits, as they do on another processor.

    Args:
        record: as read.
        name: what messages call it.

    Raises:
        EvidenceError: naming the first difference: where, got and expected.
    """
    try:
        every = list(differences(record))
    except _IMPOSSIBLE as error:
        raise EvidenceError(f"{name}: its verdict cannot be worked out again: {error}") from error
    found = next((one for one in every if not one.rounding), None)
    if found is None:
        return len(every)
    other = made_elsewhere(record.tool, NUMBERS)
    why = (
        f"It was written with {other}; install these versions to tell whether it was changed"
        if other
        else "It was changed after it was written, or another build of prunegate wrote it: take it "
        "from where it was stored first (audit/)"
    )
    raise EvidenceError(
        f"{name}: does not follow from its own policy and tallies: {found}. {why}, or judge again "
        "with 'prunegate gate'"
    )


def differences(
    record: DecisionRecord, counted: Sequence[SliceCounts] | None = None
) -> Iterator[RecordDifference]:
    """Every place where a record differs from what its policy, tallies and measurements give.

    The first is the most telling: the outcome before the numbers that it hangs on.

    Args:
        record: as read.
        counted: slices to judge in place of the record's own.

    Raises:
        InputError: they are missing or unreadable, so that nothing can be worked out.
    """
    policy = policy_of(record)
    slices = slices_of(policy, record) if counted is None else counted
    yield from _of_layout(policy, slices)
    known = operations(policy, record.measurements)
    yield from _of_attempt(policy, record.attempt)
    for flaw in flaws(record):
        raise InputError(flaw)
    judging = _as_then(policy, record)
    done = with_waivers(judging, verdict_of(judging, slices, known, record.attempt), record.waivers)
    verdict = done.verdict
    verdict = replace(verdict, findings=_as_told(record, verdict.findings))
    for name in FIELDS:
        yield from compare((name,), getattr(record, name), getattr(verdict, name))
    yield from _of_reference(policy, record, verdict)
    yield from compare(("cost",), record.cost, known.cost)
    yield from compare(("expectations",), *stated_expectations(policy, record.expectations))
    if not MOMENT.fullmatch(record.created):
        yield RecordDifference(
            where="created", got=record.created, expected="UTC, as 2026-01-31T12:00:00Z"
        )
    yield from compare(("waivers",), record.waivers, done.used)
    term = revalidate_on(policy, record.created, record.waivers)
    yield from compare(("revalidate_on",), record.revalidate_on, term)
    if record.bar is not None:
        yield from compare(("bar", "looser"), record.bar.looser, is_looser(policy, record.bar))
    yield from _of_policy(policy, record)
    yield from _of_words(policy, record, verdict, known)


FROM_ROWS = ("shifted", "reordered")
"""Kinds of doubts that the rows told, and no counts can."""


def _as_then(policy: Policy, record: DecisionRecord) -> Policy:
    """The policy as it judged when the record was made: of an earlier one nobody asked more."""
    if record.reference is not None:
        return policy
    evidence = policy.evidence.model_copy(update={"reference": "off"})
    return policy.model_copy(update={"evidence": evidence})


def _of_reference(
    policy: Policy, record: DecisionRecord, verdict: Verdict
) -> Iterator[RecordDifference]:
    """What was demanded of the reference, and what the counts say against a model."""
    if record.reference is not None:
        yield from compare(("reference",), record.reference, policy.evidence.reference)
    counted = tuple(doubt for doubt in record.doubts if doubt.kind not in FROM_ROWS)
    yield from compare(("doubts",), counted, verdict.doubts)


def _as_told(record: DecisionRecord, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings with the fields that the record's own have: an earlier one lacks some."""
    lacks: dict[str, Any] = dict.fromkeys(() if record.warning_facts is not None else ADDED_LATER)
    if not any(getattr(one, name) is not None for one in record.findings for name in ADDED):
        lacks = dict.fromkeys((*ADDED, *ADDED_LATER))
    return tuple(replace(one, **lacks) for one in findings)


def policy_of(record: DecisionRecord) -> Policy:
    """The policy that a record holds.

    Raises:
        InputError: it is none.
    """
    policy, mistakes = validate_values(record.policy.document)
    words = [f"{show_path(mistake.path)}: {mistake.message}" for mistake in mistakes]
    if policy is not None:
        found = disagreements(_with_own_figures(policy))
        words += [f"{show_path(path)}: {said}" for path, said in found]
    if policy is None or words:
        raise InputError(f"policy.document is no policy: {one_line('; '.join(words[:3]))}")
    return policy


def _with_own_figures(policy: Policy) -> Policy:
    """The policy with the figures of its claims file as its own: a record holds both."""
    if policy.claims is None or policy.claims.figures is None:
        return policy
    return policy.model_copy(update={"claims": policy.claims.model_copy(update={"file": None})})


def slices_of(policy: Policy, record: DecisionRecord) -> tuple[SliceCounts, ...]:
    """The tallies that a record holds.

    Raises:
        InputError: there are none, or they are unreadable.
    """
    if not record.slices:
        raise InputError("it holds no slices, so nothing was judged")
    if record.labelling is not None:
        return partial_slices(record.slices, record.labelling)
    weighed = policy.weight is not None
    needed = not policy.task.traits.yes_no or policy.group is not None or weighed
    if needed and record.tallies is None:
        raise InputError(
            "it holds no tallies (an earlier version of prunegate wrote none for such tasks); "
            "judge again with 'prunegate gate'"
        )
    slices = slices_in(policy.task.kind, record.slices, record.tallies)
    if any((one.worth is not None) != (weighed and one.rows > 0) for one in slices):
        raise InputError("it holds design weights that its policy does not name, or none of these")
    return with_production(policy, slices)


def verdict_of(
    policy: Policy,
    slices: Sequence[SliceCounts],
    known: Operations,
    attempt: GateSetAttempt | None = None,
) -> Verdict:
    """The verdict on tallies and what is known of running the models."""
    tested = as_attempted(policy, attempt)
    operational = operational_figures(known.measurements, known.cost, known.unpriced)
    verdict = with_attempt_statement(decide(tested, slices, operational), policy, attempt)
    if policy.claims is None or policy.claims.figures is None:
        return with_claims(policy, verdict, None)
    measured = measured_of(verdict.findings, known.measurements, known.cost)
    return with_claims(policy, verdict, check_claims(policy.claims.figures, measured))


def _of_attempt(policy: Policy, attempt: GateSetAttempt | None) -> Iterator[RecordDifference]:
    """What an attempt says beyond its number follows from the policy."""
    if attempt is None:
        return
    if attempt.number < 1:
        raise InputError(f"attempt.number is {attempt.number}, but attempts are numbered from 1")
    expected = {
        "rules": rules_digest(policy),
        "reuse": policy.evidence.reuse,
        "alpha": spent(policy, attempt.number),
        "alpha_of_all": promised_of_all(policy),
    }
    for name, value in expected.items():
        yield from compare(("attempt", name), getattr(attempt, name), value)
    if attempt.look is not None and not 1 <= attempt.look <= policy.evidence.looks:
        where, allowed = "attempt.look", f"1 to {policy.evidence.looks}"
        yield RecordDifference(where=where, got=attempt.look, expected=allowed)


def _of_layout(policy: Policy, slices: Sequence[SliceCounts]) -> Iterator[RecordDifference]:
    """Slices are those of the policy, in order, and the slices of a key add up to all rows."""
    slices = counted_slices(slices)
    wanted = [(OVERALL, OVERALL, True)]
    for spec in policy.slices:
        found = [one for one in slices if one.slicing == spec.label]
        if not spec.keys:
            wanted.append((spec.label, spec.label, True))
            continue
        expected = expected_values(spec)
        names = [tuple((parse_slice_name(one.name) or {}).values()) for one in found]
        seen = [values for values in names if len(values) == len(spec.keys)]
        wanted += [
            (slice_name(spec.keys, values), spec.label, values in expected)
            for values in in_order(policy, spec, seen)
        ]
        parts = reduce(add, (one.tally for one in found), type(slices[0].tally)())
        yield from _of_total(spec.label, parts, slices[0].tally)
    for place, (one, (name, slicing, declared)) in enumerate(zip(slices, wanted, strict=False)):
        where = ("slices", place)
        yield from compare((*where, "name"), one.name, name)
        yield from compare((*where, "slicing"), one.slicing, slicing)
        yield from compare((*where, "declared"), one.declared, declared)
    yield from compare(("slices",), f"{len(slices)} slices", f"{len(wanted)} slices")


def _of_total(label: str, parts: Any, total: Any) -> Iterator[RecordDifference]:
    """A total is the sum of its slices; of numbers, where a group may span slices, their sums."""
    if isinstance(total, Sums):
        sums = (
            {name: (of.first, of.rough) for name, of in tally.quantities.items()}
            for tally in (parts, total)
        )
        parts, total = ((t.count, s) for t, s in zip((parts, total), sums, strict=True))
    if parts != total:
        yield RecordDifference(
            where=f"slices[0] (all rows, against the slices of {label})",
            got="another sum",
            expected="the sum of these slices",
        )


def _of_policy(policy: Policy, record: DecisionRecord) -> Iterator[RecordDifference]:
    named = record.policy
    for name in ("name", "purpose", "owner"):
        yield from compare(("policy", name), getattr(named, name), getattr(policy, name))
    sentences = tuple(explain_policy(policy)[: len(policy.rules)])
    yield from compare(("policy", "sentences"), named.sentences, sentences)


def _of_words(
    policy: Policy, record: DecisionRecord, verdict: Verdict, known: Operations
) -> Iterator[RecordDifference]:
    """Every warning and limit that follows is there; others (of data, of models) may be."""
    limits = known_limits(policy, verdict, known)
    for name, words in (("warnings", verdict.warnings), ("known_limits", limits)):
        kept = set(getattr(record, name))
        yield from (
            RecordDifference(where=name, got="without this sentence", expected=one)
            for one in words
            if one not in kept
        )
    told = dict(enumerate(record.warnings))
    if record.allowed_losses is not None:
        losses = tuple(told.get(place) for place in record.allowed_losses)
        expected = tuple(verdict.warnings[place] for place in verdict.allowed_losses)
        yield from compare(("allowed_losses",), losses, expected)
    if record.warning_facts is not None:
        yield from compare(("guarantee",), record.guarantee, verdict.guarantee)
        facts = [(replace(f, place=0), told.get(f.place)) for f in record.warning_facts]
        wanted = [(replace(f, place=0), verdict.warnings[f.place]) for f in verdict.warning_facts]
        yield from compare(("warning_facts",), facts, wanted)
    opinion = record.second_opinion
    if opinion is not None:
        yield from compare(("second_opinion", "findings"), opinion.findings, len(verdict.findings))


def compare(where: tuple[str | int, ...], got: Any, expected: Any) -> Iterator[RecordDifference]:
    """Every place where two values are not the same JSON; equal texts spare its canonical form."""
    got, expected = plain_json(got), plain_json(expected)
    if repr(got) != repr(expected) and canonical_bytes(got) != canonical_bytes(expected):
        yield from _within(where, got, expected)


def _within(where: tuple[str | int, ...], got: Any, expected: Any) -> Iterator[RecordDifference]:
    if isinstance(got, dict) and isinstance(expected, dict):
        for key in dict.fromkeys((*expected, *got)):
            pair = (got.get(key, _Missing), expected.get(key, _Missing))
            yield from _within((*where, key), *pair)
    elif isinstance(got, list) and isinstance(expected, list):
        for place, pair in enumerate(zip(got, expected, strict=False)):
            yield from _within((*where, place), *pair)
        if len(got) != len(expected):
            sizes = (f"{len(values)} entries" for values in (got, expected))
            yield RecordDifference(where=show_path(where), got=next(sizes), expected=next(sizes))
    elif _Missing in (got, expected) or canonical_bytes(got) != canonical_bytes(expected):
        floating = where[0] == "findings" and where[-1] in REAL
        yield RecordDifference(
            where=show_path(where), got=got, expected=expected, floating=floating
        )


def _shown(value: Any) -> str:
    return "absent" if value is _Missing else literal(value)
