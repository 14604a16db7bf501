"""Examples: flipped rows as a record shows them, as far as the policy lets them be shown."""

from __future__ import annotations

from collections.abc import Mapping

from prunegate.audit.record import Flip
from prunegate.counting.flipped_rows import PER_SLICE, flipped_rows
from prunegate.data.predictions.table import Table
from prunegate.policy.schema import Policy

TEXTS = frozenset({"text", "prompt", "reference"})
"""Columns of texts that are judged or given."""


def recorded_flips(
    policy: Policy, table: Table, images: Mapping[str, str], texts: Mapping[str, str]
) -> tuple[Flip, ...]:
    """The examples of a table; what may not be shown is not in them.

    Args:
        policy: says how many are shown, and what is kept back.
        table: a readable predictions table that also holds the id column.
        images: paths of pictures by the id of their row.
        texts: likewise texts.

    Raises:
        TableError: the table was damaged meanwhile.
    """
    most, hidden = min(PER_SLICE, policy.report.most), policy.redacted
    if not most:
        return ()
    pictures = not hidden & {"id", "image"}  # a path often names its row
    return tuple(
        Flip(
            id=f"row-{number}" if "id" in hidden else row.id,
            slices=row.slices,
            label="" if "label" in hidden else row.label,
            baseline=row.baseline,
            candidate=row.candidate,
            lost=row.lost,
            image=images.get(row.id) if pictures else None,
            text=None if hidden & TEXTS else texts.get(row.id),
            class_label=row.class_label,
        )
        for number, row in enumerate(flipped_rows(policy, table, most), start=1)
    )
