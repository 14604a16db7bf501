"""What the catalogue says of its metrics: which are timed, which labels a limit needs."""

from __future__ import annotations

from fractions import Fraction

import pytest

from prunegate.errors import UnsupportedError
from prunegate.metrics.catalogue import METRICS, priced, timed
from prunegate.metrics.checks import CHECKS, Bound
from prunegate.metrics.forms import Flips
from prunegate.metrics.hypothesis import Difference, ErrorsAtMost, SuccessRatio
from prunegate.metrics.task_traits import TRAITS


def test_what_a_clock_says_is_no_money() -> None:
    assert {"latency_p50_ms", "latency_p95_ms"} <= timed()
    assert not timed() & priced()
    assert all(METRICS[name].operational for name in timed() | priced())


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_that_takes_a_figure_has_a_name_with_its_place(name: str) -> None:
    metric = METRICS[name]
    for taken, place, figure in ((metric.top, "{k}", "7"), (bool(metric.at), "{at}", "0.0125")):
        assert taken == (place in metric.figured)
        assert taken == (figure in metric.phrase_at(k=7, at=0.0125))
    assert metric.phrase_at() == metric.phrase


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_one_form_for_all_kinds_whose_models_answer_alike(name: str) -> None:
    metric = METRICS[name]
    for task, form in metric.forms.items():
        assert metric.form_of(TRAITS[task].answers) == form, task


def test_nothing_can_improve_a_rate_of_flips() -> None:
    flips = [m for m in METRICS.values() for form in m.forms.values() if isinstance(form, Flips)]
    assert flips
    for metric in flips:
        for form in metric.forms.values():
            if isinstance(form, Flips):
                assert form.better == ()


@pytest.mark.parametrize("name", METRICS)
def test_no_row_makes_a_metric_better_and_worse_at_once(name: str) -> None:
    every = set(range(8))
    for form in METRICS[name].forms.values():
        worse, better = set(form.worse), set(form.better)
        assert not worse & better
        assert worse | better | set(form.base.cells) <= every
        assert set(form.base_of_level.cells) <= every


def test_a_recall_rests_on_positives_wherever_its_threshold_is() -> None:
    fixed, free = (METRICS[name].forms["binary"].base for name in ("recall_at_fpr", "recall"))
    assert (fixed.unit, set(fixed.cells)) == (free.unit, set(free.cells))


def test_a_gain_that_is_capped_is_the_demand_with_the_models_exchanged() -> None:
    bound = Bound(kind="relative", value=0.25)
    recall, flips = METRICS["recall"], METRICS["false_positive_rate"]
    least, most = CHECKS["min_gain"], CHECKS["max_gain"]
    assert least.claim(bound, recall) == SuccessRatio(ratio=Fraction(5, 4))
    assert most.claim(bound, recall) == SuccessRatio(ratio=Fraction(4, 5), swapped=True)
    assert least.claim(bound, flips) == ErrorsAtMost(ratio=Fraction(3, 4))
    assert most.claim(bound, flips) == ErrorsAtMost(ratio=Fraction(4, 3), swapped=True)
    assert isinstance(most.claim(Bound(kind="absolute", value=0.25), recall), Difference)


def test_errors_cannot_shrink_by_all_of_them() -> None:
    most = CHECKS["max_gain"]
    for share in (1.0, 1.5):
        with pytest.raises(UnsupportedError, match="has to be below 1"):
            most.claim(Bound(kind="error_ratio", value=share), METRICS["recall"])


@pytest.mark.parametrize(("better", "sign"), [("higher", 1), ("lower", -1)])
def test_a_gain_moves_towards_what_is_better(better: str, sign: int) -> None:
    assert CHECKS["min_gain"].sign(better) == sign
    assert not CHECKS["min_gain"].improves(better)
    assert CHECKS["max_rise"].improves(better) == (better == "higher")
