"""GitLab: a metrics report and a code quality report, each a file that a job can hand in.

The metrics report is OpenMetrics text: how many findings stand how, and every value that was
judged, so that a merge request shows what it changes. The code quality report is Code Climate's
JSON: an issue for whatever does not hold, and one that informs of a threshold of the candidate's
own, with a fingerprint that stays the same from run to run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from prunegate.audit.record import DecisionRecord
from prunegate.outputs.short_words import ShortWords, Standing, urgent
from prunegate.report.own_threshold import in_english, own_threshold
from prunegate.text.escape import named, shorten
from prunegate.text.numbers import plain
from prunegate.verdict.finding import Finding

METRICS_FILE, QUALITY_FILE = "gitlab-metrics.txt", "gitlab-codequality.json"
MOST = 1000
"""Values, and issues, of one report."""
_SEVERITIES = {"fail": "blocker", "inconclusive": "major"}


def render_metrics(record: DecisionRecord) -> str:
    """The metrics report of a record."""
    standing = Standing.of(record)
    lines = [
        f'prunegate_findings{{status="{status}"}} {getattr(standing, status)}'
        for status in ("broken", "open", "hold", "waived", "warned")
    ]
    lines += _thresholds(record)
    values = dict.fromkeys(line for finding in record.findings for line in _values(finding))
    return "\n".join([*lines, *list(values)[:MOST], "# EOF"]) + "\n"


def _thresholds(record: DecisionRecord) -> Iterator[str]:
    """From which score on each model flags, where the candidate has a threshold of its own."""
    own = own_threshold(record)
    if own is not None:
        for model in ("baseline", "candidate"):
            yield f'prunegate_threshold{{model="{model}"}} {getattr(own, model)!r}'


def _values(finding: Finding) -> Iterator[str]:
    """The values of a finding; a metric on a slice is judged against several limits, said once."""
    metric = re.sub(r"[^a-zA-Z0-9_]", "_", named(finding.metric))
    labels = f'slice="{_label(finding.slice)}"'
    if finding.class_label is not None:
        labels += f',class="{_label(finding.class_label)}"'
    for model in ("baseline", "candidate"):
        value = getattr(finding, model)
        if value is not None:
            yield f'prunegate_{metric}{{{labels},model="{model}"}} {float(value)!r}'


def _label(text: str) -> str:
    return named(text).replace("\\", r"\\").replace('"', r"\"")


def render_code_quality(record: DecisionRecord, file: str) -> str:
    """The code quality report of a record.

    Args:
        record: the decision.
        file: the policy, as a path in the repository.
    """
    words = ShortWords.of(record)
    issues = [
        {
            "description": shorten(plain(words.line(finding)), 500),
            "check_name": f"prunegate rule {finding.rule + 1} {plain(words.metric(finding))}",
            "fingerprint": _fingerprint(record, finding),
            "severity": "minor"
            if finding.severity == "warn"
            else _SEVERITIES.get(finding.status, "info"),
            "location": _location(file),
        }
        for finding in urgent(record.findings)[:MOST]
    ]
    return json.dumps([*_shipped(record, file), *issues], ensure_ascii=True, indent=1) + "\n"


def _shipped(record: DecisionRecord, file: str) -> Iterator[dict[str, Any]]:
    """What the candidate has to be shipped with, as an issue that only informs."""
    told = in_english(record)
    if told:
        about = json.dumps([record.policy.name, "threshold", told])
        yield {
            "description": shorten(plain(told), 500),
            "check_name": "prunegate threshold",
            "fingerprint": hashlib.sha256(about.encode()).hexdigest(),
            "severity": "info",
            "location": _location(file),
        }


def _location(file: str) -> dict[str, Any]:
    return {"path": file or "policy.yaml", "lines": {"begin": 1}}


def _fingerprint(record: DecisionRecord, finding: Finding) -> str:
    about = (finding.rule, finding.metric, finding.slice, finding.check, finding.class_label)
    return hashlib.sha256(json.dumps([record.policy.name, *about]).encode()).hexdigest()
