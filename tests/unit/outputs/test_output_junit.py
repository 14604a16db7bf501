"""JUnit: valid XML, one case per finding, and never a pass that the gate did not give."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.record import DecisionRecord
from prunegate.outputs.junit import render_junit
from prunegate.text.numbers import GAP


def parsed(record: DecisionRecord) -> ET.Element:
    return ET.fromstring(render_junit(record).encode())  # noqa: S314  # our own output


@pytest.mark.parametrize("name", ["rejected", "approved", "hostile", "undefined"])
def test_one_suite_per_rule_and_one_case_per_finding(records: ModuleType, name: str) -> None:
    record = getattr(records, name)()
    root = parsed(record)
    assert len(root) == len({f.rule for f in record.findings})
    assert len(root.findall(".//testcase")) == len(record.findings)
    assert root.attrib["tests"] == str(len(record.findings))
    assert root.attrib["failures"] == str(len(root.findall(".//failure")))
    assert sum(int(s.attrib["tests"]) for s in root) == len(record.findings)


@pytest.mark.parametrize(
    ("status", "severity", "child", "kind"),
    [
        ("pass", "block", "system-out", None),
        ("fail", "block", "failure", "fail"),
        ("inconclusive", "block", "failure", "inconclusive"),
        ("waived", "block", "skipped", None),
        ("pass", "warn", "system-out", None),
        ("fail", "warn", "failure", "warning"),
        ("inconclusive", "warn", "skipped", None),
    ],
)
def test_what_each_status_becomes(
    records: ModuleType, status: str, severity: str, child: str, kind: str | None
) -> None:
    record = records.approved()
    finding = replace(record.findings[0], status=status, severity=severity)
    (case,) = parsed(replace(record, findings=(finding,))).findall(".//testcase")
    assert [element.tag for element in case] == [child]
    assert case[0].attrib.get("type") == kind


def test_an_undefined_value_is_never_a_pass(records: ModuleType) -> None:
    record = records.approved()
    finding = replace(record.findings[0], candidate=None)
    root = parsed(replace(record, findings=(finding,)))
    assert root.find(".//failure").attrib["type"] == "undefined"  # type: ignore[union-attr]  # must be there


@pytest.mark.parametrize("outcome", ["approve", "reject", "inconclusive"])
def test_nothing_judged_is_a_failure(records: ModuleType, outcome: str) -> None:
    root = parsed(replace(records.approved(), findings=(), outcome=outcome))
    assert root.attrib["failures"] == "1"


def test_a_decision_that_no_finding_explains_still_fails(records: ModuleType) -> None:
    root = parsed(replace(records.approved(), outcome="inconclusive"))
    assert root.attrib["failures"] == "1"
    assert parsed(records.approved()).attrib["failures"] == "0"


@given(text=st.text(st.characters(), max_size=40))
def test_any_name_leaves_valid_xml(records: ModuleType, text: str) -> None:
    record = records.approved()
    findings = tuple(replace(f, slice=text, note=text, metric=text) for f in record.findings)
    assert len(parsed(replace(record, findings=findings)).findall(".//testcase")) == 5


def test_the_classes_of_a_slice_are_cases_of_their_own(records: ModuleType) -> None:
    record = records.approved()
    findings = tuple(replace(record.findings[0], class_label=label) for label in ("ads", "news"))
    names = [
        case.attrib["name"]
        for case in parsed(replace(record, findings=findings)).findall(".//testcase")
    ]
    assert names == [f"overall: recall of class {label} max_drop" for label in ("ads", "news")]


def test_suites_and_messages_are_short_and_rules_count_from_one(records: ModuleType) -> None:
    root = parsed(records.rejected())
    assert root[0].attrib["name"] == "rule 1 recall"
    failed = root.find(".//testcase[@name='content_type=video: recall max_drop']/failure")
    assert failed is not None
    assert failed.attrib["message"].replace(GAP, " ") == "recall video 89.1 → 82.1 %, limit −2"
    size = root.find(".//failure[@type='warning']")
    assert size is not None
    assert size.attrib["message"].startswith("model size overall")


SCHEMA = {
    "testsuites": ({"name", "tests", "failures", "errors", "skipped"}, {"testsuite"}),
    "testsuite": (
        {"name", "timestamp", "tests", "failures", "errors", "skipped"},
        {"properties", "testcase"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname", "time"}, {"skipped", "failure", "system-out"}),
    "failure": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}
"""Attributes and children that the schema of Jenkins (xunit-plugin, junit-10.xsd) knows and that
are used here; counts have to be whole numbers, and properties stand before cases."""


@pytest.mark.parametrize("name", ["rejected", "approved", "hostile", "undefined"])
def test_the_schema_is_kept(records: ModuleType, name: str) -> None:
    root = parsed(getattr(records, name)())
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = SCHEMA[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
        for count in ("tests", "failures", "errors", "skipped"):
            assert element.attrib.get(count, "0").isdigit()
        if element.tag == "testsuite":
            order = [child.tag for child in element]
            assert order == sorted(order, key=["properties", "testcase"].index)
