"""What both models say of a sample of prompts, as the record keeps it."""

from __future__ import annotations

from collections.abc import Sequence

from prunegate.audit.record import Generation
from prunegate.data.labelled.rows import LabelledRows
from prunegate.policy.naming import slice_name
from prunegate.policy.schema import Policy

LONGEST = 600
"""Characters of a text that the record keeps; people read the beginning."""


def generations_of(
    policy: Policy,
    rows: LabelledRows,
    chosen: Sequence[int],
    baseline: Sequence[str],
    candidate: Sequence[str],
) -> tuple[Generation, ...]:
    """Put what was said beside what was asked.

    Args:
        policy: names the slices.
        rows: the labelled rows.
        chosen: the places of the sample.
        baseline: what the baseline says of each.
        candidate: what the candidate says.
    """
    slicings = [spec.keys for spec in policy.slices if spec.keys]
    return tuple(
        Generation(
            id=str(rows.ids[place]),
            slices=tuple(
                slice_name(keys, [str(rows.columns[key][place]) for key in keys])
                for keys in slicings
            ),
            prompt=excerpt(rows.prompts[place], LONGEST),
            reference=excerpt(rows.references[place], LONGEST),
            baseline=excerpt(before, LONGEST),
            candidate=excerpt(after, LONGEST),
        )
        for place, before, after in zip(chosen, baseline, candidate, strict=True)
    )


def excerpt(text: str, longest: int) -> str:
    """The beginning of a text, at most ``longest`` characters; a cut is visible as an ellipsis.

    >>> excerpt("Sold out by noon", 9)
    'Sold out…'
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"
