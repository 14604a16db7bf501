"""The expected calibration error: a plain numpy one on every slice; shown, and only where asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.unit.counting import kinds
from tests.unit.counting.class_tables import (
    CLASSES,
    SEVERAL,
    TWO,
    several,
    softmax,
    with_columns,
)

import prunegate
from prunegate.audit.canonical import canonical_bytes, plain_json
from prunegate.audit.read import kept_form
from prunegate.audit.recompute import differences
from prunegate.gate import gate
from prunegate.policy.load import parse_policy, read_policy
from prunegate.report.render import render

SLICES = kinds.sliced("kind", "far")
RULE = "rules: [{metric: brier, slices: all, max_rise: 0.1}]\n"


def expected_error(sure: Any, right: Any) -> float:
    """Of 15 bins of equal width, as Guo et al. (2017) have it."""
    places = np.clip(np.ceil(np.asarray(sure) * 15), 1, 15)
    error = 0.0
    for place in np.unique(places):
        inside = places == place
        error += inside.mean() * abs(np.mean(right[inside]) - np.mean(sure[inside]))
    return error


@given(seed=st.integers(0, 10**6))
@settings(max_examples=2, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_of_two_classes_it_is_that_of_the_positive_ones_score(seed: int) -> None:
    data = kinds.table("binary", seed, 300)
    data.loc[:3, "candidate"] = [0.0, 1.0, 0.2, 0.6]
    policy = parse_policy(f"prunegate: 1\nname: x\n{TWO}{SLICES}{RULE}")
    verdict = prunegate.judge(policy, data)
    slices = kinds.slices_of(data)
    for summary in verdict.slices:
        rows, found = data[slices[summary.name]], summary.calibration
        assert found is not None
        for model in ("baseline", "candidate"):
            right = (rows["label"] == "unsafe").to_numpy()
            expected = expected_error(rows[model].to_numpy(), right)
            assert getattr(found, model) == pytest.approx(expected, abs=1e-8)


@pytest.mark.slow
def test_of_several_classes_it_is_that_of_the_highest_probability() -> None:
    data, logits = several(4, 300)
    random = np.random.default_rng(1)
    logits = {
        model: values + random.normal(0, 1e-6, values.shape) for model, values in logits.items()
    }
    head = f"{SEVERAL % 'prefix: p_, activation: softmax'}{SLICES}"
    policy = parse_policy(f"prunegate: 1\nname: x\n{head}{RULE}")
    verdict = prunegate.judge(policy, with_columns(data, logits))
    slices = kinds.slices_of(data)
    label = data["label"].map(CLASSES.index).to_numpy()
    for summary in verdict.slices:
        rows, found = np.asarray(slices[summary.name]), summary.calibration
        assert found is not None
        assert found.bins == 15
        for model, values in logits.items():
            chances = softmax(values)
            right = chances.argmax(axis=1) == label
            expected = expected_error(chances.max(axis=1)[rows], right[rows])
            assert getattr(found, model) == pytest.approx(expected, abs=1e-8)


def test_where_no_rule_takes_scores_for_probabilities_there_is_none() -> None:
    data = kinds.table("binary", 3, 100)
    rule = "rules: [{metric: auc, max_drop: 0.1}]"
    policy = parse_policy(f"prunegate: 1\nname: x\n{TWO}{SLICES}{rule}\n")
    verdict = prunegate.judge(policy, data)
    assert all(summary.calibration is None for summary in verdict.slices)
    assert "calibration" not in plain_json(verdict.slices[0])


@pytest.mark.slow
def test_record_and_report_show_it_and_the_record_keeps_what_it_follows_from(
    tmp_path: Path,
) -> None:
    (tmp_path / "p.yaml").write_text(f"prunegate: 1\nname: x\n{TWO}{SLICES}{RULE}")
    record: Any = gate(read_policy(tmp_path / "p.yaml"), kinds.table("binary", 5, 400)).record
    assert not list(differences(kept_form(canonical_bytes(record)).record))
    page = render(record, digest="0" * 64, pictures={})
    assert "Calibration error (ECE, 15 bins; not tested)" in page
    found = record.slices[0].calibration
    assert f"{found.baseline:.3f} → {found.candidate:.3f}" in page
