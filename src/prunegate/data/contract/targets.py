"""Targets: what the labels of a score task have to be, which models estimate.

A number in every row that is learnt from, ranked or judged by it; finite, and within the bounds of
the task. Rows whose label nobody needs may have none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from prunegate.data.contract.counts import Count, examples_of
from prunegate.data.labelled.rows import LabelledRows
from prunegate.data.predictions.columns import is_empty, shown
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import target_splits


def missing_targets(rows: LabelledRows, policy: Policy) -> Iterator[Count]:
    """Count rows of the splits that need a number and have none; nothing where no split does."""
    needing = target_splits(policy)
    if not needing:
        return
    column = policy.data.columns.label
    pairs = zip(rows.labels, rows.splits, strict=True)
    yield Count(
        name=f"missing.{column}",
        words=f"rows without a number in column {shown(column)} ({', '.join(sorted(needing))})",
        value=sum(is_empty(label) for label, split in pairs if split in needing),
        advice="give every row of these splits one",
    )


def target_counts(rows: LabelledRows, policy: Policy) -> Iterator[Count]:
    """Count labels that are texts, infinite or beyond the task's bounds."""
    if not target_splits(policy):
        return
    texts = [label for label in rows.labels if isinstance(label, str) and label]
    # One text makes a column of texts: what could be a number is not what is wrong with it.
    wrong = [text for text in texts if not _reads_as_number(text)] or texts
    yield Count(
        name="labels.not_numbers",
        words="labels that are no numbers",
        value=len(wrong),
        advice="a score task's labels are numbers",
        examples=examples_of(wrong),
    )
    numbers = [
        float(label)
        for label in rows.labels
        if not isinstance(label, str | tuple) and not is_empty(label) and label is not None
    ]
    infinite = [number for number in numbers if math.isinf(number)]
    yield Count(
        name="labels.infinite",
        words="labels that are infinite",
        value=len(infinite),
        advice="a score task's labels are finite numbers",
    )
    low, high = policy.task.score_bounds
    beyond = [f"{n:g}" for n in numbers if not low <= n <= high and not math.isinf(n)]
    yield Count(
        name="labels.beyond_range",
        words=f"labels that do not lie between {low:,g} and {high:,g}",
        value=len(beyond),
        advice="correct them, or give the range that there is: 'task: {range: [LOW, HIGH]}'",
        examples=examples_of(beyond),
    )


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
