"""``prunegate sql`` and ``gate --counts`` from the outside: the verdict of the table itself."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from tests.functional.gate.tables import POLICY

from prunegate import cli

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy, predictions, and the same in a warehouse."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    with duckdb.connect("w.db") as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT i AS id, i % 2 = 0 AS unsafe, i % 3 AS k FROM range(2400)"
            " r(i)"
        )
        connection.execute(
            "CREATE TABLE ads AS SELECT id, CASE WHEN unsafe THEN 'unsafe' ELSE 'safe' END AS"
            " label,"
            " CASE WHEN unsafe THEN 0.9 ELSE 0.1 END AS baseline,"
            " CASE WHEN unsafe AND NOT (k = 0 AND id < 200) THEN 0.9 ELSE 0.1 END AS candidate,"
            " CASE WHEN k = 0 THEN 'display' ELSE 'video' END AS kind FROM t"
        )
        connection.execute("COPY ads TO 'ads.parquet'")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["prunegate", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_counts_of_a_warehouse_get_the_verdict_of_the_table(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = ("sql", "p.yaml", "--table", "ads", "--dialect", "duckdb", "-o", "q.sql")
    assert run(monkeypatch, *sql) == 0
    query = (folder / "q.sql").read_text(encoding="utf-8")
    with duckdb.connect("w.db", read_only=True) as connection:
        connection.sql(query).write_csv("counts.csv")
    code = run(monkeypatch, "gate", "p.yaml", "--counts", "counts.csv", "--out", "c")
    assert code == run(monkeypatch, "gate", "p.yaml", "--predictions", "ads.parquet", "--out", "r")
    assert code == 3
    records = [json.loads((folder / name / "record.json").read_text()) for name in ("c", "r")]
    counted, read = records
    assert counted["findings"] == read["findings"]
    assert counted["tallies"] == read["tallies"]
    assert counted["counts_query"] in query
    assert (counted["flips"], counted["attempt"]) == ([], None)
    assert any("joint counts have no ids" in warning for warning in counted["warnings"])
    assert counted["inputs"][0]["role"] == "counts"
    capsys.readouterr()
    assert run(monkeypatch, "verify", "c/report.html") == 0
    assert run(monkeypatch, "audit", "replay", "c/record.json", "--predictions", "counts.csv") == 0
    assert run(monkeypatch, *sql) == 2  # the file is there


def test_counts_that_do_not_fit_leave_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "sql", "p.yaml", "--table", "ads", "--dialect", "duckdb", "-o", "q.sql")
    with duckdb.connect("w.db") as connection:
        connection.execute("UPDATE ads SET baseline = 1.5 WHERE id < 7")
        connection.execute("UPDATE ads SET label = NULL WHERE id = 9")
        connection.sql((folder / "q.sql").read_text()).write_csv("counts.csv")
    capsys.readouterr()
    assert run(monkeypatch, "gate", "p.yaml", "--counts", "counts.csv", "--out", "c") == 2
    told = capsys.readouterr().err
    assert "7 rows have no score or label of the baseline that can be read" in told
    assert "1 rows have no label" in told
    assert not (folder / "c").exists()
    (folder / "p.yaml").write_text(POLICY.replace("0.5", "0.6"), encoding="utf-8")
    assert run(monkeypatch, "gate", "p.yaml", "--counts", "counts.csv") == 2
    assert "made by the query of another policy" in capsys.readouterr().err
    more = ("--predictions", "ads.parquet")
    assert run(monkeypatch, "gate", "p.yaml", "--counts", "counts.csv", *more) == 2
    assert "leave --predictions out" in capsys.readouterr().err
