"""What words for people must agree with: the policy's slicing keys, and columns that are shown."""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.policy.messages import literal, suggest
from prunegate.policy.people import REDACTABLE
from prunegate.policy.schema import Policy
from prunegate.policy.validation import Path


def people_disagreements(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Labels of what is no slicing key; columns that a report shows nothing of, or has to."""
    for key in policy.labels:
        if key not in policy.keys:
            yield ("labels", key), f"no slice is made of this column; {suggest(key, policy.keys)}"
    shown = [*REDACTABLE, *(getattr(policy.data.columns, role) for role in REDACTABLE)]
    for place, name in enumerate(policy.report.redact):
        at: Path = ("report", "redact", place)
        if name in policy.keys:
            yield (
                at,
                (
                    f"{literal(name)} is a slicing key: its values name what is judged and "
                    "cannot be left out; give them other values in the table"
                ),
            )
        elif name not in shown:
            yield at, f"a report shows no value of such a column; {suggest(name, REDACTABLE)}"
