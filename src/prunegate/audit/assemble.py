"""Assemble: a verdict and everything it rests on, put together into one record.

Nothing is decided here; a record that cannot be written exactly is refused before anything is
counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.expectations_record import recorded_expectations
from prunegate.audit.labelling_record import RecordedLabelling
from prunegate.audit.prediction_metadata import Notes, environment_of
from prunegate.audit.provenance import now, tool
from prunegate.audit.record import (
    Bar,
    DecisionRecord,
    Flip,
    Input,
    NamedModel,
    PolicyRef,
    Workspace,
)
from prunegate.audit.recorded_flips import TEXTS
from prunegate.audit.tallied import tallies_of
from prunegate.audit.written_texts import QualityScorer
from prunegate.cost.operations import Operations
from prunegate.cost.tariff import RENTED, SCALED
from prunegate.counting.slices import SliceCounts
from prunegate.data.contract.expected import JudgedExpectations
from prunegate.data.predictions.table import Table
from prunegate.errors import InputError, InternalError
from prunegate.io.hashing import FileHash
from prunegate.policy.explain import explain_policy
from prunegate.policy.schema import Policy
from prunegate.predict.tuned_threshold import TunedThreshold
from prunegate.text.said import said
from prunegate.verdict.finding import Verdict
from prunegate.verdict.gate_set_attempt import GateSetAttempt
from prunegate.verdict.waiver import Waiver

if TYPE_CHECKING:
    from prunegate.policy.load import PolicyFile


def known_limits(policy: Policy, verdict: Verdict, operations: Operations) -> tuple[str, ...]:
    """What a reader must not take the record to show."""
    limits = []
    if policy.group is None:
        limits.append(said("limit.independent"))
    else:
        limits.append(said("limit.groups", group=str(policy.group)))
    if policy.weight is not None:
        limits.append(said("limit.weights", column=policy.weight))
    if verdict.production is not None:
        limits.append(said("limit.production"))
    limits.append(said("limit.like_judged"))
    if operations.measurements is None:
        limits.append(said("limit.unmeasured"))
    elif operations.cost is not None and operations.cost.basis == SCALED:
        limits.append(said("limit.scaled"))
    elif operations.cost is not None and operations.cost.basis == RENTED:
        limits.append(said("limit.rented"))
    if operations.unpriced:
        limits.append(said("limit.unpriced", why=operations.unpriced))
    unjudged = [s.name for s in verdict.slices if not s.judged]
    if unjudged:
        limits.append(said("limit.unjudged", n=len(unjudged)))
    if policy.evidence.minimum.rows == 1 and policy.evidence.minimum.positives == 1:
        limits.append(said("limit.no_minimum"))
    return tuple(limits)


def revalidate_on(policy: Policy, created: str, waivers: Sequence[Waiver] = ()) -> str | None:
    """The UTC date from which the decision has to be taken anew; None: the policy sets no term.

    A decision that rests on waivers holds no longer than any of them; where one ends within a day,
    until that day begins.

    Args:
        policy: the policy.
        created: when the decision was taken, ISO 8601 in UTC.
        waivers: what it rests on.

    Raises:
        InputError: there is no such date.
    """
    try:
        ends = [date.fromisoformat(one.expires[:10]) for one in waivers]
        if policy.revalidate is not None:
            day = date.fromisoformat(created[:10])
            ends.append(day + timedelta(days=policy.revalidate.after_days))
        return min(ends).isoformat() if ends else None
    except (ValueError, OverflowError) as error:
        raise InputError(f"created: {created[:40]!r} is no date to count from ({error})") from error


@dataclass(frozen=True, kw_only=True)
class Origin:
    """How the predictions came about, as far as the caller knows; ``run`` fills all of it."""

    command: str = "gate"
    inputs: tuple[Input, ...] = ()
    """Files behind the predictions."""
    images: Mapping[str, str] = field(default_factory=dict)
    """Image path of each row id."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The beginning of the text of each row id."""
    expected: JudgedExpectations | None = None
    """What became of the policy's expectations, where the labelled data were held against them."""
    made: Mapping[str, Any] = field(default_factory=dict)
    """Record fields on the making: seed, baseline, candidate, compression, control,
    generations."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A table and what was said about it."""

    table: Table
    hashes: Sequence[FileHash]
    """Of the table's files, taken before they were counted."""
    operations: Operations
    slices: Sequence[SliceCounts]
    """The tallies that the verdict was taken on."""
    verdict: Verdict
    notes: tuple[Notes, ...] = ()
    """What the table's files say of their making."""
    claims: Input | None = None
    """The file of stated figures, where the policy names one."""
    workspace: Workspace | None = None
    """What git says of the policy's folder."""
    attempt: GateSetAttempt | None = None
    """Which attempt on its gate set it is, where a ledger was asked."""
    bar: Bar | None = None
    """What was sealed for the gate set."""
    waivers: tuple[Waiver, ...] = ()
    """What waived findings were waived by."""
    at: str | None = None
    """When it was judged: UTC, ISO 8601, seconds; None: now."""
    models: tuple[NamedModel, ...] = ()
    """Models that were not run here and are known by digest."""
    unnamed: tuple[str, ...] = ()
    """Why others are not, in sentences."""
    labelling: RecordedLabelling | None = None
    """What was labelled, where that was not every row."""
    flips: Callable[[], tuple[Flip, ...]] = tuple
    """Gives rows on which the models part, from ``recorded_flips``; joint counts have none."""
    counts_query: str | None = None
    """Fingerprint of the query that counted the rows elsewhere."""
    expected: JudgedExpectations | None = None
    """What became of the policy's expectations; None: it has none."""
    unknown: tuple[str, ...] = ()
    """Measured models that nothing at hand could be compared with."""


def policy_ref(source: PolicyFile) -> PolicyRef:
    """The policy by content.

    Raises:
        InputError: it holds a number that canonical JSON cannot.
    """
    policy = source.policy
    document = policy.document()
    try:
        canonical_bytes(document)
    except InternalError as error:
        raise InputError(
            f"{source.path}: holds a number that a record cannot hold exactly (past 2**53); where "
            "it is a column's value, write it in quotes"
        ) from error
    return PolicyRef(
        name=policy.name,
        purpose=policy.purpose,
        owner=policy.owner,
        sha256=source.sha256,
        document=document,
        sentences=tuple(explain_policy(policy)[: len(policy.rules)]),
    )


def assemble(
    policy: Policy, reference: PolicyRef, judged: Judged, origin: Origin
) -> DecisionRecord:
    """The whole record of one decision."""
    verdict, operations = judged.verdict, judged.operations
    created = judged.at or now()
    return DecisionRecord(
        created=created,
        command=origin.command,
        tool=tool(compressing=origin.command != "gate"),
        policy=reference,
        inputs=(*_inputs(judged), *((judged.claims,) if judged.claims else ()), *origin.inputs),
        outcome=verdict.outcome,
        exit_code=verdict.exit_code,
        reasons=verdict.reasons,
        statement=verdict.statement,
        findings=verdict.findings,
        slices=verdict.slices,
        tallies=tallies_of(judged.slices),
        flips=judged.flips(),
        measurements=operations.measurements,
        cost=operations.cost,
        claims=verdict.claims,
        production=verdict.production,
        warnings=verdict.warnings,
        allowed_losses=verdict.allowed_losses,
        doubts=verdict.doubts,
        reference=policy.evidence.reference,
        warning_facts=verdict.warning_facts,
        guarantee=verdict.guarantee,
        known_limits=_limits(policy, judged, origin),
        attempt=judged.attempt,
        bar=judged.bar,
        environment=environment_of(judged.notes),
        workspace=judged.workspace,
        waivers=judged.waivers,
        revalidate_on=revalidate_on(policy, created, judged.waivers),
        models=judged.models,
        ignored=dict(judged.table.ignored),
        edges=dict(judged.table.edges),
        labelling=judged.labelling,
        counts_query=judged.counts_query,
        expectations=None if judged.expected is None else recorded_expectations(judged.expected),
        **_made(policy, origin),
    )


def _limits(policy: Policy, judged: Judged, origin: Origin) -> tuple[str, ...]:
    """What a reader must not take the record to show, those of its making included."""
    return (
        *known_limits(policy, judged.verdict, judged.operations),
        *_unknown(judged.unknown),
        *_left_out(judged.table),
        *tuned_in_words(origin.made.get("tuned")),
        *_rated(policy, origin.made.get("scorer")),
        *judged.unnamed,
    )


_MATCHED = {"recall": "recall", "flag_rate": "share of flagged rows", "f1": "F1"}


def tuned_in_words(found: TunedThreshold | None) -> tuple[str, ...]:
    """How the candidate's threshold was chosen; empty: it was given."""
    if found is None:
        return ()
    limit = said(
        "limit.tuned",
        threshold=found.threshold,
        rows=found.rows,
        match=_MATCHED[found.match],
        before=found.baseline,
        after=found.candidate,
    )
    return (limit,)


def _rated(policy: Policy, found: QualityScorer | None) -> tuple[str, ...]:
    """Who says how good is what both models wrote."""
    if policy.quality is None:
        return ()
    if found is None:
        return (said("limit.rated_elsewhere"),)
    limit = said(
        "limit.rated",
        architecture=found.architecture,
        output=repr(found.output),
        digest=found.digest[:12],
        what=said("limit.rated_both" if found.with_prompt else "limit.rated_alone"),
        tokens=found.new_tokens,
    )
    return (limit,)


def _unknown(roles: Sequence[str]) -> tuple[str, ...]:
    """That measurements had to be taken at their word."""
    if not roles:
        return ()
    return (said("limit.unknown", models=" and ".join(roles)),)


def _left_out(table: Table) -> tuple[str, ...]:
    """How many rows nobody judged, because the policy ignores their label."""
    if not table.ignored:
        return ()
    counts = tuple(
        said("limit.ignored_of", rows=rows, label=repr(label))
        for label, rows in table.ignored.items()
    )
    return (said("limit.ignored", counts=counts),)


def _inputs(judged: Judged) -> tuple[Input, ...]:
    rows = judged.verdict.slices[0].rows
    if not judged.hashes:
        return (Input(role="predictions", name=judged.table.name, sha256=None, rows=rows),)
    roles = judged.table.roles or ("predictions",) * len(judged.hashes)
    alone = len(judged.hashes) == 1 or len(set(roles)) == len(roles) > 1
    return tuple(
        Input(role=role, name=found.path.name, sha256=found.sha256, rows=rows if alone else None)
        for found, role in zip(judged.hashes, roles, strict=True)
    )


def _made(policy: Policy, origin: Origin) -> dict[str, Any]:
    """What is known of the making, without texts that the policy keeps back."""
    kept = policy.report.most and not policy.redacted & {"id", *TEXTS}
    return {name: value for name, value in origin.made.items() if kept or name != "generations"}
