"""Draw labels: from a predictions table to the list of rows to label, and its frame.

::

    table, decisions of every row --> counts per slice --> what each slice needs (``label_plan``)
    slices + seed --> the list (one look-up per slice, inside the engine) --> frame

Only the rows of the list leave the engine.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import narwhals as nw

from prunegate._version import __version__
from prunegate.counting.column_reading import BASELINE
from prunegate.counting.count import count_table
from prunegate.counting.gate_set import identity_of
from prunegate.counting.labellable import require_labellable
from prunegate.counting.labelled_part import table_digest
from prunegate.counting.labelling import (
    AgreedFrame,
    LabellingFrame,
    ListedRow,
    SliceFrame,
    Why,
    draw_list,
    frame_digest,
    slice_places,
)
from prunegate.counting.list_size import ListSize
from prunegate.counting.partial_counting import (
    LISTED,
    open_unlabelled,
    partial_reading,
    with_labels,
)
from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.partial_labels import PartialLabels
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import Tally
from prunegate.data.predictions.lookalikes import hints_of_lookalikes
from prunegate.data.predictions.many_values import hints
from prunegate.data.predictions.table import Table
from prunegate.errors import InputError
from prunegate.planning.label_plan import (
    Budget,
    LabelRequest,
    LimitLabels,
    plan_labels,
    told_limits,
)
from prunegate.planning.label_reference import ReferenceLabels, told_reference
from prunegate.planning.label_shortfalls import Shortfall, shortfalls
from prunegate.policy.naming import value_text
from prunegate.policy.rules_digest import rules_digest
from prunegate.policy.schema import Policy

_MOST = 1000
"""Labels that are looked for; whoever has more labels them elsewhere."""


@dataclass(frozen=True, kw_only=True)
class DrawnLabels:
    """A list of rows to label."""

    frame: LabellingFrame
    to_label: tuple[Mapping[str, str], ...]
    """Id and slicing values of each row without a label, in an order that says nothing."""
    limits: tuple[LimitLabels, ...]
    reference: tuple[ReferenceLabels, ...]
    """What shows that the baseline knows anything, by slice."""
    rows: int
    """All rows of the table."""
    labels: tuple[str, ...] = ()
    """Labels as the table spells them, where it does."""
    noticed: tuple[str, ...] = ()
    """What to look at in the slicing keys before anybody labels."""
    decisions: Mapping[str, str] = field(default_factory=dict)
    """What the baseline decides of each row to label, by id; no labeller gets to see it."""
    shortfalls: tuple[Shortfall, ...] = ()
    """What keeps limits open whatever the labels say; these have no power."""
    wanted: LabelRequest | None = None
    """What was asked for; None: a later round."""


def draw_labels(
    policy: Policy, source: Any, wanted: LabelRequest, *, seed: int, at: str
) -> DrawnLabels:
    """The rows to label.

    Args:
        policy: the policy.
        source: paths of the predictions.
        wanted: how many labels.
        seed: of the random samples.
        at: when, for the frame.

    Raises:
        InputError: the table cannot be read, or the policy cannot be judged on some labels.
    """
    drawing = _opened(policy, source)
    budget = None
    if wanted.budget is not None:
        size = ListSize(places=slice_places(policy, drawing.table, seed))
        budget = Budget(most=wanted.budget, size=size)
    frames = plan_labels(policy, drawing.slices, wanted, budget)
    frame = LabellingFrame(
        version=__version__,
        created=at,
        policy=rules_digest(policy),
        table=drawing.digest,
        seed=seed,
        slices=frames,
        rows=(),
    )
    drawn = drawing.drawn(frame)
    if not drawn.frame.rows:
        raise _nothing_to_label(drawn)
    _require_affordable(drawn, wanted)
    return replace(drawn, wanted=wanted)


def _nothing_to_label(drawn: DrawnLabels) -> InputError:
    """No row to label: why, and what to do."""
    if any(one.constant for one in drawn.reference):
        return InputError(
            "both models make one and the same decision on every row, so that no label of any row "
            "tells anything of them; nothing was drawn. Look at both columns of scores, at 'task: "
            "positive' and 'task: threshold', and predict again"
        )
    return InputError(
        "no rule of this policy needs a label of any row: the models decide all rows alike, or "
        "only decisions are judged; nothing was drawn. Give 'prunegate gate' a table with labels, "
        "or the policy a rule that labels bear on (recall, precision, accuracy)"
    )


def draw_more(
    policy: Policy, source: Any, before: LabellingFrame, *, answered: Collection[str], at: str
) -> DrawnLabels:
    """The rows to label in the next round: what the rounds before asked for, and more.

    Args:
        policy: the policy of the rounds before; it says how many looks there are.
        source: paths of the same predictions.
        before: the frame of the last round.
        answered: ids of rows that were labelled so far, or looked at without telling.
        at: when.

    Raises:
        InputError: a row of the rounds before has no label, the policy allows no further look, the
            table or the policy is another, or there is nothing that more labels could tell.
    """
    looks = policy.evidence.looks
    if before.round >= looks:
        raise InputError(
            f"round {before.round} was the last that the policy allows (evidence: looks: {looks}); "
            "what it found stands, label a fresh gate set"
        )
    drawing = _opened(policy, source)
    if (before.policy, before.table) != (rules_digest(policy), drawing.digest):
        raise InputError(
            "the rounds before were drawn for another policy or from another predictions table; "
            "give those, or begin anew with 'prunegate label' without --more"
        )
    earlier = (*before.earlier, frame_digest(before))
    frame = replace(
        before, version=__version__, created=at, round=before.round + 1, earlier=earlier, rows=()
    )
    asked = {row.id for row in before.rows}
    drawn = drawing.drawn(frame, known=asked)
    _require_answered(asked, {*answered, *(r.id for r in drawn.frame.rows if r.labelled)})
    if len(drawn.frame.rows) == len(before.rows):
        raise InputError(
            "more labels tell nothing: every row that bears on a limit is on the list already; "
            "judge it"
        )
    return drawn


def _require_answered(asked: Collection[str], answered: Collection[str]) -> None:
    """Refuse to draw on while rows of the rounds before have no label."""
    missing = sorted(set(asked) - set(answered))
    if missing:
        raise InputError(
            f"{len(missing):,} of the {len(asked):,} rows of the rounds so far have no label yet "
            f"(for example {missing[0]!r}); nothing was drawn. Label them, judge that round with "
            "'prunegate gate', and draw the next where it is not decided; --labels FILE says where "
            "the labels are, if not in to-label.csv"
        )


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """A table that lists are drawn from."""

    policy: Policy
    unlabelled: Table
    table: Table
    slices: Sequence[SliceCounts]

    @property
    def digest(self) -> str:
        return table_digest(identity_of(self.policy, self.unlabelled, labels=False))

    def drawn(self, frame: LabellingFrame, known: Collection[str] = ()) -> DrawnLabels:
        """The rows of a frame; those in ``known`` are labelled already."""
        policy, column, seed = self.policy, self.policy.columns, frame.seed
        why = draw_list(policy, self.table, frame.frames, seed).why
        rows = _rows(policy, with_labels(policy, self.unlabelled, dict.fromkeys(why)))
        done = {key for key, row in rows.items() if row[column.label] is not None}
        listed = (ListedRow(id=key, why=of, labelled=key in done) for key, of in why.items())
        shown = (column.id, *policy.keys)
        limits = told_limits(policy, self.slices, self._held(frame))
        lacking = shortfalls(policy, self.slices, self._held(frame))
        short = {one.slice for one in lacking}
        order = sorted(set(why) - done - set(known))
        random.Random(seed).shuffle(order)  # noqa: S311  # an order to label in, no secret
        return DrawnLabels(
            frame=replace(frame, rows=tuple(listed)),
            to_label=tuple({name: rows[key][name] for name in shown} for key in order),
            limits=tuple(replace(one, power=0.0) if one.slice in short else one for one in limits),
            shortfalls=lacking,
            reference=told_reference(policy, self.slices, self._held(frame)),
            rows=self.slices[0].rows,
            labels=_spelled(policy, self.table),
            noticed=_noticed(policy, self.table),
            decisions={key: value_text(rows[key][BASELINE]) for key in order},
        )

    def _held(self, frame: LabellingFrame) -> tuple[SliceFrame, ...]:
        """What of each slice the frame asks for, no more of anything than there is."""
        by_name = {one.name: one.tally for one in self.slices}
        return tuple(_at_most(one, by_name[one.name]) for one in frame.frames)


def _at_most(frame: SliceFrame, tally: Tally) -> SliceFrame:
    """The frame with no more rows of any sample than there are."""
    if not isinstance(tally, PartialLabels):
        return _capped(frame, tally)
    classes = (_capped(one, tally.of_class(one.label)) for one in frame.classes or ())
    return replace(frame, classes=tuple(classes))


_Frame = TypeVar("_Frame", bound=AgreedFrame)


def _capped(frame: _Frame, tally: Tally) -> _Frame:
    assert isinstance(tally, PartialCounts)  # noqa: S101  # by the reading
    neither, both = tally.decided[0b00], tally.decided[0b11]
    return replace(
        frame,
        neither=min(frame.neither, neither),
        both=min(frame.both, both),
        reference_neither=min(frame.reference_neither, neither),
        reference_both=min(frame.reference_both, both),
    )


def _opened(policy: Policy, source: Any) -> _Drawing:
    require_labellable(policy)
    unlabelled = open_unlabelled(policy, source)
    table = with_labels(policy, unlabelled, {})
    counted = count_table(policy, table, partial_reading(policy, table))
    return _Drawing(policy=policy, unlabelled=unlabelled, table=table, slices=counted.slices)


def _noticed(policy: Policy, table: Table) -> tuple[str, ...]:
    """Hints at keys of many values, and at values that look alike."""
    if not policy.keys:
        return ()
    with table.reading():
        lines = table.frame.select(*policy.keys).unique().collect().rows(named=True)
    return (*hints(policy, lines), *hints_of_lookalikes(policy, lines))


def _spelled(policy: Policy, table: Table) -> tuple[str, ...]:
    """Labels that the table shows: its own, and the models' where they answer in labels."""
    columns, found = policy.columns, set[str]()
    answers = () if policy.task.threshold is not None else (columns.baseline, columns.candidate)
    for column in (columns.label, *answers):
        with table.reading():
            values = table.frame.select(column).unique().head(_MOST).collect()[column].to_list()
        found.update(value_text(v) for v in values if v is not None and v == v)  # noqa: PLR0124  # NaN
    return tuple(sorted(found - {""}))


def _require_affordable(drawn: DrawnLabels, wanted: LabelRequest) -> None:
    listed = [row.why for row in drawn.frame.rows]
    if wanted.budget is None or len(listed) <= wanted.budget:
        return
    alone = for_reference_alone(listed)
    part = f" ({alone:,} of them to show that the baseline knows anything)" if alone else ""
    fewer = "allow that many, or drop rules or slices"
    if rules := dict.fromkeys(f"rules[{o.rule}] ({o.metric})" for o in _at_random(drawn)):
        most = max(one.labels for one in _at_random(drawn))
        fewer = (
            f"{', '.join(rules)} rest on random samples of up to {most:,} rows a slice: --random N "
            f"draws N, at less power; or {fewer}"
        )
    least = "" if rules else " at the very least"
    raise InputError(
        f"{len(listed):,} rows have to be labelled{least}{part}, more than --budget "
        f"{wanted.budget:,}; {fewer}"
    )


def _at_random(drawn: DrawnLabels) -> list[LimitLabels]:
    return [one for one in drawn.limits if one.needs == "random"]


def for_reference_alone(reasons: Iterable[tuple[Why, ...]]) -> int:
    """Rows that are on a list only to show that the baseline knows anything."""
    return sum(why == ("reference",) for why in reasons)


def _rows(policy: Policy, table: Table) -> dict[str, dict[str, Any]]:
    """Id, slicing values, label and the baseline's decision of every row of the list."""
    columns = policy.columns
    wanted = dict.fromkeys((columns.id, *policy.keys, columns.label, BASELINE))
    frame = partial_reading(policy, table).frame()
    with table.reading():
        found = frame.filter(nw.col(LISTED)).select(*wanted).collect().rows(named=True)
    return {str(row[columns.id]): row for row in found}
