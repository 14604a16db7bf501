"""The way through, on one screen.

::

    predictions -> counts per slice (one GROUP BY) -> evidence -> findings -> verdict
    measurements, prices ------------------------------------------^
    verdict + where everything came from -> DecisionRecord -> report, files, audit trail

``run.py`` puts the candidate's making in front of this: compress, predict, measure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.pending import pended
from prunegate.audit.provenance import now, tool
from prunegate.audit.record import DecisionRecord, Flip, Input, PolicyRef
from prunegate.cost.measurement import Measurements
from prunegate.cost.projection import Projection
from prunegate.data.columns import shown
from prunegate.data.hashing import file_sha256
from prunegate.data.tables import Table
from prunegate.data.uniqueness import duplicate_ids
from prunegate.errors import InputError, InternalError, TableError
from prunegate.evaluation.count import (
    Counted,
    count,
    identical,
    open_predictions,
    require_supported,
)
from prunegate.evaluation.counts_table import read_counts
from prunegate.evaluation.flips import flipped_rows
from prunegate.evaluation.slices import DISAGREE
from prunegate.policy.explain import explain
from prunegate.verdict.figures import figures
from prunegate.verdict.finding import Verdict
from prunegate.verdict.judge import decide

if TYPE_CHECKING:
    from prunegate.outputs.staging import Staging
    from prunegate.policy.load import PolicyFile
    from prunegate.policy.model import Policy


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A verdict with its record, before anything is written."""

    verdict: Verdict
    record: DecisionRecord
    pictures: dict[str, bytes] = field(default_factory=dict)
    """Image bytes of flipped rows, by row id."""


@dataclass(frozen=True, kw_only=True)
class Operations:
    """What is known about running the two models, beside their predictions."""

    measurements: Measurements | None = None
    cost: Projection | None = None


def judge(policy: Policy, predictions: Any, *, measurements: Measurements | None = None) -> Verdict:
    """Judge a predictions table.

    Args:
        policy: from ``load_policy``.
        predictions: a path, a glob, several paths (CSV, Parquet, Arrow), or a pandas, Polars, Arrow
            or DuckDB frame with the columns id, label, baseline, candidate and the slicing keys.
        measurements: operational figures; without them, rules on such figures are inconclusive.

    Raises:
        InputError: the policy or the table cannot be judged; nothing is passed over in silence.
    """
    table = _open(policy, predictions)
    operations = price(policy, measurements)
    return _decide(policy, count(policy, table), operations)


def judge_counts(
    policy: Policy, counts: Any, *, measurements: Measurements | None = None
) -> Verdict:
    """Judge joint counts.

    Args:
        policy: from ``load_policy``.
        counts: a frame with the slicing columns, label, baseline, candidate (each 1 or 0) and n.
        measurements: operational figures, as for ``judge``.

    Raises:
        InputError: the policy or the counts cannot be judged.
    """
    operations = price(policy, measurements)
    slices = read_counts(policy, counts)
    known = figures(operations.measurements, operations.cost)
    overall = slices[0]
    warnings = () if any(overall.cells[i] for i in DISAGREE) else (identical(overall.rows),)
    return decide(policy, slices, known, warnings)


def gate(
    source: PolicyFile,
    predictions: Any,
    *,
    measurements: Measurements | None = None,
    extra: dict[str, Any] | None = None,
) -> Decision:
    """Judge a predictions table and put everything the verdict rests on into a record.

    Args:
        source: from ``read_policy``.
        predictions: as for ``judge``.
        measurements: operational figures.
        extra: further fields of the record (models, compression, control, command, seed, inputs).

    Raises:
        InputError: as for ``judge``.
    """
    policy, more = source.policy, dict(extra or {})
    reference = _policy_ref(source)
    table = _open(policy, predictions)
    operations = price(policy, measurements)
    counted = count(policy, table)
    verdict = _decide(policy, counted, operations)
    images = more.pop("images", {})
    inputs = (*_inputs(table, counted), *more.pop("inputs", ()))
    record = DecisionRecord(
        created=now(),
        tool=tool(compressing=more.get("command", "gate") != "gate"),
        policy=reference,
        inputs=inputs,
        outcome=verdict.outcome,
        exit_code=verdict.exit_code,
        reasons=verdict.reasons,
        statement=verdict.statement,
        findings=verdict.findings,
        slices=verdict.slices,
        flips=_flips(policy, table, images),
        measurements=operations.measurements,
        cost=operations.cost,
        warnings=verdict.warnings,
        known_limits=known_limits(policy, verdict, operations),
        **{"command": "gate", **more},
    )
    return Decision(verdict=verdict, record=record)


def keep(decision: Decision, staging: Staging, audit: Path) -> Path:
    """Write a decision's files, pend its record in the audit trail, and publish the folder.

    Raises:
        InputError: something cannot be written; then neither the folder nor the record stays.
    """
    from prunegate.outputs.write import write_files

    named = write_files(decision.record, decision.pictures, staging.folder)
    with pended(canonical_bytes(decision.record), audit):
        return staging.publish(named[:12])


def price(policy: Policy, measurements: Measurements | None) -> Operations:
    """Measurements with the projection of prices that the policy asks for, as far as it can be had.

    A price that has to be scaled by a measured ratio is absent without measurements; rules on it
    are then inconclusive.
    """
    from prunegate.cost.projection import project

    cost = policy.cost
    if cost is None:
        return Operations(measurements=measurements)
    ratio_known = measurements is not None and measurements.cpu_ratio is not None
    if cost.billing.per_inference.candidate is None and not ratio_known:
        return Operations(measurements=measurements)
    return Operations(measurements=measurements, cost=project(cost, measurements))


def known_limits(policy: Policy, verdict: Verdict, operations: Operations) -> tuple[str, ...]:
    """What a reader must not take the record to show."""
    limits = ["Rows are taken to be independent of each other; the policy names no group column."]
    limits.append("The verdict speaks of data like those judged, not of content never seen.")
    if operations.measurements is None:
        limits.append("Latency and size were not measured; the record says nothing about them.")
    elif operations.cost is not None and operations.cost.basis != "quoted":
        limits.append("The candidate's price is scaled by CPU time measured here, not quoted.")
    unjudged = [s.name for s in verdict.slices if not s.judged]
    if unjudged:
        limits.append(f"{len(unjudged)} slice(s) had too little evidence and were not judged.")
    if policy.evidence.minimum.rows == 1 and policy.evidence.minimum.positives == 1:
        limits.append("The policy sets no minimum evidence per slice.")
    return tuple(limits)


def _open(policy: Policy, predictions: Any) -> Table:
    require_supported(policy)
    table = open_predictions(policy, predictions, with_ids=True)
    found = duplicate_ids(table, policy.data.columns.id)
    if not found.unique:
        raise TableError(
            f"{table.name}: column '{policy.data.columns.id}' must be unique and filled; "
            f"{found.missing:,} rows have no id and {found.surplus:,} repeat another's"
            + (f" (for example {', '.join(map(shown, found.examples))})" if found.examples else "")
        )
    return table


def _decide(policy: Policy, counted: Counted, operations: Operations) -> Verdict:
    known = figures(operations.measurements, operations.cost)
    return decide(policy, counted.slices, known, counted.warnings)


def _policy_ref(source: PolicyFile) -> PolicyRef:
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
        sentences=tuple(explain(policy)[: len(policy.rules)]),
    )


def _inputs(table: Table, counted: Counted) -> tuple[Input, ...]:
    if not table.files:
        return (Input(role="predictions", name=table.name, sha256=None, rows=counted.rows),)
    rows = counted.rows if len(table.files) == 1 else None
    return tuple(
        Input(role="predictions", name=path.name, sha256=file_sha256(path), rows=rows)
        for path in table.files
    )


def _flips(policy: Policy, table: Table, images: dict[str, str]) -> tuple[Flip, ...]:
    return tuple(
        Flip(
            id=row.id,
            slices=row.slices,
            label=row.label,
            baseline=row.baseline,
            candidate=row.candidate,
            lost=row.lost,
            image=images.get(row.id),
        )
        for row in flipped_rows(policy, table)
    )
