"""What docs/extending.md says is true: one entry each, from outside, and all commands know.

A metric, a form, checks, a criterion, a section and a command that nobody here has heard of are
registered from outside, in one process of their own, because a check and a criterion have to be
there before the policy's schema is built.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.functional.tiny import write_baseline, write_data
from tests.unit.counting import kinds
from tests.warm_process import serving

from prunegate.policy.load import load_policy
from prunegate.policy.rules_digest import rules_digest

POLICIES = Path(__file__).parents[2] / "policies"
PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.metric import Metric
from prunegate.metrics.checks import CHECKS, ChangeCheck, Check
from prunegate.evidence.of_metric import evidence_of
from prunegate.evidence.rates import PairedRate
from prunegate.metrics.forms import Form, SharedRows
from prunegate.metrics.hypothesis import SuccessRatio, exact_fraction

METRICS.add(Metric(
    name="calm_rate", words="harmless items that are left in peace", kind="rate",
    forms={"binary": SharedRows(labels=(0,))},
))

@dataclass(frozen=True, kw_only=True)
class RightTogether(Form):
    pass

@evidence_of(RightTogether)
def right_together(form, wanted, tally):
    none, gained, lost, both = (tally.cells[7 - bits] + tally.cells[bits] for bits in (3, 2, 1, 0))
    return PairedRate(both=both, lost=lost, gained=gained, neither=none)

METRICS.add(Metric(
    name="right_rate", words="items that are told right", kind="rate",
    forms={"binary": RightTogether()},
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

CHECKS.add(ChangeCheck(
    name="max_fall", moves="drop", at_most=True, tighter="lower", brief="fall of at most {}",
    sentence="to have fallen by no more than {}", expected="a number such as 0.02",
    meaning="Most that it may fall by.",
))

from prunegate.audit.opinion.distances import FACTORS, MARGINS
FACTORS["min_ratio"] = -1
MARGINS["max_fall"] = lambda change: -change.rise - change.allowed

from pathlib import Path

from prunegate.cli import COMMANDS, LazyCommand
from prunegate.report.sections import SECTIONS, PageSection

SECTIONS.add(PageSection(
    name="calm", after="rules", template="calm.html.j2", folder=Path(__file__).parent,
    shows=lambda source: f"{len(source.record.findings)} findings, <calmly>",
))
COMMANDS.add(LazyCommand(name="calm", module="calm_command", brief="Say how calm it is."))
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
@click.argument("policies", nargs=-1)
def command(policies):
    from prunegate.policy.load import load_policy
    from prunegate.policy.rules_digest import rules_digest

    click.echo("very calm")
    for policy in policies:
        click.echo(rules_digest(load_policy(policy)))
    return 0
"""
CRITERION = """
from prunegate.criteria import CRITERIA, Criterion

CRITERIA.add(Criterion(
    name="last_first", words="its place: what stands last goes first", scoring="own:LastFirst",
    scores_weights=False,
))
"""
OWN = """
import numpy as np

from prunegate.compress.scoring.by_criterion import Scoring

class LastFirst(Scoring):
    def unit_scores(self, ranked, kind):
        sites = ranked.family.sites(ranked.module, kind)
        return tuple(np.arange(site.units, 0.0, -1.0) for site in sites)
"""
POLICY = """\
prunegate: 1
name: extended
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [a, b]}]
rules:
  - {metric: calm_rate, slices: [overall, kind], min_ratio: 0.5, max_drop: 0.3}
  - {metric: calm_rate, slices: [overall], max_fall: {relative: 0.4}}
  - {metric: specificity, slices: [overall], min_ratio: 0.5, max_fall: 0.3}
  - {metric: right_rate, max_drop: 0.3}
  - {metric: accuracy, max_drop: 0.3}
"""


PRUNED = """\
prunegate: 1
name: pruned
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.9, evidence: point}]
model: {baseline: baseline}
data: {table: data/labelled.csv}
compress: [{prune: {what: WHAT, criterion: last_first, amount: 0.34, scope: per_layer}}]
"""


def call(program: Path, folder: Path, *words: str, code: int = 0) -> str:
    """What one command says: on stderr where it is to fail."""
    done = subprocess.run(
        [program, *words],
        cwd=folder,
        env={**os.environ, **({} if code else {"PRUNEGATE_DEBUG": "1"})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Our program where the plugins were read before all else."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "plugin.py").write_text(CRITERION + PLUGIN)
    (folder / "own.py").write_text(OWN)
    (folder / "calm.html.j2").write_text(TEMPLATE)
    (folder / "calm_command.py").write_text(COMMAND)
    with serving(folder, folder / "plugin.py") as program:
        yield program


@pytest.fixture
def run(program: Path, tmp_path: Path) -> Callable[..., str]:
    """It, in a folder of the test's own."""
    return partial(call, program, tmp_path)


@pytest.mark.slow  # a warm process of its own
def test_what_is_made_up_goes_all_the_way(run: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(POLICY)
    kinds.table("binary", 3, 900).to_csv(tmp_path / "t.csv", index=False)
    schema = json.loads(run("policy", "schema"))
    field = schema["$defs"]["Rule"]["properties"]["min_ratio"]
    assert field["description"] == "Smallest ratio to the old value."
    told = run("policy", "explain", "p.yaml")
    assert "proven no less than 0.5 times the old one" in told
    run("gate", "p.yaml", "--predictions", "t.csv", "--out", "out", "-q")
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    checks = {(f["metric"], f["check"], f["status"]) for f in record["findings"]}
    assert ("calm_rate", "min_ratio", "pass") in checks
    own, accuracy = (
        {**found, "rule": 0, "metric": ""}
        for name in ("right_rate", "accuracy")
        for found in record["findings"]
        if found["metric"] == name
    )
    assert own == accuracy  # the same rows, by another form
    run("report", "out/record.json", "--out", "again.html")
    page = (tmp_path / "again.html").read_text()
    assert "no less than 0.5\xa0times the old one" in page
    first = page[: page.index("<nav")].replace("\xa0", " ")
    for told in ("no less than 0.5 times the old one", "at most 30 more", "fall of at most 40 %"):
        assert told in first
    rules, calm, slices = (page.index(f'<h2 id="{name}">') for name in ("rules", "calm", "slices"))
    assert rules < calm < slices
    assert "findings, &lt;calmly&gt; on extended</h2>" in page
    assert "made again from its record" in run("verify", "again.html")
    assert "  calm        Say how calm it is." in run("--help").splitlines()
    assert run("calm") == "imported\nvery calm\n"
    sealed = POLICIES / "creative-quality-score.yaml"
    assert run("calm", str(sealed)).split()[-1] == rules_digest(load_policy(sealed))
    plan = json.loads(run("plan", "p.yaml", "--simulations", "20", "--json"))
    assert {(n["check"], n["unit"]) for n in plan["needs"]} == {
        ("min_ratio", "negatives"),
        ("max_drop", "negatives"),
        ("max_drop", "rows"),
        ("max_fall", "negatives"),
    }


@pytest.mark.slow  # loads a model library
def test_a_made_up_criterion_prunes(run: Callable[..., str], tmp_path: Path) -> None:
    write_baseline(tmp_path / "baseline")
    write_data(tmp_path / "data")
    for what in ("heads", "weights"):
        (tmp_path / f"{what}.yaml").write_text(PRUNED.replace("WHAT", what))
    run("compress", "heads.yaml", "-o", "candidate", "-q")
    surgery = json.loads((tmp_path / "candidate/surgery.json").read_text())
    assert surgery["kept"]["heads"] == [[0, 1], [0, 1]]
    assert surgery["recipe"][0]["criterion"] == "last_first"
    refused = run("policy", "validate", "weights.yaml", code=2)
    assert "criterion last_first does not score single weights; use one of: taylor," in refused
