"""The generate section: how long the texts are at which generating is timed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prunegate.policy.section import Section

MOST_TOKENS = 1 << 17
Tokens = Annotated[int, Field(ge=1, le=MOST_TOKENS, strict=True)]
NewTokens = Annotated[int, Field(ge=2, le=MOST_TOKENS, strict=True)]
"""Two at least: the first is waited for, the others take their time each."""


class Generate(Section):
    """A language model as it is served: a prompt is read, then token after token is written."""

    new_tokens: NewTokens = 64
    """Tokens that are written after the prompt."""
    prompt_tokens: Tokens | None = None
    """Tokens of the prompt [default: the median of the gate split's prompts]."""
