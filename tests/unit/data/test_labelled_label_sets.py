"""Several labels a row, read: columns of their own and lists mean the same; mistakes are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.data.contract.contract import check_contract
from prunegate.data.labelled.label_sets import BESIDE, UNKNOWN, label_set_columns, read_label_sets
from prunegate.data.labelled.table import read_rows
from prunegate.errors import MissingColumnsError, TableError
from prunegate.policy.schema import Policy

LABELS = ("violence", "hate")


def policy(**more: Any) -> Policy:
    task = {"kind": "multilabel", "labels": list(LABELS), "threshold": 0.5}
    rules = [{"metric": "recall", "classes": "each", "at_least": 0.5}]
    given = {"prunegate": 1, "name": "p", "task": task, "rules": rules, "data": {"table": "t"}}
    return Policy.model_validate(given | more)


def of_table(folder: Path, name: str, text: str) -> Any:
    (folder / name).write_text(text)
    return read_rows(policy(data={"table": name}), folder).labels


@pytest.mark.parametrize("case", ["lists", "json", "columns"])
def test_columns_and_lists_mean_the_same(tmp_path: Path, case: str) -> None:
    sets: list[list[str]] = [["hate"], [], ["hate", "violence"], ["violence"]]
    head = {"id": list("abcd"), "text": [f"t {n}" for n in range(4)], "split": ["gate"] * 4}
    if case == "columns":
        rows = [f"{i},t {n},{'violence' in s},{int('hate' in s)},gate"
                for n, (i, s) in enumerate(zip("abcd", sets, strict=True))]  # fmt: skip
        lines = ["id,text,label_violence,label_hate,split", *rows]
        found = of_table(tmp_path, "t.csv", "\n".join(lines) + "\n")
    elif case == "json":
        told = [json.dumps({"id": i, "text": f"t {n}", "split": "gate", "label": s})
                for n, (i, s) in enumerate(zip("abcd", sets, strict=True))]  # fmt: skip
        found = of_table(tmp_path, "t.jsonl", "\n".join(told) + "\n")
    else:
        pq.write_table(pa.table({**head, "label": sets}), tmp_path / "t.parquet")
        found = read_rows(policy(data={"table": "t.parquet"}), tmp_path).labels
    assert found == (("hate",), (), ("violence", "hate"), ("violence",))


SPELT = {True: [1, 1.0, True, "yes", " TRUE ", "t", "1"], False: [0, 0.0, False, "No", "f", "0"]}


@settings(max_examples=20)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6), st.data())
def test_however_a_yes_is_spelt(truth: list[tuple[bool, bool]], data: Any) -> None:
    columns = {
        f"label_{name}": [data.draw(st.sampled_from(SPELT[row[place]])) for row in truth]
        for place, name in enumerate(LABELS)
    }
    texts = dict.fromkeys((BESIDE, UNKNOWN), [""] * len(truth))
    found = read_label_sets(policy(), {**columns, **texts}, range(len(truth)), "t")
    wanted = [tuple(n for n, has in zip(LABELS, row, strict=True) if has) for row in truth]
    assert found == tuple(wanted)


def test_labels_that_cannot_be_read_are_told_together(tmp_path: Path) -> None:
    lines = ["id,text,label_violence,label_hate,split"]
    lines += [f"r{n},t {n},{'maybe' if n < 4 else 1},{'' if n == 5 else 0},gate" for n in range(7)]
    with pytest.raises(TableError) as told:
        of_table(tmp_path, "t.csv", "\n".join(lines) + "\n")
    violence, hate = "column 'label_violence': 4 rows", "column 'label_hate': 1 row"
    assert f"{violence} with no yes or no (1 or 0): 'r0', 'r1', 'r2'\n" in str(told.value)
    assert str(told.value).endswith(f"{hate} with no yes or no (1 or 0): 'r5'")
    lines = ["id,text,label,split", "a,x,hate|spam,gate", "b,y,,gate", "c,z,none,gate"]
    with pytest.raises(TableError) as told:
        of_table(tmp_path, "t.csv", "\n".join(lines) + "\n")
    assert "1 row with a label that 'task: labels' does not list: 'a'" in str(told.value)
    assert "1 row with no list of labels: 'b'" in str(told.value)


def test_a_list_that_contradicts_the_columns_is_told(tmp_path: Path) -> None:
    lines = ["id,text,label,label_violence,label_hate,split"]
    lines += ["a,x,hate,0,1,gate", "b,y,none,no,no,gate", "c,z,violence,0,1,gate", "d,w,,1,1,gate"]
    with pytest.raises(TableError) as told:
        of_table(tmp_path, "t.csv", "\n".join(lines) + "\n")
    assert str(told.value).endswith(
        "column 'label': 1 row with other labels listed than its column for each label says: 'c'"
    )


def test_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingColumnsError, match="'label_violence'\n  'label_hate'"):
        of_table(tmp_path, "t.csv", "id,text,split\na,x,gate\n")


@pytest.mark.slow
def test_each_label_has_its_clauses(tmp_path: Path) -> None:
    rows = [f"r{n},t {n},{int(n < 3)},1,gate,{'ab'[n % 2]}" for n in range(8)]
    lines = ["id,text,label_violence,label_hate,split,kind", *rows]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    asked = policy(
        data={"table": "t.csv"},
        slices=[{"by": "kind", "expect": ["a", "b"]}],
        evidence={"minimum": {"rows": 1, "positives": 2}},
    )
    found = read_rows(asked, tmp_path)
    report = check_contract(found, asked, [str(n) for n in range(8)])
    counted = {c.name: (c.observed, c.holds) for c in report.clauses if c.name.endswith("tives")}
    assert counted == {
        "gate.violence.positives": (3, True),
        "gate.violence.negatives": (5, True),
        "gate.hate.positives": (8, True),
        "gate.hate.negatives": (None, False),
        "gate.kind=a.violence.positives": (2, True),
        "gate.kind=a.hate.positives": (4, True),
        "gate.kind=b.violence.positives": (1, False),
        "gate.kind=b.hate.positives": (4, True),
    }
    assert not report.lacks_evidence, "a label that every row has can be neither right nor wrong"
    read = ["label_violence", "label_hate", UNKNOWN, BESIDE]
    assert list(label_set_columns(asked)) == read
