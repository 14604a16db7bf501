"""Standing: how a finding came out, in a word for people, and which finding is the worst.

One order for the whole page: what is broken before what is open, what is waived, what holds; within
these the one furthest beyond its limit first. So the sentence under the answer, the first row of
the table and the examples are about one and the same finding.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.checks import CHECKS, is_level
from prunegate.report.page_one.people import OVERALL
from prunegate.report.sentences import SEVERITY_ORDER
from prunegate.report.slack import relative_slack
from prunegate.report.units import CLAIMS
from prunegate.verdict.finding import BEATS_CONSTANT, Finding

_OPEN = {
    "absent": "absent",
    "nothing to judge": "few",
    "minimum evidence": "few",
    "method": "few",
    "some labels": "open",
    "one class": "few",
    "not measured": "unmeasured",
    "unread": "unchecked",
    "unchecked": "unchecked",
}
"""Why an open finding is open, where that has a word of its own."""


def deciding(record: DecisionRecord) -> tuple[Finding, ...]:
    """The findings that decide."""
    return tuple(finding for finding in record.findings if finding.severity == "block")


def is_alike(finding: Finding) -> bool:
    """Whether the two models differ in nothing there, so that its change has no interval."""
    low, high = finding.ci_low, finding.ci_high
    return finding.difference == 0 and (low is None or high is None or low == high)


def is_tested(record: DecisionRecord) -> bool:
    """Whether a test stands behind any limit that decides; the reference is nobody's limit."""
    limits = [f for f in deciding(record) if f.check != BEATS_CONSTANT]
    return any(f.evidence == "proven" and f.p_value is not None for f in limits)


def gravity(finding: Finding) -> tuple[int, float]:
    """Small is grave: the status, then the room that is left, as a share of what is allowed."""
    return SEVERITY_ORDER.get(finding.status, 0), _room_left(finding)


def _room_left(finding: Finding) -> float:
    left = relative_slack(finding)
    if left is None and is_level(finding.check) and finding.candidate is not None:
        away = finding.candidate - finding.limit
        floor = CHECKS[finding.check].tighter == "higher"
        left = (away if floor else -away) / (abs(finding.limit) or 1.0)
    return math.inf if left is None or math.isnan(left) else left


def gravest(findings: Iterable[Finding]) -> Finding | None:
    """The worst of some findings; a kind of content before all of it. None: there is none."""
    return min(findings, key=lambda f: (*gravity(f), f.slice == OVERALL), default=None)


def lead(record: DecisionRecord) -> Finding | None:
    """The finding that the page is about: the worst of those that brought the outcome about.

    None: none did, as where nothing is open but a slice that is not there.
    """
    found = deciding(record)
    if record.outcome == "approve":
        return gravest(found)
    wanted = ("fail",) if record.outcome == "reject" else ("inconclusive", "fail")
    brought = [f for f in found if f.status in wanted]
    return gravest(brought or [f for f in found if f.status != "pass"])


def reference_key(record: DecisionRecord, finding: Finding) -> str:
    """``reference``, or ``reference_candidate`` where the baseline does know the labels."""
    constant = [
        doubt.model
        for doubt in record.doubts
        if (doubt.kind, doubt.slice, doubt.class_label)
        == ("one decision", finding.slice, finding.class_label)
    ]
    alone = finding.open_because == "one decision" and constant == ["candidate"]
    unknown = finding.open_because == "unrelated candidate" or alone
    return "reference_candidate" if unknown else "reference"


def missing_places(record: DecisionRecord) -> tuple[str, ...]:
    """Slices that the policy expects and the data have no row of."""
    return tuple(one.name for one in record.slices if one.declared and one.rows == 0)


def standing_key(finding: Finding) -> str:
    """The catalogue's key of how it came out."""
    if finding.status == "waived":
        return "waived"
    tested = finding.evidence == "proven" and finding.p_value is not None
    if finding.status == "pass":
        return "proven" if tested else "within"
    if finding.status == "inconclusive":
        return _open_key(finding)
    if finding.check == CLAIMS:
        return "fail_claims"
    if finding.candidate is None:
        return "fail_undefined"
    return "fail_level" if is_level(finding.check) else "fail"


def _open_key(finding: Finding) -> str:
    known = _OPEN.get(finding.open_because or "")
    if known is not None:
        return known
    if finding.candidate is None:
        return "open" if finding.n else "absent"
    return "close" if 0 <= _room_left(finding) < math.inf else "open"


def tone(findings: Sequence[Finding]) -> str:
    """The status of several findings together; of none it is open, never a pass."""
    worst = gravest(findings)
    return "inconclusive" if worst is None else worst.status
