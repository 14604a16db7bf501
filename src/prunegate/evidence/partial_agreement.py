"""Partial agreement: how far decisions agree with labels at the least, where labels cost.

Decisions are known of every row; labels of some, random samples of the rest among them. For rows
decided alike by both models the hypergeometric limit says how many, at the least, are decided as
labelled; where no sample says anything, none is. Agreement beyond chance, kappa and its p-value
alike, grows with every row that is so, among rows decided either way. So the table with the fewest
of both is the worst there can be, and its p-value plus the chances that a limit says too much is an
honest one. With every label there is nothing to bound, and the test is the full one.

Sources: ``stats/agreement.py``, ``stats/finite_sample.py``; the order of one-sided p-values is
Barnard's convexity (Röhmel & Mansmann 1999, Biometrical Journal 41, 149-170); error rates:
``tests/benchmarks/partial_labels.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from prunegate.counting.partial_counts import AGREED, PartialCounts, Sample
from prunegate.counting.tallies import Cells
from prunegate.stats import finite_sample
from prunegate.stats.agreement import Agreement, agreement
from prunegate.text.said import joined

PART_OF_LEVEL = 10
"""The chance that one sample promises too much is this part of the level; p-values bear it."""
Model = Literal["baseline", "candidate"]
AT_WORST = "labels of random samples at their worst"
"""What is added to the method's name."""


def least_cells(tally: PartialCounts, model: Model, level: float) -> tuple[Cells, float]:
    """Joint counts at which a model agrees least with the labels, and the chance of fewer.

    >>> tally = PartialCounts(decided=(2, 0, 0, 2), cells=(2, 0, 0, 0, 0, 0, 0, 1))
    >>> least_cells(tally, "baseline", 0.005)
    ((2, 0, 0, 1, 0, 0, 0, 1), 0.0)
    """
    tally = tally.as_if([1 - says for says in _says(model)])
    cells, chance = [0] * 8, 0.0
    for decision, says in enumerate(_says(model)):
        right, risk = _at_least(tally, decision, says, level / PART_OF_LEVEL)
        cells[4 * says + decision] = right
        cells[4 * (1 - says) + decision] = tally.decided[decision] - right
        chance += risk
    return tuple(cells), chance


def most_cells(tally: PartialCounts, model: Model, level: float) -> Cells:
    """Joint counts at which a model agrees most with the labels."""
    tally = tally.as_if(_says(model))
    cells = [0] * 8
    for decision, says in enumerate(_says(model)):
        wrong, _ = _at_least(tally, decision, 1 - says, level / PART_OF_LEVEL)
        cells[4 * (1 - says) + decision] = wrong
        cells[4 * says + decision] = tally.decided[decision] - wrong
    return tuple(cells)


def least_agreement(tally: PartialCounts, model: Model, level: float) -> Agreement:
    """The test of one model's decisions, at their worst.

    Args:
        tally: a slice.
        model: whose decisions.
        level: that the p-value is held against; the limits have a part of it.
    """
    cells, chance = least_cells(tally, model, level)
    found = agreement(by_label(cells, model))
    if tally.whole(0, 1, 2, 3):
        return found
    return replace(
        found,
        p_value=min(1.0, found.p_value + chance),
        method=joined((found.method, AT_WORST), ", "),
    )


def by_label(cells: Cells, model: Model) -> Mapping[tuple[str, str], int]:
    """Rows by label and one model's decision."""
    found: Counter[tuple[str, str]] = Counter()
    for cell, n in enumerate(cells):
        found[str(cell >> 2), str(_says(model)[cell & 3])] += n
    return found


def _says(model: Model) -> tuple[int, ...]:
    """What a model says, by ``2 * baseline + candidate``."""
    return (0, 0, 1, 1) if model == "baseline" else (0, 1, 0, 1)


def _at_least(tally: PartialCounts, decision: int, label: int, risk: float) -> tuple[int, float]:
    """Rows decided so that have a label, at the least, and the chance that they are fewer."""
    known = tally.cells[4 * label + decision]
    if tally.whole(decision):
        return known, 0.0
    found, size = sampled(tally, decision, label)
    if not size:
        return known, 0.0
    return max(known, _bound(found, size, tally.decided[decision], risk)), risk


def sampled(tally: PartialCounts, decision: int, label: int) -> tuple[int, int]:
    """Of the larger random sample of rows decided so: how many have the label, and its size.

    A sample of all rows holds one of the rows decided in each way. Which is larger does not hang on
    labels, so that the choice costs nothing.
    """
    names: tuple[Sample, ...] = ("random",)
    if decision in (0b00, 0b11):
        names = (AGREED[decision & 1], "random")
    found = (tally.samples.get(name, (0,) * 8) for name in names)
    parts = [(one[4 * label + decision], one[decision] + one[4 + decision]) for one in found]
    return max(parts, key=lambda part: part[1])


@lru_cache(maxsize=4096)
def _bound(found: int, size: int, rows: int, risk: float) -> int:
    return finite_sample.count_at_least(found, size, rows, risk)
