"""The second opinion: Great Expectations over all findings of a verdict, before it is recorded.

A gate that is wrong must not be wrong quietly. What a verdict claims is worked out a second time,
from the policy and the shown figures alone, and judged by another engine. A disagreement is a
mistake of ours: it ends the program, and never in an approval.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from prunegate.audit.expected_findings import Place, expected_places, place_in_findings
from prunegate.audit.opinion.agreement import SecondOpinion
from prunegate.audit.opinion.laws import WHOLE, columns, laws
from prunegate.data.contract.whole_table import Broken, Inside, TableSize, broken
from prunegate.errors import InternalError
from prunegate.policy.schema import Policy
from prunegate.text.escape import escaped
from prunegate.verdict.finding import Verdict
from prunegate.verdict.waiver import Waiver

NAMED = 3
"""Findings named for each law that does not hold."""
_LONGEST = 120


def second_opinion(
    policy: Policy, verdict: Verdict, waivers: Sequence[Waiver] = ()
) -> SecondOpinion:
    """Judge a verdict's findings a second time; return what was judged, which is agreement.

    Args:
        policy: the policy that was judged.
        verdict: the finished verdict.
        waivers: what its waived findings were waived by.

    Raises:
        InternalError: the second opinion disagrees, or could not be had.
    """
    required = laws(policy, verdict)
    found = broken(columns(policy, verdict, waivers), required)
    if found:
        told = "; ".join(_tell(policy, verdict, item) for item in found)
        raise InternalError(
            f"the second opinion disagrees with the verdict ({verdict.outcome}), so there is none. "
            f"Not so: {told}"
        )
    return SecondOpinion(
        engine=f"great_expectations {version('great-expectations')}",
        expectations=len(required),
        findings=len(verdict.findings),
    )


def _tell(policy: Policy, verdict: Verdict, item: Broken) -> str:
    """The law, and the first few findings that break it."""
    law = item.law
    if isinstance(law, TableSize):
        places = expected_places(policy, verdict.slices, verdict.claims) - set(
            map(place_in_findings, verdict.findings)
        )
        blamed = sorted(places, key=lambda place: (place.rule, place.slice, place.check))
        tail = f"here are {len(verdict.findings):,}; missing"
    elif isinstance(law, Inside) and law.column in WHOLE:
        return law.name
    else:
        blamed, tail = [place_in_findings(verdict.findings[row]) for row in item.rows], "but see"
    if not blamed:
        return law.name
    more = f" and {len(blamed) - NAMED:,} more" if len(blamed) > NAMED else ""
    return f"{law.name} ({tail} {', '.join(map(_show, blamed[:NAMED]))}{more})"


def _show(place: Place) -> str:
    name = escaped(place.slice)
    name = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    label = "" if place.label is None else f" {escaped(str(place.label))}"
    return f"rule {place.rule} {place.check} on {name}{label}"
