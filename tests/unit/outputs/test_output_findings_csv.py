"""findings.csv: every field, exact numbers, and no formula."""

from __future__ import annotations

import csv
import dataclasses
import io
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.record import DecisionRecord
from prunegate.outputs.findings_csv import render_findings_csv
from prunegate.verdict.finding import Finding

FIELDS = [field.name for field in dataclasses.fields(Finding)]


def rows(record: DecisionRecord) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_findings_csv(record))))


@pytest.mark.parametrize("name", ["rejected", "approved", "hostile", "undefined"])
def test_every_field_of_every_finding_comes_back(records: ModuleType, name: str) -> None:
    record = getattr(records, name)()
    shown = rows(record)
    assert list(shown[0]) == FIELDS
    assert len(shown) == len(record.findings)
    for row, finding in zip(shown, record.findings, strict=True):
        assert row["rule"] == str(finding.rule + 1)  # as the report and JUnit count
        for field in FIELDS:
            value = getattr(finding, field)
            if field == "rule":
                continue
            if value is None:
                assert row[field] == ""
            elif not isinstance(value, str):
                assert float(row[field]) == value


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_quoted(records: ModuleType, start: str) -> None:
    record = records.approved()
    finding = dataclasses.replace(record.findings[0], slice=f"{start}cmd()")
    (row,) = rows(dataclasses.replace(record, findings=(finding,)))
    assert row["slice"].startswith("'")


def test_negative_numbers_stay_numbers(records: ModuleType) -> None:
    assert float(rows(records.rejected())[2]["difference"]) == -0.07


@given(text=st.text(st.characters(), max_size=40))
def test_any_name_stays_in_its_cell(records: ModuleType, text: str) -> None:
    record = records.approved()
    findings = tuple(dataclasses.replace(f, slice=text, note=text) for f in record.findings)
    shown = rows(dataclasses.replace(record, findings=findings))
    assert len(shown) == 5
    assert {row["metric"] for row in shown} == {"recall"}
    assert not shown[0]["slice"].startswith(("=", "+", "-", "@", "\t"))
