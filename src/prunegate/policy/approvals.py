"""Approvals: the ``approvals`` section of a policy, whose word it takes before a candidate ships.

It says how many people of which role have to sign, and what has to differ between them. Whose key
is whose is no part of it: that changes without the bar changing, so it lies in the audit folder
(``allowed_signers`` and the log's enrolments).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from prunegate.policy.section import Name, Section

GATE = "gate"
"""The role of the gate's own keys, which never approve."""
Difference = Literal["key", "person", "organisation"]

_MOST = 9
"""Signatures that a policy may ask for in all."""


class Required(Section):
    """How many people of one role have to approve."""

    role: Name
    """The role, as people are enrolled in it."""
    count: Annotated[int, Strict(), Field(ge=1, le=_MOST)] = 1
    """How many people of the role."""


class Approvals(Section):
    """Who has to approve before a candidate ships."""

    required: Annotated[tuple[Required, ...], Field(min_length=1, max_length=_MOST)]
    """Every role once."""
    distinct: tuple[Difference, ...] = ("key", "person")
    """What must differ between any two of the approvals that are counted."""
    max_age_days: Annotated[int, Strict(), Field(ge=1, le=3650)] | None = None
    """Days after which an approval no longer counts; absent: only its own expiry ends it."""
    attested: Literal["refuse", "count"] = "refuse"
    """Whether an approval that only the agency attests (an e-mail) counts. It has no key, so it
    never does where keys have to differ."""

    @property
    def total(self) -> int:
        """How many approvals it takes in all."""
        return sum(one.count for one in self.required)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that have to approve, in the policy's order."""
        return tuple(one.role for one in self.required)

    @model_validator(mode="after")
    def _every_role_once(self) -> Approvals:
        if len(set(self.roles)) != len(self.roles):
            raise ValueError("'required' names a role twice; give it once, with its 'count'")
        if GATE in self.roles:
            raise ValueError(f"the role '{GATE}' is that of the gate's own keys, which never sign")
        if self.total > _MOST:
            raise ValueError(f"more than {_MOST} approvals in all are not asked for")
        return self

    @model_validator(mode="after")
    def _differences_once(self) -> Approvals:
        if len(set(self.distinct)) != len(self.distinct):
            raise ValueError("'distinct' names the same thing twice; keep one")
        if self.attested == "count" and "key" in self.distinct:
            raise ValueError(
                "attested approvals have no key, so they cannot count where keys have to differ; "
                "write 'distinct: [person]', or leave 'attested' out"
            )
        return self
