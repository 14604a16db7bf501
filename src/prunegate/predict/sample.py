"""A sample of documents for people to look at: drawn with the seed, every kind of content in it."""

from __future__ import annotations

import numpy as np

from prunegate.data.labelled_rows import Indices, LabelledRows, select
from prunegate.policy.model import Policy


def sample_rows(
    policy: Policy, rows: LabelledRows, count: int, seed: int, split: str = "gate"
) -> Indices:
    """Return the places of at most ``count`` rows of a split, ascending.

    The values of the first slicing key take turns, so that a rare one is shown as often as a
    common one while it lasts.

    Args:
        policy: its first slicing by keys says what kinds of content there are.
        rows: the labelled rows.
        count: how many rows in all.
        seed: of the draw, which depends on the rows and the seed only.
        split: whose rows.
    """
    chosen = np.random.default_rng(seed).permutation(select(rows, split))
    keys = next((spec.keys for spec in policy.slices if spec.keys), ())
    turns: dict[tuple[str | None, ...], int] = {}
    ranked = []
    for place in chosen.tolist():
        value = tuple(rows.columns[key][place] for key in keys)
        turns[value] = turns.get(value, 0) + 1
        ranked.append((turns[value], place))
    # Sorting is stable: within a turn, the order is the one drawn.
    ranked.sort(key=lambda one: one[0])
    return np.sort(np.array([place for _, place in ranked[:count]], dtype=np.int64))
