"""What docs/extending.md says is true: one entry each, from outside, and all commands know.

A metric, a check, a section and a command that nobody here has heard of are registered from
outside, in a process of their own, because a check has to be there before the policy's schema is
built.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.counting import kinds

PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar

from prunegate.metrics.catalogue import METRICS, Metric
from prunegate.metrics.checks import CHECKS, Check
from prunegate.metrics.forms import SharedRows
from prunegate.metrics.hypothesis import SuccessRatio, exact_fraction

METRICS.add(Metric(
    name="calm_rate", words="harmless items that are left in peace", kind="rate",
    forms={"binary": SharedRows(labels=(0,))},
))

@dataclass(frozen=True, kw_only=True)
class RatioFloor(Check):
    form: ClassVar = "factor"

    def claim(self, bound, metric):
        return SuccessRatio(ratio=exact_fraction(bound.value))

CHECKS.add(RatioFloor(
    name="min_ratio", tighter="higher", brief="no less than {} the old one",
    sentence="no less than {} the old one",
    expected="a number above 0 such as 0.9", meaning="Smallest ratio to the old value.",
))

from prunegate.audit.opinion.facts import FACTORS
FACTORS["min_ratio"] = -1

import sys
from pathlib import Path

from prunegate.cli import COMMANDS, LazyCommand, main

if sys.argv[1] in ("gate", "report", "verify"):  # only they need what draws pages
    from prunegate.report.sections import SECTIONS, PageSection

    SECTIONS.add(PageSection(
        name="calm", after="rules", template="calm.html.j2", folder=Path(__file__).parent,
        shows=lambda source: f"{len(source.record.findings)} findings, <calmly>",
    ))
COMMANDS.add(LazyCommand(name="calm", module="calm_command", brief="Say how calm it is."))
main()
"""
TEMPLATE = """\
<section aria-labelledby="calm">
<h2 id="calm">{{ shown }} on {{ report.policy }}</h2>
</section>
"""
COMMAND = """
import click

print("imported")

@click.command("calm")
def command():
    click.echo("very calm")
    return 0
"""
POLICY = """\
prunegate: 1
name: extended
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [a, b]}]
rules:
  - {metric: calm_rate, slices: [overall, kind], min_ratio: 0.5, max_drop: 0.3}
"""


@pytest.fixture
def run(tmp_path: Path):  # type: ignore[no-untyped-def]  # a closure over the folder
    (tmp_path / "plugin.py").write_text(PLUGIN)
    (tmp_path / "calm.html.j2").write_text(TEMPLATE)
    (tmp_path / "calm_command.py").write_text(COMMAND)
    (tmp_path / "p.yaml").write_text(POLICY)
    kinds.table("binary", 3, 900).to_csv(tmp_path / "t.csv", index=False)

    def call(*words: str) -> str:
        done = subprocess.run(  # our own program
            [sys.executable, "plugin.py", *words],
            cwd=tmp_path,
            env={**os.environ, "PRUNEGATE_DEBUG": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.mark.slow  # eight processes, each with its own imports
def test_what_is_made_up_goes_all_the_way(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    schema = json.loads(run("policy", "schema"))
    field = schema["$defs"]["Rule"]["properties"]["min_ratio"]
    assert field["description"] == "Smallest ratio to the old value."
    told = run("policy", "explain", "p.yaml")
    assert "proven no less than 0.5 times the old one" in told
    run("gate", "p.yaml", "--predictions", "t.csv", "--out", "out", "-q")
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    checks = {(f["metric"], f["check"], f["status"]) for f in record["findings"]}
    assert ("calm_rate", "min_ratio", "pass") in checks
    run("report", "out/record.json", "--out", "again.html")
    page = (tmp_path / "again.html").read_text()
    assert "no less than 0.5\xa0times the old one" in page
    rules, calm, slices = (page.index(f'<h2 id="{name}">') for name in ("rules", "calm", "slices"))
    assert rules < calm < slices
    assert "findings, &lt;calmly&gt; on extended</h2>" in page
    assert "made again from its record" in run("verify", "again.html")
    assert "  calm        Say how calm it is." in run("--help").splitlines()
    assert run("calm") == "imported\nvery calm\n"
    plan = json.loads(run("plan", "p.yaml", "--simulations", "20", "--json"))
    assert {(n["check"], n["unit"]) for n in plan["needs"]} == {
        ("min_ratio", "negatives"),
        ("max_drop", "negatives"),
    }
