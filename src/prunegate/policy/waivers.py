"""Waivers: the ``waivers`` section of a policy, how much may be let pass, and for how long.

A waiver lets one blocking finding of one candidate pass for a time, on somebody's signed word. The
policy says the longest term and how many findings of one verdict may rest on waivers; without the
section none may. What is waived lies in the audit folder (``audit/waivers``), not here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from prunegate.policy.section import Section


class Waivers(Section):
    """How far findings may be waived."""

    max_days: Annotated[int, Strict(), Field(ge=1, le=366)]
    """Longest term of a waiver, in days from the asking for it."""
    at_most: Annotated[int, Strict(), Field(ge=1, le=20)]
    """Findings of one verdict that may be waived; where waivers are for more, none counts."""
