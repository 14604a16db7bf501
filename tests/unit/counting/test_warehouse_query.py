"""The query for warehouses: on every engine here, the verdict that the table itself gets."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.counting.counts_file import read_counts_file
from prunegate.counting.warehouse_query import DIALECTS, counts_query, query_fingerprint
from prunegate.errors import InputError, TableError, UnsupportedError
from prunegate.gate import judge, judge_counts
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

POLICY = parse_policy(
    """\
prunegate: 1
name: w
task: {kind: binary, positive: unsafe, threshold: 0.7}
slices: [{by: "Order"}, {by: ["Order", region]}]
data: {columns: {id: key, baseline: score_a, candidate: score_b}}
evidence: {minimum: {rows: 1}}
rules:
  - {metric: recall, slices: all, max_drop: 0.1}
  - {metric: precision, slices: all, max_drop: 0.1}
"""
)
LABELS = parse_policy(
    """\
prunegate: 1
name: w
task: {kind: multiclass}
slices: [{by: "Order"}]
data: {columns: {id: key, baseline: score_a, candidate: score_b}}
evidence: {minimum: {rows: 1}}
rules: [{metric: accuracy, slices: all, max_drop: 0.1}]
"""
)
COLUMNS = ("key", "label", "score_a", "score_b", "Order", "region")
Rows = list[tuple[Any, ...]]


def rows_of(seed: int, count: int = 300) -> Rows:
    import random

    chosen = random.Random(seed)  # noqa: S311  # rows, no secrets
    return [
        (
            str(number),
            chosen.choice(["unsafe", "safe"]),
            chosen.choice([0.0, 0.69999, 0.7, 1.0]),
            chosen.choice([0.25, 0.7, 0.75]),
            chosen.choice(["display", "video's"]),
            chosen.choice(["eu", "us"]),
        )
        for number in range(count)
    ]


def in_duckdb(rows: Rows, query: str, kinds: str = "DOUBLE") -> Rows:
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TABLE t (key VARCHAR, label VARCHAR, score_a {kinds}, score_b {kinds},"
            ' "Order" VARCHAR, region VARCHAR)'
        )
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", rows)
        found = connection.execute(query)
        names = tuple(column[0] for column in found.description or ())
        return [names, *found.fetchall()]


def in_sqlite(rows: Rows, query: str, kinds: str = "REAL") -> Rows:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            f'CREATE TABLE t (key TEXT, label TEXT, score_a {kinds}, score_b {kinds}, "Order" TEXT,'
            " region TEXT)"
        )
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", rows)
        found = connection.execute(query)
        return [tuple(column[0] for column in found.description), *found.fetchall()]


def in_clickhouse(rows: Rows, query: str) -> Rows:
    session = pytest.importorskip("chdb.session").Session()
    session.query(
        "CREATE TABLE t (key String, label Nullable(String), score_a Nullable(Float64),"
        " score_b Nullable(Float64), `Order` String, region String) ENGINE = Memory"
    )
    body = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
    session.query(f"INSERT INTO t VALUES {body}")  # noqa: S608  # rows of ours
    text = str(session.query(query, "JSONEachRow"))
    lines = [json.loads(line) for line in text.splitlines()]
    return [tuple(lines[0]), *(tuple(line.values()) for line in lines)]


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return "'{}'".format(value.replace("'", "''")) if isinstance(value, str) else repr(value)


_TABLE = (
    "DROP TABLE IF EXISTS t; CREATE TABLE t (key text, label text, score_a float8, score_b float8,"
    ' "Order" text, region text);'
)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Callable[[Rows, str], Rows]]:
    """A cluster of its own, run by somebody who is not root, reached over a socket."""
    tools = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not tools:
        if os.environ.get("PRUNEGATE_CI"):
            pytest.fail(".ci/run installs postgresql, and it is not here")
        pytest.skip("PostgreSQL is not installed")
    place = Path(tempfile.mkdtemp(prefix="pg"))  # pytest's own folders let nobody else in
    own: list[str] = []
    if os.geteuid() == 0:
        own = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        shutil.chown(place, 65534, 65534)

    def tool(name: str, *arguments: str, text: str = "") -> str:
        done = subprocess.run(
            [*own, str(tools[-1] / name), *arguments],
            input=text, capture_output=True, text=True, check=False, cwd=place,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    tool("initdb", "-D", str(place / "d"), "-U", "gate", "-A", "trust", "--no-sync", "-E", "UTF8")
    tool("pg_ctl", "-D", str(place / "d"), "-w", "-l", str(place / "log"), "-o",
         f"-k {place} -h '' -c fsync=off", "start")  # fmt: skip

    def run(rows: Rows, query: str) -> Rows:
        values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
        script = f"{_TABLE} INSERT INTO t VALUES {values};\n{query};"  # noqa: S608  # ours
        out = tool("psql", "-h", str(place), "-U", "gate", "-d", "postgres", "--csv", "-q",
                   "-v", "ON_ERROR_STOP=1", text=script)  # fmt: skip
        return [tuple(cell or None for cell in row) for row in csv.reader(out.splitlines())]

    try:
        yield run
    finally:
        tool("pg_ctl", "-D", str(place / "d"), "-m", "immediate", "stop")
        shutil.rmtree(place)


def written(found: Rows, folder: Path) -> Path:
    path = folder / "counts.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(found)
    return path


def require_same(policy: Policy, rows: Rows, found: Rows, folder: Path) -> None:
    """The verdict on the counts is the verdict on the rows."""
    read = read_counts_file(policy, written(found, folder))
    assert read.fingerprint == query_fingerprint(policy)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    expected = judge(policy, frame)
    got = judge_counts(policy, read.frame)
    assert got.findings == expected.findings
    assert got.outcome == expected.outcome


@pytest.mark.parametrize(("run", "dialect"), [(in_duckdb, "duckdb"), (in_sqlite, "sqlite")])
@pytest.mark.parametrize("policy", [POLICY, LABELS], ids=["binary", "multiclass"])
def test_counts_get_the_verdict_of_the_table(
    run: Callable[..., Rows], dialect: str, policy: Policy, tmp_path: Path
) -> None:
    rows = rows_of(1)
    kinds = []
    if policy is LABELS:
        rows = [(*row[:2], *(chosen(row[2]), chosen(row[3])), *row[4:]) for row in rows]
        kinds = ["VARCHAR" if dialect == "duckdb" else "TEXT"]
    found = run(rows, counts_query(policy, "t", dialect), *kinds)
    require_same(policy, rows, found, tmp_path)


def chosen(score: float) -> str:
    return "unsafe" if score >= 0.7 else "safe"


@pytest.mark.slow
def test_clickhouse_gives_the_same(tmp_path: Path) -> None:
    rows = rows_of(2)
    found = in_clickhouse(rows, counts_query(POLICY, "t", "clickhouse"))
    require_same(POLICY, rows, found, tmp_path)


@pytest.mark.slow
def test_postgres_gives_the_same(postgres: Callable[[Rows, str], Rows], tmp_path: Path) -> None:
    rows = rows_of(3)
    found = postgres(rows, counts_query(POLICY, "t", "postgres"))
    require_same(POLICY, rows, found, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
def test_spark_gives_the_same(spark: Any, tmp_path: Path) -> None:
    rows = rows_of(4)
    table = pa.table(dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)))
    spark.createDataFrame(table).createOrReplaceTempView("t")
    found = spark.sql(counts_query(POLICY, "t", "spark"))
    require_same(POLICY, rows, [tuple(found.columns), *map(tuple, found.collect())], tmp_path)


HARM = st.sampled_from(
    [(1, None), (1, ""), (2, None), (2, float("nan")), (2, 1.5), (3, -0.1), (3, None)]
)


@pytest.mark.slow
@settings(max_examples=times(6, thorough=40))
@given(harm=st.lists(st.tuples(st.integers(0, 99), HARM), min_size=1, max_size=5))
def test_what_cannot_be_read_is_counted_and_refused(
    harm: list[tuple[int, tuple[int, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = rows_of(5, 100)
    for number, (place, value) in harm:
        row = list(rows[number])
        row[place] = value
        rows[number] = tuple(row)
    broken = {number for number, _ in harm}
    folder = tmp_path_factory.mktemp("harm")
    path = written(in_duckdb(rows, counts_query(POLICY, "t", "duckdb")), folder)
    with pytest.raises(TableError, match="cannot be judged") as told:
        read_counts_file(POLICY, path)
    lines = str(told.value).splitlines()[1:]
    assert sum(int(line.split()[0]) for line in lines) == len(broken)


def test_labels_that_are_left_out_are_counted(tmp_path: Path) -> None:
    task = POLICY.task.model_copy(update={"ignore": ("unsure",)})
    policy = POLICY.model_copy(update={"task": task})
    rows = rows_of(8)
    unsure = [(row[0], "unsure", *row[2:]) for row in rows[:7]]
    found = in_duckdb([*unsure, *rows[7:]], counts_query(policy, "t", "duckdb"))
    read = read_counts_file(policy, written(found, tmp_path))
    assert read.ignored == 7
    expected = judge(policy, pd.DataFrame([*unsure, *rows[7:]], columns=list(COLUMNS)))
    assert judge_counts(policy, read.frame).findings == expected.findings


def test_other_labels_repeated_ids_and_another_policy_are_refused(tmp_path: Path) -> None:
    rows = rows_of(6)
    rows[3] = (rows[4][0], "unsure", *rows[3][2:])
    path = written(in_duckdb(rows, counts_query(POLICY, "t", "duckdb")), tmp_path)
    with pytest.raises(TableError) as told:
        read_counts_file(POLICY, path)
    assert "other labels beside the positive one: 'safe', 'unsure'" in str(told.value)
    assert "1 rows have no id, or one that another row has" in str(told.value)
    task = POLICY.task.model_copy(update={"threshold": 0.5})
    with pytest.raises(TableError, match="made by the query of another policy"):
        read_counts_file(POLICY.model_copy(update={"task": task}), path)


def test_counts_without_the_columns_of_the_query_are_taken_as_they_stand(tmp_path: Path) -> None:
    found = in_duckdb(rows_of(7), counts_query(POLICY, "t", "duckdb"))
    keep = [place for place, name in enumerate(found[0]) if name in {
        *("Order", "region", "label", "baseline", "candidate", "n")}]  # fmt: skip
    path = written([tuple(row[place] for place in keep) for row in found], tmp_path)
    assert read_counts_file(POLICY, path).fingerprint is None
    with pytest.raises(TableError, match="region"):
        read_counts_file(POLICY, written([row[2:] for row in found], tmp_path))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("policy", [POLICY, LABELS], ids=["binary", "multiclass"])
def test_every_dialect_reads_its_own_query(dialect: str, policy: Policy) -> None:
    text = counts_query(policy, "ads.predictions", dialect)
    (tree,) = sqlglot.parse(text, dialect=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    assert tree is not None
    tables = {table.name for table in tree.find_all(sqlglot.exp.Table)}
    assert tables == {"predictions", "read_rows", "marked", "counted"}


@pytest.mark.parametrize(
    "name", ["read_csv('x')", "", "a b c; drop", "x) --", 'a"; drop table t; --']
)
def test_a_table_is_a_name_and_nothing_else(name: str) -> None:
    """Either it is refused, or it stands there as a quoted name."""
    try:
        text = counts_query(POLICY, name, "duckdb")
    except InputError:
        return
    tree = sqlglot.parse(text, dialect="duckdb")
    assert len(tree) == 1
    assert not list(tree[0].find_all(sqlglot.exp.Drop))  # type: ignore[union-attr]  # there is one


def test_numbers_have_no_joint_counts() -> None:
    score = parse_policy(
        "prunegate: 1\nname: s\ntask: {kind: score}\nrules: [{metric: mae, max_rise: 0.1}]\n"
    )
    with pytest.raises(UnsupportedError, match="no joint counts"):
        counts_query(score, "t", "duckdb")
    taken = parse_policy(
        "prunegate: 1\nname: s\ntask: {kind: binary, positive: 1}\nslices: [{by: unread}]\n"
        "rules: [{metric: recall, max_drop: 0.1}]\n"
    )
    with pytest.raises(InputError, match="rename that key"):
        counts_query(taken, "t", "duckdb")


@pytest.mark.parametrize("dialect", ["duckdb", "bigquery", "tsql", "snowflake"])
def test_a_name_that_ends_in_a_comment_is_not_the_name_before_it(dialect: str) -> None:
    for name in ("a--b", "a /* b */"):
        with pytest.raises(InputError, match="is no table's name"):
            counts_query(POLICY, name, dialect)
