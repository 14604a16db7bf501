"""Told: how a later copy of a page carries the answers that it tells, and how they are read again.

The page that is signed tells nobody's answer, because it is among what is signed. A copy made later
tells what the audit trail had to say, as facts in its head, so that it can be made again and
compared like any page. It proves none of them: that takes the audit folder.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import cache

from prunegate.audit.approvals.sign_off import Refusal, SignOffState, Why
from prunegate.errors import EvidenceError
from prunegate.report.page_one.answer import GivenAnswer, SignOffShown

_SIGNATURES: frozenset[Why] = frozenset({"missing", "not_enough", "not_distinct", "no_approver"})
"""Reasons that further signatures can end."""
_META = re.compile('<meta name="prunegate-answers" content="([^"]{1,20000})">')


def ends_by_signing(reason: Refusal) -> bool:
    """Whether further signatures can end a reason."""
    return reason.why in _SIGNATURES


def shown_of(standing: SignOffState, until: datetime | None, at: str) -> SignOffShown:
    """What a copy tells of an audit trail: the answers that stand, and the roles still missing.

    Args:
        standing: what the trail says, its signatures verified.
        until: when it ceases to ship by time alone, in UTC; None: no end is set.
        at: when it said so, ISO 8601 in UTC.
    """
    missing = tuple(
        reason.role
        for reason in standing.reasons
        if reason.role
        for _ in range(max(1, reason.needed - reason.given))
    )
    given = tuple(
        GivenAnswer(
            person=one.person,
            role=one.role,
            decision=one.decision,
            day=one.at.date().isoformat(),
            conditions=one.conditions,
            until=_utc(one.expires),
        )
        for one in sorted((*standing.counted, *standing.objections), key=lambda one: one.at)
    )
    stopped = not all(map(ends_by_signing, standing.reasons))
    return SignOffShown(
        at=at,
        ships=standing.ships,
        stopped=stopped,
        given=given,
        missing=missing,
        until=_utc(until),
    )


def _utc(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def carried_answers(state: SignOffShown) -> str:
    """The answers as JSON, for an attribute that the template escapes."""
    return json.dumps(asdict(state), sort_keys=True)


def answers_on(page: str) -> SignOffShown | None:
    """The answers that a page tells; None: it tells none, as the page that is signed.

    Raises:
        EvidenceError: what it carries of them is damaged.
    """
    found = _META.search(page, 0, max(0, page.find("<body>")))
    if found is None:
        return None
    try:
        return _validated()(html.unescape(found[1]), strict=True)
    except (ValueError, RecursionError) as error:  # pydantic's is a ValueError
        raise EvidenceError(
            "the answers that the page tells cannot be read: it was changed after it was made. "
            "Make the copy again with 'prunegate report RECORD --audit DIR --out COPY.html'"
        ) from error


@cache
def _validated() -> Callable[..., SignOffShown]:
    from pydantic import TypeAdapter

    return TypeAdapter(SignOffShown).validate_json
