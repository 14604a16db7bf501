"""Reference: is the baseline, which everything is held against, shown to know anything?

"No change" against a coin, a constant or labels of other rows is true and says nothing. So on all
rows, and on every slice that a rule judges, the baseline's decisions have to agree with the labels
beyond chance (``stats/agreement.py``); a candidate that makes one decision only is held up as well,
because it *is* the constant, and so is one that is not shown to know the labels. These findings
come after the rules. They never fail, are in no family of tests, and are all that the level of
their own is spent on: they can hold an approve back and take nothing from the tests of the rules.
Where a slice has rows of one class only every decision is
as good as a constant, and nothing is asked. Where labels are known of some rows only, the worst
that their random samples leave possible is asked to agree (``evidence/partial_agreement.py``).
Scores are no decisions: rules that hold them against labels ask that they order the rows as these
do.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from prunegate.counting.partial_labels import PartialLabels
from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.slices import OVERALL, SliceCounts
from prunegate.counting.tallies import DecidedRows, LabelCounts
from prunegate.evidence.partial_agreement import Model, least_agreement
from prunegate.evidence.partial_class_agreement import class_agreement, least_class_agreement
from prunegate.evidence.reference_sample import (
    ListLacks,
    against_the_rest,
    samples_to_show,
    seen_samples,
    seen_shares,
)
from prunegate.evidence.weighted_agreement import weighted_agreement
from prunegate.metrics.catalogue import METRICS, REFERENCE
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy, Rule
from prunegate.stats.agreement import Agreement, GroupSums, agreement
from prunegate.text.said import joined
from prunegate.verdict import reference_sentences as words
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, OpenBecause, Status
from prunegate.verdict.judged_slices import (
    classes_to_judge,
    enough,
    judged,
    lacking_rows,
    minimum_in_rows,
    select_slices,
)
from prunegate.verdict.reference_evaluated import Evaluated, Known, is_shown, order_of, orders_of

PART = 10
"""The level is this part of the gate's: whatever is said against a coin is void, so that a coin is
let pass more seldom than a broken limit. It costs a good baseline few rows."""
HALF_AS_MUCH = 0.5
"""Part of the baseline's agreement from which on a candidate is like it."""
Severity = Literal["block", "warn"]
MODELS: tuple[Model, ...] = ("baseline", "candidate")


def reference_findings(policy: Policy, slices: Sequence[SliceCounts]) -> tuple[Finding, ...]:
    """One finding for all rows and for every slice that a rule on rows judges.

    Args:
        policy: as it is tested.
        slices: overall first.
    """
    if not policy.task.traits.sets:
        return tuple(_on_slices(policy, slices, reference_demands(policy, slices)))
    return tuple(
        finding
        for label in policy.task.labels
        for finding in _on_slices(
            policy, of_label(slices, label), reference_demands(policy, slices, label), label
        )
    )


def of_label(slices: Sequence[SliceCounts], label: str) -> list[SliceCounts]:
    """The slices as one of several labels sees them."""
    return [replace(one, tally=one.tally.of_class(label)) for one in slices]


def _on_slices(
    policy: Policy,
    slices: Sequence[SliceCounts],
    asked: Mapping[str, ReferenceDemand],
    label: str | None = None,
) -> Iterator[Finding]:
    told = [s for s in slices if s.name in asked and s.rows and not _of_one_class(s)]
    if not policy.task.traits.decided:
        told = [one for one in told if orders_of(one) is not None]
    level = policy.evidence.alpha / PART
    known = {one.name: _known_of(one, "baseline", level) for one in told}
    whole = known.get(OVERALL)
    for one in told:
        here = Evaluated(
            here=known[one.name],
            candidate=_known_of(one, "candidate", level),
            whole=whole,
            rarest=one.positives,
            label=label,
        )
        finding = _finding(policy, one, asked[one.name], here)
        if finding.status == "pass":
            unknown = _unknown_class(policy, slices, one, asked[one.name])
            finding = finding if unknown is None else _finding(policy, *unknown)
        yield finding


def _known_of(counts: SliceCounts, model: Model, level: float) -> Known:
    sums = orders_of(counts)
    return agreement_of(counts, model, level) if sums is None else order_of(sums, model)


def _unknown_class(
    policy: Policy, slices: Sequence[SliceCounts], one: SliceCounts, asked: ReferenceDemand
) -> tuple[SliceCounts, ReferenceDemand, Evaluated] | None:
    """The class against the rest that is shown least, of those that rules judge by themselves.

    Agreement on all classes says little of each: two may stand under each other's names.
    """
    level = policy.evidence.alpha / PART
    found: list[tuple[SliceCounts, ReferenceDemand, Evaluated]] = []
    for name in _by_themselves(policy, slices, one, asked):
        alone = of_label([one], name)[0]
        if _of_one_class(alone):
            continue
        here = _of_class(one, alone, name, "baseline", level)
        if not is_shown(here, level, points=asked.evidence == "point"):
            other = _of_class(one, alone, name, "candidate", level)
            rarest = alone.positives
            about = Evaluated(here=here, candidate=other, rarest=rarest, class_alone=name)
            found.append((alone, asked, about))
    return max(found, key=lambda one: one[-1].here.p_value, default=None)


def _of_class(
    counts: SliceCounts, alone: SliceCounts, name: str, model: Model, level: float
) -> Agreement:
    if isinstance(counts.tally, PartialLabels):
        return class_agreement(counts.tally, name, model, level)
    return agreement_of(alone, model, level)


def _by_themselves(
    policy: Policy, slices: Sequence[SliceCounts], one: SliceCounts, asked: ReferenceDemand
) -> Iterator[str]:
    """The classes that rules judge one by one on a slice, each once."""
    if not policy.task.traits.classes:
        return
    told: set[str | None] = {None}
    for rule in policy.rules:
        alone = rule.classes == "each" or isinstance(rule.classes, tuple)
        if not alone or (asked.severity == "block" and rule.severity != "block"):
            continue
        chosen = [s.name for part in select_slices(rule, slices).values() for s in part]
        if one.name in chosen:
            for name in classes_to_judge(policy, rule, slices[0], one):
                if name is not None and name not in told:
                    told.add(name)
                    yield name


@dataclass(frozen=True, kw_only=True)
class ReferenceDemand:
    """What is asked of the reference on one slice: as much as the rules that judge it ask for."""

    severity: Severity
    evidence: Literal["proven", "point"]


def reference_demands(
    policy: Policy, slices: Sequence[SliceCounts], label: str | None = None
) -> dict[str, ReferenceDemand]:
    """Slices that rules on rows judge, overall among them, and what is asked there.

    Args:
        policy: the policy.
        slices: overall first.
        label: of several labels, the one that the rules have to be about, by itself or with others.
    """
    if policy.evidence.reference == "off":
        return {}
    rules: dict[str, list[Rule]] = {}
    for rule in policy.rules:
        form = METRICS[rule.metric].forms.get(policy.task.kind)
        if form is None or not form.against_labels or not _is_about(rule, label):
            continue
        chosen = [s for part in select_slices(rule, slices).values() for s in part]
        for name in dict.fromkeys((OVERALL, *(s.name for s in chosen if judged(s, policy)))):
            rules.setdefault(name, []).append(rule)
    required = policy.evidence.reference == "required"
    return {
        name: ReferenceDemand(
            severity="block" if required and any(r.severity == "block" for r in of) else "warn",
            evidence="proven" if any(r.evidence == "proven" for r in of) else "point",
        )
        for name, of in rules.items()
    }


def _is_about(rule: Rule, label: str | None) -> bool:
    if label is None or not isinstance(rule.classes, tuple):
        return True
    return label in [value_text(value) for value in rule.classes]


def _of_one_class(counts: SliceCounts) -> bool:
    """Whether the labels are known to be all the same; a label that nobody saw may be another."""
    tally = counts.tally
    return tally.single_label if isinstance(tally, PartialTally) else tally.one_class


def agreement_of(counts: SliceCounts, model: Model, level: float = 0.05 / PART) -> Agreement:
    """How far one model's decisions agree with the labels of a slice.

    Args:
        counts: the slice.
        model: whose decisions.
        level: that the p-value is held against; where every row has a label nothing hangs on it.
    """
    tally = counts.tally
    if isinstance(tally, PartialLabels):
        return least_class_agreement(tally, model, level)
    if isinstance(tally, PartialTally):
        return least_agreement(against_the_rest(tally), model, level)
    assert isinstance(tally, DecidedRows)  # noqa: S101  # the caller asks tasks with decisions only
    rows = tally.named
    place = 1 if model == "baseline" else 2
    plain = agreement(confusion_of(rows, model), _groups(rows, place))
    return weighted_agreement(rows, place, plain)


def confusion_of(rows: LabelCounts, model: Model) -> dict[tuple[str, str], int]:
    """Rows by label and one model's decision."""
    place = 1 if model == "baseline" else 2
    found: Counter[tuple[str, str]] = Counter()
    for cell, n in rows.cells.items():
        found[cell[0], cell[place]] += n
    return dict(found)


def _groups(rows: LabelCounts, place: int) -> GroupSums | None:
    """What the groups say; nothing where every one is a single row."""
    clusters, n = rows.clusters, rows.rows
    if clusters is None or clusters.groups == n:
        return None
    squares = sum(clusters.products.values())
    even = min(1.0, n * n / (clusters.groups * squares))
    rare = min(clusters.beside_the_commonest(rows.cells, part) for part in (0, place))

    def between(influence: Mapping[tuple[str, str], float]) -> float:
        return math.fsum(  # in any order, because the engine's differs from run to run
            total * influence[one[0], one[place]] * influence[other[0], other[place]]
            for (one, other), total in clusters.products.items()
        )

    return GroupSums(between=between, bearing=int(rare * even + 1e-9), rows_per_group=squares / n)


def _finding(
    policy: Policy, counts: SliceCounts, asked: ReferenceDemand, found: Evaluated
) -> Finding:
    before, after = found.here, found.candidate
    status, because = _standing(policy, counts, asked, (before, after))
    finding = Finding(
        rule=len(policy.rules) + (policy.claims is not None),
        metric=REFERENCE.name,
        slice=counts.name,
        class_label=found.label,
        check=BEATS_CONSTANT,
        status=status,
        severity=asked.severity,
        evidence=asked.evidence,
        baseline=before.value,
        candidate=after.value,
        difference=after.value - before.value,
        ci_low=None,
        ci_high=None,
        limit=0.0,
        p_value=before.p_value,
        p_harm=None,
        n=before.rows,
        method=before.method,
        method_kind="exact" if before.exact else "approximate",
        open_because=because,
        values_at_least=_has_gaps(counts) or None,
    )
    if status == "pass":
        return finding
    finding = _with_need(policy, counts, finding, found)
    lacks = None if found.class_alone else _list_lacks(policy, counts, finding)
    if lacks is not None:
        finding = replace(finding, needed=lacks.total, needed_unit="rows", needed_for="power")
    alone, none = found.class_alone, counts.positives == 0
    note = words.reference_note(finding, before, after, lacks, alone, known_none=none)
    if because == "not shown" and (weighing := _groups_alone(policy, counts)) is not None:
        note = joined((note, words.of_groups(*weighing)))
    if because == "not shown" and finding.needed is None and not _has_gaps(counts):
        rows = found.if_little_better(policy.evidence.alpha / PART)
        note = note if rows is None else joined((note, words.if_little_better(rows)))
    return replace(finding, note=note)


def _groups_alone(policy: Policy, counts: SliceCounts) -> tuple[int, int] | None:
    """Groups, and as how many equal ones they weigh, where rows by themselves would show it."""
    tally = counts.tally
    if not isinstance(tally, DecidedRows) or tally.named.clusters is None:
        return None
    alone = agreement(confusion_of(tally.named, "baseline"))
    if alone.kappa <= 0 or alone.p_value > policy.evidence.alpha / PART:
        return None
    clusters = tally.named.clusters
    weight = tally.rows**2 // sum(clusters.products.values())
    return (clusters.groups, weight) if weight < clusters.groups else None


def _list_lacks(policy: Policy, counts: SliceCounts, finding: Finding) -> ListLacks | None:
    """What a list of rows to label lacks; None: labels like those seen would not show it."""
    tally = counts.tally
    if not isinstance(tally, PartialTally) or finding.open_because != "not shown":
        return None
    held = seen_samples(against_the_rest(tally))
    wanted = samples_to_show(tally, seen_shares(tally), held, policy.evidence.alpha / PART)
    if wanted is None or wanted == held:
        return None
    return ListLacks(
        neither=wanted.neither - held.neither,
        both=wanted.both - held.both,
        size=max(wanted.neither, wanted.both),
        class_label=tally.commonest if isinstance(tally, PartialLabels) else None,
    )


def _has_gaps(counts: SliceCounts) -> bool:
    """Whether rows of the slice have no label, and are taken at their worst."""
    return isinstance(counts.tally, PartialTally) and not counts.tally.complete


def _standing(
    policy: Policy, counts: SliceCounts, asked: ReferenceDemand, models: tuple[Known, Known]
) -> tuple[Status, OpenBecause | None]:
    before, after = models
    if not enough(counts, policy.evidence.minimum):
        return "inconclusive", "minimum evidence"
    if before.single or after.single:
        return "inconclusive", "one decision"
    level, points = policy.evidence.alpha / PART, asked.evidence == "point"
    if not is_shown(before, level, points=points):
        return "inconclusive", "not shown"
    if not is_shown(after, PART * level if _alike(before, after) else level, points=points):
        return "inconclusive", "unrelated candidate"
    return "pass", None


def _alike(before: Known, after: Known) -> bool:
    """Whether the candidate seems to agree half as well at least: few rows then hold none up."""
    return after.value >= HALF_AS_MUCH * before.value


def _with_need(policy: Policy, counts: SliceCounts, finding: Finding, found: Evaluated) -> Finding:
    """The open finding with the rows that would likely settle it."""
    if finding.open_because == "minimum evidence":
        return _with_minimum(policy, counts, finding)
    if _has_gaps(counts):
        return finding  # what helps is another list, not further rows
    unrelated = finding.open_because == "unrelated candidate"
    if unrelated and not _alike(found.here, found.candidate):
        return finding  # labels are not what it lacks
    about = replace(found, here=found.candidate, whole=None) if unrelated else found
    needed = about.further(policy.evidence.alpha / PART)
    if needed is None or (finding.open_because == "one decision" and counts.name == OVERALL):
        return finding
    return replace(finding, needed=needed, needed_unit="rows", needed_for="power")


def _with_minimum(policy: Policy, counts: SliceCounts, finding: Finding) -> Finding:
    """The finding with what the minimum lacks; of rows that nobody can label none is asked for."""
    minimum = minimum_in_rows(counts, policy.evidence.minimum)
    short = counts.positives < minimum.positives
    lacking = minimum.positives - counts.positives if short else minimum.rows - counts.rows
    if counts.strata is not None:
        short, lacking = False, lacking_rows(counts)
    elif isinstance(counts.tally, PartialTally) and counts.tally.doubted:
        return finding
    unit: Literal["rows", "positives"] = "positives" if short else "rows"
    return replace(finding, needed=lacking, needed_unit=unit, needed_for="minimum evidence")
