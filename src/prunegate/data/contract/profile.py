"""The profile of labelled data: the counts that the data contract is about.

Two kinds: things there must be enough of (rows, positives), and things there must be none of
(missing values, unknown labels, ids or contents shared between splits). A slice that does not occur
has no count at all, which no limit accepts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from prunegate.data.contract.counts import Count, examples_of
from prunegate.data.contract.mix import mix_count
from prunegate.data.contract.targets import missing_targets, target_counts
from prunegate.data.labelled.overlap import overlaps
from prunegate.data.labelled.rows import (
    LabelledRows,
    Mask,
    Scalar,
    has_label,
    in_split,
    is_positive,
    matching,
)
from prunegate.data.predictions.columns import is_empty, shown
from prunegate.policy.naming import slice_name, value_text
from prunegate.policy.production import production_mix
from prunegate.policy.schema import Policy
from prunegate.policy.steps import SPLITS


def profile(rows: LabelledRows, policy: Policy, hashes: Sequence[str]) -> tuple[Count, ...]:
    """Count everything that the contract has a clause about."""
    return (
        *_missing(rows, policy),
        *_splits(rows, policy),
        *_labels(rows, policy),
        *_evidence(rows, policy),
        *_mix(rows, policy),
        *overlaps(rows, policy, hashes),
    )


def _missing(rows: LabelledRows, policy: Policy) -> Iterator[Count]:
    names = policy.data.columns
    columns: dict[str, Sequence[object]] = {names.id: rows.ids}
    if rows.reads == "documents":
        columns[names.reference] = [text.strip() for text in rows.references]
    elif policy.task.traits.estimated:
        yield from missing_targets(rows, policy)
    elif not policy.task.traits.sets:  # sets are whole, or the table was not read
        columns[names.label] = rows.labels
    if rows.reads == "texts":
        columns[names.text] = [text.strip() for text in rows.texts]
    for column, values in {**columns, **rows.columns}.items():
        yield Count(
            name=f"missing.{column}",
            words=f"rows without a value in column {shown(column)}",
            value=sum(is_empty(value) for value in values),
            advice="give every row a value",
        )


def _splits(rows: LabelledRows, policy: Policy) -> Iterator[Count]:
    unknown = [str(split) for split in rows.splits if split not in SPLITS]
    yield Count(
        name="unknown_splits",
        words="rows of a split that does not exist",
        value=len(unknown),
        advice=f"the column {shown(policy.data.columns.split)} holds one of {', '.join(SPLITS)}",
        examples=examples_of(unknown),
    )
    for split in _needed_splits(policy):
        yield Count(
            name=f"{split}.rows",
            words=f"rows of the {split} split",
            value=_some(in_split(rows, split)),
            at_least=policy.evidence.minimum.rows if split == "gate" else 1,
            evidence=split == "gate" and any(value == "gate" for value in rows.splits),
            advice=f"add labelled rows to the {split} split",
        )
    yield from _steps(rows, policy)


def _needed_splits(policy: Policy) -> tuple[str, ...]:
    used = {wanted.split for wanted in policy.rows_of_steps.values()}
    used |= {"search"} if policy.search is not None else set()
    used |= {"calibration"} if policy.task.untuned else set()
    return tuple(split for split in SPLITS if split in used or split == "gate")


def _steps(rows: LabelledRows, policy: Policy) -> Iterator[Count]:
    """Yield what the filtered steps of ``compress`` find to work on."""
    for number, wanted in policy.rows_of_steps.items():
        if wanted.where:
            chosen = in_split(rows, wanted.split) & matching(rows, wanted.where)
            yield Count(
                name=f"compress.{number}.rows",
                words=f"rows for step {number} of 'compress' ({_pairs(wanted.where)})",
                value=_some(chosen),
                at_least=1,
                advice=f"add such rows to the {wanted.split} split or change 'where'",
            )


def _labels(rows: LabelledRows, policy: Policy) -> Iterator[Count]:
    task = policy.task.traits
    if task.yes_no:
        yield from _binary_labels(rows, policy)
    elif task.sets:
        yield from _label_sets(rows, policy)
    elif task.classes:
        seen = {label for label in rows.labels if not is_empty(label)}
        yield Count(
            name="labels.classes",
            words="different labels",
            value=len(seen),
            at_least=2,
            advice="a classifier needs at least two",
        )
    elif task.estimated:
        yield from target_counts(rows, policy)


def _binary_labels(rows: LabelledRows, policy: Policy) -> Iterator[Count]:
    positive = is_positive(rows, policy)
    present = zip(rows.labels, positive.tolist(), strict=True)
    others = Counter(label for label, yes in present if not yes and not is_empty(label))
    known = max(others, key=lambda label: others[label], default=None)
    strange = [str(label) for label in others if label != known]
    yield Count(
        name="labels.unknown",
        words=f"rows whose label is neither {shown(policy.task.positive)} nor {shown(known)}",
        value=sum(others.values()) - others[known],
        advice="a binary task has two labels",
        examples=examples_of(strange),
    )
    for words, mask in (("positive", positive), ("negative", ~positive)):
        yield Count(
            name=f"gate.{words}s",
            words=f"{words} rows of the gate split",
            value=_some(mask & in_split(rows, "gate")),
            at_least=policy.evidence.minimum.positives if words == "positive" else 1,
            evidence=words == "positive",
            advice=f"the positive label is {shown(policy.task.positive)}; add {words} rows",
        )


def _label_sets(rows: LabelledRows, policy: Policy) -> Iterator[Count]:
    """Yield for every label how many rows of the gate split have it, and how many lack it."""
    gate = in_split(rows, "gate")
    for label in policy.task.labels:
        has = has_label(rows, label)
        for words, mask in (("positive", has), ("negative", ~has)):
            yield Count(
                name=f"gate.{label}.{words}s",
                words=f"rows of the gate split {_WITH[words]} the label {shown(label)}",
                value=_some(mask & gate),
                at_least=policy.evidence.minimum.positives if words == "positive" else 1,
                evidence=words == "positive",
                advice=f"add rows {_WITH[words]} it, or take it out of 'task: labels'",
            )


_WITH = {"positive": "with", "negative": "without"}


def _evidence(rows: LabelledRows, policy: Policy) -> Iterator[Count]:
    """Yield rows and positives of every declared slice in the gate split."""
    gate, minimum = in_split(rows, "gate"), policy.evidence.minimum
    positive = is_positive(rows, policy)
    for name, where in _declared(policy):
        inside = gate & matching(rows, where)
        yield Count(
            name=f"gate.{name}.rows",
            words=f"rows of {shown(name)} in the gate split",
            value=_some(inside),
            at_least=minimum.rows,
            evidence=True,
            advice="add labelled rows of it, or declare only what production sees",
        )
        if policy.task.traits.yes_no:
            yield Count(
                name=f"gate.{name}.positives",
                words=f"positive rows of {shown(name)} in the gate split",
                value=_some(inside & positive),
                at_least=minimum.positives,
                evidence=True,
                advice="add positive rows of it, or lower 'evidence: minimum: positives:'",
            )
        for label in policy.task.labels:
            yield Count(
                name=f"gate.{name}.{label}.positives",
                words=f"rows of {shown(name)} in the gate split with the label {shown(label)}",
                value=_some(inside & has_label(rows, label)),
                at_least=minimum.positives,
                evidence=True,
                advice="add such rows, or lower 'evidence: minimum: positives:'",
            )


def gate_mix(rows: LabelledRows, policy: Policy) -> dict[str, int]:
    """Rows of the gate split by the value of the key that production's mix is about."""
    mix = production_mix(policy)
    if mix is None:
        return {}
    chosen = zip(rows.columns[mix.key], rows.splits, strict=True)
    return Counter(str(value) for value, split in chosen if split == "gate" and value)


def _mix(rows: LabelledRows, policy: Policy) -> Iterator[Count]:
    found = mix_count(policy, gate_mix(rows, policy), " in the gate split")
    if found is not None:
        yield found


def _declared(policy: Policy) -> Iterator[tuple[str, Mapping[str, Scalar | tuple[Scalar, ...]]]]:
    for spec in policy.slices:
        if spec.where:
            yield spec.label, spec.where
        for expected in spec.expect:
            parts = expected if isinstance(expected, tuple) else (expected,)
            where = dict(zip(spec.keys, parts, strict=True))
            yield slice_name(spec.keys, [value_text(part) for part in parts]), where


def _pairs(where: Mapping[str, Scalar | tuple[Scalar, ...]]) -> str:
    return ",".join(f"{key}={_one_or_more(value)}" for key, value in where.items())


def _one_or_more(value: Scalar | tuple[Scalar, ...]) -> str:
    return "|".join(map(value_text, value)) if isinstance(value, tuple) else value_text(value)


def _some(mask: Mask) -> int | None:
    """Return how many; None for none, so that nothing is not mistaken for a count."""
    return int(np.count_nonzero(mask)) or None
