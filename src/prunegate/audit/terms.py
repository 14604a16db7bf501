"""Terms: until when a decision holds, by its policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from prunegate.errors import InputError
from prunegate.policy.model import Policy
from prunegate.verdict.waiver import Waiver


def revalidate_on(policy: Policy, created: str, waivers: Sequence[Waiver] = ()) -> str | None:
    """The UTC date from which the decision has to be taken anew; None: the policy sets no term.

    A decision that rests on waivers holds no longer than any of them; where one ends within a day,
    until that day begins.

    Args:
        policy: the policy.
        created: when the decision was taken, ISO 8601 in UTC.
        waivers: what it rests on.

    Raises:
        InputError: there is no such date.
    """
    try:
        ends = [date.fromisoformat(one.expires[:10]) for one in waivers]
        if policy.revalidate is not None:
            day = date.fromisoformat(created[:10])
            ends.append(day + timedelta(days=policy.revalidate.after_days))
        return min(ends).isoformat() if ends else None
    except (ValueError, OverflowError) as error:
        raise InputError(f"created: {created[:40]!r} is no date to count from ({error})") from error
