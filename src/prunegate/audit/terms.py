"""Terms: until when a decision holds, by its policy."""

from __future__ import annotations

from datetime import date, timedelta

from prunegate.errors import InputError
from prunegate.policy.model import Policy


def revalidate_on(policy: Policy, created: str) -> str | None:
    """The UTC date from which the decision has to be taken anew; None: the policy sets no term.

    Args:
        policy: the policy.
        created: when the decision was taken, ISO 8601 in UTC.

    Raises:
        InputError: there is no such date.
    """
    if policy.revalidate is None:
        return None
    try:
        day = date.fromisoformat(created[:10])
        return (day + timedelta(days=policy.revalidate.after_days)).isoformat()
    except (ValueError, OverflowError) as error:
        raise InputError(f"created: {created[:40]!r} is no date to count from ({error})") from error
