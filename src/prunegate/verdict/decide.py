"""Judge: a policy, counts and figures in; a verdict out. No I/O, no clock, no randomness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from prunegate.counting.calibration import BINS_OF_SURENESS
from prunegate.counting.label_sets import LabelSets
from prunegate.counting.production_counts import rows_by_value
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import DecidedRows, Tally
from prunegate.data.contract.mix import mix_warning
from prunegate.policy.schema import Policy
from prunegate.stats.result import adjust
from prunegate.text.said import joined
from prunegate.verdict import sentences
from prunegate.verdict.drafts import Draft, drafts
from prunegate.verdict.finding import (
    CalibrationErrors,
    Finding,
    LabelCells,
    SliceSummary,
    SliceWeights,
    Verdict,
)
from prunegate.verdict.guarantee import guarantee
from prunegate.verdict.judged_slices import judged
from prunegate.verdict.losses import with_adjusted_losses
from prunegate.verdict.operational_figures import OperationalFigure
from prunegate.verdict.outcome import outcome
from prunegate.verdict.production_values import production_values
from prunegate.verdict.reference import reference_findings
from prunegate.verdict.reference_doubts import doubts_in_counts
from prunegate.verdict.reference_sentences import doubt_sentence
from prunegate.verdict.warning_facts import allowed_losses, of_slices, warned, with_warnings


def settle(drafts: Sequence[Draft], alpha: float) -> tuple[Finding, ...]:
    """Final findings: proven harm, corrected within its family, turns drafts into failures."""
    findings = [draft.finding for draft in drafts]
    for severity in ("block", "warn"):
        family = [i for i, d in enumerate(drafts) if _in_family(d, severity)]
        adjusted = adjust([_harm(findings[i]) for i in family])
        for index, p_harm in zip(family, adjusted, strict=True):
            findings[index] = _contest(drafts[index], p_harm, alpha)
    return with_adjusted_losses(findings)


def _in_family(draft: Draft, severity: str) -> bool:
    finding = draft.finding
    proven = finding.evidence == "proven" and finding.p_harm is not None
    return proven and finding.severity == severity


def _harm(finding: Finding) -> float:
    return 1.0 if finding.p_harm is None else finding.p_harm


_SETTLED: dict[str, Any] = dict.fromkeys(
    (
        *("needed", "needed_unit", "needed_for", "open_because", "weight"),
        *("needed_if_unchanged", "needed_if_as_seen", "as_seen"),
        *("unseen_low", "unseen_high"),
    )
)
"""What a finding that failed no longer says."""


def _contest(draft: Draft, p_harm: float, alpha: float) -> Finding:
    finding = replace(draft.finding, p_harm_adjusted=p_harm)
    if draft.contestable and finding.status == "inconclusive" and p_harm <= alpha:
        return replace(finding, status="fail", note="", **_SETTLED)
    return finding


def decide(
    policy: Policy,
    slices: Sequence[SliceCounts],
    figures: Mapping[str, OperationalFigure] | None = None,
    warnings: Sequence[str] = (),
) -> Verdict:
    """The verdict of a policy on the joint counts of every slice.

    A slice that the policy expects has to be there, whether or not a rule looks at it: without it
    nothing is approved.

    Args:
        policy: the policy.
        slices: overall first, then every slice that the data or the policy name.
        figures: operational metrics by name; rules on absent ones are inconclusive.
        warnings: what the reading of the data noticed.
    """
    findings = settle(list(drafts(policy, slices, figures or {})), policy.evidence.alpha)
    reference = reference_findings(policy, slices)
    doubts = doubts_in_counts(policy, slices, reference)
    findings = (*findings, *reference)
    decision = outcome(findings)
    absent = [s.name for s in slices if s.declared and s.rows == 0]
    unseen = decision == "approve" and bool(absent)
    summaries = tuple(_summary(s, policy) for s in slices)
    guaranteed = guarantee(policy, findings, summaries)
    verdict = Verdict(
        outcome="inconclusive" if unseen else decision,
        reasons=sentences.absence_reasons(absent)
        if unseen
        else sentences.reasons(policy, decision, findings),
        findings=findings,
        slices=summaries,
        warnings=(*warnings, *_far_from_production(policy, slices), *map(doubt_sentence, doubts)),
        doubts=doubts,
        guarantee=guaranteed,
        statement=joined(
            (sentences.statement(policy, guaranteed), sentences.looked_at(slices[0].tally)), " "
        ),
        production=production_values(policy, slices),
    )
    told = chain(
        warned(policy, findings), of_slices(policy, summaries), allowed_losses(policy, findings)
    )
    return with_warnings(verdict, told)


def _far_from_production(policy: Policy, slices: Sequence[SliceCounts]) -> tuple[str, ...]:
    """The warning that the rows are not mixed as production's; nothing where they are."""
    told = mix_warning(policy, rows_by_value(policy, slices))
    return () if told is None else (told,)


def _summary(counts: SliceCounts, policy: Policy) -> SliceSummary:
    tally = counts.tally
    lost, gained = tally.lost_gained or (None, None)
    return SliceSummary(
        name=counts.name,
        slicing=counts.slicing,
        declared=counts.declared,
        judged=judged(counts, policy) and counts.rows > 0,
        rows=counts.rows,
        positives=counts.positives,
        cells=counts.cells,
        classes=tally.classes,
        lost=lost,
        gained=gained,
        weights=_weights(counts),
        calibration=_calibration(tally),
        strata=counts.strata,
        label_cells=_label_cells(tally) if isinstance(tally, LabelSets) else None,
    )


def _weights(counts: SliceCounts) -> SliceWeights | None:
    tally = counts.tally
    sums = tally.weights if isinstance(tally, DecidedRows) else None
    if sums is None:
        return None
    worth = counts.worth
    assert worth is not None  # noqa: S101  # that of these sums
    cells = range(len(counts.cells))
    return SliceWeights(
        rows=float(worth.rows),
        positives=float(worth.positives),
        sums=tuple(float(sums.totals.get(cell, 0) * sums.step) for cell in cells),
        squares=tuple(float(sums.squares.get(cell, 0) * sums.step**2) for cell in cells),
    )


def _calibration(tally: Tally) -> CalibrationErrors | None:
    scores = tally.scores if isinstance(tally, DecidedRows) else None
    if scores is None or scores.calibration is None:
        return None
    before, after = (one.error for one in scores.calibration)
    if before is None or after is None:
        return None
    return CalibrationErrors(bins=BINS_OF_SURENESS, baseline=float(before), candidate=float(after))


def _label_cells(tally: LabelSets) -> tuple[LabelCells, ...]:
    return tuple(LabelCells(label=n, cells=one.cells) for n, one in tally.labels.items())
