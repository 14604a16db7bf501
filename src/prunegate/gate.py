"""The way through, on one screen.

::

    gate set, candidate, rules -> which attempt this is, and what that leaves of alpha
    predictions -> counts per slice (one GROUP BY) -> evidence -> findings -> verdict
    measurements, prices ------------------------------------------^
    verdict + stated figures -> claims checked -> verdict
    verdict + waivers in force for this candidate -> verdict
    verdict -> second opinion (another engine, all findings): agrees, or nothing is written
    verdict + where everything came from -> DecisionRecord -> report, files, audit trail

``pipeline/run.py`` puts the candidate's making in front of this: compress, predict, measure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunegate.audit.assemble import Judged, Origin, assemble, policy_ref
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.expectations_record import EXPECTATIONS, expectations_evidence
from prunegate.audit.git_state import workspace_of
from prunegate.audit.input_digests import claims_input
from prunegate.audit.labelling_record import labelling_of
from prunegate.audit.ledger import Ledger, Tried
from prunegate.audit.measured_models import require_same_models
from prunegate.audit.measured_values import measured_of
from prunegate.audit.model_digests import named_models
from prunegate.audit.opinion.process import Ask, asked_here
from prunegate.audit.prediction_metadata import Notes, predicted_at, read_notes, saturation_warnings
from prunegate.audit.provenance import now
from prunegate.audit.read import begin_reading, own_record, require_kept
from prunegate.audit.record import Bar, DecisionRecord, Flip
from prunegate.audit.recorded_flips import recorded_flips
from prunegate.audit.sealed_bar import bar_warning
from prunegate.audit.zero_weights import zero_warnings
from prunegate.claims.check import check_claims
from prunegate.cost.measurement import Measurements
from prunegate.cost.operations import Operations, operations
from prunegate.counting.count import warned_if_alike
from prunegate.counting.counts_table import read_counts
from prunegate.counting.expected_predictions import NO_ROWS, judge_predictions_expected
from prunegate.counting.gate_set import Identity, identity_of
from prunegate.counting.labelling import drawn_list_digest
from prunegate.counting.largest_groups import largest_groups
from prunegate.counting.misaligned import misalignment
from prunegate.counting.production_counts import rows_by_value
from prunegate.counting.read_source import ReadSource, read_source
from prunegate.data.contract.contract import require_expected, require_mix
from prunegate.data.contract.expected import JudgedExpectations
from prunegate.data.file_hashes import require_unchanged
from prunegate.errors import UnsupportedError
from prunegate.policy.rules_digest import rules_digest
from prunegate.report.drawing import begin_drawing
from prunegate.report.render import begin_page, begun, draw_ahead
from prunegate.verdict.claim_findings import with_claims
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import Verdict
from prunegate.verdict.gate_set_attempt import GateSetAttempt, as_attempted, with_attempt_statement
from prunegate.verdict.large_groups import outweighed_slices, with_groups_named
from prunegate.verdict.operational_figures import operational_figures
from prunegate.verdict.reference_doubts import unexplained, with_misalignment
from prunegate.verdict.waiver import Waiver

if TYPE_CHECKING:
    from prunegate.audit.signing.keys import PrivateKey
    from prunegate.data.predictions.table import Table
    from prunegate.outputs.staging import Staging
    from prunegate.policy.load import PolicyFile
    from prunegate.policy.schema import Policy


UNCOUNTED = (
    "How often this gate set was judged before is not known: Spark would have to send every row "
    "for its digest. Judge files without --engine spark to have attempts counted."
)
UNCOUNTED_COUNTS = (
    "How often this gate set was judged before is not known: joint counts have no ids. Judge the "
    "predictions themselves to have attempts counted."
)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A verdict with its record, before anything is written."""

    verdict: Verdict
    record: DecisionRecord
    pictures: dict[str, bytes] = field(default_factory=dict)
    """Image bytes of flipped rows, by row id."""
    evidence: dict[str, bytes] = field(default_factory=dict)
    """Files that the record names by digest, and that are kept with it."""


def judge(policy: Policy, predictions: Any, *, measurements: Measurements | None = None) -> Verdict:
    """Judge a predictions table.

    Args:
        policy: from ``load_policy``.
        predictions: a path, a glob, several paths (CSV, JSON lines, Parquet, Arrow), or a pandas,
            Polars, Arrow, DuckDB or Spark frame with the columns id, label, baseline, candidate and
            the slicing keys; or a mapping with some of the keys ``labels``, ``predictions``,
            ``baseline_predictions`` and ``candidate_predictions`` to such sources, which are joined
            on the id.
        measurements: operational figures; without them, rules on such figures are inconclusive.

    Raises:
        InputError: the policy or the table cannot be judged; nothing is passed over in silence.
        ContractError: what ``data: expect:`` asks of the rows is not met.
    """
    _met(policy, predictions)
    return _judged(policy, read_source(policy, predictions), operations(policy, measurements))


def judge_counts(
    policy: Policy, counts: Any, *, measurements: Measurements | None = None
) -> Verdict:
    """Judge joint counts.

    Args:
        policy: from ``load_policy``.
        counts: a frame with the slicing columns, label, baseline, candidate (each 1 or 0; labels
            where the task has several classes), n, and the group column if the policy names one.
        measurements: operational figures, as for ``judge``.

    Raises:
        InputError: the policy or the counts cannot be judged.
    """
    if policy.data.expect:
        raise UnsupportedError(NO_ROWS)
    known = operations(policy, measurements)
    slices = read_counts(policy, counts)
    verdict = decide(
        policy,
        slices,
        operational_figures(known.measurements, known.cost, known.unpriced),
        warned_if_alike(slices),
    )
    return _claimed(policy, verdict, known)


def gate(
    source: PolicyFile,
    predictions: Any,
    *,
    measurements: Measurements | None = None,
    origin: Origin | None = None,
    ledger: Ledger | None = None,
    ask: Ask = asked_here,
) -> Decision:
    """Judge a predictions table and put everything the verdict rests on into a record.

    Args:
        source: from ``read_policy``.
        predictions: as for ``judge``; or a ``LabelledPart``, where only some rows have labels, or a
            ``JointCountsFile``.
        measurements: operational figures.
        origin: how the predictions came about, where that is known.
        ledger: says which attempt on its gate set this is; None: nobody counts, and the statement
            speaks of this verdict alone.
        ask: puts the finished verdict to the second opinion, whose answer is waited for at the end.

    Raises:
        InputError: as for ``judge``, labels that do not fit, or measurements of others.
        InternalError: the second opinion on the findings disagrees, or could not be had.
    """
    reference, origin = policy_ref(source), origin or Origin()
    tested, judged = _whole(source, predictions, measurements, origin, ledger)
    awaited = ask(tested, judged.verdict, judged.waivers)
    record = assemble(source.policy, reference, judged, origin)
    begin_reading()  # while the second opinion is at work
    begin_page()
    opinion = awaited(meanwhile=partial(draw_ahead, record))
    record = replace(record, second_opinion=opinion)
    require_unchanged(judged.hashes)  # the record names the files by content
    kept = {} if judged.expected is None else {EXPECTATIONS: expectations_evidence(judged.expected)}
    return Decision(verdict=judged.verdict, record=record, evidence=kept)


def _whole(
    source: PolicyFile,
    predictions: Any,
    measurements: Measurements | None,
    origin: Origin,
    ledger: Ledger | None,
) -> tuple[Policy, Judged]:
    """Everything that a record is made of, but for the second opinion; the policy as it tested."""
    policy = source.policy
    identify = None if ledger is None else _identity
    read = read_source(policy, predictions, hashed=True, identify=identify)
    begin_drawing()
    require_mix(policy, rows_by_value(policy, read.counted.slices))
    expected = _expected(policy, predictions, origin)
    files = read.table.files
    unknown = require_same_models(measurements, source, files, origin.made) if measurements else ()
    known = operations(policy, measurements)
    notes = tuple(map(read_notes, files))
    attempt, bar = _attempted(ledger, policy, read, notes, origin)
    noticed = () if ledger is None else _of_attempt(attempt, bar, read)
    tested = as_attempted(policy, attempt)
    verdict, flips = _judged_beside(tested, read, known, origin)
    verdict = with_attempt_statement(verdict, policy, attempt)
    at = now()
    verdict, waivers = _waived(policy, verdict, attempt, ledger, at)
    models, unnamed = named_models(source, notes, origin.made)
    judged = Judged(
        table=read.table,
        flips=flips,
        hashes=read.hashes,
        operations=known,
        slices=read.counted.slices,
        verdict=_warned(verdict, (*noticed, *_of_zeros(measurements, origin)), notes),
        notes=notes,
        claims=claims_input(source),
        workspace=workspace_of(source.path),
        attempt=attempt,
        bar=bar,
        waivers=waivers,
        at=at,
        models=models,
        unnamed=unnamed,
        unknown=unknown,
        labelling=None if read.part is None else labelling_of(read.part),
        counts_query=read.query,
        expected=expected,
    )
    return tested, judged


def _judged_beside(
    policy: Policy, read: ReadSource, known: Operations, origin: Origin
) -> tuple[Verdict, Callable[[], tuple[Flip, ...]]]:
    """The verdict, and what gives the examples: they are looked up while tests are computed."""
    shown: Callable[[], tuple[Flip, ...]] = tuple
    if read.has_rows:
        shown = partial(recorded_flips, policy, read.table, origin.images, origin.texts)
    with read.table.engine.meanwhile(shown) as flips:
        verdict = _decided(policy, read, known)
    return _looked_into(policy, read, known, verdict), flips


def _expected(policy: Policy, predictions: Any, origin: Origin) -> JudgedExpectations | None:
    """What became of the policy's expectations of the data; they are met, if there are any.

    Raises:
        ContractError: one of them is not.
    """
    return _met(policy, predictions) if origin.expected is None else origin.expected


def _met(policy: Policy, predictions: Any) -> JudgedExpectations | None:
    if not policy.data.expect:
        return None
    found = judge_predictions_expected(policy, predictions)
    require_expected(found)
    return found


def _of_attempt(
    attempt: GateSetAttempt | None, bar: Bar | None, read: ReadSource
) -> tuple[str, ...]:
    """What a reader should know of an attempt that was to be counted."""
    if attempt is not None:
        return tuple(bar_warning(attempt, bar))
    return (UNCOUNTED if read.has_rows else UNCOUNTED_COUNTS,)


def _of_zeros(measurements: Measurements | None, origin: Origin) -> tuple[str, ...]:
    """That measured weights are zero, of a candidate that is not at hand to be looked at."""
    if measurements is None or origin.made.get("candidate") is not None:
        return ()
    return zero_warnings(measurements.candidate)


def _warned(verdict: Verdict, noticed: Sequence[str], notes: Sequence[Notes]) -> Verdict:
    found = [warning for one in notes for warning in saturation_warnings(one.saturating)]
    return replace(verdict, warnings=(*verdict.warnings, *noticed, *found))


def publish(
    decision: Decision, staging: Staging, audit: Path, key: PrivateKey | None = None
) -> Path:
    """Write a decision's files, file it in the audit trail, and publish the folder.

    What is written is read back first and worked out again: a record that could not be verified
    later is never kept.

    Raises:
        InputError: something cannot be written; then neither the folder nor the record stays.
        InternalError: the record's verdict does not follow from what it holds.
    """
    from prunegate.audit.filing import filed, filing_of
    from prunegate.outputs.papers import write_card_of_candidate
    from prunegate.outputs.write import REPORT, write_files, write_request

    stored = own_record(canonical_bytes(decision.record))
    with begun(
        stored.record,
        digest=stored.digest,
        pictures=decision.pictures,
        content=stored.content,
    ) as page:
        require_kept(stored)
    write_files(stored, page(), staging.folder)
    write_request(stored, staging.folder, audit)
    write_card_of_candidate(stored, staging.folder)
    for name, content in decision.evidence.items():
        (staging.folder / name).write_bytes(content)
    report = (staging.folder / REPORT).read_bytes()
    with filed(filing_of(stored, report, key, decision.evidence), audit):
        return staging.publish(stored.digest[:12])


def _identity(policy: Policy, table: Table) -> Identity | None:
    """What a table is called that can be judged, so that there will be something to draw."""
    begin_drawing()
    return identity_of(policy, table)


def _attempted(
    ledger: Ledger | None,
    policy: Policy,
    read: ReadSource,
    notes: Sequence[Notes],
    origin: Origin,
) -> tuple[GateSetAttempt | None, Bar | None]:
    """Which attempt this is and what was sealed for it; nothing where nobody can tell or counts."""
    if ledger is None or not read.has_rows:
        return None, None
    found = read.identity
    if read.part is not None:
        found = identity_of(policy, read.table, labels=False)
    if found is None:
        return None, None
    models = {role: origin.made.get(role) for role in ("baseline", "candidate")}
    files = {role: (model.digest,) if model else () for role, model in models.items()}
    tried = Tried(
        gate_set=found.gate_set.name,
        contents=found.gate_set.contents,
        candidate=(*found.candidates, *files["candidate"]),
        baseline=(*found.baselines, *files["baseline"]),
        rules=rules_digest(policy),
        list=None if read.part is None else drawn_list_digest(read.part.frame),
        round=None if read.part is None else read.part.frame.round,
        ids=found.gate_set.ids,
    )
    return ledger.take(policy, tried, predicted_at(notes))


def _waived(
    policy: Policy, verdict: Verdict, attempt: GateSetAttempt | None, ledger: Ledger | None, at: str
) -> tuple[Verdict, tuple[Waiver, ...]]:
    """The verdict with what the audit folder waives of it, where the policy lets anything be."""
    if policy.waivers is None or attempt is None or ledger is None:
        return verdict, ()
    from prunegate.audit.waivers.in_force import waived

    done = waived(policy, verdict, attempt.candidate, ledger.audit, at)
    return done.verdict, done.used


def _judged(policy: Policy, read: ReadSource, known: Operations) -> Verdict:
    return _looked_into(policy, read, known, _decided(policy, read, known))


def _decided(policy: Policy, read: ReadSource, known: Operations) -> Verdict:
    """The verdict on what was counted, which asks the table nothing."""
    measured = operational_figures(known.measurements, known.cost, known.unpriced)
    return decide(policy, read.counted.slices, measured, read.counted.warnings)


def _looked_into(policy: Policy, read: ReadSource, known: Operations, verdict: Verdict) -> Verdict:
    """The verdict with what the rows say of it, and the stated figures."""
    model = unexplained(verdict)
    if model and policy.task.traits.decided and read.has_rows and read.part is None:
        found = misalignment(policy, read.table, model)
        verdict = with_misalignment(verdict, model, found)
    if read.has_rows and (slices := outweighed_slices(verdict)):
        verdict = with_groups_named(policy, verdict, largest_groups(policy, read.table, slices))
    return _claimed(policy, verdict, known)


def _claimed(policy: Policy, verdict: Verdict, known: Operations) -> Verdict:
    """The verdict with the figures that the policy states held against what is known."""
    if policy.claims is None or policy.claims.figures is None:
        return with_claims(policy, verdict, None)
    measured = measured_of(verdict.findings, known.measurements, known.cost)
    return with_claims(policy, verdict, check_claims(policy.claims.figures, measured))
