"""What some labels say of a metric, beside what all of them would say."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from prunegate.counting.partial_counts import GAMMA_OF_HARM, PartialCounts
from prunegate.counting.tallies import JointCounts
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.evidence.partial_precision import possible_hits, sampled_precision
from prunegate.metrics.hypothesis import Difference, ErrorsAtMost, Level, SuccessRatio

FULL = (400, 6, 9, 30, 8, 7, 9, 160)
AGREED = {"both": 0b11, "neither": 0b00}
DROP = Difference(margin=Fraction(1, 20))
RATIO = SuccessRatio(ratio=Fraction(95, 100))
FLOOR = Level(limit=Fraction(7, 10), at_least=True)
ERRORS = ErrorsAtMost(ratio=Fraction(3, 2))


def tally(full, *labelled, samples=None) -> PartialCounts:
    """The rows of ``full`` with labels for those decided so, and for samples of others."""
    decided = tuple(full[d] + full[4 + d] for d in range(4))
    cells = [n if cell % 4 in labelled else 0 for cell, n in enumerate(full)]
    for sample in (samples or {}).values():
        cells = [max(one) for one in zip(cells, sample, strict=True)]
    return PartialCounts(decided=decided, cells=tuple(cells), samples=samples or {})


def sampled(full, name, size, seed) -> tuple[int, ...]:
    """A random sample of rows that both models decide alike."""
    decided = AGREED[name]
    found = np.random.default_rng(seed).hypergeometric(full[4 + decided], full[decided], size)
    cells = [0] * 8
    cells[4 + decided], cells[decided] = int(found), int(size - found)
    return tuple(cells)


def of(tally, metric, claim):
    return evidence(WantedMetric(metric=metric, claim=claim), tally)


def both(metric, claim, *labelled):
    return of(JointCounts(cells=FULL), metric, claim), of(tally(FULL, *labelled), metric, claim)


@pytest.mark.parametrize(
    ("metric", "claim", "labelled"),
    [
        ("accuracy", DROP, (0b01, 0b10)),
        ("accuracy", Difference(margin=Fraction(-1, 100)), (0b01, 0b10)),
        ("negative_flip_rate", Level(limit=Fraction(95, 100), at_least=True), (0b01, 0b10)),
        ("churn", Level(limit=Fraction(9, 10), at_least=True), ()),
        ("recall", RATIO, (0b01, 0b10, 0b11)),
        ("precision", DROP, (0b01, 0b10, 0b11)),
        ("precision", RATIO, (0b01, 0b10, 0b11)),
        ("precision", ErrorsAtMost(ratio=Fraction(3, 2)), (0b01, 0b10, 0b11)),
        ("precision", FLOOR, (0b01, 0b10, 0b11)),
    ],
)
def test_rows_without_influence_need_no_label(metric, claim, labelled):
    full, part = both(metric, claim, *labelled)
    told, found = full.test(claim), part.test(claim)
    assert (found.p_value, found.p_harm) == pytest.approx((told.p_value, told.p_harm), abs=1e-9)


@pytest.mark.parametrize(
    ("metric", "claim"),
    [
        *((metric, DROP) for metric in ("accuracy", "recall", "specificity", "precision", "f1")),
        ("recall", FLOOR),
        ("accuracy", FLOOR),
        ("mcc", FLOOR),
    ],
)
def test_with_every_row_labelled_nothing_differs(metric, claim):
    full, part = both(metric, claim, 0, 1, 2, 3)
    assert full == part


@pytest.mark.parametrize(
    ("metric", "claim", "labelled"),
    [
        ("accuracy", DROP, (0b01,)),
        ("negative_flip_rate", FLOOR, (0b10,)),
        ("recall", DROP, (0b11,)),
        ("recall", RATIO, (0b01, 0b10)),
        ("precision", DROP, (0b01, 0b10)),
        ("accuracy", FLOOR, (0b01, 0b10, 0b11)),
        ("f1", DROP, (0b01, 0b10, 0b11)),
    ],
)
def test_a_missing_label_is_never_evidence(metric, claim, labelled):
    _, part = both(metric, claim, *labelled)
    assert part.candidate is None


@given(st.integers(1, 190), st.integers(0, 99), st.booleans())
@settings(max_examples=6, deadline=None)
def test_a_sample_is_never_bolder_than_all_labels(size, seed, positive):
    name, metric = ("both", "recall") if positive else ("neither", "specificity")
    part = tally(FULL, 0b01, 0b10, samples={name: sampled(FULL, name, size, seed)})
    full = of(JointCounts(cells=FULL), metric, DROP)
    found = of(part, metric, DROP)
    assert (found.lost, found.gained) == (full.lost, full.gained)
    assert found.rows.most >= full.n
    if found.n <= full.n:  # but for a chance of GAMMA
        assert found.test(DROP).p_value >= full.test(DROP).p_value - 1e-12
    assert found.test(DROP).p_harm >= full.test(DROP).p_harm - 1e-12
    change = found.change_interval()
    assert change.low <= (full.gained - full.lost) / full.n <= change.high


@given(st.integers(50, 190), st.integers(0, 99), st.sampled_from([DROP, RATIO, ERRORS, FLOOR]))
@settings(max_examples=12, deadline=None)
def test_precision_by_a_sample_is_never_bolder_than_by_all_labels(size, seed, claim):
    part = tally(FULL, 0b01, 0b10, samples={"both": sampled(FULL, "both", size, seed)})
    full, found = of(JointCounts(cells=FULL), "precision", claim), of(part, "precision", claim)
    assert (found.n, found.lost, found.gained) == (full.n, full.lost, full.gained)
    told, worst = full.test(claim), found.test(claim)
    for name, possible in (("p_value", found.hold), ("p_harm", found.harm)):
        if possible.fewest <= FULL[0b111] <= possible.most:  # but for a chance of its level
            assert getattr(worst, name) >= min(1.0, getattr(told, name) + possible.level) - 1e-3
    change, value = found.change_interval(), found.level_interval()
    assert change.low <= found.candidate - found.baseline <= change.high
    assert value.low <= found.candidate <= value.high


@pytest.mark.parametrize("claim", [DROP, RATIO, ERRORS, FLOOR])
def test_precision_by_a_sample_of_all_rows_is_that_of_all_labels(claim):
    every = (0, 0, 0, FULL[0b011], 0, 0, 0, FULL[0b111])
    part = tally(FULL, 0b01, 0b10, samples={"both": every})
    full, found = of(JointCounts(cells=FULL), "precision", claim), of(part, "precision", claim)
    assert found.test(claim) == full.test(claim)
    assert (found.baseline, found.candidate) == (full.baseline, full.candidate)
    met = sampled_precision(part, strict=False).test(claim)  # the fewest hits are the most
    told = full.test(claim)
    assert (met.p_value, met.p_harm) == pytest.approx((told.p_value, told.p_harm), abs=1e-9)


@pytest.mark.parametrize(("hits", "size"), [(3, 90), (150, 40), (280, 120)])
def test_true_positives_are_others_than_a_sample_allows_as_rarely_as_promised(hits, size):
    rows, level, missed = 300, 0.01, 0.0
    for found in range(max(0, size - rows + hits), min(hits, size) + 1):
        sample = (0, 0, 0, size - found, 0, 0, 0, found)
        part = PartialCounts(decided=(0, 0, 0, rows), cells=sample, samples={"both": sample})
        possible = possible_hits(part, level)
        assert found <= possible.fewest <= possible.most <= rows - (size - found)
        inside = possible.fewest <= hits <= possible.most
        missed += 0.0 if inside else hypergeom.pmf(found, rows, hits, size)
    assert missed <= level


def test_precision_needs_the_rows_that_differ_and_enough_that_both_models_flag():
    few = tally(FULL, 0b01, 0b10, samples={"both": sampled(FULL, "both", 20, 0)})
    assert of(few, "precision", DROP).lacking == 50 - 20 - (FULL[0b001] + FULL[0b101])
    apart = tally(FULL, 0b01, samples={"both": sampled(FULL, "both", 90, 0)})
    assert of(apart, "precision", DROP).candidate is None


def test_labels_that_are_there_anyway_only_add_rows_of_a_class():
    part = tally(FULL, 0b01, 0b10, samples={"both": (0, 0, 0, 5, 0, 0, 0, 25)})
    cells = list(part.cells)
    cells[0b111] += 100
    cells[0b100] += 3
    more = replace(part, cells=tuple(cells))
    assert more.positives >= part.positives + 3
    assert more.most(0) == part.most(0) - 103


@pytest.mark.parametrize(("positives", "size"), [(3, 90), (12, 40), (80, 120), (300, 50)])
def test_more_rows_of_a_class_than_a_sample_allows_are_as_rare_as_promised(positives, size):
    rows, missed = 300, 0.0
    for found in range(min(positives, size) + 1):
        sample = (size - found, 0, 0, 0, found, 0, 0, 0)
        part = PartialCounts(decided=(rows, 0, 0, 0), cells=sample, samples={"neither": sample})
        most, chance = part.likely_most(1)
        assert chance == GAMMA_OF_HARM
        assert found <= most <= part.most(1)
        missed += hypergeom.pmf(found, rows, positives, size) * (most < positives)
    assert missed <= GAMMA_OF_HARM


def test_where_every_row_has_a_label_nothing_is_left_to_chance():
    assert tally(FULL, 0, 1, 2, 3).likely_most(1) == (sum(FULL[4:]), 0.0)
