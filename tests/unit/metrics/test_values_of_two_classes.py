"""Balanced accuracy and MCC of two classes are scikit-learn's, and undefined where it is so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.evidence.of_metric import of_decisions
from prunegate.metrics.hypothesis import Difference, exact_fraction
from prunegate.stats import macro

CELLS = st.lists(st.integers(0, 40), min_size=8, max_size=8).map(tuple)


def columns(cells: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.repeat(np.arange(8), cells)
    return rows >> 2 & 1, rows >> 1 & 1, rows & 1


@pytest.mark.slow
@given(cells=CELLS)
@settings(max_examples=times(24, thorough=120))
def test_values_are_scikit_learns(cells: tuple[int, ...]) -> None:
    from sklearn import metrics as sk

    label, *models = columns(cells)
    one_class = len(set(label.tolist())) < 2
    for name, reference in (
        ("balanced_accuracy", sk.balanced_accuracy_score),
        ("mcc", sk.matthews_corrcoef),
    ):
        about = of_decisions(name, cells)
        for found, model in zip((about.baseline, about.candidate), models, strict=True):
            constant = name == "mcc" and len(set(model.tolist())) < 2
            if one_class or constant:
                assert found is None  # scikit-learn says 0 or warns; nothing is proven by it
            else:
                assert found is not None
                assert float(found) == pytest.approx(reference(label, model), abs=1e-12)


@pytest.mark.parametrize("kind", ["recall", "mcc"])
def test_the_influence_is_the_slope_of_the_value(kind: macro.Kind) -> None:
    cells = np.array([300.0, 12, 20, 9, 15, 11, 8, 120])
    table = macro.of_two(kind, cells.tolist())
    slopes, n = macro.influence(table, 0.0), cells.sum()
    for cell in range(8):
        more = cells.copy()
        more[cell] += 1e-4 * n
        wider = macro.of_two(kind, more.tolist())
        change = macro.average(wider, wider.models[0]) - macro.average(table, table.models[0])
        assert change / 1e-4 == pytest.approx(slopes[cell], abs=2e-3)


@pytest.mark.parametrize("name", ["balanced_accuracy", "mcc"])
def test_a_larger_margin_is_shown_more_easily_and_harm_less(name: str) -> None:
    about = of_decisions(name, (400, 8, 10, 30, 20, 12, 18, 380))
    found = [about.test(Difference(margin=exact_fraction(m))) for m in (0.0, 0.02, 0.05, 0.1)]
    p_values, p_harms = [r.p_value for r in found], [r.p_harm for r in found]
    assert p_values == sorted(p_values, reverse=True)
    assert p_harms == sorted(p_harms)
    low, high = about.change_interval().low, about.change_interval().high
    assert low < float(about.candidate - about.baseline) < high  # type: ignore[operator]  # defined
