"""junit.xml: the decision for CI systems that show test results.

One suite per rule, counted from 1, one case per finding. A blocking finding that fails or stays
open is a failure; so is a rule that only warns and is broken, with the type ``warning``: nobody
should have to look for it among what was skipped. What only warns and is merely open, and what is
waived, is skipped. What is undefined, and a decision with nothing behind it, is never a pass. A
threshold of the candidate's own is a property of every suite. The exit code, not this file, says
what fails a build.
"""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree as ET

from prunegate.audit.record import DecisionRecord
from prunegate.outputs.short_words import ShortWords
from prunegate.report import sentences
from prunegate.report.own_threshold import in_english
from prunegate.report.partly_labelled import labels_in_words
from prunegate.report.units import CLAIMS, metric_name
from prunegate.text.escape import visible
from prunegate.verdict.finding import Finding


def render_junit(record: DecisionRecord) -> str:
    """The findings of a record as JUnit XML."""
    root = ET.Element("testsuites", {"name": f"prunegate {visible(record.policy.name)}"})
    words = ShortWords.of(record)
    for rule in sorted({f.rule for f in record.findings}):
        _suite(root, record, rule, words)
    unexplained = record.outcome != "approve" and root.find(".//failure") is None
    if unexplained or not record.findings:
        _decision(root, record)
    for suite in root:
        _count(suite)
    _count(root)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(root: ET.Element, record: DecisionRecord, rule: int, words: ShortWords) -> None:
    findings = [finding for finding in record.findings if finding.rule == rule]
    name = f"rule {rule + 1} {metric_name(findings[0].metric)}"
    suite = _element(root, "testsuite", name=name, timestamp=visible(record.created))
    sentence = record.policy.sentences[rule] if rule < len(record.policy.sentences) else ""
    labels = labels_in_words(record, words.units.speech)
    _properties(suite, rule=sentence, labels=labels, threshold=in_english(record))
    for finding in findings:
        _case(suite, record, finding, words)


def _properties(suite: ET.Element, **told: str) -> None:
    """What there is to know of a suite, by name; what is empty is left out."""
    if not any(told.values()):
        return
    about = _element(suite, "properties")
    for key, value in told.items():
        if value:
            _element(about, "property", name=key, value=visible(value))


def _case(suite: ET.Element, record: DecisionRecord, finding: Finding, words: ShortWords) -> None:
    case = _element(
        suite,
        "testcase",
        classname=f"{visible(record.policy.name)}.rule{finding.rule + 1}",
        name=_name(finding),
        time="0",
    )
    said = f"{sentences.status(finding)}: {sentences.finding_sentence(finding, words.units)}"
    kind, message = _kind(finding), words.line(finding)
    if kind == "skipped":
        _element(case, "skipped", message=message).text = said
    elif kind:
        _element(case, "failure", type=kind, message=message).text = said
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
    if finding.severity == "warn" and finding.status == "fail":
        return "warning"
    if finding.severity == "warn" or finding.status == "waived":
        return "skipped"
    return "undefined" if finding.status == "pass" else finding.status


def _decision(root: ET.Element, record: DecisionRecord) -> None:
    """A decision that no finding accounts for still fails the build."""
    suite = _element(root, "testsuite", name="decision", timestamp=visible(record.created))
    _properties(suite, threshold=in_english(record))
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
