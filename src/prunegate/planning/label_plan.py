"""Label plan: which rows of a gate set to label, for every rule, and what that decides.

Each limit asks for rows (``metrics/labels_needed.py``); rows that differ, or that either model
flags, are all labelled or none. What can be chosen is how large the random samples are: a sample
grows step by step where the next step buys most, until every limit has the wanted power, the budget
is spent, or all rows are in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from prunegate.counting.labelling import SliceFrame
from prunegate.counting.list_size import ListSize
from prunegate.counting.partial_labels import PartialLabels
from prunegate.counting.slices import SliceCounts
from prunegate.errors import UnsupportedError
from prunegate.metrics.labels_needed import LabelsNeeded
from prunegate.planning.label_parts import LabelPart, label_parts
from prunegate.planning.label_power import power_at_random, promised
from prunegate.planning.label_reference import with_reference
from prunegate.policy.schema import Policy, bound_of

STEPS = (20, 40, 60, 90, 130, 200, 300, 450, 700, 1000, 1500, 2500, 4000)
"""Sizes of a sample that are considered; the last resort is all rows."""


@dataclass(frozen=True, kw_only=True)
class LabelRequest:
    """How many labels are wanted."""

    power: float = 0.9
    """Chance that every blocking limit is shown to hold together, if nothing changed."""
    budget: int | None = None
    """Labels, at most."""
    random: int | None = None
    """Rows of the random sample of each slice where a limit needs one; None: as planned."""
    reference: int | None = None
    """Rows of each slice that both models flag, and as many that neither flags, for the reference;
    None: as planned."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Labels that may be spent, and what a list costs: rows that its samples share count once."""

    most: int
    size: ListSize


@dataclass(frozen=True, kw_only=True)
class LimitLabels:
    """One limit on one slice: the labels that it rests on."""

    rule: int
    """Index of the rule in the policy, from 0."""
    metric: str
    slice: str
    class_label: str | None
    """The one of several classes that it is about; None: a yes/no task, or all together."""
    check: str
    limit: float
    needs: LabelsNeeded
    labels: int
    """Labels that it rests on."""
    rows: int
    """Rows of the slice, which full labelling would take."""
    power: float | None
    """Chance that it is shown to hold, if nothing changed; None: not known beforehand."""
    at_random: float | None
    """The same with as many labels on rows drawn at random."""
    blocks: bool
    """Whether nothing is approved unless it holds."""


def plan_labels(
    policy: Policy,
    slices: Sequence[SliceCounts],
    wanted: LabelRequest,
    budget: Budget | None = None,
) -> tuple[SliceFrame, ...]:
    """What of every slice is to be labelled.

    Args:
        policy: the policy.
        slices: their decisions, counted.
        wanted: how many labels.
        budget: what they may cost; None: as many as it takes.

    Raises:
        UnsupportedError: a limit whose random sample nobody can plan, and no size was given.
    """
    parts = label_parts(policy, slices)
    _require_planned(parts, wanted)
    blocking = sum(part.limit.blocks for part in parts)
    each = 1 - (1 - wanted.power) / max(1, blocking)
    known, frames = {one.name: one for one in slices}, {}
    for name, of_slice in _by_slice(parts).items():
        frames[name] = _start(policy, known[name], of_slice, wanted, each)
    frames = with_reference(policy, slices, frames, wanted.reference)
    _grow(frames, parts, each, budget)
    return tuple(with_reference(policy, slices, frames, wanted.reference).values())


def told_limits(
    policy: Policy, slices: Sequence[SliceCounts], frames: Sequence[SliceFrame]
) -> tuple[LimitLabels, ...]:
    """Every limit with the labels that the frames give it."""
    by_name = {frame.name: frame for frame in frames}
    return tuple(
        _told(part, by_name[part.limit.counts.name]) for part in label_parts(policy, slices)
    )


def _by_slice(parts: Sequence[LabelPart]) -> Mapping[str, list[LabelPart]]:
    found: dict[str, list[LabelPart]] = {}
    for part in parts:
        found.setdefault(part.limit.counts.name, []).append(part)
    return found


def _require_planned(parts: Sequence[LabelPart], wanted: LabelRequest) -> None:
    if wanted.random is not None:
        return
    unplanned = dict.fromkeys(
        f"rules[{part.limit.index}] ({part.limit.metric} {part.limit.check})"
        for part in parts
        if part.needs == "random" and part.random_rows(0.5) is None
    )
    if unplanned:
        raise UnsupportedError(
            f"{', '.join(unplanned)}: rows on which the models agree bear on it, and how large a "
            "random sample it takes cannot be planned; give --random N (rows of each slice), or "
            "judge it with every row labelled"
        )


def _start(
    policy: Policy, one: SliceCounts, parts: Sequence[LabelPart], wanted: LabelRequest, power: float
) -> SliceFrame:
    """What cannot be chosen, and the smallest samples."""
    needs = {part.needs for part in parts}
    at_random = [
        one.rows if (n := part.random_rows(power)) is None else n
        for part in parts
        if part.needs == "random"
    ]
    if at_random and wanted.random is not None:
        at_random = [wanted.random]
    frame = SliceFrame(
        name=one.name,
        rows=one.rows,
        differs=bool(needs & {"differs", "agreed"}),
        random=min(one.rows, max(at_random, default=0)),
        classes=() if policy.task.traits.classes else None,
    )
    for part in parts:
        if part.needs == "agreed":
            frame = part.with_sample(frame, min(max(STEPS[0], part.least), part.agreed))
    minimum = policy.evidence.minimum.positives
    if isinstance(one.tally, PartialLabels):
        return _of_classes(frame, one.tally, parts, minimum)
    flagged, both = "flagged" in needs, parts[0].decided[0b11]
    sample = max(frame.both, _enough_of(both, minimum))
    return replace(frame, flagged=flagged, both=0 if flagged else sample)


def _enough_of(agreed: int, minimum: int) -> int:
    """A sample of so many rows that promises the policy's minimum evidence of a class."""
    if minimum <= 1:
        return 0
    enough = (size for size in STEPS if promised(agreed, size) >= minimum)
    return min(next(enough, agreed), agreed)


def _of_classes(
    frame: SliceFrame, tally: PartialLabels, parts: Sequence[LabelPart], minimum: int
) -> SliceFrame:
    """The frame with what each of several classes needs."""
    every = {part.class_label for part in parts if part.needs == "flagged"}
    for label in tally.classes:
        of, agreed = frame.of_label(label), tally.of_class(label).decided[0b11]
        flagged, sample = label in every, max(of.both, _enough_of(agreed, minimum))
        changed = replace(of, flagged=flagged, both=0 if flagged else sample)
        if changed.flagged or changed.both:
            frame = frame.with_label(changed)
    return frame


def _grow(
    frames: dict[str, SliceFrame], parts: Sequence[LabelPart], power: float, budget: Budget | None
) -> None:
    """Let the samples grow where the next step buys most."""
    open_parts = [part for part in parts if part.needs == "agreed"]
    while open_parts:
        spent = 0 if budget is None else budget.size.of(list(frames.values()))
        steps = []
        for part in list(open_parts):
            name = part.limit.counts.name
            step = _step(part, frames[name], power)
            if step is None:
                open_parts.remove(part)
                continue
            gain, cost, grown = step
            if budget is not None:
                cost = budget.size.of(list({**frames, name: grown}.values())) - spent
                if spent + cost > budget.most:
                    continue
            steps.append((gain / max(cost, 1), name, grown))
        if not steps:
            return
        _, name, grown = max(steps, key=lambda step: step[0])
        frames[name] = grown


def _step(part: LabelPart, frame: SliceFrame, power: float) -> tuple[float, int, SliceFrame] | None:
    """What the next size buys, costs at most and is; None: it is enough, or there is no more."""
    held = part.held(frame)
    size = min(next((s for s in STEPS if s > held), part.agreed), part.agreed)
    if size <= held or part.does(held, power):
        return None
    now, later = part.power(held), part.power(size)
    gain = 0.0 if later is None or now is None else max(later - now, 0.0)
    return gain + 1e-6, size - held, part.with_sample(frame, size)


def _told(part: LabelPart, frame: SliceFrame) -> LimitLabels:
    limit, decided = part.limit, part.decided
    differ = decided[0b01] + decided[0b10]
    sample = part.held(frame)
    if part.frame_in(frame).flagged and part.label:
        sample = part.agreed
    labels = {
        "none": 0,
        "differs": differ,
        "agreed": differ + sample,
        "flagged": differ + decided[0b11],
        "random": frame.random,
    }[part.needs]
    return LimitLabels(
        rule=limit.index,
        metric=limit.metric,
        slice=limit.counts.name,
        class_label=part.class_label,
        check=limit.check,
        limit=bound_of(limit.value).value,
        needs=part.needs,
        labels=labels,
        rows=sum(decided),
        power=part.random_power(frame.random) if part.needs == "random" else part.power(sample),
        at_random=power_at_random(limit.claim, part.form, decided, labels, part.alpha),
        blocks=limit.blocks,
    )
