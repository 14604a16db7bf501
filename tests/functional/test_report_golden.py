"""The outputs, byte for byte. ``PRUNEGATE_UPDATE_GOLDEN=1`` writes them anew: read the diff."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.record_schema import record_schema
from prunegate.outputs.findings_csv import render_findings_csv
from prunegate.outputs.junit import render_junit
from prunegate.outputs.summary import render_summary
from prunegate.report import render
from prunegate.report.comparison import render_comparison

_HERE = Path(__file__).parents[1]
_GOLDEN = _HERE / "golden"


@pytest.fixture(scope="module")
def records() -> ModuleType:
    """The fixed records of the report's tests."""
    return load("records")


@pytest.fixture(scope="module")
def kinds() -> ModuleType:
    """The fixed records of other kinds of task."""
    return load("kinds_records")


def load(file: str) -> ModuleType:
    """A module of fixed records; test folders are no packages, so by its path."""
    name = f"prunegate_test_{file}"
    if name not in sys.modules:
        path = _HERE / "unit" / "report" / f"{file}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def check(name: str, text: str) -> None:
    """The text is the golden file's, or becomes it where the switch says so."""
    path = _GOLDEN / name
    if os.environ.get("PRUNEGATE_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["rejected", "approved", "undefined"])
def test_the_report_is_what_it_was(records: ModuleType, name: str) -> None:
    record = getattr(records, name)()
    page = render(record, digest=records.DIGEST, pictures=records.pictures())
    check(f"report_{name}.html", page)


@pytest.mark.parametrize("name", ["waived", "predictions_only"])
def test_the_report_of_each_outcome_is_what_it_was(records: ModuleType, name: str) -> None:
    record = getattr(load("many_records"), name)(records)
    check(f"report_{name}.html", render(record, digest=records.DIGEST, pictures={}))


def test_a_german_report_is_what_it_was(records: ModuleType) -> None:
    record = load("many_records").many(records, 5, "reject", report={"language": "de"})
    check("report_german.html", render(record, digest=records.DIGEST, pictures={}))


def test_a_later_copy_of_a_page_is_what_it_was(records: ModuleType) -> None:
    record = load("many_records").many(records, 1, "approve")
    signed = render(record, digest=records.DIGEST, pictures={}, state=load("many_records").SIGNED)
    check("report_signed.html", signed)


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_comparison_is_what_it_was(records: ModuleType, language: str) -> None:
    given = load("many_records").compared(records, 3, 5, report={"language": language})
    check(f"comparison_{language}.html", render_comparison(given))


@pytest.mark.parametrize("name", ["multiclass", "language"])
def test_other_kinds_of_task_are_told_as_they_were(
    records: ModuleType, kinds: ModuleType, name: str
) -> None:
    record = getattr(kinds, name)(records)
    check(f"report_{name}.html", render(record, digest=records.DIGEST, pictures={}))
    check(f"summary_{name}.md", render_summary(record, records.DIGEST))
    check(f"junit_{name}.xml", render_junit(record))


@pytest.mark.parametrize("name", ["rejected", "hostile"])
def test_the_other_outputs_are_what_they_were(records: ModuleType, name: str) -> None:
    record = getattr(records, name)()
    check(f"summary_{name}.md", render_summary(record, records.DIGEST))
    check(f"junit_{name}.xml", render_junit(record))
    check(f"findings_{name}.csv", render_findings_csv(record))


def test_the_records_behind_the_reports_fit_the_schema(
    records: ModuleType, kinds: ModuleType
) -> None:
    validator = jsonschema.Draft202012Validator(record_schema())
    names = ("rejected", "approved", "hostile", "undefined")
    made = [getattr(records, name)() for name in names]
    for record in (*made, kinds.multiclass(records), kinds.language(records)):
        document = json.loads(canonical_bytes(record))
        assert [error.message for error in validator.iter_errors(document)] == []
        for wrong in (
            {**document, "more": 1},
            {**document, "exit_code": "0"},
            {name: value for name, value in document.items() if name != "outcome"},
        ):
            assert not validator.is_valid(wrong)
