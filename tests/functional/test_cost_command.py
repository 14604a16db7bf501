"""``prunegate cost`` from the outside: amounts, streams, files and one clear error."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from prunegate import cli
from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures
from prunegate.cost.measurements_file import write_measurements

ROOT = Path(__file__).parents[2]
WORKED = str(ROOT / "policies/brand-safety-vit.yaml")
POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe}
rules: [{metric: recall, at_least: 0.5}]
"""
INSTANCES = """\
cost:
  currency: EUR
  billing: {instance: {per_hour: 1.20, utilisation: 0.6, minimum: 1, max_latency_ms: 50}}
  volumes: {now: 180000, target: 8000000, months: 18, low: 180000, high: 9000000}
  one_off: 1200
"""
MEASURED = Measurements(
    created="2026-01-01T00:00:00+00:00",
    engine="torch",
    batch=1,
    threads=1,
    rounds=9,
    baseline=ModelFigures(throughput_per_s=2.0, latency_p95_ms=40.0),
    candidate=ModelFigures(throughput_per_s=2.9, latency_p95_ms=30.0),
    latency_ratio=Estimate95(value=0.69, low=0.66, high=0.72),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY + INSTANCES, encoding="utf-8")
    write_measurements(MEASURED, tmp_path / "m.json")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["prunegate", "cost", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_the_worked_case_by_its_amounts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, WORKED) == 0
    lines = capsys.readouterr().out.splitlines()
    now = next(line for line in lines if line.startswith("now"))
    assert now.split() == ["now", "180,000", "$756.00", "$522.00", "$234.00", "30.95", "$0.00"]
    assert lines[-1].split() == [
        *("18", "800,000", "$3,360.00", "$2,320.00", "$1,040.00", "30.95", "$11,869.00"),
    ]


@pytest.mark.slow
def test_csv_json_and_chart_say_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, WORKED, "--json", "--csv", "c.csv", "--chart", "c.svg") == 0
    streams = capsys.readouterr()
    document = json.loads(streams.out)
    assert document["format"] == "urn:prunegate:cost:v1"
    assert "c.csv" in streams.err
    rows = list(csv.DictReader((folder / "c.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["cumulative"] for row in rows] == [m["cumulative"] for m in document["months"]]
    assert (rows[18]["baseline"], rows[18]["candidate"]) == ("3360.00", "2320.00")
    assert {row["scenario"] for row in rows} == {"expected"}
    picture = (folder / "c.svg").read_text(encoding="utf-8")
    assert ET.fromstring(picture).tag.endswith("svg")  # noqa: S314  # our own drawing
    assert "candidate $2,320" in picture


def test_instances_say_where_there_is_no_saving(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "p.yaml", "--measurements", "m.json", "--csv", "c.csv") == 0
    out = capsys.readouterr().out
    assert "At 180,000 inferences a month one instance carries both models" in out
    assert "The compression work costs €1,200 once; the saving has paid for it in month 8" in out
    assert "low" in out
    assert "not within 18 months" in out  # at low volumes
    rows = list(csv.DictReader((folder / "c.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["scenario"] for row in rows] == ["expected"] * 19 + ["low"] * 19 + ["high"] * 19
    assert (rows[0]["saving"], rows[0]["baseline_instances"]) == ("0.00", "1")


def test_quiet_is_the_table_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, WORKED, "-q", "--no-color", "--csv", "c.csv") == 0
    streams = capsys.readouterr()
    assert len(streams.out.splitlines()) == 20
    assert streams.err == ""


@pytest.mark.parametrize(
    ("cost", "arguments", "message"),
    [
        ("", [], "small has no 'cost' section; add cost: {billing: {per_inference: {baseline: "),
        (INSTANCES, [], "give --measurements"),
        ("cost: {billing: {per_inference: {baseline: 1}}}", [], "the candidate's price is not kn"),
        (
            "cost: {billing: {per_inference: {baseline: 1, candidate: 1}}}",
            ["--csv", "c.csv"],
            "give its 'cost' section volumes",
        ),
        (INSTANCES, ["--measurements", "m.json", "--csv", "x", "--chart", "x"], "the same file"),
        (INSTANCES, ["--measurements", "m.json", "--csv", "p.yaml"], "would write over POLICY"),
        (INSTANCES, ["--measurements", "none.json"], "none.json: no such file; check the path"),
        (
            INSTANCES.replace("50}", "35}"),
            ["--measurements", "m.json", "--csv", "c.csv"],
            "the baseline cannot be served this way: its p95 latency at batch 1 is 40 ms",
        ),
    ],
)
def test_bad_input_is_one_error_and_nothing_written(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    cost: str,
    arguments: list[str],
    message: str,
) -> None:
    (folder / "p.yaml").write_text(POLICY + cost + "\n", encoding="utf-8")
    assert run(monkeypatch, "p.yaml", *arguments) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert message in streams.err
    assert streams.err.count("error:") == 1
    assert {path.name for path in folder.iterdir()} == {"p.yaml", "m.json"}


def test_a_busy_machine_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_measurements(replace(MEASURED, quiet=False), folder / "m.json")
    assert run(monkeypatch, "p.yaml", "--measurements", "m.json") == 0
    assert "these amounts are no evidence" in capsys.readouterr().out
