"""What both models say of a sample of prompts, as the record keeps it."""

from __future__ import annotations

from collections.abc import Sequence

from prunegate.audit.written_texts import Generation
from prunegate.data.labelled.rows import LabelledRows
from prunegate.policy.naming import slice_name
from prunegate.policy.schema import Policy

LONGEST = 600
"""Characters of a text that the record keeps; people read the beginning."""


def generations_of(
    policy: Policy,
    rows: LabelledRows,
    chosen: Sequence[int],
    said: Sequence[Sequence[str]],
    ratings: Sequence[Sequence[float]] = (),
) -> tuple[Generation, ...]:
    """Put what was said beside what was asked.

    Args:
        policy: names the slices.
        rows: the labelled rows.
        chosen: the places of the sample.
        said: what the baseline says of each, and what the candidate says.
        ratings: how good a scorer finds either, baseline and candidate; empty: none was asked.
    """
    slicings = [spec.keys for spec in policy.slices if spec.keys]
    rated = ratings or ([None] * len(chosen),) * 2
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
            baseline_quality=one,
            candidate_quality=other,
        )
        for place, before, after, one, other in zip(chosen, *said, *rated, strict=True)
    )


def excerpt(text: str, longest: int) -> str:
    """The beginning of a text, at most ``longest`` characters; a cut is visible as an ellipsis.

    >>> excerpt("Sold out by noon", 9)
    'Sold out…'
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"
