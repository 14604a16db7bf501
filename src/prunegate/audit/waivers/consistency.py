"""Consistent: do the waivers that a record lists fit its own policy, candidate and findings?

No trail and no signature is asked for here, so that whoever reads a record can ask this of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.audit.record import DecisionRecord
from prunegate.audit.waivers.request import not_in_force, terms_of
from prunegate.errors import EvidenceError
from prunegate.policy.messages import literal
from prunegate.verdict.waiver import Waiver, place_of


def flaws(record: DecisionRecord) -> Iterator[str]:
    """What does not fit, one sentence each, the first in the order of findings."""
    waived = [place_of(f) for f in record.findings if f.status == "waived"]
    listed = [one.place for one in record.waivers]
    if sorted(map(str, waived)) != sorted(map(str, listed)):
        yield (
            f"waivers: {len(waived)} findings are waived, and it lists {len(listed)} waivers, not "
            "one for each of them"
        )
    section = record.policy.document.get("waivers") or {"max_days": 0, "at_most": 0}
    if len(listed) > section["at_most"]:
        yield f"waivers: {len(listed)} are more than the policy's at_most ({section['at_most']})"
    for number, one in enumerate(record.waivers):
        for said in _flaws_of(record, one, section["max_days"]):
            yield f"waivers[{number}]: {said}"


def _flaws_of(record: DecisionRecord, one: Waiver, max_days: int) -> Iterator[str]:
    document = record.policy.document
    rules = len(document["rules"])
    if not 0 <= one.rule < rules or one.terms != terms_of(document, one.rule):
        yield f"its terms are not those of rule {one.rule} of this policy"
    told = record.attempt.candidate if record.attempt is not None else ()
    if set(told).isdisjoint(one.candidate):
        yield f"it is for another candidate ({literal([name[:12] for name in one.candidate])})"
    why = not_in_force(one, record.created, max_days)
    if why is not None:
        yield f"when the verdict was taken it was not in force: {why}"


def require_consistent(record: DecisionRecord) -> None:
    """That nothing does not fit.

    Raises:
        EvidenceError: naming the first thing.
    """
    for flaw in flaws(record):
        raise EvidenceError(flaw)
