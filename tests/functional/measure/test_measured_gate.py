"""What ``measure`` wrote is read by ``gate``, of the models that it names and of no others."""

from __future__ import annotations

import json
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.functional.measure.measuring import NOISY, QUIET, run

from prunegate.cost.measurement import Estimate95

pytestmark = pytest.mark.slow

GATED = """\
prunegate: 1
name: gated
task: {kind: binary, positive: 1, threshold: 0.5}
rules:
  - {metric: latency_p50_ms, max_ratio: 50, evidence: point}
  - {metric: model_bytes, max_ratio: 50}
model: {baseline: baseline, candidate: int8}
"""


def gate(monkeypatch: pytest.MonkeyPatch, out: str, measurements: str = "m.json") -> int:
    Path("p.yaml").write_text(GATED)
    rows = "".join(f"{i},{i % 2},{i % 2},{i % 2}\n" for i in range(200))
    Path("t.csv").write_text("id,label,baseline,candidate\n" + rows)
    files = ("--predictions", "t.csv", "--measurements", measurements)
    return run(monkeypatch, "gate", "p.yaml", *files, "--out", out, "-q")


@pytest.mark.parametrize(("noise", "code"), [(QUIET, 0), (NOISY, 4)])
def test_gate_reads_the_file_and_takes_no_noise_for_evidence(
    place: Any, monkeypatch: pytest.MonkeyPatch, noise: Estimate95, code: int
) -> None:
    place(noise)
    assert run(monkeypatch, "measure", "baseline", "int8", "--batch", "1,3", "-o", "m.json") == (
        0 if noise is QUIET else 4
    )
    assert gate(monkeypatch, "out") == code
    record = json.loads(Path("out/record.json").read_text())
    assert [one["status"] for one in record["findings"]] == [
        "pass" if code == 0 else "inconclusive",
        "pass",
    ]
    assert record["measurements"]["others"][0]["batch"] == 3
    assert not any("taken on trust" in limit for limit in record["known_limits"])
    report = Path("out/report.html").read_text()
    for words in ("Peak memory while serving", "(FLOPs)", "3 at a time"):
        assert words in report


def test_measurements_of_another_model_are_refused_with_both_digests(
    place: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from prunegate.models.digest import tree_digest

    assert run(monkeypatch, "measure", "baseline", "onnx", "-o", "m.json", "-q") == 0
    capsys.readouterr()
    assert gate(monkeypatch, "out") == 2
    said = capsys.readouterr().err
    for folder in ("onnx", "int8"):
        assert tree_digest(Path(folder))[:12] in said
    assert "the candidate was" in said
    assert "the baseline" not in said
    assert not Path("out").exists()


def test_without_models_at_hand_the_record_says_that_nothing_was_compared(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, "measure", "baseline", "int8", "-o", "m.json", "-q") == 0
    shutil.rmtree("int8")
    assert gate(monkeypatch, "out") == 0
    limits = json.loads(Path("out/record.json").read_text())["known_limits"]
    assert [limit for limit in limits if "Which candidate made the predictions" in limit]


def test_a_table_that_a_run_left_behind_knows_its_models(
    place: Any, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the policy nor a folder names this candidate; the predictions do."""
    bench: Any = import_module("prunegate.pipeline.context")
    real = bench.measure
    monkeypatch.setattr(bench, "measure", lambda *a, **g: real(*a, **{**g, "seconds": 0.02}))
    assert run(monkeypatch, "run", "home/policy.yaml", "--out", "made", "-q") in (0, 3, 4)
    judged = ("gate", "home/policy.yaml", "--predictions", "made/predictions.parquet", "-q")
    own = ("--measurements", "made/measurements.json", "--out", "one")
    assert run(monkeypatch, *judged, *own) in (0, 3, 4)
    assert run(monkeypatch, "measure", "baseline", "onnx", "-o", "m.json", "-q") == 0
    capsys.readouterr()
    assert run(monkeypatch, *judged, "--measurements", "m.json", "--out", "two") == 2
    assert "the candidate was" in capsys.readouterr().err
