"""Texts and documents in the labelled table: which columns are meant, and the same contract."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from prunegate.data.labelled.checked_rows import CheckedRows, check_rows, text_hashes
from prunegate.data.labelled.table import read_rows
from prunegate.errors import ContractError, TableError
from prunegate.policy.schema import Policy

BINARY = {"kind": "binary", "positive": "spam", "threshold": 0.5}
LANGUAGE = {"kind": "language"}


def policy(task: dict[str, Any] = BINARY, **more: Any) -> Policy:
    metric = "nll_per_token" if task["kind"] == "language" else "accuracy"
    limit = {"at_most": 9.0} if task["kind"] == "language" else {"at_least": 0.5}
    return Policy.model_validate(
        {
            "prunegate": 1,
            "name": "p",
            "task": task,
            "slices": [{"by": "kind"}],
            "rules": [{"metric": metric, **limit}],
            "data": {"table": "t.csv"} | more,
        }
    )


def write(folder: Path, columns: str, *rows: tuple[str, ...]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([tuple(columns.split(",")), *rows])
    (folder / "t.csv").write_text(text.getvalue(), encoding="utf-8")


def test_texts_come_verbatim(tmp_path: Path) -> None:
    odd = ' "quoted", and\ntwo lines \u202e=1+1 '
    write(tmp_path, "id,text,label,kind,split", ("b", odd, "ham", "x", "gate"),
          ("a", "cafe\u0301 01", "spam", "x", "gate"))  # fmt: skip
    rows = read_rows(policy(), tmp_path)
    assert rows.reads == "texts"
    assert (rows.texts, rows.images) == (("cafe\u0301 01", odd), ())
    assert rows.labels == ("spam", "ham")


@pytest.mark.slow
def test_documents_need_no_label_and_a_prompt_may_be_empty(tmp_path: Path) -> None:
    write(tmp_path, "id,prompt,reference,kind,split", ("a", "Say", "Hi", "x", "gate"),
          ("b", "", "Ho", "y", "gate"))  # fmt: skip
    checked = check_rows(policy(LANGUAGE), tmp_path)
    checked.report.require()
    assert checked.rows.reads == "documents"
    assert (checked.rows.prompts, checked.rows.references) == (("Say", ""), ("Hi", "Ho"))
    assert checked.rows.labels == (None, None)
    assert checked.hashes == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "data", "reads"),
    [
        ("id,image,label,kind,split", {}, "images"),
        ("id,text,label,kind,split", {}, "texts"),
        ("id,image,text,label,kind,split", {"columns": {"text": "text"}}, "texts"),
        ("id,image,text,label,kind,split", {"columns": {"image": "image"}}, "images"),
        ("id,image,text,label,kind,split", {"images": "."}, "images"),
        ("id,image,body,label,kind,split", {"columns": {"text": "body"}}, "texts"),
    ],
)
def test_the_columns_say_what_is_read(tmp_path: Path, columns: str, data: Any, reads: str) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    cells = {"id": "1", "image": "a.png", "label": "spam", "kind": "x", "split": "gate"}
    write(tmp_path, columns, tuple(cells.get(name, "words") for name in columns.split(",")))
    assert read_rows(policy(**data), tmp_path).reads == reads


@pytest.mark.parametrize(
    ("columns", "data", "words"),
    [
        ("id,image,text,label,kind,split", {}, "both column 'image' and 'text'"),
        ("id,body,label,kind,split", {}, "neither column 'image' nor 'text'"),
        ("id,image,label,kind,split", {"columns": {"text": "body"}}, "'body'"),
    ],
)
def test_what_is_not_settled_is_one_clear_error(
    tmp_path: Path, columns: str, data: Any, words: str
) -> None:
    write(tmp_path, columns, tuple("a" for _ in columns.split(",")))
    with pytest.raises(TableError, match=words) as caught:
        read_rows(policy(**data), tmp_path)
    assert "data: columns:" in str(caught.value)


def broken(checked: CheckedRows) -> dict[str, int | None]:
    return {clause.name: clause.observed for clause in checked.report.clauses if not clause.holds}


@pytest.mark.slow
def test_empty_texts_and_texts_of_several_splits_break_the_contract(tmp_path: Path) -> None:
    write(tmp_path, "id,text,label,kind,split", ("a", "one", "spam", "x", "gate"),
          ("b", "two", "ham", "x", "gate"), ("c", "two", "ham", "x", "train"),
          ("d", " \n", "ham", "x", "gate"), ("e", "one", "spam", "x", "gate"))  # fmt: skip
    checked = check_rows(policy(), tmp_path)
    assert broken(checked) == {"missing.text": 1, "content.shared": 1}
    assert checked.report.warnings == (
        "1 text(s) repeat the content of another text of the same split",
    )
    with pytest.raises(ContractError, match="texts with the same content occur in more than one"):
        checked.report.require()


@pytest.mark.slow
def test_a_document_is_its_prompt_and_its_reference(tmp_path: Path) -> None:
    write(tmp_path, "id,prompt,reference,kind,split", ("a", "p", "one", "x", "gate"),
          ("b", "p", "two", "x", "train"), ("c", "q", "one", "x", "train"),
          ("d", "p", "one", "x", "train"), ("e", "pone", "", "x", "gate"))  # fmt: skip
    checked = check_rows(policy(LANGUAGE), tmp_path)
    assert broken(checked) == {"missing.reference": 1, "content.shared": 1}
    hashes = text_hashes(checked.rows)
    assert len(set(hashes)) == 4


@pytest.mark.slow
def test_the_same_text_in_two_unicode_forms_is_one_text(tmp_path: Path) -> None:
    write(tmp_path, "id,text,label,kind,split", ("a", "caf\u00e9", "spam", "x", "gate"),
          ("b", "cafe\u0301", "ham", "x", "train"))  # fmt: skip
    assert broken(check_rows(policy(), tmp_path))["content.shared"] == 1


@pytest.mark.slow
def test_texts_that_differ_in_case_spaces_and_punctuation_are_one_text(tmp_path: Path) -> None:
    write(tmp_path, "id,text,label,kind,split", ("a", "Buy  now!", "spam", "x", "gate"),
          ("b", "buy NOW", "ham", "x", "train"), ("c", "!!", "ham", "x", "train"),
          ("d", "?", "ham", "x", "gate"), ("e", "same", "spam", "x", "gate"),
          ("f", "same", "spam", "x", "train"))  # fmt: skip
    found = broken(check_rows(policy(), tmp_path))
    assert found == {"content.shared": 1, "words.shared": 1}


@pytest.mark.slow
def test_texts_that_differ_in_a_symbol_are_no_leak(tmp_path: Path) -> None:
    write(tmp_path, "id,text,label,kind,split", ("a", "a+b", "spam", "x", "gate"),
          ("b", "a-b", "ham", "x", "train"), ("c", "5 %", "ham", "x", "gate"),
          ("d", "5", "ham", "x", "train"))  # fmt: skip
    assert broken(check_rows(policy(), tmp_path)) == {}
