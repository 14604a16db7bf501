"""Doubts: what is likely wrong where a model seems to know nothing, read off the counts alone.

Scores of the other class, classes under each other's names, one decision everywhere or nearly: each
shows in the joint counts that are there anyway. What takes the rows themselves (labels some places
on, ids in another order) is looked for in ``counting/misaligned.py``, and only where nothing was
found.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from prunegate.counting.misaligned import Misalignment
from prunegate.counting.partial_labels import PartialLabels
from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.slices import OVERALL, SliceCounts
from prunegate.counting.tallies import DecidedRows
from prunegate.evidence.partial_agreement import Model, by_label, most_cells
from prunegate.evidence.partial_class_agreement import seen_confusion
from prunegate.evidence.reference_sample import against_the_rest
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.policy.task import Role
from prunegate.stats import normal
from prunegate.stats.agreement import Agreement, agreement, kappa_influence
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, ReferenceDoubt, Verdict
from prunegate.verdict.reference import HALF_AS_MUCH, MODELS, PART, confusion_of, of_label
from prunegate.verdict.reference_sentences import doubt_sentence
from prunegate.verdict.warning_facts import with_first_warning

SURE = 1e-6
"""Level of what is named as a cause: the best of many ways to put decisions right is tried."""
CLEAR = 0.2
"""Agreement beyond chance below which a way to put decisions right explains too little."""
MODEST = 0.6
"""Agreement of the baseline, on all rows, below which the rows are asked whether some are off."""
MODEST_ROWS = 200_000
"""As long as there are no more than so many, which takes a moment."""


def doubts_in_counts(
    policy: Policy, slices: Sequence[SliceCounts], findings: Sequence[Finding]
) -> tuple[ReferenceDoubt, ...]:
    """What the counts of the slices with these findings say against a model."""
    if not policy.task.traits.decided:
        return ()
    counts = {one.name: one for one in slices}
    found = [
        doubt
        for finding in findings
        for model in MODELS
        if (doubt := _doubt(policy, _about(counts, finding), model, finding)) is not None
    ]
    whole = {one.class_label for one in found if one.kind == "unrelated" and one.slice == OVERALL}
    return tuple(
        one
        for one in found
        if one.kind != "unrelated" or one.slice == OVERALL or one.class_label not in whole
    )


def _about(counts: Mapping[str, SliceCounts], finding: Finding) -> SliceCounts:
    """The rows of a finding: its slice, as the label sees it that the finding is about."""
    found, label = counts[finding.slice], finding.class_label
    return found if label is None else of_label([found], label)[0]


def unexplained(verdict: Verdict) -> Role | None:
    """The model that seems to know little or nothing on all rows, where the counts do not say why.

    The candidate is asked about where the baseline does know: then it may be joined wrongly alone.
    """
    doubts = {doubt.model: doubt.kind for doubt in verdict.doubts if doubt.slice == OVERALL}
    found = [f for f in verdict.findings if f.check == BEATS_CONSTANT and f.slice == OVERALL]
    if any(f.open_because == "not shown" for f in found):
        return None if "baseline" in doubts else "baseline"
    if doubts.get("candidate") in ("unrelated", "weaker"):
        return "candidate"
    return "baseline" if "baseline" not in doubts and any(map(_is_modest, found)) else None


def _is_modest(finding: Finding) -> bool:
    """Whether half of the rows may have labels of others while the rest show agreement."""
    few = finding.n <= MODEST_ROWS
    return few and finding.status == "pass" and (finding.baseline or 0.0) < MODEST


def with_misalignment(verdict: Verdict, model: Role, found: Misalignment | None) -> Verdict:
    """The verdict with what its rows say of a model, first; nothing else of it changes."""
    if found is None:
        return verdict
    doubt = ReferenceDoubt(
        kind="shifted" if found.offset is not None else "reordered",
        slice=OVERALL,
        model=model,
        rows=found.rows,
        right=found.right / found.rows,
        right_if=found.right_if,
        offset=found.offset,
        stretch=found.stretch,
        order=found.order,
    )
    told = with_first_warning(verdict, doubt_sentence(doubt))
    return replace(told, doubts=(doubt, *verdict.doubts))


def _doubt(
    policy: Policy, counts: SliceCounts, model: Model, finding: Finding
) -> ReferenceDoubt | None:
    label, shown = finding.class_label, finding.baseline or 0.0
    cells = _confusion(policy, counts, model)
    if not cells:
        return None
    found = agreement(cells)
    about = partial(
        ReferenceDoubt,
        slice=counts.name,
        model=model,
        rows=found.rows,
        right=found.right / found.rows,
        class_label=label,
    )
    if found.single:
        return about(kind="one decision", decision=_spelled(policy, found.decisions[0], label))
    about = partial(about, bounded=_bounded(counts) or None)
    clear = min(found.kappa, shown) >= CLEAR
    one_of_two = policy.task.traits.yes_no or label is not None
    if not clear or (not one_of_two and counts.name == OVERALL):
        names = _best_names(cells)  # of several classes two may be exchanged, and the others right
        better = agreement(_renamed(cells, names))
        if _meant(cells, names) and (clear or _explains(found, better)):
            moved = {a: b for a, b in names.items() if a != b and a in found.decisions}
            return _put_right(about, moved, better, one_of_two=one_of_two)
    if model == "baseline" or finding.open_because not in (None, "unrelated candidate"):
        return None
    if found.kappa < CLEAR and not _knows(policy, found):
        told = about(kind="unrelated", chance=found.chance / found.rows)
    elif _is_weaker(policy, counts, found, shown):
        told = about(kind="weaker", kappas=(shown, found.kappa))
    else:
        return None
    decision, decided = _mostly(policy, cells, label)
    return replace(told, decision=decision, decided=decided)


def _put_right(
    about: Callable[..., ReferenceDoubt],
    moved: Mapping[str, str],
    better: Agreement,
    *,
    one_of_two: bool,
) -> ReferenceDoubt:
    right_if = better.right / better.rows
    if one_of_two:
        return about(kind="reversed", right_if=right_if)
    return about(kind="permuted", right_if=right_if, names=tuple(moved.items()))


def _bounded(counts: SliceCounts) -> bool:
    """Whether what is known of a model's decisions is a bound on the side that is kind to it."""
    tally = counts.tally
    partly = isinstance(tally, PartialTally) and not tally.complete
    return partly and not isinstance(tally, PartialLabels)


def _is_weaker(policy: Policy, counts: SliceCounts, found: Agreement, shown: float) -> bool:
    """Whether the candidate is shown to have less than half of the baseline's agreement.

    Where labels are bounded, its most is held against the baseline's least.
    """
    short = HALF_AS_MUCH * shown - found.kappa
    tally = counts.tally
    if short <= 0 or isinstance(tally, PartialTally):
        return short > 0 and _bounded(counts)
    assert isinstance(tally, DecidedRows)  # noqa: S101  # only such slices have findings
    rows = tally.named
    before, after = (kappa_influence(confusion_of(rows, model)) for model in MODELS)
    pulls = {(y, b, c): after[y, c] - HALF_AS_MUCH * before[y, b] for y, b, c in rows.cells}
    square = math.fsum(n * pulls[cell] ** 2 for cell, n in rows.cells.items())
    if rows.clusters is not None:
        products = rows.clusters.products.items()
        between = math.fsum(n * pulls[one] * pulls[other] for (one, other), n in products)
        square = max(square, between)
    return short * rows.rows > normal.upper_z(policy.evidence.alpha / PART) * math.sqrt(square)


def _knows(policy: Policy, found: Agreement) -> bool:
    """Whether decisions are shown to hang on the labels, at the level that the baseline has."""
    return found.kappa > 0 and found.p_value <= policy.evidence.alpha / PART


def _mostly(
    policy: Policy, cells: Mapping[tuple[str, str], int], label: str | None
) -> tuple[str, int]:
    """The decision that is made most often, and how often."""
    made: Counter[str] = Counter()
    for (_, decision), n in cells.items():
        made[decision] += n
    decision = max(made, key=lambda name: (made[name], name))
    return _spelled(policy, decision, label), made[decision]


def _confusion(policy: Policy, counts: SliceCounts, model: Model) -> Mapping[tuple[str, str], int]:
    """Rows by label and decision; where labels are bounded, as kind to the model as they may be."""
    tally = counts.tally
    if isinstance(tally, PartialLabels):
        return seen_confusion(tally, model)
    if isinstance(tally, PartialTally):
        most = most_cells(against_the_rest(tally), model, policy.evidence.alpha / PART)
        return by_label(most, model)
    assert isinstance(tally, DecidedRows)  # noqa: S101  # only such slices have findings
    return confusion_of(tally.named, model)


def _explains(found: Agreement, better: Agreement) -> bool:
    """Whether decisions put right fit clearly, and clearly better than they do as they are."""
    return better.p_value <= SURE and better.kappa >= max(CLEAR, found.kappa + CLEAR)


def _meant(cells: Mapping[tuple[str, str], int], names: Mapping[str, str]) -> bool:
    """Whether decisions under other names clearly stand for other labels than their own.

    The sign test of the rows that exchanged names put right against those that they put wrong, at
    the level over the ways to exchange so many names; and as many more rows of these decisions.
    """
    from scipy.special import betainc

    moved = {a: b for a, b in names.items() if a != b}
    right = sum(cells.get((b, a), 0) for a, b in moved.items())
    wrong = sum(cells.get((a, a), 0) for a in moved)
    rows = sum(n for (_, decision), n in cells.items() if decision in moved)
    if right - wrong < max(1, CLEAR * rows):
        return False
    ways = math.lgamma(len(names) + 1) - math.lgamma(len(names) - len(moved) + 1)
    p_value = float(betainc(right, wrong + 1, 0.5))
    return not p_value or math.log(p_value) + ways <= math.log(SURE)


def _best_names(cells: Mapping[tuple[str, str], int]) -> dict[str, str]:
    """The label that each decision would have to stand for, so that most rows are right.

    Only names are exchanged: decisions and labels together are taken as one set of names.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    names = sorted({name for cell in cells for name in cell})
    place = {name: index for index, name in enumerate(names)}
    table = np.zeros((len(names), len(names)))
    for (label, decision), n in cells.items():
        table[place[decision], place[label]] = n
    decisions, labels = linear_sum_assignment(table, maximize=True)
    return {names[d]: names[y] for d, y in zip(decisions, labels, strict=True)}


def _renamed(
    cells: Mapping[tuple[str, str], int], names: Mapping[str, str]
) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for (label, decision), n in cells.items():
        found[label, names[decision]] += n
    return dict(found)


def _spelled(policy: Policy, decision: str, label: str | None) -> str:
    """A decision for people."""
    if label is None and not policy.task.traits.yes_no:
        return decision
    positive = value_text(policy.task.positive) if label is None else label
    return positive if decision == "1" else f"not {positive}"
