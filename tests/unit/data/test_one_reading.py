"""One reading: whatever a table is stored in, it has the same slices, labels, decisions, errors."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.decisions import threshold_of_singles
from prunegate.data.predictions import scanned
from prunegate.data.predictions.open_table import open_table
from prunegate.data.predictions.parquet_arrow import without_halves
from prunegate.data.predictions.spelled import Spelling, canonical, canonical_sql, spelling_of
from prunegate.errors import TableError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

pytestmark = pytest.mark.slow
SOURCES = ("csv", "jsonl", "parquet", "feather", "arrow", "pandas", "nullable", "polars", "indexed")
HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: %s, threshold: 0.7}\n"
RULES = "rules: [{metric: recall, slices: all, max_drop: 0.1}]\n"


def stored(table: pa.Table, kind: str, folder: Path) -> Any:
    """The table as a source of that kind."""
    frame = table.to_pandas()
    path = folder / f"t.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "jsonl":
        columns = {name: decimals(frame[name]) for name in frame}
        rows = [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]
        path.write_text("".join(json.dumps(jsonable(row)) + "\n" for row in rows))
    elif kind == "parquet":
        pyarrow.parquet.write_table(table, path)
    elif kind == "feather":
        pyarrow.feather.write_feather(table, path)
    else:
        return {
            "arrow": lambda: table,
            "pandas": lambda: frame,
            "nullable": lambda: table.to_pandas(types_mapper=pd.ArrowDtype),
            "polars": lambda: pl.from_arrow(table),
            "indexed": lambda: frame.set_index("id"),
        }[kind]()
    return path


def decimals(column: Any) -> list[Any]:
    """A column's values; floats as the decimals that are written for them, however many bits."""
    if column.dtype.kind != "f":
        return list(column)
    return [float(str(value)) for value in column.to_numpy()]


def jsonable(row: dict[str, Any]) -> dict[str, Any]:
    """The values as people write them in JSON: decimals of floats, ISO times."""
    found = {}
    for name, value in row.items():
        if isinstance(value, np.generic):
            found[name] = value.item()
        elif isinstance(value, dt.date | dt.datetime):
            found[name] = value.isoformat()
        else:
            found[name] = str(value) if isinstance(value, Decimal) else value
    return found


def reading(policy: Policy, source: Any) -> Any:
    """Names and tallies of all slices, or the error."""
    try:
        slices = count_table(policy, open_predictions(policy, source, with_ids=True)).slices
    except TableError as error:
        return str(error).partition(": ")[2]
    return {one.name: one.cells for one in slices}


moments = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2040, 1, 1)).map(
    lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)
)
COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "flag": (pa.bool_(), st.booleans()),
    "count": (pa.int64(), st.integers(-(10**12), 10**12)),
    "small": (pa.uint8(), st.integers(0, 255)),
    "whole": (pa.float64(), st.integers(-100, 100).map(float)),
    "real": (pa.float64(), st.floats(-1e20, 1e20)),
    "single": (pa.float32(), st.floats(-1e6, 1e6, width=32)),
    "half": (pa.float16(), st.floats(-100, 100, width=16).map(np.float16)),
    "money": (pa.decimal128(12, 2), st.decimals(-999, 999, places=2)),
    "day": (pa.date32(), st.dates(dt.date(1990, 1, 1), dt.date(2040, 1, 1))),
    "at": (pa.timestamp("ms"), moments),
    "midnight": (pa.timestamp("us"), moments.map(lambda t: t.replace(hour=0, minute=0, second=0))),
    "moment": (
        pa.timestamp("us", "Europe/Berlin"),
        moments.map(lambda t: t.replace(tzinfo=dt.UTC)),
    ),
    "word": (pa.string(), st.sampled_from(["a", "NA", "1.10", "1.1", "01", "yes", "é,b"])),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """A table with a column of every type, and each value at least three times."""
    pools = {
        name: draw(st.lists(values, min_size=1, max_size=3, unique=True))
        for name, (_, values) in COLUMNS.items()
    }
    rows = 3 * max(map(len, pools.values()))
    scores = draw(st.lists(st.sampled_from([0.1, 0.7, 0.69, 0.7000001]), min_size=2, max_size=4))
    columns = {
        name: pa.array([pool[i % len(pool)] for i in range(rows)], COLUMNS[name][0])
        for name, pool in pools.items()
    }
    score = pa.array(np.resize(scores, rows).astype(draw(st.sampled_from(["f4", "f8", "f2"]))))
    label = pa.array([i % 2 == 0 for i in range(rows)])
    if draw(st.booleans()):
        label = label.cast(pa.float32())
    ids = pa.array([f"i{i}" for i in range(rows)])
    keys = {n: c.dictionary_encode() if n == "word" else c for n, c in columns.items()}
    return pa.table({"id": ids, "label": label, "baseline": score, "candidate": score, **keys})


@given(table=tables(), kinds=st.sets(st.sampled_from(SOURCES), min_size=3, max_size=3))
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_typed_frame_has_one_reading_in_every_source(
    table: pa.Table, kinds: set[str], tmp_path: Path
) -> None:
    slices = "slices:\n" + "".join(f"  - by: {name}\n" for name in COLUMNS)
    positive = "true" if pa.types.is_boolean(table["label"].type) else "1"
    policy = parse_policy(HEAD % positive + slices + RULES)
    expected = reading(policy, stored(table, "parquet", tmp_path))
    assert isinstance(expected, dict)
    for kind in sorted(kinds):
        assert reading(policy, stored(table, kind, tmp_path)) == expected, kind


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["True", "False"], ["false", "true"]),
        (["TRUE"], ["true"]),
        (["True", "true"], ["True", "true"]),
        (["True", "unknown"], ["True", "unknown"]),
        (["1.0", "2.0"], ["1", "2"]),
        (["1.1", "1.10"], ["1.1", "1.10"]),
        (["1.50", "2"], ["1.5", "2"]),
        (["01", "2"], ["01", "2"]),
        (["1e-7"], ["1e-07"]),
        (["2025-01-31 00:00:00", "2025-02-01 00:00:00"], ["2025-01-31", "2025-02-01"]),
        (["2025-01-31T09:30"], ["2025-01-31 09:30:00"]),
        (
            ["2025-01-31T09:30:00+02:00", "2025-01-31T00:00:00Z"],
            ["2025-01-31 00:00:00+00", "2025-01-31 07:30:00+00"],
        ),
        (
            ["2025-01-31T09:30:00+02:00", "2025-01-31T07:30:00Z"],
            ["2025-01-31T07:30:00Z", "2025-01-31T09:30:00+02:00"],
        ),
        (["2025-02-30"], ["2025-02-30"]),
    ],
)
def test_a_column_is_read_as_values_only_if_none_is_spelled_in_two_ways(
    texts: list[str], expected: list[str], tmp_path: Path
) -> None:
    policy = parse_policy(HEAD % "yes" + "slices: [{by: key}]\n" + RULES)
    rows = [f"{i},yes,0.9,0.9,{text}" for i, text in enumerate(texts)]
    path = tmp_path / "t.csv"
    path.write_text("id,label,baseline,candidate,key\n" + "\n".join(rows) + "\n")
    assert sorted(reading(policy, path)) == sorted(["overall", *(f"key={e}" for e in expected)])


@pytest.mark.parametrize("spelling", ['"True"', "true"])
@pytest.mark.parametrize("kind", SOURCES)
def test_a_slice_is_called_as_the_policy_calls_it(spelling: str, kind: str, tmp_path: Path) -> None:
    slices = f"slices: [{{by: paid, expect: [{spelling}]}}]\n"
    policy = parse_policy(HEAD % "true" + slices + RULES)
    table = pa.table(
        {
            "id": ["a", "b"],
            "label": [True, True],
            "baseline": [0.7, 0.8],
            "candidate": [0.7, 0.8],
            "paid": [True, False],
        }
    )
    names = reading(policy, stored(table, kind, tmp_path))
    assert list(names) == ["overall", f"paid={spelling.strip(chr(34))}", "paid=false"]


@pytest.mark.parametrize("positive", ["true", '"True"', '"TRUE"'])
def test_yes_and_no_as_a_csv_spells_them_are_labels(positive: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,label,baseline,candidate\na,True,0.9,0.9\nb,False,0.1,0.9\n")
    found = reading(parse_policy(HEAD % positive + RULES), path)
    assert found == {"overall": (0, 1, 0, 0, 0, 0, 0, 1)}


@given(
    text=st.one_of(
        st.floats(allow_nan=False, allow_infinity=False).map(str),
        st.decimals(-1000, 1000, places=3).map(str),
        st.datetimes(dt.datetime(1000, 1, 1)).map(str),
        st.datetimes(dt.datetime(1000, 1, 1)).map(lambda t: t.isoformat(timespec="minutes")),
        st.datetimes(dt.datetime(1001, 1, 1), timezones=st.timezones()).map(str),
        st.sampled_from(
            ["True", "FALSE", "-0", "-0.0", "1e400", "1e15", "1.50", "12345678901234567"]
        ),
    )
)
@settings(max_examples=80, deadline=None)
def test_the_engine_spells_as_python_does(text: str) -> None:
    connection = ENGINE
    for spelling in ("boolean", "number", "time", "moment"):
        if (expected := canonical(text, spelling)) is not None:  # type: ignore[arg-type]
            kind: Spelling = spelling  # type: ignore[assignment]
            query = f"SELECT {canonical_sql('x', kind)} FROM (SELECT ? AS x)"  # noqa: S608  # ours
            assert connection.execute(query, [text]).fetchall() == [(expected,)]
            assert canonical(expected, kind) == expected


ENGINE = duckdb.connect()
ENGINE.execute("SET TimeZone = 'UTC'")


def test_every_16_bit_float_is_the_decimal_that_numpy_writes() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    found = without_halves(pa.table({"x": pa.array(halves)}))["x"].to_pylist()
    assert found == [float(str(half)) for half in halves]


@given(
    score=st.floats(0, 1, width=32),
    threshold=st.one_of(st.floats(0, 1), st.floats(0, 1, width=32), st.sampled_from([0.7, 0.1])),
)
@settings(max_examples=100)
def test_a_32_bit_score_reaches_a_threshold_where_its_decimals_do(
    score: float, threshold: float
) -> None:
    reached = float(np.float32(score)) >= threshold_of_singles(threshold)
    assert reached == (float(str(np.float32(score))) >= threshold)


def test_0_7_as_a_32_bit_float_reaches_0_7() -> None:
    columns = {"id": ["a"], "label": ["yes"], "baseline": [0.7], "candidate": [0.7]}
    table = pa.table(columns).cast(
        pa.schema(
            [("id", "string"), ("label", "string"), ("baseline", "float"), ("candidate", "float")]
        )
    )
    assert reading(parse_policy(HEAD % "yes" + RULES), table) == {
        "overall": (0, 0, 0, 0, 0, 0, 0, 1)
    }


def test_empty_columns_spell_nothing() -> None:
    assert spelling_of([]) is None
    table = open_table(
        pa.table({"a": pa.array([None, ""], pa.string())}), ["a"], numeric_columns=["a"]
    )
    assert table.kinds["a"] == "text"


def test_how_much_of_a_column_is_looked_at_first_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cells = {
        "words": ["", "", "x", "1"],
        "numbers": ["", "", "", "1.0"],
        "flags": ["", "true", "false", None],
        "mixed": ["1", "2", "", "x"],
        "empty": ["", None, "", ""],
    }
    table = pa.table({name: pa.array(texts, pa.string()) for name, texts in cells.items()})
    found = []
    for rows in (2_000, 1, 2, 3, 4):
        monkeypatch.setattr(scanned, "_SAMPLE", rows)
        opened = open_table(table, list(cells), numeric_columns=list(cells))
        with opened.reading():
            lines = opened.frame.collect().rows()
        found.append((dict(opened.kinds), sorted(lines, key=repr)))
    assert found[1:] == found[:1] * 4
    assert found[0][0] == {
        **dict.fromkeys(("words", "mixed", "empty"), "text"),
        "numbers": "number",
        "flags": "boolean",
    }
