"""Light: what is loaded when, measured in a fresh interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from textwrap import indent

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow

HEAVY = {
    *("torch", "great_expectations", "transformers", "pandas", "scipy", "sklearn", "duckdb"),
    *("pydantic", "narwhals", "rich", "pyspark"),
}
MODELS = {"torch", "transformers"}
POLICY = """\
prunegate: 1
name: light
task: {kind: binary, positive: 1, threshold: 0.5}
slices: [{by: kind}]
rules: [{metric: recall, slices: all, max_drop: 0.02}, {metric: f1, max_drop: 0.02}]
"""
COUNTS = "import prunegate, pyarrow as pa; prunegate.judge_counts(prunegate.load_policy('p.yaml'), \
pa.table({'kind': ['a'], 'label': [1], 'baseline': [1], 'candidate': [1], 'n': [400]}))"


REPORTING = """
try:
{}
except SystemExit as stop:
    code = stop.code
else:
    code = 0
import sys, json
sys.stderr.write('\\n' + json.dumps(sorted(sys.modules)))
sys.exit(code)
"""
"""A program that ends in saying which modules it has loaded."""


def loaded(code: str, folder: Path) -> set[str]:
    """Names of the top-level modules that running ``code`` has loaded."""
    return ran(code, folder)[0]


def ran(code: str, folder: Path) -> tuple[set[str], str]:
    """These names, and what was printed."""
    program = REPORTING.format(indent(code, "    "))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return top_level(done.stderr.splitlines()[-1]), done.stdout


def top_level(names: str) -> set[str]:
    return {name.partition(".")[0] for name in json.loads(names)}


def cli(*arguments: str) -> str:
    return (
        f"import sys; sys.argv = {['prunegate', *arguments]!r}; import prunegate.cli as c; c.main()"
    )


GATE = cli("gate", "p.yaml", "--predictions", "t.csv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(POLICY)
    rows = "".join(f"{i},{i % 2},{i % 2},{i % 2},a\n" for i in range(400))
    (tmp_path / "t.csv").write_text("id,label,baseline,candidate,kind\n" + rows)
    return tmp_path


AS_MODULE = "import sys, runpy; sys.argv = ['prunegate', '--help']; \
runpy.run_module('prunegate', run_name='__main__')"


@pytest.mark.parametrize("code", ["import prunegate", cli("--help"), cli("--version"), AS_MODULE])
def test_importing_and_help_load_no_library(code: str, tmp_path: Path) -> None:
    found = loaded(code, tmp_path)
    assert "prunegate" in found
    assert not HEAVY & found


def test_claims_loads_neither_models_nor_data_libraries(folder: Path) -> None:
    stated = "claims: 1\nmodel: {architecture: ViT-B/16, labels: 2}\nheads: {before: 144}\n"
    (folder / "c.yaml").write_text(stated)
    assert not HEAVY & loaded(cli("claims", "--help"), folder)
    assert HEAVY & loaded(cli("claims", "c.yaml"), folder) == {"pydantic"}


REFUSED = ("torch", "transformers", "tokenizers", "safetensors", "sklearn", "optuna", "polars")
"""What requirements-gate.txt leaves out, and what only tests and further extras install."""
WITHOUT = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"refused: {{name}}", name=name)
sys.meta_path.insert(0, Refuse())
"""


def test_a_gate_only_installation_judges_and_never_loads_a_model_library(folder: Path) -> None:
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(WITHOUT.format(names=REFUSED))  # of both processes
    path = os.pathsep.join([str(site), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", REPORTING.format(f"    {GATE}")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said, _, names = done.stderr.rpartition("\n")
    assert said == ""
    assert done.stdout.startswith("APPROVE  light\n")
    found = top_level(names)
    assert "duckdb" in found
    assert (folder / "audit" / "pending").is_dir()
    # the second opinion loads its engine in a process of its own
    assert not {*MODELS, "great_expectations", "altair", "pandas", "pyspark", "py4j"} & found
    (record,) = folder.glob("reports/*/*/record.json")
    assert json.loads(record.read_text())["second_opinion"]["engine"].startswith("great_exp")
    asked = subprocess.run(
        [sys.executable, "-c", "import safetensors"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "refused: safetensors" in asked.stderr


def test_the_gate_only_lock_is_the_lock_without_the_model_libraries() -> None:
    root = Path(__file__).parents[2]
    pins, whole = (
        {line for line in (root / name).read_text().splitlines() if "==" in line}
        for name in ("requirements-gate.txt", "constraints.txt")
    )
    assert pins < whole
    names = {canonicalize_name(line.partition("==")[0]) for line in pins}
    needed: set[str] = set()
    for one in ("prunegate", *sorted(names)):
        needed |= {_name(text) for text in metadata.requires(one) or () if _asked(text)}
    assert needed - set(LEFT_OUT) <= names
    assert not set(LEFT_OUT) & names


LEFT_OUT = ("torch", "transformers", "tokenizers", "safetensors", "scikit-learn")


def _asked(text: str) -> bool:
    marker = Requirement(text).marker
    return marker is None or marker.evaluate({"extra": ""})


def _name(text: str) -> str:
    return canonicalize_name(Requirement(text).name)


def test_judging_planning_and_discovering_load_no_model_library(folder: Path) -> None:
    """Of a table, of counts, and two commands, in one process: what none of them loads.

    Judging writes nothing: what lies there is told before the commands, which may write files. Nor
    does a command load what it would need, where the policy that it is given is none.
    """
    before = sorted(path.name for path in folder.iterdir())
    rows = "import prunegate; prunegate.judge(prunegate.load_policy('p.yaml'), 't.csv')"
    told = "import json, os; print(json.dumps(sorted(os.listdir())), flush=True)"
    plan = cli("plan", "p.yaml", "--predictions", "t.csv", "--simulations", "2", "-q")
    discover = cli("discover", "p.yaml", "--predictions", "t.csv", "--columns", "kind")
    code = f"{rows}; {COUNTS}; {told}\ntry: {plan}\nexcept SystemExit as s: assert not s.code\n"
    for given in (("run",), ("search",), ("compress", "-o", "new"), ("importance",)):
        code += f"try: {cli(*given, 't.csv')}\nexcept SystemExit as s: assert s.code == 2\n"
    found, said = ran(code + discover, folder)
    assert "duckdb" in found
    assert not (MODELS | {"great_expectations"}) & found
    assert json.loads(said.splitlines()[0]) == before
    for words in ("nothing changed", "undeclared slice"):
        assert words in said


CUTTING = """\
prunegate: 1
name: cutting
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.02}]
model: {baseline: model}
data: {table: t.csv}
compress:
  - prune: {what: heads, amount: 0.5}
  - prune: {what: heads, amount: 0.75}
search: {vary: [{step: 2, amount: [0.1, 0.75]}]}
"""


def test_what_descriptions_and_headers_rule_out_is_told_before_a_library_is_loaded(
    tmp_path: Path,
) -> None:
    """Amounts beyond what earlier steps leave; a class that the model has not, on any engine."""
    (tmp_path / "model").mkdir()
    config = {
        "architectures": ["ViTForImageClassification"],
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "id2label": {"0": "safe", "1": "unsafe"},
    }
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    (tmp_path / "model" / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (tmp_path / "p.yaml").write_text(CUTTING)
    (tmp_path / "t.csv").write_text("id,image,label,split\n1,a.png,safe,gate\n")
    asked = ("predict", "model", "--data", "t.csv", "--positive", "adult", "-o")
    code = "refused = 0\n"
    for given in (
        ("search", "p.yaml"),
        ("run", "p.yaml"),
        ("compress", "p.yaml", "-o", "new"),
        (*asked, "s", "--engine", "spark"),
        (*asked, "s.csv", "--runtime", "browser"),
        (*asked, "s.txt", "--runtime", "browser"),
    ):
        code += f"try: {cli(*given)}\nexcept SystemExit as s: refused += s.code == 2\n"
    found, said = ran(f"{code}print(refused)", tmp_path)
    assert said.splitlines()[-1] == "6"
    assert not (MODELS | {"great_expectations", "pyspark", "pandas"}) & found
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "p.yaml", "t.csv"]
