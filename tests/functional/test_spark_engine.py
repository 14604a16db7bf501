"""Judging on Spark: the verdict, the refusals and the files are those of every other engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import at_length, times
from tests.rules import of_rules
from tests.unit.counting import kinds, label_set_tables
from tests.unit.data import test_separate_tables as apart

import prunegate
from prunegate import cli
from prunegate.audit.read import read_record
from prunegate.counting import read_source
from prunegate.counting.count import open_predictions
from prunegate.data.predictions.spark_files import SparkFiles
from prunegate.errors import TableError
from prunegate.gate import UNCOUNTED, gate
from prunegate.policy.load import parse_policy, read_policy
from prunegate.policy.schema import Policy

pytestmark = [
    pytest.mark.slow,
    # Spark says so whenever it gets an Arrow table; no pandas is involved here.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
]
POLICY = """\
prunegate: 1
name: small
task: {kind: binary, %s}
slices: [{by: kind}, {by: [kind, place]}]
rules:
  - {metric: recall, slices: all, max_drop: 0.02}
  - {metric: accuracy, slices: kind, max_drop: 0.05}
"""
SCORED, DECIDED = "positive: %s, threshold: 0.5", "positive: %s"


def policy(task: str = SCORED % "unsafe") -> Policy:
    return parse_policy(POLICY % task)


KEYS = {
    "text": ["a,b", 'c"d', "é", "\U0001f600", "NA", "01", " x ", "x=\\y", "None", "nan"],
    "whole": [1, 2, -3, 2**62],
    "number": [1.0, 2.5, -0.0, 1e-7, 1e15, float("inf")],
    "flag": [True, False],
}
LABELS: dict[str, tuple[str, list[Any]]] = {
    "text": ("unsafe", ["unsafe", "safe"]),
    "whole": ("1", [1, 0]),
    "number": ("1", [1.0, -0.0]),
    "flag": ("true", [True, False]),
}
scores = st.sampled_from([0.0, -0.0, 0.1, 0.49999999999999994, 0.5, 0.7, 1.0])


@st.composite
def tables(draw: st.DrawFn) -> tuple[Policy, pa.Table]:
    """A policy and a small table that it can judge: keys, labels and scores of every kind."""
    rows = draw(st.integers(2, 30))
    word, labels = draw(st.sampled_from(list(LABELS.values())))
    scored = draw(st.booleans())
    values = scores if scored else st.sampled_from(labels)

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=rows, max_size=rows))

    keys = [st.sampled_from(draw(st.sampled_from(list(KEYS.values())))) for _ in range(2)]
    table = pa.table(
        {
            "id": list(range(rows)),
            "label": [labels[0], labels[1], *column(st.sampled_from(labels))[2:]],
            "baseline": column(values),
            "candidate": column(values),
            "kind": column(keys[0]),
            "place": column(keys[1]),
        }
    )
    return policy((SCORED if scored else DECIDED) % word), table


@given(drawn=tables())
@settings(max_examples=times(2, thorough=20))
def test_every_engine_gives_the_same_verdict(spark: Any, drawn: tuple[Policy, pa.Table]) -> None:
    asked, table = drawn
    expected = prunegate.judge(asked, table)
    assert prunegate.judge(asked, spark.createDataFrame(table)) == expected
    assert prunegate.judge(asked, table.to_pandas()) == expected
    assert prunegate.judge(asked, duckdb.connect().from_arrow(table)) == expected


AUC, LOSS = "auc, slices: kind, max_drop: 0.2", "log_loss, slices: kind, max_rise: 0.3"
SINGLE, GROUPED = "", "group: post\n"


@pytest.mark.parametrize(
    ("group", "metrics"),
    [
        (SINGLE, (LOSS,)),
        (GROUPED, (AUC,)),
        *at_length((SINGLE, (AUC, LOSS)), (GROUPED, (AUC, LOSS))),
    ],
)
def test_metrics_of_scores_are_those_of_every_other_engine(
    spark: Any, group: str, metrics: tuple[str, ...]
) -> None:
    """To the last digits: sums of whole numbers beyond 64 bits are floats in Spark."""
    rules = "".join(f"  - {{metric: {metric}}}\n" for metric in metrics)
    head = f"prunegate: 1\nname: x\ntask: {{kind: binary, {SCORED % 'unsafe'}}}\n{group}"
    asked = parse_policy(f"{head}slices: [{{by: kind}}]\nrules:\n{rules}")
    rows = kinds.table("binary", 3, 900)
    found = prunegate.judge(asked, spark.createDataFrame(pa.Table.from_pandas(rows)))
    for one, other in zip(of_rules(found), of_rules(prunegate.judge(asked, rows)), strict=True):
        assert (one.metric, one.slice, one.status) == (other.metric, other.slice, other.status)
        for name in ("baseline", "candidate", "ci_low", "p_value"):
            pair = (getattr(one, name), getattr(other, name))
            assert pair[0] == pytest.approx(pair[1], rel=1e-6), name


def test_files_of_their_own_are_joined_and_refused_alike(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, whole, parts = apart.policy(), apart.one(), apart.three(apart.one())
    expected = prunegate.judge(asked, whole)
    other = apart.three(whole.assign(image_id=range(len(whole))))
    for role, kind in (("labels", str), ("baseline_predictions", float)):
        other[role]["image_id"] = other[role]["image_id"].astype(kind)
    frames = {role: _frame(spark, part) for role, part in other.items()}
    assert prunegate.judge(asked, frames) == expected
    files = {}
    for kind, (role, part) in zip(("csv", "parquet", "csv"), parts.items(), strict=True):
        apart.WRITERS[kind](part, tmp_path / f"{role}.{kind}")
        files[role] = SparkFiles(session=spark, paths=(str(tmp_path / f"{role}.{kind}"),))
    opened = []
    monkeypatch.setattr(
        read_source,
        "open_predictions",
        lambda *given, **ids: opened.append(open_predictions(*given, **ids)) or opened[0],
    )
    assert prunegate.judge(asked, files) == expected
    (found,) = opened
    monkeypatch.undo()
    assert {path.stem for path in found.files} == set(found.roles) == set(parts)
    broken = apart.broken(parts)
    with pytest.raises(TableError) as wanted:
        prunegate.judge(asked, broken)
    with pytest.raises(TableError) as caught:
        prunegate.judge(asked, {role: _frame(spark, part) for role, part in broken.items()})
    assert str(caught.value).replace("pyspark DataFrame", "pandas DataFrame") == str(wanted.value)
    with pytest.raises(TableError, match="give every table to Spark, or none"):
        prunegate.judge(asked, {**frames, "labels": parts["labels"]})


def _frame(spark: Any, part: pd.DataFrame) -> Any:
    return spark.createDataFrame(pa.Table.from_pandas(part, preserve_index=False))


def test_a_column_for_each_label_is_counted_alike(spark: Any) -> None:
    rows = label_set_tables.scores(3, 200)
    asked = label_set_tables.policy("{metric: recall, classes: each, max_drop: 0.2}")
    assert prunegate.judge(asked, _frame(spark, rows)) == prunegate.judge(asked, rows)


def csv(lost: int) -> str:
    """Two kinds; the candidate gains positives of the first and loses some of the second."""
    lines = ["id,label,baseline,candidate,kind,place"]
    for kind, gained, misses in (("display", 9, 0), ('"a,""b"""', 0, lost)):
        for i in range(300):
            low, high = (0.2 if i < gained else 0.9), (0.1 if i < misses else 0.8)
            lines.append(f"{kind[1]}{i},unsafe,{low},{high},{kind},x")
            lines.append(f"{kind[1]}n{i},safe,0.1,{0.2 + i / 1000},{kind},é")
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY % (SCORED % "unsafe"), encoding="utf-8")
    (tmp_path / "t.csv").write_text(csv(40), encoding="utf-8")
    return tmp_path


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    places = {
        "PYSPARK_PYTHON": sys.executable,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
    }
    return subprocess.run(
        command,
        env={**os.environ, **places, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


GATE = ("gate", "p.yaml", "--predictions", "t.csv")


def same_files(left: Path, right: Path) -> None:
    assert (left / "findings.csv").read_bytes() == (right / "findings.csv").read_bytes()
    first, second = (read_record(place / "record.json")[0] for place in (left, right))
    # Spark counts no attempts on the gate set, and says so; all else is the same.
    assert first.attempt is not None
    assert second.warnings == (*first.warnings, UNCOUNTED)
    assert first.statement.startswith(second.statement)
    counted = replace(
        first,
        attempt=None,
        statement=second.statement,
        warnings=second.warnings,
        created=second.created,
        phrases=None,  # what the statement says, as facts
    )
    assert counted == replace(second, phrases=None)


def without_the_uncounted(said: str) -> str:
    """What the command says, without the warning that only Spark's has."""
    told = words(said)
    warning = words(f" ! warning: {UNCOUNTED}")
    assert told.count(warning) == 1
    told = re.sub(r"([0-9]+) warnings?", lambda n: counted(int(n[1]) - 1), told, count=1)
    return words(told.replace(warning, ""))


def counted(warnings: int) -> str:
    """A number of warnings, as the first line has it."""
    return f"{warnings} warning{'' if warnings == 1 else 's'}"


def words(said: str) -> str:
    """What is said, however its lines are wrapped."""
    return " ".join(said.split())


def test_starting_says_nothing(spark_start: tuple[Any, str]) -> None:
    session, said = spark_start
    assert said == ""
    assert session.range(3).count() == 3


def test_the_command_gives_the_same_files_and_says_nothing_more(
    spark: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the running session, which is left running; in a process of its own: the next test."""
    assert command(monkeypatch, "--out", "d", engine="duckdb") == 3
    expected = capfd.readouterr().out.replace("d/report.html", "s/report.html")
    monkeypatch.setattr("pyspark.sql.SparkSession.Builder.getOrCreate", None)
    assert command(monkeypatch, "--out", "s", "--json") == 3
    said = capfd.readouterr()
    same_files(folder / "d", folder / "s")
    assert said.out == (folder / "s" / "record.json").read_text(encoding="utf-8") + "\n"
    assert without_the_uncounted(said.err) == words(expected)
    assert spark.range(3).count() == 3


def test_it_works_under_spark_submit(folder: Path, warm_program: Path) -> None:
    (folder / "judge.py").write_text("from prunegate.cli import main\n\nmain()\n")
    default = run(str(warm_program), *GATE, "--out", "d")
    few = ("--conf", "spark.sql.shuffle.partitions=2", "--conf", "spark.ui.enabled=false")
    submit = ("spark-submit", "--master", "local[2]", *few, "judge.py")
    java = [o for o in os.environ["SPARK_SUBMIT_OPTS"].split() if not o.startswith("-Dspark.")]
    gate_on_spark = (*GATE, "--out", "s", "--engine", "spark")
    found = run(*submit, *gate_on_spark, SPARK_SUBMIT_OPTS=" ".join(java))
    assert (default.returncode, found.returncode) == (3, 3)
    same_files(folder / "d", folder / "s")
    expected = default.stdout.replace("d/report.html", "s/report.html")
    assert without_the_uncounted(found.stdout) == words(expected)


def test_a_frame_gives_the_flips_that_a_file_gives(spark: Any, folder: Path) -> None:
    source = read_policy(folder / "p.yaml")
    expected = gate(source, "t.csv").record
    frame = spark.createDataFrame(pa.Table.from_pandas(pd.read_csv("t.csv")))
    found = gate(source, frame).record
    assert found.flips == expected.flips
    assert {flip.lost for flip in found.flips} == {True, False}
    assert [(i.name, i.sha256) for i in found.inputs] == [("pyspark DataFrame", None)]
    read = gate(source, SparkFiles(session=spark, paths=(str(folder / "t.csv"),))).record
    assert (read.flips, read.inputs) == (expected.flips, expected.inputs)


def command(monkeypatch: pytest.MonkeyPatch, *more: str, engine: str = "spark") -> int:
    # An absolute path: the Java of this session was started in another folder.
    predictions = str(Path("t.csv").absolute())
    arguments = ("gate", "p.yaml", "--predictions", predictions, "--engine", engine, *more)
    monkeypatch.setattr("sys.argv", ["prunegate", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_bad_input_is_one_message_and_nothing_written(
    spark: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "t.csv").write_text(csv(0).replace(",0.8,", ",80,", 1), encoding="utf-8")
    assert command(monkeypatch) == 2
    said = capfd.readouterr()
    assert not said.out
    assert "column 'candidate': 1 row with no score between 0 and 1" in said.err
    assert len(said.err.splitlines()) == 1
    assert {path.name for path in folder.iterdir()} == {"p.yaml", "t.csv"}


def test_without_pyspark_the_message_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    assert command(monkeypatch) == 2
    assert "pip install 'prunegate[spark]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"JAVA_HOME": "/nowhere"}, "there is none in JAVA_HOME (/nowhere)"),
        ({"JAVA_TOOL_OPTIONS": "-XX:NoSuchOption"}, "did not start (Error: Could not create the"),
    ],
    ids=["no Java", "Java stops"],
)
def test_a_spark_that_does_not_start_is_one_message(
    folder: Path, warm_program: Path, environment: dict[str, str], words: str
) -> None:
    pytest.importorskip("pyspark")
    found = run(str(warm_program), *GATE, "--engine", "spark", **environment)
    assert found.returncode == 2
    assert words in found.stderr
    assert len(found.stderr.splitlines()) == 1
    assert not found.stdout
    assert {path.name for path in folder.iterdir()} == {"p.yaml", "t.csv"}
