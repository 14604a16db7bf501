"""junit.xml: the decision for CI systems that show test results.

One suite per rule, one case per finding. A blocking finding that fails or stays open is a failure;
a warning or a waiver is shown as skipped and never fails the build. What is undefined, and a
decision with nothing behind it, is never a pass.
"""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree as ET

from prunegate.audit.record import DecisionRecord
from prunegate.report import sentences
from prunegate.report.units import CLAIMS, Units
from prunegate.text.escape import visible
from prunegate.verdict.finding import Finding


def render_junit(record: DecisionRecord) -> str:
    """The findings of a record as JUnit XML."""
    root = ET.Element("testsuites", {"name": f"prunegate {visible(record.policy.name)}"})
    units = Units.of(record)
    for rule in sorted({f.rule for f in record.findings}):
        _suite(root, record, rule, units)
    unexplained = record.outcome != "approve" and root.find(".//failure") is None
    if unexplained or not record.findings:
        _decision(root, record)
    for suite in root:
        _count(suite)
    _count(root)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(root: ET.Element, record: DecisionRecord, rule: int, units: Units) -> None:
    name = f"rule {rule + 1}"
    if rule < len(record.policy.sentences):
        name += f": {visible(record.policy.sentences[rule])}"
    suite = _element(root, "testsuite", name=name, timestamp=visible(record.created))
    for finding in record.findings:
        if finding.rule == rule:
            _case(suite, record, finding, units)


def _case(suite: ET.Element, record: DecisionRecord, finding: Finding, units: Units) -> None:
    case = _element(
        suite,
        "testcase",
        classname=f"{visible(record.policy.name)}.rule{finding.rule + 1}",
        name=_name(finding),
        time="0",
    )
    said = f"{sentences.status(finding)}: {sentences.finding_sentence(finding, units)}"
    kind = _kind(finding)
    if kind == "skipped":
        _element(case, "skipped", message=said)
    elif kind:
        _element(case, "failure", type=kind, message=said).text = said
    else:
        _element(case, "system-out").text = said


def _name(finding: Finding) -> str:
    """Unique within a rule: slice, metric, class and check."""
    of = "" if finding.class_label is None else f" of class {visible(finding.class_label)}"
    if finding.check == CLAIMS and of:
        of = f" {visible(str(finding.class_label))}"
    return f"{visible(finding.slice)}: {visible(finding.metric)}{of} {visible(finding.check)}"


def _kind(finding: Finding) -> str:
    """The failure's type, ``skipped``, or empty for a pass."""
    if finding.status == "pass" and finding.candidate is not None:
        return ""
    if finding.severity == "warn" or finding.status == "waived":
        return "skipped"
    return "undefined" if finding.status == "pass" else finding.status


def _decision(root: ET.Element, record: DecisionRecord) -> None:
    """A decision that no finding accounts for still fails the build."""
    suite = _element(root, "testsuite", name="decision", timestamp=visible(record.created))
    case = _element(
        suite, "testcase", classname=visible(record.policy.name), name="decision", time="0"
    )
    reasons = " ".join(visible(reason) for reason in record.reasons) or "nothing was judged"
    _element(case, "failure", type=record.outcome, message=reasons).text = reasons


def _element(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, attributes)


def _count(element: ET.Element) -> None:
    found = Counter(child.tag for child in element.iter())
    element.set("tests", str(found["testcase"]))
    element.set("failures", str(found["failure"]))
    element.set("errors", "0")
    element.set("skipped", str(found["skipped"]))
