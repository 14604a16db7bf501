"""Draw labels: from a predictions table to the list of rows to label, and its frame.

::

    table, decisions of every row --> counts per slice --> what each slice needs (``label_plan``)
    slices + seed --> the list (one look-up per slice, inside the engine) --> frame

Only the rows of the list leave the engine.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from prunegate import __version__
from prunegate.counting.count import count_table
from prunegate.counting.gate_set import identity_of
from prunegate.counting.labelled_part import table_digest
from prunegate.counting.labelling import (
    LabellingFrame,
    Listed,
    ListedRow,
    Why,
    draw_list,
    require_labellable,
)
from prunegate.counting.partial_counting import (
    LISTED,
    PartialDecisions,
    open_unlabelled,
    with_labels,
)
from prunegate.data.predictions.table import Table
from prunegate.errors import InputError
from prunegate.planning.label_plan import (
    LabelRequest,
    LimitLabels,
    plan_labels,
    told_limits,
)
from prunegate.planning.label_reference import ReferenceLabels, told_reference
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
    require_labellable(policy)
    unlabelled = open_unlabelled(policy, source)
    table = with_labels(policy, unlabelled, {})
    slices = count_table(policy, table, PartialDecisions(policy=policy, table=table)).slices
    frames = plan_labels(policy, slices, wanted)
    listed = draw_list(policy, table, frames, seed)
    if not listed.why:
        raise InputError(
            "no rule of this policy needs a label of any row (the models decide all rows alike, or "
            "only decisions are judged); nothing was drawn"
        )
    _require_affordable(listed, wanted)
    rows = _rows(policy, with_labels(policy, unlabelled, dict.fromkeys(listed.why)))
    column = policy.columns
    done = {key for key, row in rows.items() if row[column.label] is not None}
    frame = LabellingFrame(
        version=__version__,
        created=at,
        policy=rules_digest(policy),
        table=table_digest(identity_of(policy, unlabelled, labels=False)),
        seed=seed,
        slices=frames,
        rows=tuple(
            ListedRow(id=key, why=why, labelled=key in done) for key, why in listed.why.items()
        ),
    )
    shown = (column.id, *policy.keys)
    order = sorted(set(listed.why) - done)
    random.Random(seed).shuffle(order)  # noqa: S311  # an order to label in, no secret
    return DrawnLabels(
        frame=frame,
        to_label=tuple({name: rows[key][name] for name in shown} for key in order),
        limits=told_limits(policy, slices, frames),
        reference=told_reference(policy, slices, frames),
        rows=slices[0].rows,
        labels=_spelled(policy, table),
    )


def _spelled(policy: Policy, table: Table) -> tuple[str, ...]:
    """Labels that the table shows: its own, and the models' where they answer in labels."""
    columns, found = policy.columns, set[str]()
    answers = () if policy.task.threshold is not None else (columns.baseline, columns.candidate)
    for column in (columns.label, *answers):
        with table.reading():
            values = table.frame.select(column).unique().head(_MOST).collect()[column].to_list()
        found.update(value_text(v) for v in values if v is not None and v == v)  # noqa: PLR0124  # NaN
    return tuple(sorted(found - {""}))


def _require_affordable(listed: Listed, wanted: LabelRequest) -> None:
    if wanted.budget is None or len(listed.why) <= wanted.budget:
        return
    alone = for_reference_alone(listed.why.values())
    part = f" ({alone:,} of them to show that the baseline knows anything)" if alone else ""
    raise InputError(
        f"{len(listed.why):,} rows have to be labelled at the very least{part}, more than "
        f"--budget {wanted.budget:,}; allow that many, or drop rules or slices"
    )


def for_reference_alone(reasons: Iterable[tuple[Why, ...]]) -> int:
    """Rows that are on a list only to show that the baseline knows anything."""
    return sum(why == ("reference",) for why in reasons)


def _rows(policy: Policy, table: Table) -> dict[str, dict[str, Any]]:
    """Id, slicing values and label of every row of the list."""
    columns = policy.columns
    wanted = dict.fromkeys((columns.id, *policy.keys, columns.label))
    with table.reading():
        found = table.frame.filter(nw.col(LISTED)).select(*wanted).collect().rows(named=True)
    return {str(row[columns.id]): row for row in found}
