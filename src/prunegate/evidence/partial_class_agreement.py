"""Partial agreement of several classes: at the least, as ``partial_agreement`` has it of two.

Decisions that are independent of the labels are so class by class, too. So the test is that of one
class against the rest, of the class that the baseline names most often, which decisions alone tell:
the exact test of two classes, its labels at their worst. That only tells that class from the
others, so that two more things are asked of all classes together, both at the fewest right
decisions that samples leave possible and at the labels that make most of them right by chance: that
kappa is above zero, and that the shuffling test of many classes finds so as well; the larger
p-value counts. With every label the test is the full one.

Error rates: ``tests/benchmarks/partial_classes.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from prunegate.counting.partial_labels import (
    NOBODY,
    Pair,
    PartialLabels,
    SampleOf,
    at_least,
    belongs,
)
from prunegate.evidence.partial_agreement import (
    AT_WORST,
    PART_OF_LEVEL,
    Model,
    least_agreement,
)
from prunegate.stats.agreement import METHOD_EXACT, Agreement, agreement
from prunegate.text.said import joined

Confusion = dict[tuple[str, str], int]
"""Rows by label and one model's decision."""


def least_class_agreement(tally: PartialLabels, model: Model, level: float) -> Agreement:
    """The test of one model's decisions, at their worst.

    Args:
        tally: a slice.
        model: whose decisions.
        level: that the p-value is held against; the limits have a part of it.
    """
    place = 1 if model == "baseline" else 2
    if tally.complete:
        return agreement(_confusion(tally, place))
    right, chance = fewest_right(tally, model, level)
    found = agreement(worst_confusion(_decisions(tally, place), right))
    name = tally.commonest
    told = least_agreement(tally.of_class(name), model, level)
    return replace(
        found,
        p_value=max(told.p_value, min(1.0, found.p_value + chance)),
        method=joined((METHOD_EXACT, "one class against the rest", AT_WORST), ", "),
        exact=False,
    )


def fewest_right(tally: PartialLabels, model: Model, level: float) -> tuple[int, float]:
    """Right decisions of a model, at the least, and the chance of fewer."""
    place = 1 if model == "baseline" else 2
    name = tally.commonest
    right, chance = 0, 0.0
    for sample in (("both", name), ("neither", name)):
        found, risk = tally.right_alike(sample, level / PART_OF_LEVEL)
        right, chance = right + found, chance + risk
    apart = sum(
        n for cell, n in tally.cells.items() if cell[1] != cell[2] and cell[0] == cell[place]
    )
    return right + apart, chance


def worst_confusion(decisions: Mapping[str, int], right: int) -> Confusion:
    """The table of so many right decisions of which most would be right by chance.

    What chance gets right is the sum over classes of labels times decisions. It is largest where
    right decisions are those of the classes named most often, and where the label of every wrong
    one is the class named most often, or the second of these where that is the decision itself.

    >>> worst_confusion({"a": 6, "b": 4}, 7)
    {('a', 'a'): 6, ('b', 'b'): 1, ('a', 'b'): 3}
    """
    names = sorted(decisions, key=lambda name: (-decisions[name], name))
    found: Confusion = {}
    for name in names:
        good = min(right, decisions[name])
        right -= good
        label = next((other for other in names if other != name), "")
        for cell, n in (((name, name), good), ((label, name), decisions[name] - good)):
            if n:
                found[cell] = n
    return found


def seen_confusion(tally: PartialLabels, model: Model) -> Confusion:
    """What was seen of rows that the models decide alike; nothing where that is one decision."""
    place = 1 if model == "baseline" else 2
    decisions = _decisions(tally, place)
    if tally.complete or len(decisions) < 2:
        return _confusion(tally, place) if tally.complete else worst_confusion(decisions, 0)
    alike = {cell: n for cell, n in tally.cells.items() if cell[1] == cell[2]}
    seen = _confusion(replace(tally, cells=alike), place)
    return seen if len({decision for _, decision in seen}) > 1 else {}


def _confusion(tally: PartialLabels, place: int) -> Confusion:
    found: Counter[tuple[str, str]] = Counter()
    for cell, n in tally.cells.items():
        found[cell[0], cell[place]] += n
    return dict(found)


def _decisions(tally: PartialLabels, place: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for pair, n in tally.decided.items():
        found[pair[place - 1]] += n
    return found


def class_agreement(tally: PartialLabels, name: str, model: Model, level: float) -> Agreement:
    """The test of one model's decisions for or against one class, at their worst.

    The worst is the fewest rows that rightly have the class and the most that lack it, as the
    samples are that every list has: of rows to which both give the class (for whatever is said of
    it), and of those to which both or neither give the class that the reference is about.
    """
    place = 0 if model == "baseline" else 1
    own = sum(n for pair, n in tally.decided.items() if pair[place] == name)
    risk = 0.0 if tally.complete else level / (2 * PART_OF_LEVEL)
    right = _right_of_class(tally, name, place, risk)
    missed = _missed_of_class(tally, name, place, risk)
    worst = {
        (name, name): right,
        (NOBODY, name): own - right,
        (name, NOBODY): missed,
        (NOBODY, NOBODY): tally.rows - own - missed,
    }
    found = agreement({cell: n for cell, n in worst.items() if n})
    if tally.complete:
        return found
    return replace(
        found,
        p_value=min(1.0, found.p_value + 3 * risk),
        method=joined((found.method, AT_WORST), ", "),
        exact=False,
    )


def _right_of_class(tally: PartialLabels, name: str, place: int, risk: float) -> int:
    """Rows that a model rightly gives a class, at the least."""
    apart = sum(
        n for cell, n in tally.cells.items() if cell[1] != cell[2] and cell[0] == cell[1 + place]
        and cell[0] == name
    )  # fmt: skip
    return apart + tally.right_alike(("both", name), risk)[0]


def _missed_of_class(tally: PartialLabels, name: str, place: int, risk: float) -> int:
    """Rows of a class to which a model gives another, at the most.

    They lie among those to which both models give the class that the reference is about, those to
    which neither does, and those to which one does, which differ.
    """
    common = tally.commonest
    others = {pair: n for pair, n in tally.decided.items() if pair[place] != name}
    not_of_it = 0
    for sample in (("both", common), ("neither", common)):
        inside = {pair: n for pair, n in others.items() if belongs(pair, sample)}
        not_of_it += _others_inside(tally, name, sample, inside, risk)
    apart = {pair for pair in others if (pair[0] == common) != (pair[1] == common)}
    not_of_it += sum(
        n for (y, *pair), n in tally.cells.items() if tuple(pair) in apart and y != name
    )
    return sum(others.values()) - not_of_it


def _others_inside(
    tally: PartialLabels, name: str, sample: SampleOf, inside: Mapping[Pair, int], risk: float
) -> int:
    """Rows so decided that are not of a class, at the least."""
    rows = sum(inside.values())
    known = sum(n for cell, n in tally.cells.items() if cell[1:] in inside and cell[0] != name)
    drawn = {c: n for c, n in tally.samples.get(sample, {}).items() if c[1:] in inside}
    doubts = tally.unsure_samples.get(sample, {})
    size = sum(drawn.values()) + sum(n for pair, n in doubts.items() if pair in inside)
    if not size or not risk:
        return known
    found = sum(n for cell, n in drawn.items() if cell[0] != name)
    return max(known, at_least(found, size, rows, risk))
