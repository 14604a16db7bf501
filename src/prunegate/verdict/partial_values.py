"""Partial values: what values are where some rows have no label, and what labels would do.

Which rows a limit rests on follows from its metric and its claim (``metrics/labels_needed.py``).
From a random sample values are estimates; where rows on which the models agree count as right they
are bounds. What keeps such a limit open may be labels that nobody made, and then it is labels of
the same rows that are asked for, as many as help and no others.
"""

from __future__ import annotations

from dataclasses import replace

from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.partial_labels import PartialLabels
from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import Tally
from prunegate.evidence.partial_precision import SampledPrecision
from prunegate.evidence.partial_rates import sampled_labels, sampled_rows
from prunegate.evidence.rates import Evidence
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.forms import SharedRows
from prunegate.metrics.hypothesis import Hypothesis
from prunegate.metrics.labels_needed import LabelsNeeded, labels_needed
from prunegate.metrics.metric import Metric
from prunegate.policy.schema import EvidenceSection, Minimum
from prunegate.text.said import joined, said
from prunegate.verdict.advice import Lack, with_need
from prunegate.verdict.finding import Finding

NO_MINIMUM = Minimum(rows=1, positives=1)


def labels_behind(metric: Metric, claim: Hypothesis, tally: Tally) -> LabelsNeeded | None:
    """The rows whose labels a limit rests on; None: every row has one."""
    if not isinstance(tally, PartialTally) or tally.complete:
        return None
    form = metric.form_of(tally.answers)
    assert form is not None  # noqa: S101  # evidence has been found by it
    return labels_needed(form, claim)


def with_values_named(
    finding: Finding, about: Evidence, metric: Metric, rests: LabelsNeeded | None
) -> Finding:
    """The finding that says whether its values are bounds or estimates."""
    bounds = about.bounds or (rests == "flagged" and isinstance(metric.of_yes_no, SharedRows))
    estimated = about.estimated or rests == "random"
    behind = about.labelled if isinstance(about, SampledPrecision) else about.n
    return replace(
        finding,
        values_at_most=(bounds and not metric.lower_is_better) or None,
        values_at_least=(bounds and metric.lower_is_better) or None,
        values_estimated=estimated or None,
        estimated_from=behind if estimated else None,
    )


def with_labels_asked(
    finding: Finding,
    counts: SliceCounts,
    rests: LabelsNeeded | None,
    lack: Lack,
    policy: EvidenceSection,
) -> Finding | None:
    """An open finding that asks for labels of the same rows; None: these would not help.

    Args:
        finding: an open finding.
        counts: its slice.
        rests: what it rests on.
        lack: what its evidence still wants.
        policy: how often labels may be judged, and what a further attempt is held to.
    """
    tally = counts.tally
    if finding.open_because not in ("not shown", "method") or not isinstance(tally, PartialTally):
        return None
    if rests == "random":
        return _of_random(finding, counts, tally, lack, policy)
    left = 0
    if rests == "agreed" and isinstance(tally, PartialCounts):
        left = _left_alike(finding, tally)
    if not left:
        return None
    how = said(f"note.greater_power{_anew(policy)}")
    if policy.looks > 1:
        how = said("note.next_round")
    key = "note.alike_power_1" if left == 1 else "note.alike_power"
    note = joined((said("note.too_few_labels"), said(key, n=left, how=how)))
    return _noted(replace(finding, open_because="some labels"), note)


def or_unlabelled(finding: Finding, counts: SliceCounts) -> Finding:
    """The finding that says, where it lacks positives, that rows without a label may be such."""
    tally = counts.tally
    if finding.open_because != "minimum evidence" or finding.needed_unit != "positives":
        return finding
    if not isinstance(tally, PartialTally) or tally.complete:
        return finding
    left = tally.rows - tally.labelled - tally.doubted
    key = "note.unlabelled_1" if left == 1 else "note.unlabelled"
    return _noted(finding, said(key, n=left)) if left else finding


def _of_random(
    finding: Finding, counts: SliceCounts, tally: PartialTally, lack: Lack, policy: EvidenceSection
) -> Finding:
    """What a larger random sample would have to be."""
    sample: Tally
    if isinstance(tally, PartialCounts):
        sample = sampled_rows(tally)
    else:
        assert isinstance(tally, PartialLabels)  # noqa: S101  # there are two kinds
        sample = sampled_labels(tally, counts_rows=True)
    size, left = sample.rows, counts.rows - sample.rows
    asked = _noted(finding, said("note.random_few", n=size))
    found = with_need(asked, replace(counts, tally=sample), NO_MINIMUM, lack, in_rows=True)
    found = replace(found, open_because="some labels", needed_for=found.needed_for and "power")
    how: str = said(f"note.random_draw{_anew(policy)}")
    if policy.looks > 1:
        how = joined((said("note.random_round"), how))
    if found.needed is not None and found.needed > left:
        how = said("note.random_rest", n=left)
    return _noted(found, how)


def _anew(policy: EvidenceSection) -> str:
    """Which message says what labels of another list cost."""
    return "" if policy.reuse == "none" else "_anew"


def with_whole_sample(finding: Finding, counts: SliceCounts) -> SliceCounts | None:
    """The slice if all rows that both models decide so were labelled, as those seen are.

    None: nothing of them is left to label, or labels are not what an open finding lacks.
    """
    tally = counts.tally
    if finding.open_because != "not shown" or not isinstance(tally, PartialCounts):
        return None
    if not _left_alike(finding, tally):
        return None
    return replace(counts, tally=tally.agreed_as_seen(_decided_as(finding)))


def with_rows_beyond(finding: Finding, counts: SliceCounts) -> Finding:
    """A finding that asks for further rows, because labels of those at hand are not enough."""
    assert isinstance(counts.tally, PartialCounts)  # noqa: S101  # the caller has seen what is left
    left = _left_alike(finding, counts.tally)
    key = "note.rows_lacking_1" if left == 1 else "note.rows_lacking"
    return replace(finding, note=joined((said(key, n=left), finding.note)))


def _noted(finding: Finding, note: str) -> Finding:
    return replace(finding, note=joined((finding.note, note)))


def _left_alike(finding: Finding, tally: PartialCounts) -> int:
    """Rows without a label that both models decide as the class that a metric is about."""
    decision = 3 * _decided_as(finding)
    known = tally.cells[decision] + tally.cells[4 + decision] + tally.unsure[decision]
    return tally.decided[decision] - known


def _decided_as(finding: Finding) -> int:
    """The label of the class that a metric is about; of both, the positive one."""
    return 0 if METRICS[finding.metric].one_label == 0 else 1
