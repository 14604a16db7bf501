"""Reference sample: how many rows, drawn at random, likely show that a baseline knows something.

Of rows that the models decide alike the labels of samples are bounded, not known
(``partial_agreement``). Sizes are tried from small to large against the test that will judge them,
with samples that turn out as badly as one in forty does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from prunegate.counting.partial_counts import AGREED, PartialCounts, Sample
from prunegate.counting.partial_labels import NOBODY, PartialLabels, SampleOf, belongs
from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.tallies import Cells, Triple
from prunegate.evidence.partial_agreement import least_agreement, sampled
from prunegate.evidence.partial_class_agreement import least_class_agreement
from prunegate.stats.agreement import Agreement

GOOD = 0.85
"""Recall and precision of a baseline that a list is drawn for."""
STEPS = (0, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500)
"""Sizes of a sample that are considered, besides all rows where these are not more."""
_BAD = 1.96
"""Standard errors by which each sample is reckoned to be worse: 0.95 for both to be better."""


@dataclass(frozen=True, kw_only=True)
class AgreedSamples:
    """Sizes of the random samples of rows that the models decide alike."""

    neither: int
    """Of rows that neither flags."""
    both: int
    """Of rows that both flag."""

    @property
    def total(self) -> int:
        """Labels that they take."""
        return self.neither + self.both


@dataclass(frozen=True, kw_only=True)
class ListLacks:
    """Rows, drawn at random, that a list lacks."""

    neither: int
    """Further ones that neither model flags."""
    both: int
    """Further ones that both flag."""
    size: int
    """Of the larger sample, with those that there are."""
    class_label: str | None = None
    """Several classes: the one that is meant in place of being flagged."""

    @property
    def total(self) -> int:
        """Further rows."""
        return self.neither + self.both


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares of the rows decided alike that are decided as labelled."""

    neither: float
    both: float
    right: float = GOOD
    """Several classes, of rows that neither model gives the class: decided rightly by both."""


def against_the_rest(tally: PartialTally) -> PartialCounts:
    """A slice as the reference sees it: of several classes, the one that its samples are about."""
    if isinstance(tally, PartialLabels):
        return tally.of_class(tally.commonest)
    assert isinstance(tally, PartialCounts)  # noqa: S101  # there are two kinds
    return tally


def least_of(tally: PartialTally, level: float) -> Agreement:
    """How far the baseline agrees with the labels, at the least."""
    if isinstance(tally, PartialLabels):
        return least_class_agreement(tally, "baseline", level)
    return least_agreement(against_the_rest(tally), "baseline", level)


def seen_samples(tally: PartialCounts) -> AgreedSamples:
    """The samples that a slice has; rows that are all labelled are one."""
    return AgreedSamples(neither=_seen(tally, 0)[1], both=_seen(tally, 1)[1])


def seen_shares(tally: PartialTally) -> Shares:
    """What the samples of a slice show; where there is none, a good baseline's."""
    of_two = against_the_rest(tally)
    neither, both = (_seen(of_two, label) for label in (0, 1))
    good = good_shares(of_two.decided)
    right = _right_of_others(tally) if isinstance(tally, PartialLabels) else None
    return Shares(
        right=good.right if right is None else right,
        neither=neither[0] / neither[1] if neither[1] else good.neither,
        both=both[0] / both[1] if both[1] else good.both,
    )


def _seen(tally: PartialCounts, label: int) -> tuple[int, int]:
    """Rows that both decide as a label: how many of a sample have it, and its size."""
    decision = 3 * label
    if tally.whole(decision):
        return tally.cells[4 * label + decision], tally.decided[decision]
    return sampled(tally, decision, label)


def _right_of_others(tally: PartialLabels) -> float | None:
    """Of a sample of rows that neither gives the class, how many both decide rightly."""
    found = tally.samples.get(("neither", tally.commonest), {})
    right = sum(n for (label, one, other), n in found.items() if label == one == other)
    return right / sum(found.values()) if found else None


def good_shares(decided: Cells) -> Shares:
    """Those of a baseline whose recall and precision on the rarer decision are ``GOOD``."""
    flagged = decided[0b10] + decided[0b11]
    unflagged = decided[0b00] + decided[0b01]
    wrong = (1 - GOOD) * min(flagged, unflagged)
    return Shares(
        neither=1 - wrong / unflagged if unflagged else GOOD,
        both=1 - wrong / flagged if flagged else GOOD,
    )


def samples_to_show(
    tally: PartialTally,
    shares: Shares,
    least: AgreedSamples,
    level: float,
    *,
    free: AgreedSamples | None = None,
    grow: bool = True,
) -> AgreedSamples | None:
    """The fewest rows to sample that likely (0.95) show the baseline to know something.

    Args:
        tally: decisions, and the labels of the rows that differ.
        shares: of the rows that are decided alike.
        least: samples that there are whatever is found.
        level: of the test.
        free: rows that are labelled for other reasons; None: no others than ``least``.
        grow: whether the samples may be larger.

    Returns:
        The sizes; None where labels of all rows would not do, or more than are ever asked for.
    """
    decided = against_the_rest(tally).decided
    neithers = _sizes(decided[0b00], least.neither) if grow else (least.neither,)
    boths = _sizes(decided[0b11], least.both) if grow else (least.both,)
    pairs = [AgreedSamples(neither=n, both=b) for n in neithers for b in boths]

    def shows(pair: AgreedSamples) -> bool:
        found = least_of(_likely(tally, shares, pair), level)
        return found.kappa > 0 and found.p_value <= level

    if not shows(pairs[-1]):  # the largest of both
        return None
    pairs.sort(key=lambda pair: (_beyond(pair, free or least), pair.total))
    return next(pair for pair in pairs if shows(pair))


def _beyond(pair: AgreedSamples, free: AgreedSamples) -> int:
    return max(0, pair.neither - free.neither) + max(0, pair.both - free.both)


def _sizes(rows: int, least: int) -> Sequence[int]:
    least = min(least, rows)
    whole = (rows,) if rows <= STEPS[-1] else ()
    return sorted({least, *(size for size in STEPS if least < size < rows), *whole})


def _likely(tally: PartialTally, shares: Shares, sizes: AgreedSamples) -> PartialTally:
    """The slice with samples of these sizes that turned out rather badly."""
    if isinstance(tally, PartialLabels):
        return _likely_classes(tally, shares, sizes)
    return _likely_counts(against_the_rest(tally), shares, sizes)


def _likely_classes(tally: PartialLabels, shares: Shares, sizes: AgreedSamples) -> PartialLabels:
    name, cells = tally.commonest, {c: n for c, n in tally.cells.items() if c[1] != c[2]}
    samples: dict[SampleOf, dict[Triple, int]] = {}
    drawn: tuple[tuple[SampleOf, int, float | None], ...] = (
        (("both", name), sizes.both, shares.both),
        (("neither", name), sizes.neither, None),
    )
    for of, most, share in drawn:
        alike = {p: n for p, n in tally.decided.items() if belongs(p, of) and p[0] == p[1]}
        rows = sum(alike.values())
        size = min(most, rows)
        if size:
            _, pair = max((n, one) for one, n in alike.items())
            right = _badly(shares.right if share is None else share, size, rows)
            strange = size - _badly(shares.neither, size, rows) if share is None else 0
            strange = min(strange, size - right)
            counts = {(pair[0], *pair): right, (NOBODY, *pair): size - right - strange}
            samples[of] = {**counts, **({(name, *pair): strange} if strange else {})}
            cells |= samples[of]
    return replace(tally, cells=cells, samples=samples)


def _likely_counts(tally: PartialCounts, shares: Shares, sizes: AgreedSamples) -> PartialCounts:
    cells, samples = list(tally.cells), dict[Sample, Cells]()
    for label, size, share in ((0, sizes.neither, shares.neither), (1, sizes.both, shares.both)):
        decision, rows = 3 * label, tally.decided[3 * label]
        right = _badly(share, size, rows)
        own = [0] * 8
        own[4 * label + decision], own[4 * (1 - label) + decision] = right, size - right
        cells[decision], cells[4 + decision] = own[decision], own[4 + decision]
        samples[AGREED[label]] = tuple(own)
    return replace(tally, cells=tuple(cells), samples=samples)


def _badly(share: float, size: int, rows: int) -> int:
    """Rows decided as labelled in a sample, hardly ever fewer."""
    if not size:
        return 0
    left = 1 - size / rows
    spread = _BAD * math.sqrt(size * share * (1 - share) * left)
    return min(size, max(0, math.floor(size * share - spread)))
