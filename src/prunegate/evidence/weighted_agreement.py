"""Weighted agreement: does a model know anything of labels whose rows have design weights?

Where rows were drawn by what both the label and the decision are, the table can agree although the
world does not, and the other way round. So decisions have to agree with the labels beyond chance in
the table (``stats/agreement.py``) and, by Hajek's estimate of Cohen's kappa and the posterior of
``stats/weighted.py``, in what its weights stand for. The larger p-value counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scipy.special import ndtri

from prunegate.counting.tallies import LabelCounts
from prunegate.evidence.rates import SingleRate
from prunegate.evidence.weighted_rates import WeightedRows
from prunegate.stats.agreement import Agreement
from prunegate.stats.weighted import WeightedContrast

METHOD = "agreement of weighted rows, and of rows that count alike"
Confusion = tuple[str, str]
"""A label and a decision."""
_UNSEEN_KINDS = 3
"""Kinds of mistakes that nobody saw, of which one is tried after the other."""


def weighted_agreement(rows: LabelCounts, place: int, plain: Agreement) -> Agreement:
    """The agreement of one model's decisions with the labels, with the weights of the rows.

    Args:
        rows: with their labels and decisions.
        place: of the model's decision in a cell.
        plain: the agreement of rows that count alike.
    """
    weights = rows.weights
    if weights is None or plain.single or weights.even(tuple(rows.cells), rows.rows):
        return plain
    merged = weights.merged(lambda cell: (cell[0], cell[place]))
    cells: list[Confusion] = sorted(merged.totals)
    many = SingleRate(good=rows.rows, n=rows.rows, lost=0, gained=0)
    base = WeightedRows(weights=merged, plain=many, base=frozenset(cells))

    kappa = _kappa({cell: float(merged.totals[cell]) for cell in cells})
    p_value = _by_chance(base, cells)
    if p_value >= 1 and kappa > 0:
        p_value = _by_chance_unseen(base, cells)
    return replace(
        plain,
        kappa=kappa,
        p_value=max(plain.p_value, p_value),
        score=min(plain.score, -float(ndtri(min(max(p_value, 1e-300), 1 - 1e-16)))),
        method=METHOD,
        exact=False,
    )


def _by_chance(base: WeightedRows, cells: Sequence[Confusion], unseen: int | None = None) -> float:
    """How likely decisions are that agree with the labels by chance at the most.

    Args:
        base: the rows.
        cells: those that rows can be in.
        unseen: that of the one row that nobody saw; None: by what it does to the agreement.
    """

    def scores(masses: Sequence[float]) -> list[float]:
        return beyond_chance(dict(zip(cells, masses, strict=True)))

    totals = [float(base.weights.totals.get(cell, 0)) for cell in cells]
    ends = None if unseen is None else (unseen, unseen)
    return WeightedContrast(
        cells=base.cells(cells, scores(totals)), scores=scores, ends=ends
    ).p_value


def _by_chance_unseen(base: WeightedRows, cells: Sequence[Confusion]) -> float:
    """The same where the mistakes that were seen lead to no agreement by chance.

    That is so where all are of one kind, and few. The row that nobody saw is a mistake of another
    kind then, whichever of the worst shows least.
    """
    names = sorted({name for cell in cells for name in cell})
    others = [(y, d) for y in names for d in names if y != d and (y, d) not in cells]
    totals = {cell: float(base.weights.totals.get(cell, 0)) for cell in [*cells, *others]}
    score = dict(zip(totals, beyond_chance(totals), strict=True))
    worst = sorted(others, key=lambda cell: (score[cell], cell))[:_UNSEEN_KINDS]
    tails = [_by_chance(base, [*cells, cell], len(cells)) for cell in worst]
    return max((tail for tail in tails if tail < 1), default=1.0)


def beyond_chance(masses: Mapping[Confusion, float]) -> list[float]:
    """What a row of each cell adds to the agreement beyond chance, linearised."""
    labels, decisions, total = _margins(masses)
    chance = sum(labels[name] * decisions[name] for name in sorted(labels)) / total**2
    return [(y == d) - (decisions[y] + labels[d]) / total + chance for y, d in masses]


def _kappa(masses: Mapping[Confusion, float]) -> float:
    labels, decisions, total = _margins(masses)
    chance = sum(labels[name] * decisions[name] for name in sorted(labels)) / total**2
    right = sum(mass for (y, d), mass in masses.items() if y == d) / total
    return (right - chance) / (1 - chance) if chance < 1 else 0.0


def _margins(
    masses: Mapping[Confusion, float],
) -> tuple[dict[str, float], dict[str, float], float]:
    names = {name for cell in masses for name in cell}
    labels, decisions = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for (label, decision), mass in masses.items():
        labels[label] += mass
        decisions[decision] += mass
    return labels, decisions, sum(masses.values())
