"""Measured zeros are told where the measured model is not at hand, as ``run`` tells of its own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.unit.audit.people.conftest import agrees

from prunegate.cli.measure_words import measurement_lines
from prunegate.cost.measurement import Measurements, ModelFigures
from prunegate.gate import gate
from prunegate.policy.load import read_policy

POLICY = (
    "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1, threshold: 0.5}\n"
    "rules: [{metric: recall, at_least: 0.5, evidence: point}]\nevidence: {reference: off}\n"
)


def measured(**counted: int | bool | None) -> Measurements:
    return Measurements(
        created="2026-01-01T00:00:00Z",
        engine="torch",
        batch=1,
        threads=1,
        rounds=9,
        baseline=ModelFigures(parameters=1000, zeros=0),
        candidate=ModelFigures(parameters=1000, **counted),
        environment={"load_before": "0.0", "load_after": "0.0", "cores": "2"},
    )


@pytest.mark.parametrize(
    ("counted", "told"),
    [
        ({}, False),
        ({"zeros": 9}, False),
        ({"zeros": 10}, True),
        ({"zeros": 99, "quantized": True}, False),
        ({"zeros": 100, "quantized": True}, True),
    ],
)
def test_zeros_are_told_by_gate_and_measure(
    tmp_path: Path, counted: dict[str, int], told: bool
) -> None:
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    right = [float(n % 2) for n in range(40)]
    rows = pd.DataFrame(
        {"id": range(40), "label": [n % 2 for n in range(40)], "baseline": right}
    ).assign(candidate=right)
    taken = measured(**counted)
    record = gate(read_policy(tmp_path / "p.yaml"), rows, measurements=taken, ask=agrees).record
    words = f"{counted.get('zeros')} of the candidate's 1,000 weights"
    assert any(one.startswith(words) for one in record.warnings) == told
    lines = measurement_lines(taken, brief=True)
    assert any(line.startswith(f"warning: {words}") for line in lines) == told
    table = measurement_lines(taken, brief=False)
    assert any("of these, zero" in line for line in table)
