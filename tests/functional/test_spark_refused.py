"""Tables that Spark refuses as every other engine does, in the same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from tests.depth import THOROUGH
from tests.functional.test_spark_engine import DECIDED, policy

import prunegate
from prunegate.errors import InputError

pytestmark = [
    pytest.mark.slow,
    # Spark says so whenever it gets an Arrow table; no pandas is involved here.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
]


def table(rows: int = 8) -> pd.DataFrame:
    score = [0.9, 0.1] * (rows // 2)
    columns = {"label": ["unsafe", "safe"] * (rows // 2), "baseline": score, "candidate": score}
    ids = [f"r{i}" for i in range(rows)]
    return pd.DataFrame({"id": ids, **columns, "kind": "a", "place": "b"})


def put(column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda data: data.assign(**{column: [value, *data[column].tolist()[1:]]})


def every_cell(data: pd.DataFrame) -> pd.DataFrame:
    """All that can be wrong with a cell, each in a row of its own."""
    wrong: dict[str, dict[int, Any]] = {
        "candidate": {0: float("nan"), 1: 1.5, 2: -0.1},
        "baseline": {3: None, 4: float("inf")},
        "label": {5: "unsure", 6: None},
        "kind": {7: None, 8: ""},
        "id": {10: "r9", 11: None},
    }
    columns = {name: data[name].astype(object) for name in wrong}
    for name, cells in wrong.items():
        columns[name][list(cells)] = list(cells.values())
    numbers = {name: columns[name].astype(float) for name in ("baseline", "candidate")}
    return data.assign(**columns | numbers)


BROKEN: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "NaN score": put("candidate", float("nan")),
    "missing score": put("baseline", None),
    "score above 1": put("candidate", 1.5),
    "score below 0": put("candidate", -0.1),
    "infinite score": put("baseline", float("inf")),
    "third label": put("label", "unsure"),
    "no label": put("label", None),
    "empty label": put("label", ""),
    "positive never occurs": lambda data: data.assign(label="safe"),
    "no slicing value": put("kind", None),
    "empty slicing value": put("kind", ""),
    "id twice": put("id", "r1"),
    "no id": put("id", None),
    "column missing": lambda data: data.drop(columns="kind"),
    "column twice": lambda data: data.assign(Kind="a"),
    "no rows": lambda data: data[:0],
    "labels where scores belong": lambda data: data.assign(candidate=data["label"]),
    "flags where scores belong": lambda data: data.assign(candidate=True),
    "another type of label": lambda data: data.assign(label=1),
    "several at once": lambda data: put("candidate", 7.0)(put("label", None)(data)),
    "every cell": lambda _: every_cell(table(14)),
}
CELLS = {
    *("NaN score", "missing score", "score above 1", "score below 0", "infinite score"),
    *("third label", "no label", "empty label", "no slicing value", "empty slicing value"),
    *("id twice", "no id", "several at once"),
}
"""Each alone is for the night: ``every cell`` has all of them, and all are told at once."""


@pytest.mark.parametrize("case", [case for case in BROKEN if THOROUGH or case not in CELLS])
def test_what_one_engine_refuses_spark_refuses_with_the_same_words(spark: Any, case: str) -> None:
    data = pa.Table.from_pandas(BROKEN[case](table()), preserve_index=False)
    if not data.num_rows:  # an empty pandas column has no type
        data = pa.Table.from_pandas(table(), preserve_index=False)[:0]
    with pytest.raises(InputError) as wanted:
        prunegate.judge(policy(), data)
    frame = spark.createDataFrame(data)
    with pytest.raises(InputError) as caught:
        prunegate.judge(policy(), frame)
    assert str(caught.value) == str(wanted.value).replace("pyarrow Table", "pyspark DataFrame")


def test_two_spellings_of_one_key_are_refused(spark: Any) -> None:
    data = pa.Table.from_pandas(table().assign(kind=["e\u0301", *["\u00e9"] * 7]))
    with pytest.raises(InputError, match="column 'kind' spells one value in two ways"):
        prunegate.judge(policy(), spark.createDataFrame(data))


def test_scores_and_labels_of_decisions_have_to_agree(spark: Any) -> None:
    data = pa.Table.from_pandas(table().assign(candidate="other"), preserve_index=False)
    decided = data.set_column(2, "baseline", data["label"])
    for source in (decided, spark.createDataFrame(decided)):
        with pytest.raises(InputError, match="a label that column 'label' does not hold"):
            prunegate.judge(policy(DECIDED % "unsafe"), source)
